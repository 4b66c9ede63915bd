"""
The records that pass between the plans and the shells: heads, and how a body is framed.

In:  what `wsgi` and `asgi` read, what `client_side`, `request_plan` and `response_plan`
     concluded.
Out: the same, each value with its name.

`points` has the record of a mount point.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http import HTTPStatus

    from .points import MountPoint

#: Bytes that are read at once, and the most of a body that is ever in memory.
BLOCK = 64 * 1024

#: Names and values, one pair a line.
Headers = list[tuple[str, str]]


class BackendError(Exception):
    """
    A backend did not do what it should.

    Args:
        status: 502; 503 where it has too much to do; 504 where it took too long.

        why: What happened, for the log.
    """

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why

    def __str__(self) -> str:
        return self.why


class UnaskedError(BackendError):
    """The backend said something, or left, before it was asked: nothing was sent."""


class Body(Enum):
    """How the body of a request is framed."""

    NONE = "there is none"
    LENGTH = "Content-Length says how long it is"
    CHUNKED = "it is sent in chunks"
    UNDECLARED = "only the server knows, as in HTTP/2"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """
    A request as it came, trusted headers already applied.

    Attributes:
        method: The method.

        path:
            The path below the application's own mount point, percent-encoded as the
            client sent it where the server shows it.

        query: The query, without its question mark.

        headers: Names and values, one pair a line.

        ends_chunked: Whether the server itself finds the end of a chunked body.

        may_say_close:
            Whether an answer may say ``Connection: close``, which HTTP/2 does not know
            and some servers do not take.

        undeclared: Whether a body may come that no header announces (HTTP/2).

        websocket: Whether a websocket is asked for.
    """

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    ends_chunked: bool = True
    may_say_close: bool = True
    undeclared: bool = False
    websocket: bool = False


@dataclass(frozen=True, slots=True)
class ClientSide:
    """
    What the client asked for, as far as it is known.

    Attributes:
        forwarded_for: The value of ``X-Forwarded-For`` for the backend.

        scheme: ``http`` or ``https``.

        host: The host with its port, if it names one; ``""`` if it is unusable.

        server: The name of the server, or ``None`` if it is no host's.

        port: The port, as text.

        mount_point: Where the application is mounted, percent-encoded.
    """

    forwarded_for: str
    scheme: str
    host: str
    server: str | None
    port: str
    mount_point: str


@dataclass(frozen=True, slots=True)
class BackendRequest:
    """
    A request for a backend.

    Attributes:
        mount_point: Which backend.

        client: What the client asked for, to map URLs back.

        prefix: The mount point in the client's URL, the application's own in front.

        method: The method.

        target: Path and query, percent-encoded.

        headers: Names and values, ``Host`` first.

        body: How the body is framed.

        length: The body's length in bytes, where `body` is ``Body.LENGTH``.
    """

    mount_point: MountPoint
    client: ClientSide
    prefix: str
    method: str
    target: str
    headers: Headers
    body: Body
    length: int = 0


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """
    The head of a response: a backend's, or what is made of it for the client.

    Attributes:
        status: The status code.

        reason: The reason phrase.

        headers: Names and values, one pair a line.

        has_body: Whether a body follows.

        length: The body's length in bytes, or ``None`` where no header says it.
    """

    status: int
    reason: str
    headers: Headers
    has_body: bool
    length: int | None
