"""
Backends by urllib3: one pool of connections a mount point, blocking, for threads.

In:  a planned request, and its body as blocks.
Out: urllib3's response, its head read and its body not; or `BackendError`.
"""

from __future__ import annotations

import builtins
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    HTTPError,
    NewConnectionError,
    ProtocolError,
    TimeoutError,
)
from urllib3.util import SKIP_HEADER

from .heads import BLOCK, BackendError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from urllib3.response import BaseHTTPResponse

    from .heads import BackendRequest
    from .points import MountPoint

# RFC 9110 section 9.2.1: repeating them does no harm.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class _Head(dict[str, str]):
    """
    The headers of one request, and beside them what urllib3 has no place for.

    It normalizes the percent-encoding of the URLs that it is given, and a proxy has to
    leave them as they came; and it sends within the time that is meant for connecting.
    """

    target = "/"
    timeout = 0.0

    def copy(self) -> _Head:
        head = _Head(self)
        head.target, head.timeout = self.target, self.timeout
        return head


class _Connection(HTTPConnection):
    """A connection that is given a `_Head`, and asks for the target that is in it."""

    send_timeout: float | None = None

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        **options: Any,
    ) -> None:
        url, self.send_timeout = headers.target, headers.timeout
        if self.sock is not None:
            self.timeout = self.send_timeout
        super().request(method, url, body, headers, **options)

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self.send_timeout)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


def _connection_class(path: str) -> type[_Connection]:
    class UnixConnection(_Connection):
        """A connection to the unix socket at *path*."""

        def connect(self) -> None:
            self.sock = sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(self.timeout)
            # urllib3 closes the connection where this raises.
            sock.connect(path)
            sock.settimeout(self.send_timeout)

    return UnixConnection


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection


class Backend:
    """
    The connections to the backend of one mount point.

    Args:
        mount_point: Which backend.

        connect_timeout: Seconds until a connection has to be there.

        timeout: Seconds that the backend may stay silent.

        idle_connections: How many connections are kept for later, at most.

        ssl_context: For ``https``; ``None``: the system's certificates.
    """

    def __init__(
        self,
        mount_point: MountPoint,
        *,
        connect_timeout: float,
        timeout: float,
        idle_connections: int,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        host, port = mount_point.host, mount_point.port
        self._timeout = timeout
        limit = Timeout(connect=connect_timeout, read=timeout)
        if mount_point.scheme == "https":
            self._pool: HTTPConnectionPool = _SecurePool(
                host,
                port,
                timeout=limit,
                maxsize=idle_connections,
                ssl_context=ssl_context,
            )
            return
        self._pool = pool = _Pool(host, port, timeout=limit, maxsize=idle_connections)
        if mount_point.socket is not None:
            pool.ConnectionCls = _connection_class(mount_point.socket)

    def send(
        self, request: BackendRequest, blocks: Iterator[bytes] | None
    ) -> BaseHTTPResponse:
        """
        Send a request, and wait for the head of the response.

        Args:
            request: What to send.

            blocks: The body, or ``None``. What it raises comes out as it is.

        Raises:
            BackendError: 502 where the backend is down, 504 where it is slow.
        """
        head = _Head(request.headers)
        head.target, head.timeout = request.target, self._timeout
        for name in ("Accept-Encoding", "User-Agent"):
            # A client that sent none must not look like one that sent urllib3's.
            if all(name.lower() != own.lower() for own in head):
                head[name] = SKIP_HEADER
        try:
            return self._open(request.method, head, blocks)
        except HTTPError as error:
            if blocks is not None or not _may_repeat(request.method, error):
                raise _read_error(error) from error
        try:
            return self._open(request.method, head, None)
        except HTTPError as error:
            raise _read_error(error) from error

    def _open(
        self, method: str, head: _Head, blocks: Iterator[bytes] | None
    ) -> BaseHTTPResponse:
        return self._pool.urlopen(
            method,
            "/",
            body=blocks,
            headers=head,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Close the connections that wait for later."""
        self._pool.close()


def _may_repeat(method: str, error: HTTPError) -> bool:
    """
    Say whether a request without a body may be sent a second time.

    A connection out of the pool may have been closed by the backend just now, before it
    said anything. RFC 9110 section 9.2.2 allows to repeat what does no harm.
    """
    closed = isinstance(error, ProtocolError) and isinstance(
        error.args[-1], ConnectionError
    )
    return closed and method in _SAFE_METHODS


def _read_error(error: HTTPError) -> BackendError:
    slow = isinstance(error, TimeoutError) or any(
        isinstance(cause, builtins.TimeoutError) for cause in error.args
    )
    # To urllib3 a refused connection is a kind of time-out.
    slow = slow and not isinstance(error, NewConnectionError)
    status = HTTPStatus.GATEWAY_TIMEOUT if slow else HTTPStatus.BAD_GATEWAY
    return BackendError(status, f"{type(error).__name__}: {error}")


def read_block(response: BaseHTTPResponse) -> bytes:
    """
    Read what is there of a body, at most `BLOCK` bytes; ``b""`` at its proper end.

    Raises:
        BackendError: The backend died or fell silent before that end.
    """
    try:
        return response.read1(BLOCK, decode_content=False)
    except (HTTPError, OSError) as error:
        raise BackendError(HTTPStatus.BAD_GATEWAY, str(error)) from error


def discard(response: BaseHTTPResponse) -> None:
    """Give a response up: close its connection, wherever it is."""
    response.close()
    response.release_conn()
