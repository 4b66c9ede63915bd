"""
What was there, what was concluded, and why.

In:  nothing; these are records.
Out: `Connection`, `Decision`, `Reason`, `Problem`.

`Decision` is a tuple of evidence underneath: it is made for every request, and a tuple
is the cheapest record that cannot be changed afterwards.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .parsing.addresses import spell_peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .client import Finding
    from .headers import Category
    from .parsing.addresses import Hop
    from .url_parts import Beside


#: The mapping of everything that is not there.
NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Connection(NamedTuple):
    """
    What the server says by itself, before any header is read.

    Attributes:
        peer:
            The address that opened the connection, or what the server reports for a
            unix socket (`trustedproxy.parsing.addresses` has the list).

        scheme: ``http`` or ``https``; ``ws`` or ``wss`` for a websocket.

        host: The ``Host`` header as it came, or ``None``.

        server: The server's own name.

        port: The server's own port, as text.

        mount_point: Where the server mounted the application, or ``""``.

        path: The path below the mount point.
    """

    peer: str | None = None
    scheme: str = "http"
    host: str | None = None
    server: str | None = None
    port: str | None = None
    mount_point: str = ""
    path: str = "/"


class Reason(StrEnum):
    """Why the client is who the decision says it is."""

    NO_TRUSTED_HEADERS = "no header is trusted, so nothing was read"
    PEER_NOT_TRUSTED = "the peer is not a trusted proxy"
    SECRET_MISSING = "the request did not carry the proxy's secret"
    FIRST_UNTRUSTED_HOP = "the client is the nearest hop that is not a trusted proxy"
    ALL_HOPS_TRUSTED = "every hop is a trusted proxy, so the client is the farthest"
    HOP_COUNT = "the client is the hop at the configured count"
    FIRST_ELEMENT = "every peer is trusted, so the client is the first element"
    SINGLE_VALUE = "the client is the one address that the header holds"
    UNIDENTIFIED_HOP = "the walk ended at a hop that is no address"
    TOO_FEW_ELEMENTS = "the header has fewer elements than the configured count"
    HEADER_MISSING = "a trusted proxy sent none of the trusted client headers"
    MALFORMED = "the trusted client header is malformed"
    NO_CLIENT_HEADER = "no client header is trusted, so the client is unknown"


class Problem(NamedTuple):
    """
    A malformed or contradictory value.

    Attributes:
        code: Stable, for filters and counters; `CODES` has them all.

        header: The header's name on the wire.

        value: What was found there, as it came.
    """

    code: str
    header: str
    value: str = ""


#: Every problem's code, and what it means.
CODES = {
    "malformed": "the header's value does not match its grammar",
    "missing": "a trusted proxy sent none of the trusted client headers",
    "too-few-elements": "the header has fewer elements than the configured hop count",
    "too-long": "the walk reached more of the header than is ever read",
    "unidentified": "the header names nobody, and unknown clients are refused",
    "named-in-connection": "the Connection header asks proxies to drop this header",
}


class Outcome(NamedTuple):
    """
    What a decision says that many others say as well, whoever their clients are.

    Attributes:
        reason: Why the client is who it is, where no client header counts.

        beside: What the other categories' headers said; ``None``: nothing was trusted.

        rewritten: Name of a header whose value was cut → the value it has now.

        problems: What was malformed or contradictory.

        rejected: The problem for which a middleware answers 400, or ``None``.

        keys: Name of a header → its key in a decision's `original`.

        variables:
            What the surface calls the values of a connection, where `original` is to
            be worked out by them; empty where it was kept whole.
    """

    reason: Reason
    beside: Beside | None
    rewritten: Mapping[str, str]
    problems: tuple[Problem, ...]
    rejected: Problem | None
    keys: Mapping[str, str]
    variables: tuple[str, ...] = ()


class Evidence(NamedTuple):
    """
    What a decision stands on; `Decision` works its attributes out of it when asked.

    Making a decision for every request costs as much as making this record, so it
    holds what was found anyway, and nothing twice.

    Attributes:
        connection: The values of a `Connection` but its path.

        finding:
            What the client header that counts said, or ``None``; its fields by their
            places, since of a request like most it is a plain tuple.

        outcome: What was concluded about everything else.

        kept:
            Variable → its value before it was replaced or removed, in the words of
            the surface; ``None`` for one that was not there.  Where the outcome has
            `variables`, those of the connection are not among them.  Or the variables,
            and beside them their values in the same order.
    """

    connection: tuple[str | None, str, str | None, str | None, str | None, str]
    finding: Finding | None
    outcome: Outcome
    kept: Mapping[str, Any] | tuple[Iterable[str], Iterable[Any]]


class Decision(Evidence):
    """
    The conclusion for one request.

    It cannot be changed.
    """

    __slots__ = ()

    @property
    def beside(self) -> Beside | None:
        """What the other categories' headers said; ``None``: nothing was trusted."""
        return self.outcome.beside

    @property
    def reason(self) -> Reason:
        """Why the client is who it is."""
        return self.outcome.reason if self.finding is None else self.finding[4]

    @property
    def rewritten(self) -> Mapping[str, str]:
        """Name of a header whose value was cut → the value it has now."""
        return self.outcome.rewritten

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was malformed or contradictory."""
        return self.outcome.problems

    @property
    def rejected(self) -> Problem | None:
        """The problem for which a middleware answers 400, or ``None``."""
        return self.outcome.rejected

    @property
    def original(self) -> Mapping[str, Any]:
        """
        Variable → its value before it was replaced or removed.

        In the words of the surface; ``None`` for a variable that was not there.
        """
        kept = self.kept
        beside = self.beside
        if isinstance(kept, tuple):
            return MappingProxyType(dict(zip(*kept, strict=True)))
        if beside is None or not self.outcome.variables:
            return MappingProxyType(dict(kept))
        said = (self.address, *beside[:5])
        rows = zip(self.outcome.variables, self.connection, said, strict=True)
        changed = {
            name: was for name, was, now in rows if now is not None and now != was
        }
        return MappingProxyType({**changed, **kept})

    @property
    def peer(self) -> str | None:
        """The other end of the connection, as the server reported it."""
        return self.connection[0]

    @property
    def peer_trusted(self) -> bool:
        """Whether the peer's headers were read."""
        return self.beside is not None or self.rejected is not None

    @property
    def client(self) -> str | None:
        """The client's address in canonical spelling; ``None`` where it is unknown."""
        if self.beside is not None:
            hop = None if self.finding is None else self.finding[0]
            return None if hop is None else hop[0]
        return None if self.rejected is not None else spell_peer(self.peer)

    @property
    def client_known(self) -> bool:
        """Whether anybody who is trusted confirms the client's address."""
        return self.client is not None

    @property
    def _vouched(self) -> Hop | None:
        if self.beside is None or self.finding is None:
            return None
        return self.finding[1]

    @property
    def address(self) -> str | None:
        """What ``REMOTE_ADDR`` is now."""
        hop = self._vouched
        return self.peer if hop is None else hop[0]

    @property
    def client_port(self) -> int | None:
        """The port that a header gave beside `address`, or ``None``."""
        hop = self._vouched
        return None if hop is None else hop[1]

    @property
    def scheme(self) -> str:
        """What the scheme is now."""
        said = None if self.beside is None else self.beside.scheme
        return self.connection[1] if said is None else said

    @property
    def host(self) -> str | None:
        """What the ``Host`` header is now."""
        said = None if self.beside is None else self.beside.host
        return self.connection[2] if said is None else said

    @property
    def server(self) -> str | None:
        """What the server's name is now."""
        said = None if self.beside is None else self.beside.server
        return self.connection[3] if said is None else said

    @property
    def port(self) -> str | None:
        """What the server's port is now, as text."""
        said = None if self.beside is None else self.beside.port
        own = self.connection[4]
        return (None if own is None else str(own)) if said is None else said

    @property
    def mount_point(self) -> str:
        """What the mount point is now."""
        said = None if self.beside is None else self.beside.mount_point
        return self.connection[5] if said is None else said

    @property
    def winners(self) -> Mapping[Category, str]:
        """Category → name of the header whose value was used."""
        return {} if self.beside is None else self.beside.winners

    @property
    def removed(self) -> tuple[str, ...]:
        """Names of the headers that were removed, in the table's order."""
        original, rewritten = self.original, self.rewritten
        return tuple(
            name
            for name, key in self.outcome.keys.items()
            if key in original and name not in rewritten
        )

    def with_original(self, more: Mapping[str, Any]) -> Decision:
        """
        Make the decision of a request of which more was replaced or removed.

        Args:
            more: Variable → its value before, as in `original`.
        """
        return self._replace(
            outcome=self.outcome._replace(variables=()), kept={**self.original, **more}
        )

    def _spell_out(self) -> tuple[Any, ...]:
        outcome = self.outcome._replace(reason=self.reason, variables=())
        return self.connection, self.finding, outcome, dict(self.original)

    def __eq__(self, other: object) -> bool:
        # The same evidence can be kept in several ways.
        return isinstance(other, Decision) and self._spell_out() == other._spell_out()

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # as that of a dictionary

    def __reduce__(self) -> tuple[Any, ...]:
        """Let decisions be copied and pickled, which read-only views cannot be."""
        connection, finding, outcome, original = self._spell_out()
        beside = self.beside
        if beside is not None:
            beside = beside._replace(
                winners=dict(beside.winners), rewritten=dict(beside.rewritten)
            )
        outcome = outcome._replace(
            beside=beside, rewritten=dict(self.rewritten), keys=dict(outcome.keys)
        )
        return Decision._make, ((connection, finding, outcome, original),)

    def __repr__(self) -> str:
        says = {name: getattr(self, name) for name in _SHOWN}
        for name in ("winners", "rewritten", "original"):
            # What a read-only view is called is not worth a line in the log.
            says[name] = dict(says[name])
        shown = (f"{name}={value!r}" for name, value in says.items())
        return f"Decision({', '.join(shown)})"


_SHOWN = (
    "peer",
    "peer_trusted",
    "client",
    "address",
    "client_port",
    "scheme",
    "host",
    "server",
    "port",
    "mount_point",
    "reason",
    "winners",
    "removed",
    "rewritten",
    "problems",
    "rejected",
    "original",
)
