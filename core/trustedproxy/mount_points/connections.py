"""
What connections to a backend have in common, whether they block or not.

In:  which backend, and how it is to be treated; connections that served a request.
Out: `AnyBackend`, which has a connection that may serve another request, or the news
     that there are too many; requests and errors as httpcore has them.

httpcore speaks HTTP here.  Which connection serves a request is decided in this module:
one whose last exchange is over beyond doubt, found without a look at all the others.
"""

from __future__ import annotations

import select
import threading
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import httpcore

from .heads import BackendError, Body, UnaskedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from .heads import BackendRequest, ResponseHead
    from .limits import Limits
    from .points import MountPoint
    from .wire import AnswerReader

# RFC 9110 section 9.2.1: repeating them does no harm.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: What httpcore raises where the backend, or the way to it, is at fault.
FAULTS = (httpcore.NetworkError, httpcore.ProtocolError)
#: What raises where no connection can be made: a name that is none is a `UnicodeError`.
CONNECT_FAULTS = (OSError, UnicodeError)


class SilentError(BackendError):
    """The backend closed the connection before it said anything."""


class Stream(Protocol):
    """The bytes of one connection, whether reading them blocks or not."""

    #: Reads the answer to the request that was sent last.
    answer: AnswerReader

    @property
    def is_readable(self) -> bool:
        """Whether anything waits to be read: bytes, or the end."""
        ...

    def drop(self) -> None:
        """Close the connection at once, whatever state it is in."""
        ...


class HTTPConnection(Protocol):
    """What httpcore says of a connection, whether it blocks or not."""

    def is_idle(self) -> bool:
        """Say whether both sides have ended their messages, and mean to stay."""
        ...


H = TypeVar("H", bound=HTTPConnection)
S = TypeVar("S", bound=Stream)


@dataclass(frozen=True, slots=True)
class Connection(Generic[H, S]):
    """
    One connection to a backend.

    Attributes:
        http: httpcore's view of it.

        stream: The bytes below that.
    """

    http: H
    stream: S

    def may_serve_again(self) -> bool:
        """
        Say whether the last exchange is over beyond doubt.

        Both sides have said all that they had to say, the answer was clean to its last
        byte, and nothing waits to be read. This is the one place that says so; it is
        asked when a connection is kept, and again when it is used.
        """
        return (
            self.http.is_idle()
            and self.stream.answer.ended_cleanly
            and not self.stream.is_readable
        )


class AnyBackend(Generic[H, S]):
    """
    The backend of one mount point: its connections that rest, and how many do not.

    Threads may use it at once; nothing here waits.

    Args:
        mount_point: Which backend.

        limits: How it is treated.
    """

    def __init__(self, mount_point: MountPoint, limits: Limits) -> None:
        self.mount_point = mount_point
        self.limits = limits
        #: For ``https`` alone: the limits are those of all mount points.
        self.ssl_context: ssl.SSLContext | None = None
        if mount_point.scheme == "https":
            self.ssl_context = limits.find_ssl_context()
        self.origin: httpcore.Origin = httpcore.Origin(
            mount_point.scheme.encode("ascii"),
            mount_point.host.encode("ascii"),
            mount_point.port,
        )
        self._most_idle = limits.idle_connections
        self._idle: deque[Connection[H, S]] = deque()
        self._places = threading.BoundedSemaphore(limits.max_connections)

    def enter(self) -> None:
        """
        Take one of the places for connections in use.

        Raises:
            BackendError: 503, since there is none.
        """
        if not self._places.acquire(blocking=False):
            raise BackendError(
                HTTPStatus.SERVICE_UNAVAILABLE, "all its connections are in use"
            )

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()

    def find_idle(self) -> Connection[H, S] | None:
        """
        Find a connection that may serve another request.

        The one that has rested longest comes first: what a backend says too late has
        arrived by then, and connections that it closed do not lie about.
        """
        while True:
            try:
                connection = self._idle.popleft()
            except IndexError:
                return None
            if connection.may_serve_again():
                return connection
            connection.stream.drop()

    def keep(self, connection: Connection[H, S]) -> None:
        """Keep a connection for later if it is of use, or else close it."""
        if connection.may_serve_again() and len(self._idle) < self._most_idle:
            self._idle.append(connection)
        else:
            connection.stream.drop()

    def close(self) -> None:
        """Close the connections that rest, and keep no more."""
        self._most_idle = 0
        while self._idle:
            self._idle.popleft().stream.drop()

    def make_request(
        self,
        request: BackendRequest,
        blocks: Iterator[bytes] | AsyncIterator[bytes] | None,
    ) -> httpcore.Request:
        """Make httpcore's request of ours and the blocks of its body."""
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ]
        if blocks is not None and request.body is not Body.LENGTH:
            headers.append((b"Transfer-Encoding", b"chunked"))
        content: Any = blocks
        timeout = self.limits.timeout
        return httpcore.Request(
            request.method.encode("ascii"),
            httpcore.URL(
                scheme=self.origin.scheme,
                host=self.origin.host,
                port=self.origin.port,
                target=request.target.encode("latin-1"),
            ),
            headers=headers,
            content=content,
            extensions={"timeout": {"read": timeout, "write": timeout}},
        )


def head_of(stream: Stream) -> ResponseHead:
    """Give the head that httpcore has read, too, in the words of `wire`."""
    head = stream.answer.head
    assert head is not None
    return head


def read_fault(error: Exception, answer: AnswerReader) -> BackendError:
    """Say what one of `FAULTS` means."""
    kind = SilentError if answer.is_silent else BackendError
    return kind(HTTPStatus.BAD_GATEWAY, f"{type(error).__name__}: {error}")


def read_connect_fault(error: Exception) -> BackendError:
    """Say what one of `CONNECT_FAULTS` means."""
    slow = isinstance(error, TimeoutError)
    status = HTTPStatus.GATEWAY_TIMEOUT if slow else HTTPStatus.BAD_GATEWAY
    return BackendError(status, f"no connection: {type(error).__name__}: {error}")


def make_timeout() -> BackendError:
    """Make the error for a backend that says nothing, or takes nothing."""
    return BackendError(HTTPStatus.GATEWAY_TIMEOUT, "it is silent for too long")


def may_repeat(request: BackendRequest, blocks: object, error: BackendError) -> bool:
    """
    Say whether a request may be sent on another connection after *error*.

    A kept connection may have been closed by the backend just now. If nothing was sent
    yet, any request may; else RFC 9110 section 9.2.2 allows to repeat what does no
    harm.
    """
    if isinstance(error, UnaskedError):
        return True
    return blocks is None and request.method in _SAFE_METHODS


def has_news(sock: Any) -> bool:
    """Say whether bytes or the end wait at a socket; nothing is read."""
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
