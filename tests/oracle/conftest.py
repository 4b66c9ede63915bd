"""
One Apache for the whole session, and everything that it was asked.

In:  the policies and requests of `cases`.
Out: `oracle`, the running server; `client`, its connections; `outcomes`, what both
     sides answered to every generated request.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .apache import Oracle, has_ipv6, start_oracle
from .cases import NAMES, PEERS, POLICIES, Request, make_requests
from .client import Client, view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEED = 449
COUNT = 12_000

#: Keys that mod_wsgi leaves as they were, and that are kept in step here.
_IN_STEP = frozenset({"REQUEST_SCHEME", "REMOTE_PORT"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What both sides answered to one request: the six variables and the headers."""

    request: Request
    theirs: dict[str, str]
    ours: dict[str, str]
    #: Other keys that differ, or that do not say the same as the six variables.
    strays: tuple[str, ...]

    @property
    def peer_trusted(self) -> bool:
        """Whether the peer's headers counted."""
        return POLICIES[self.request.policy].trusts(self.request.peer)

    def __str__(self) -> str:
        differing = sorted(
            key
            for key in {*self.theirs, *self.ours}
            if self.theirs.get(key) != self.ours.get(key)
        )
        shown = "".join(
            f"\n  {key}: theirs {self.theirs.get(key)!r}, ours {self.ours.get(key)!r}"
            for key in differing
        )
        return f"{POLICIES[self.request.policy]}\n  {self.request}{shown}"


@dataclass(frozen=True, slots=True)
class Run:
    """All outcomes, and how long they took."""

    outcomes: Sequence[Outcome]
    seconds: float


@pytest.fixture(scope="session")
def peers() -> tuple[str, ...]:
    """Where requests can come from: without IPv6 on this machine, IPv4 alone."""
    return tuple(peer for peer in PEERS if ":" not in peer or has_ipv6())


@pytest.fixture(scope="session")
def oracle(peers: tuple[str, ...]) -> Iterator[Oracle]:
    """Give the running Apache with the real mod_wsgi."""
    hosts = sorted({"::1" if ":" in peer else "127.0.0.1" for peer in peers})
    with start_oracle(
        [policy.directives for policy in POLICIES], names=NAMES, hosts=hosts
    ) as running:
        yield running


@pytest.fixture(scope="session")
def client(oracle: Oracle) -> Iterator[Client]:
    """Give connections to both sides."""
    with Client(oracle) as connected:
        yield connected


@pytest.fixture(scope="session")
def run(client: Client, peers: tuple[str, ...]) -> Run:
    """Give what both sides answered to every generated request."""
    begun = time.monotonic()
    outcomes = [ask(client, each) for each in make_requests(SEED, COUNT, peers)]
    return Run(outcomes, time.monotonic() - begun)


def ask(client: Client, request: Request) -> Outcome:
    """Send *request* to both sides, and keep what is compared."""
    theirs, ours = client.ask(request)
    return Outcome(request, view(theirs), view(ours), _find_strays(theirs, ours))


def _find_strays(theirs: dict[str, str], ours: dict[str, str]) -> tuple[str, ...]:
    compared = {*view(theirs), *view(ours)}
    strays = [
        key
        for key in {*theirs, *ours} - compared - _IN_STEP
        if not key.startswith("mod_wsgi.") and theirs.get(key) != ours.get(key)
    ]
    if ours["REQUEST_SCHEME"] != ours["wsgi.url_scheme"]:
        strays.append("REQUEST_SCHEME")
    return tuple(strays)
