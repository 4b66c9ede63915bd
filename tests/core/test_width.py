"""
Networks that are too wide for anybody's proxies.

In:  networks that can be listed.
Out: whether strangers have room in them.
"""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from trustedproxy._types import Network
from trustedproxy.networks import NAMED_NETWORKS, WIDEST, is_too_wide

NAMED = [network for networks in NAMED_NETWORKS.values() for network in networks]


@pytest.mark.parametrize("network", NAMED, ids=str)
def test_network_with_a_name_is_not_too_wide(network: Network) -> None:
    """However wide: nobody on the public internet has an address in it."""
    assert not is_too_wide(network)


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("0.0.0.0/0", True),
        ("52.0.0.0/8", True),
        ("52.0.0.0/11", True),
        ("52.0.0.0/12", False),
        ("203.0.113.7/32", False),
        ("10.0.0.0/9", False),
        ("10.0.0.0/7", True),
        ("100.0.0.0/9", True),
        ("::/0", True),
        ("2000::/3", True),
        ("2400::/19", True),
        ("2400::/20", False),
        ("2001:db8::/32", False),
        ("fd00::/8", False),
        ("fc00::/6", True),
    ],
)
def test_network_is_too_wide(text: str, wide: bool) -> None:
    """Wider than `WIDEST`, and not inside of a network with a name."""
    network = ip_network(text)

    assert is_too_wide(network) is wide
    assert wide <= (network.prefixlen < WIDEST[network.version])
