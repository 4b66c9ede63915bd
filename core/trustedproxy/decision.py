"""
What was there, what was concluded, and why.

In:  nothing; these are records.
Out: `Connection`, `Decision`, `Reason`, `Problem`.

`Decision` is a tuple underneath: it is made for every request, and a tuple is the
cheapest record that cannot be changed afterwards.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .headers import Category


class Connection(NamedTuple):
    """
    What the server says by itself, before any header is read.

    Attributes:
        peer:
            The address that opened the connection, or what the server reports for a
            unix socket (`trustedproxy.networks` has the list).

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
    FIRST_ELEMENT = "every peer is believed, so the client is the first element"
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


class Decision(NamedTuple):
    """
    The conclusion for one request.

    Attributes:
        peer: The other end of the connection, as the server reported it.

        believed: Whether the peer's headers were read.

        client: The client's address in canonical spelling; ``None`` if unknown.

        address: What ``REMOTE_ADDR`` is now.

        client_port: The port that a header gave beside `address`, or ``None``.

        scheme: What the scheme is now.

        host: What the ``Host`` header is now.

        server: What the server's name is now.

        port: What the server's port is now, as text.

        mount_point: What the mount point is now.

        reason: Why the client is who it is.

        winners: Category → name of the header whose value was used.

        removed: Names of the headers that were removed.

        rewritten: Name of a header whose value was cut → the value it has now.

        problems: What was malformed or contradictory.

        rejected: The problem for which a middleware answers 400, or ``None``.

        original:
            Variable → its value before it was replaced or removed, in the words of
            the surface; ``None`` for one that was not there.
    """

    peer: str | None
    believed: bool
    client: str | None
    address: str | None
    client_port: int | None
    scheme: str
    host: str | None
    server: str | None
    port: str | None
    mount_point: str
    reason: Reason
    winners: Mapping[Category, str]
    removed: tuple[str, ...]
    rewritten: Mapping[str, str]
    problems: tuple[Problem, ...]
    rejected: Problem | None
    original: dict[str, Any]

    @property
    def client_known(self) -> bool:
        """Whether anybody who is believed vouches for the client's address."""
        return self.client is not None
