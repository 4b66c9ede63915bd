"""
What was there, what was concluded, and why.

In:  nothing; these are records, which are read by name.
Out: `Connection`, `Decision` and its parts; where a decision is kept, and
     `get_decision` to find it there.

A `Decision` is made for every request.  It is not frozen, which would cost as much as
making it; nobody changes one after `policy` has handed it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeAlias

from .headers import Category, ProxyHeader
from .parsing.addresses import spell_peer

#: Where the decision is kept, in environs and in scopes.
DECISION_KEY = "trustedproxy.decision"
#: Where a policy that is in report-only mode keeps what it would have decided.
REPORT_KEY = "trustedproxy.report"


def get_decision(environ_or_scope: Mapping[str, Any]) -> Decision | None:
    """
    Find the decision about a request.

    Args:
        environ_or_scope: The WSGI environ or the ASGI scope of the request.

    Returns:
        ``None`` where no policy was applied, and in report-only mode, in which nothing
        is decided; what would have been is at `REPORT_KEY`.
    """
    decision: Decision | None = environ_or_scope.get(DECISION_KEY)
    return decision


@dataclass(slots=True)
class Connection:
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

        peer_is_unix:
            Whether the connection came over a unix socket, where the server shows it;
            ``None`` where only the peer's text can show it.
    """

    peer: str | None = None
    scheme: str = "http"
    host: str | None = None
    server: str | None = None
    port: str | None = None
    mount_point: str = ""
    path: str = "/"
    peer_is_unix: bool | None = None


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
    UNIDENTIFIED_HOP = "the way of the request ends at a hop that is no address"
    TOO_FEW_ELEMENTS = "the header has fewer elements than the configured count"
    HEADER_MISSING = "a trusted proxy sent none of the trusted client headers"
    MALFORMED = "the trusted client header is malformed"
    NO_CLIENT_HEADER = "no client header is trusted, so the client is unknown"


@dataclass(slots=True)
class Problem:
    """
    A malformed or contradictory value; not frozen, as other records of a request.

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
    "too-long": "the header is longer than what is ever read of it",
    "unidentified": "the header names nobody, and unknown clients are rejected",
    "named-in-connection": "the Connection header asks proxies to drop this header",
    "uncounted-list": "the header has several values, and nothing says which is the "
    "client's own",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is concluded from a client header, but for the addresses and texts in it.

    There are few of them, and all are made before the first request.

    Attributes:
        reason: Why the client is who it is.

        header: Name of the header; ``""`` where none came.

        position:
            Where the other lists are read: elements counted from the right, from 1;
            ``None`` for the first element of all.

        counted: Whether the position is known; else it is a guess.

        problem: The code of the problem that was met, or ``None``.

        identifies: Whether the client is known.

        remains: Whether something of the header does.

        peer_trusted: Whether the peer is a trusted proxy, so that headers were read.

        place: What the other headers are read by, as one text to remember it by.
    """

    reason: Reason
    header: str = ""
    position: int | None = None
    counted: bool = False
    problem: str | None = None
    identifies: bool = False
    remains: bool = False
    peer_trusted: bool = True
    place: str = field(init=False)

    def __post_init__(self) -> None:
        place = f"{self.position} {self.counted} {self.remains} {self.header}"
        object.__setattr__(self, "place", place)


@dataclass(frozen=True, slots=True)
class URLParts:
    """
    What trusted headers, and stated facts, say of everything but the client.

    What came, and what goes, is worked out with it, and stands here, too.

    Attributes:
        said: Name of a field of `Connection` → its value, for those that were said.

        winners: Category → header name, the client's included.

        rewritten: Header name → the one value of it that was used, where it has more.

        variables:
            Variable of an environ → what it becomes, for all of these; and the scheme's
            where nothing says another than the connection (rule R19), which a scope has
            from the connection itself.

        gone: Keys of the headers that are removed (rules R2, R5).

        came: Keys of the headers that were looked at and came.

        known: Every header that is known, the custom ones among them, with its key.

        problems: What was wrong with the headers.

        says_scheme: Whether the scheme is among what was said.

        is_remarkable: Whether a request like this may be worth a look (rule R17).
    """

    said: tuple[tuple[str, str], ...]
    winners: tuple[tuple[Category, str], ...]
    rewritten: tuple[tuple[str, str], ...]
    variables: tuple[tuple[str, str], ...]
    gone: tuple[str, ...]
    came: frozenset[str]
    known: tuple[tuple[str, ProxyHeader], ...]
    problems: tuple[Problem, ...]
    says_scheme: bool
    is_remarkable: bool

    def get(self, part: str) -> str | None:
        """Return what was said of the field *part* of `Connection`, or ``None``."""
        for name, value in self.said:
            if name == part:
                return value
        return None


#: The first seven fields of a `Connection`, as a server gives them.
Own: TypeAlias = tuple[
    "str | None", str, "str | None", "str | None", "str | None", str, str
]


@dataclass(slots=True)
class Decision:
    """
    The conclusion for one request.

    Attributes:
        own: What the server said by itself: see `connection`.

        peer_is_unix: Whether the peer came over a unix socket, as in `Connection`.

        verdict: What was concluded from the client header that counts.

        address: What ``REMOTE_ADDR`` is now, to the letter.

        client_port: The port that a header gave beside `address`, or ``None``.

        text: What the client header is now, where a part of it was cut off.

        url_parts: What was said of scheme, host, server, port and mount point.

        problems: What was malformed or contradictory.

        rejected: The problem for which the middlewares answer 400, or ``None``.

        original:
            Variable → its value before it was replaced or removed, in the words of the
            surface (a key of the environ, or of the scope and its headers); ``None``
            for a variable that was not there.
    """

    own: Own
    peer_is_unix: bool | None
    verdict: Verdict
    address: str | None
    client_port: int | None
    text: str | None
    url_parts: URLParts
    problems: tuple[Problem, ...]
    rejected: Problem | None
    original: dict[str, Any]

    @property
    def connection(self) -> Connection:
        """What the server said by itself."""
        return Connection(*self.own, self.peer_is_unix)

    @property
    def peer(self) -> str | None:
        """The other end of the connection, as the server reported it."""
        peer, *_ = self.own
        return peer

    @property
    def peer_trusted(self) -> bool:
        """Whether the peer is a trusted proxy, so that its headers count."""
        return self.verdict.peer_trusted

    @property
    def reason(self) -> Reason:
        """Why the client is who it is."""
        return self.verdict.reason

    @property
    def came(self) -> frozenset[str]:
        """Keys of the headers that were looked at and came."""
        return self.url_parts.came

    @property
    def known(self) -> tuple[tuple[str, ProxyHeader], ...]:
        """Every header that is known, the custom ones among them, with its key."""
        return self.url_parts.known

    @property
    def removed(self) -> tuple[str, ...]:
        """Names of the headers that were removed, in alphabetical order."""
        gone = self.url_parts.gone
        return tuple(sorted(header.name for key, header in self.known if key in gone))

    @property
    def client(self) -> str | None:
        """
        The client's address in canonical spelling; ``None`` where it is unknown.

        The client of a direct request is its peer, unknown where that has no address.
        """
        if self.verdict.identifies:
            return self.address
        if self.peer_trusted or self.peer_is_unix:
            return None
        return spell_peer(self.peer)

    @property
    def client_known(self) -> bool:
        """Whether the client's address is known."""
        return self.client is not None

    @property
    def scheme(self) -> str:
        """What the scheme is now."""
        said = self.url_parts.get("scheme")
        return self.connection.scheme if said is None else said

    @property
    def host(self) -> str | None:
        """What the ``Host`` header is now."""
        said = self.url_parts.get("host")
        return self.connection.host if said is None else said

    @property
    def server(self) -> str | None:
        """What the server's name is now."""
        said = self.url_parts.get("server")
        return self.connection.server if said is None else said

    @property
    def port(self) -> str | None:
        """What the server's port is now, as text."""
        said = self.url_parts.get("port")
        own = self.connection.port
        return (None if own is None else str(own)) if said is None else said

    @property
    def mount_point(self) -> str:
        """What the mount point is now."""
        said = self.url_parts.get("mount_point")
        return self.connection.mount_point if said is None else said

    @property
    def winners(self) -> dict[Category, str]:
        """Category → name of the header whose value was used."""
        return dict(self.url_parts.winners)

    @property
    def rewritten(self) -> dict[str, str]:
        """Name of a header of which a part remains → its value now."""
        rewritten = dict(self.url_parts.rewritten)
        if self.text is not None:
            rewritten[self.verdict.header] = self.text
        return rewritten

    def as_dict(self) -> dict[str, Any]:
        """
        Say everything in plain values, for logs and pages.

        Returns:
            Names of attributes → texts, numbers, booleans, lists and dictionaries, so
            that `json.dumps` takes it; the reason by its name.
        """
        return {
            "peer": self.peer,
            "peer_trusted": self.peer_trusted,
            "client": self.client,
            "client_known": self.client_known,
            "client_port": self.client_port,
            "address": self.address,
            "scheme": self.scheme,
            "host": self.host,
            "server": self.server,
            "port": self.port,
            "mount_point": self.mount_point,
            "reason": self.reason.name,
            "winners": {str(category): name for category, name in self.winners.items()},
            "removed": list(self.removed),
            "rewritten": dict(self.rewritten),
            "problems": [_as_dict(problem) for problem in self.problems],
            "rejected": None if self.rejected is None else _as_dict(self.rejected),
            "original": {name: _as_plain(was) for name, was in self.original.items()},
        }

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"Decision({said})"


def _as_dict(problem: Problem) -> dict[str, str]:
    return {each.name: getattr(problem, each.name) for each in fields(problem)}


def _as_plain(value: Any) -> Any:
    """Make *value*, which a server gave, one that JSON has."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, (list, tuple)):
        return [_as_plain(each) for each in value]
    return value.decode("latin-1") if isinstance(value, bytes) else repr(value)
