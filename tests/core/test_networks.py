"""
Networks: what may be listed, and what is trusted.

In:  entries as people write them; peers as servers report them.
Out: `TrustedNetworks` held against `ipaddress`, and every error word for word.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy import ConfigurationError, memo
from trustedproxy.networks import NAMED_NETWORKS, TrustedNetworks, parse_network
from trustedproxy.parsing.addresses import parse_packed

bounded: Final = settings(max_examples=120, deadline=None, database=None)

AN_IP_NETWORK: Final = "an IP network such as 10.0.0.0/8"
NAMES: Final = (
    "; names are never looked up: write the address that the server sees in "
    "REMOTE_ADDR, or the network of the containers, such as '172.16.0.0/12' or "
    "'private'"
)


def pack(text: str) -> bytes:
    """Read an address that is one."""
    packed = parse_packed(text)
    assert packed is not None
    return packed


# -- entries ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.1/32", "10.0.0.1/32"),
        ("10.0.0.1/255.255.255.255", "10.0.0.1/32"),
        ("10.0.0.0/255.255.254.0", "10.0.0.0/23"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("0.0.0.0/0.0.0.0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::7", "2001:db8::7/128"),
        ("::/0", "::/0"),
        ("::1/128", "::1/128"),
        ("::10.0.0.0/104", "::a00:0/104"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        (ipaddress.ip_network("::ffff:10.0.0.0/104"), "10.0.0.0/8"),
        (ipaddress.ip_address("10.0.0.1"), "10.0.0.1/32"),
        (ipaddress.ip_address("2001:db8::7"), "2001:db8::7/128"),
    ],
    ids=str,
)
def test_entry_is_read_as_a_network(entry: object, network: str) -> None:
    """Addresses, prefix lengths, netmasks, mapped ones as IPv4, and `ipaddress`'s."""
    assert parse_network(entry, "TRUSTED_PROXIES") == ipaddress.ip_network(network)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("10.0.0.0/33", AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')"),
        ("10.0.0.0/-1", AN_IP_NETWORK),
        ("10.0.0.1/+08", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("0.0.0.0/000", AN_IP_NETWORK + " (the nearest is '0.0.0.0/0')"),
        ("::ffff:10.0.0.0/129", AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')"),
        ("::ffff:10.0.0.0/x", AN_IP_NETWORK),
        ("10.0.0.0/+8", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/08", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/ 8", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/", AN_IP_NETWORK),
        ("10.0.0.0/8/8", AN_IP_NETWORK),
        ("10.0.0.0/\u0668", AN_IP_NETWORK),
        ("10.0.0.0/" + "9" * 5000, AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')"),
        ("10.0.0.0/0.255.255.255", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/255.0.255.0", AN_IP_NETWORK),
        ("10.0.0.0/255.0.0", AN_IP_NETWORK),
        ("10.0.0.0/::", AN_IP_NETWORK),
        ("2001:db8::/129", AN_IP_NETWORK + " (the nearest is '2001:db8::/128')"),
        ("2001:db8::/ffff::", AN_IP_NETWORK),
        ("2001:db8::/255.0.0.0", AN_IP_NETWORK),
        ("10.0.0.1/8", "a network without host bits (the nearest is '10.0.0.0/8')"),
        (
            "10.0.0.1/255.0.0.0",
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        (
            "2001:db8::1/32",
            "a network without host bits (the nearest is '2001:db8::/32')",
        ),
        (
            "::ffff:10.0.0.1/104",
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        (
            ipaddress.ip_interface("10.0.0.1/8"),
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        ("::ffff:0:0/95", "an IPv4-mapped network of /96 or longer"),
        (
            "::ffff:10.0.0.0/8",
            "an IPv4-mapped network of /96 or longer (the nearest is '10.0.0.0/8')",
        ),
        ("loopbak", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("Loopback", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("privat", AN_IP_NETWORK + " (the nearest is 'private')"),
        ("UNIX", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("unix:", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("unix:/run/app.sock", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("/run/app.sock", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("@app", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("file", AN_IP_NETWORK + NAMES),
        ("link-local", AN_IP_NETWORK + " (the nearest is 'linklocal')"),
        ("10", AN_IP_NETWORK),
        ("10/8", AN_IP_NETWORK),
        ("10.1", AN_IP_NETWORK),
        ("10.0.0/24", AN_IP_NETWORK),
        ("010.0.0.1", AN_IP_NETWORK),
        ("0x0a.0.0.1", AN_IP_NETWORK),
        ("167772161", AN_IP_NETWORK),
        ("fe80::1%eth0", AN_IP_NETWORK + " (the nearest is 'fe80::1')"),
        ("fe80::%eth0/64", AN_IP_NETWORK + " (the nearest is 'fe80::/64')"),
        ("fe80::1%eth0/64", AN_IP_NETWORK),
        (
            ipaddress.ip_address("fe80::1%eth0"),
            AN_IP_NETWORK + " (the nearest is 'fe80::1')",
        ),
        ("[2001:db8::7]", AN_IP_NETWORK + " (the nearest is '2001:db8::7')"),
        ("[2001:db8::]/32", AN_IP_NETWORK + " (the nearest is '2001:db8::/32')"),
        ("10.0.0.1:80", AN_IP_NETWORK + " (the nearest is '10.0.0.1')"),
        ("localhost", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("Localhost:8000", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("*", AN_IP_NETWORK),
        ("proxy.internal", AN_IP_NETWORK + NAMES),
        ("traefik", AN_IP_NETWORK + NAMES),
        ("nginx", AN_IP_NETWORK + NAMES),
        ("web_1:8080", AN_IP_NETWORK + NAMES),
        ("http://traefik:80/", AN_IP_NETWORK + NAMES),
        ("traefik/32", AN_IP_NETWORK),
        ("", AN_IP_NETWORK),
        (" 10.0.0.1", AN_IP_NETWORK),
        (167772161, AN_IP_NETWORK),
        (b"10.0.0.1", AN_IP_NETWORK),
        (None, AN_IP_NETWORK),
        (["10.0.0.1"], AN_IP_NETWORK),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_entry_that_is_no_network_is_an_error(entry: object, expected: str) -> None:
    """The error names the entry's place, the entry, and the nearest that is right."""
    entries: Any = ["10.0.0.1", entry]
    shown = entry if isinstance(entry, (int, bytes, list)) or not entry else str(entry)

    with pytest.raises(ConfigurationError) as caught:
        TrustedNetworks(entries)

    front, end = f"TRUSTED_PROXIES[1]: {shown!r}"[:400], f" is not {expected}."
    assert str(caught.value).startswith(front)
    assert str(caught.value).endswith(end)


@bounded
@given(
    st.one_of(
        st.text("0123456789.:/abcf", max_size=20),
        st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 130)),
    )
)
def test_entry_is_what_ipaddress_takes_strictly(text: str) -> None:
    """No entry means another network than the standard library says."""
    try:
        network = parse_network(text, "x")
    except ConfigurationError:
        return
    if isinstance(network, ipaddress.IPv4Network) and ":" in text:
        mapped = ipaddress.IPv6Network(text)
        assert network.prefixlen == mapped.prefixlen - 96
        assert network[0] == mapped[0].ipv4_mapped
    else:
        assert network == ipaddress.ip_network(text)


@bounded
@given(st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 130)))
def test_network_that_ipaddress_takes_is_taken(text: str) -> None:
    """Nothing that is strictly a network is refused, but wide mapped ones."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return
    if getattr(network[0], "ipv4_mapped", None) is None:
        assert parse_network(text, "x") == network


# -- what is trusted -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("loopback", ["127.0.0.1", "127.255.255.255", "::1"], ["126.1.1.1", "::2"]),
        (
            "private",
            ["10.0.0.0", "172.31.255.255", "192.168.0.1", "fdff::1", "fc00::"],
            ["11.0.0.0", "172.32.0.0", "192.169.0.0", "fe00::", "fbff::1"],
        ),
        (
            "linklocal",
            ["169.254.1.1", "fe80::1", "febf::1"],
            ["fec0::1", "169.253.1.1"],
        ),
        ("shared", ["100.64.0.0", "100.127.255.255"], ["100.128.0.0", "100.63.1.1"]),
    ],
)
def test_name_stands_for_its_networks(
    name: str, inside: list[str], outside: list[str]
) -> None:
    """The names of RFC 1122, 1918, 3927, 4193, 4291 and 6598."""
    trusted = TrustedNetworks([name])

    assert trusted.networks == NAMED_NETWORKS[name]
    assert all(trusted.trusts(peer) and trusted.contains(pack(peer)) for peer in inside)
    assert not any(trusted.trusts(peer) for peer in outside)
    assert not any(trusted.contains(pack(peer)) for peer in outside)


UNIX_PEERS: Final = [None, "", "localhost", "<local>", "0.0.0.0", "/run/x", "@x", "\0x"]


def test_peer_of_a_unix_socket_is_trusted_only_by_its_word() -> None:
    """No network has it, however wide; and the word has no network."""
    everything = TrustedNetworks(["0.0.0.0/0", "::/0", "loopback"])
    unix = TrustedNetworks(["unix"])

    assert unix.unix and not everything.unix
    assert unix.networks == ()
    for peer in UNIX_PEERS:
        assert unix.trusts(peer)
        assert not everything.trusts(peer)
    for peer in ("127.0.0.1", "::1", "unknown", "unix.example"):
        assert not unix.trusts(peer)


@pytest.mark.parametrize("peer", [*UNIX_PEERS, "127.0.0.1", "10.0.0.1", "unknown"])
def test_peer_that_came_over_a_unix_socket_is_trusted_only_by_its_word(
    peer: str | None,
) -> None:
    """Where the server shows the socket, what a client calls itself is nothing."""
    networks = TrustedNetworks(["loopback", "10.0.0.0/8"])
    unix = TrustedNetworks(["unix", "192.0.2.1"])

    for _ in range(2):
        assert not networks.trusts(peer, True)
        assert unix.trusts(peer, True)
        # What is remembered of the address is not remembered of the socket.
        networks.trusts(peer)


@pytest.mark.parametrize("peer", [*UNIX_PEERS, "unix:", "unix:/run/x"])
def test_peer_that_came_over_tcp_is_no_unix_peer_by_a_name(peer: str | None) -> None:
    """H-10: where the server shows that it listens on TCP."""
    trusted = TrustedNetworks(["unix", "10.0.0.0/8"])

    for _ in range(2):
        assert not trusted.trusts(peer, False)
        assert trusted.trusts(peer)
        assert trusted.trusts("10.0.0.1", False)


def test_peer_with_a_long_zone_is_trusted_and_not_remembered() -> None:
    """What is remembered is short."""
    trusted = TrustedNetworks(["fe80::/10"])
    peer = "fe80::1%" + "x" * 5000

    assert trusted.trusts(peer) and trusted.trusts("fe80::1%eth0")
    assert list(trusted._now[0]._known_peers) == ["fe80::1%eth0"]


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::FFFF:0a01:0203", True),
        ("fe80::1%eth0", True),
        ("fe80::1%", True),
        ("fe80::1", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        # NAT64, 6to4, Teredo, and the long-deprecated compatible form.
        ("64:ff9b::a01:203", False),
        ("2002:a01:203::", False),
        ("2001:0:a01:203::", False),
        ("::10.1.2.3", False),
        ("10.1.2.3%eth0", False),
        ("10.1.2", False),
        ("10.1.2.3 ", False),
        ("10.1.2.3:80", False),
        ("unknown", False),
        ("", False),
        (None, False),
    ],
)
def test_peer_is_matched_by_its_address(peer: str | None, trusted: bool) -> None:
    """Mapped addresses match IPv4 networks, zones are ignored, other forms are not."""
    assert TrustedNetworks(["10.0.0.0/8", "fe80::/10"]).trusts(peer) is trusted


def _network(address: Any, length: int) -> Any:
    return ipaddress.ip_network((address, min(length, address.max_prefixlen)), False)


FEW: Final = st.one_of(
    st.integers(0, 2**5).map(ipaddress.IPv4Address),
    st.integers(2**32 - 2**5, 2**32 - 1).map(ipaddress.IPv4Address),
    st.integers(2**128 - 2**5, 2**128 - 1).map(ipaddress.IPv6Address),
    st.integers(2**64, 2**64 + 2**5).map(ipaddress.IPv6Address),
)
#: Small networks close to each other, and any others.
NETWORKS: Final = st.one_of(
    st.builds(_network, FEW, st.integers(27, 32)),
    st.builds(_network, FEW, st.integers(123, 128)),
    st.builds(_network, st.ip_addresses(), st.integers(0, 128)),
)


@bounded
@given(st.lists(NETWORKS, max_size=8), st.lists(FEW, max_size=12), st.ip_addresses())
def test_ranges_are_those_of_the_networks(
    listed: list[Any], near: list[Any], anywhere: Any
) -> None:
    """Adjacent, nested and doubled networks are merged without gap or overlap."""
    if any(getattr(network[0], "ipv4_mapped", None) for network in listed):
        return
    trusted = TrustedNetworks(listed)
    edges = [n[i] for n in listed for i in (0, -1)]
    beyond = [
        type(address)(number)
        for address in edges
        for number in (int(address) - 1, int(address) + 1)
        if 0 <= number < 2**address.max_prefixlen
    ]

    for address in [*near, anywhere, *edges, *beyond]:
        if getattr(address, "ipv4_mapped", None):
            continue
        inside = any(address in network for network in listed)
        assert trusted.contains(address.packed) is inside
        if str(address) != "0.0.0.0":
            assert trusted.trusts(str(address)) is inside
            spellings = {address.exploded.upper()}
            if address.version == 4:
                spellings = {f"::ffff:{address}", f"0:0:0:0:0:FFFF:{address}"}
            assert {trusted.trusts(text) for text in spellings} == {inside}


def test_networks_are_listed_once_in_order() -> None:
    """What is shown is what was given, doubled ones once."""
    trusted = TrustedNetworks(["10.0.0.0/8", "::1", "10.0.0.0/255.0.0.0", "unix"])

    assert [str(network) for network in trusted.networks] == ["10.0.0.0/8", "::1/128"]
    assert TrustedNetworks([]).networks == ()
    assert not TrustedNetworks([]).trusts("10.0.0.1")


def test_peers_that_are_remembered_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies are remembered, strangers never, and a full memo is emptied."""
    monkeypatch.setattr(memo, "_MOST", 3)
    trusted = TrustedNetworks(["10.0.0.0/8"])

    for number in range(10):
        for _ in range(2):
            assert trusted.trusts(f"10.0.0.{number}")
            assert not trusted.trusts(f"11.0.0.{number}")
        known = trusted._now[0]._known_peers
        assert 0 < len(known) <= 3
        assert all(peer is not None and peer.startswith("10.") for peer in known)
