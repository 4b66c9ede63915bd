"""
What a hostile request may cost: as much as is read of it, and no more (rule R13).

In:  headers of half a kilobyte, of four, and of a megabyte, as bad as they can be.
Out: processor time, compared within one run and generously.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.networks import TrustedNetworks
from trustedproxy.parsing.addresses import parse_packed

from .making import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    PROXIES,
    REAL,
    SCRIPT,
    SERVER,
    make_environ,
    make_scope,
)

OTHERS: Final = [PROTO, HOST, SERVER, PORT, SCRIPT]
_KEYWORDS: Final[list[dict[str, Any]]] = [
    {"headers": [FOR, *OTHERS], "proxies": PROXIES},
    {"headers": [REAL, FOR, *OTHERS], "hops": 3, "port_in_host": True},
    {"headers": ["CloudFront-Viewer-Address", *OTHERS], "proxies": PROXIES},
    {"headers": [FORWARDED, *OTHERS[2:]], "proxies": PROXIES},
    {"headers": [FORWARDED, *OTHERS[2:]]},
]
POLICIES: Final = [ProxyPolicy(**keywords) for keywords in _KEYWORDS]
NAMES: Final = [FOR, REAL, "CloudFront-Viewer-Address", FORWARDED, *OTHERS]

SMALL, READ, HUGE = 512, 4096, 1_000_000

#: What is repeated to the size that is wanted.
PATTERNS: Final = [
    "a",
    "_",
    "a.",
    "/a",
    "0:",
    "[",
    "\t,",
    ",",
    "10.0.0.1,",
    "2001:db8:1::1,",
    '"',
    '",',
    '\\"',
    '"\\",',
    "; ",
    "for=10.0.0.1;",
    'for="10.0.0.1",',
    'for="a\\"',
    "X-Real-IP,",
]


def cost(call: Callable[[], object], times: int) -> float:
    """Measure the least processor time of *times* calls, of two tries."""
    tries = []
    for _ in range(2):
        started = time.process_time()
        for _ in range(times):
            call()
        tries.append(time.process_time() - started)
    return min(tries) / times


def ask(policy: ProxyPolicy, value: str) -> Callable[[], object]:
    """Ask the environ and the scope of a request all of whose headers are *value*."""
    headers = dict.fromkeys([*NAMES, "Connection"], value)
    environ = make_environ(headers)
    scope = make_scope([(name.lower(), value) for name in headers])
    return lambda: (policy.apply(dict(environ)), policy.apply_scope(scope))


@pytest.mark.parametrize("pattern", PATTERNS, ids=ascii)
def test_cost_of_a_header_is_linear_in_what_is_read(pattern: str) -> None:
    """Eight times as much costs about as much more, and a megabyte hardly more."""
    small, read, huge = ((pattern * size)[:size] for size in (SMALL, READ, HUGE))
    for policy in POLICIES:
        of_small = cost(ask(policy, small), 2)
        of_read = cost(ask(policy, read), 1)
        of_huge = cost(ask(policy, huge), 1)

        # A quadratic cost would be 64 times as high, and then 60,000 times.
        assert of_read < 30 * of_small + 0.001
        assert of_huge < 100 * of_read + 0.050


def test_cost_of_a_verdict_hardly_grows_with_the_networks() -> None:
    """Thousands of networks are searched in about the time of a few (R13)."""
    few, many = (
        TrustedNetworks([f"10.{n >> 8}.{n & 255}.0/25" for n in range(count)])
        for count in (8, 8000)
    )
    packed = [parse_packed(f"10.{n}.{n}.1") or b"" for n in range(200)]

    def search(networks: TrustedNetworks) -> Callable[[], object]:
        return lambda: [networks.contains(address) for address in packed]

    assert sum(map(many.contains, packed)) > sum(map(few.contains, packed)) > 0
    assert cost(search(many), 20) < 20 * cost(search(few), 20) + 0.001
