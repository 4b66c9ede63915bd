"""
What a hostile request may cost: as much as is read of it, and no more (rule R13).

In:  headers of half a kilobyte, of four, and of a megabyte, as bad as they can be; very
     many lines; very many peers, hosts and values.
Out: processor time and memory, compared within one run and generously.
"""

from __future__ import annotations

import logging
import sys
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

pytestmark = pytest.mark.cost

OTHERS: Final = [PROTO, HOST, SERVER, PORT, SCRIPT]
_KEYWORDS: Final[list[dict[str, Any]]] = [
    {"headers": [FOR, *OTHERS], "proxies": PROXIES},
    {"headers": [REAL, FOR, *OTHERS], "hops": 3, "port_in_host": True},
    {"headers": ["CloudFront-Viewer-Address", *OTHERS], "proxies": PROXIES},
    {"headers": [FORWARDED, *OTHERS[2:]], "proxies": PROXIES},
    {"headers": [FORWARDED, *OTHERS[2:]], "proxies": "*"},
    {"headers": [FOR, *OTHERS], "proxies": "*"},
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


@pytest.mark.parametrize("policy", POLICIES[:1] + POLICIES[-1:], ids=["list", "all"])
def test_cost_of_many_lines_is_linear(policy: ProxyPolicy) -> None:
    """H-06: no more of a header's lines is joined than is read of it."""

    def ask_lines(count: int) -> Callable[[], object]:
        lines = [(name.lower(), "203.0.113.7") for name in (FOR, PROTO)]
        scope = make_scope(lines * count)
        return lambda: policy.apply_scope(scope)

    few, many = cost(ask_lines(500), 4), cost(ask_lines(50_000), 1)

    # A quadratic cost would be 10,000 times as high.
    assert many < 400 * few + 0.050


#: What a client can choose anew with every request: header → its value for a number.
CHOSEN: Final[dict[str, Callable[[int], str]]] = {
    FOR: lambda n: f"6.6.6.6, 203.0.{n >> 8 & 255}.{n & 255}",
    PROTO: lambda n: ("https", "http", f"ftp{n}")[n % 3],
    HOST: lambda n: f"h{n}.example:{1 + n % 60000}",
    SERVER: lambda n: f"s{n}.example",
    PORT: lambda n: str(1 + n % 65535),
    SCRIPT: lambda n: f"/app{n}",
    FORWARDED: lambda n: f"for=203.0.113.{n & 255};host=h{n}.example",
    "Connection": lambda n: f"close, x{n}",
    "Host": lambda n: f"own{n}.example",
}


def count_growth(request: Callable[[int], object], times: int = 10_000) -> int:
    """Count by how many blocks of memory the second half of all requests grows it."""
    halves = [0, 0]
    # What keeps the records of a test would grow.
    logging.disable(logging.CRITICAL)
    try:
        for number in range(times):
            request(number)
            if number % 50 == 0:
                half = number * 2 // times
                halves[half] = max(halves[half], sys.getallocatedblocks())
    finally:
        logging.disable(logging.NOTSET)
    return halves[1] - halves[0]


@pytest.mark.parametrize("policy", POLICIES[:4], ids=["list", "count", "one", "rfc"])
def test_different_requests_do_not_grow_the_process(policy: ProxyPolicy) -> None:
    """Whatever is remembered is bounded: peers, hosts, values and names of headers."""

    def request(number: int) -> None:
        network = "10" if number % 3 else "198"
        peer = f"{network}.0.{number >> 8 & 255}.{number & 255}"
        headers = {name: value(number) for name, value in CHOSEN.items()}
        lines = [(name.lower(), value) for name, value in headers.items()]
        lines += [(f"x-{number}", "1"), (f"x_real_{number}", "1"), (f"x {number}", "")]
        policy.apply(make_environ(headers, peer=peer))
        policy.apply_scope(make_scope(lines, peer=peer, host=None))

    # One that is remembered takes dozens, in an environ and in a scope.
    assert count_growth(request) < 20_000


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
