"""
Backends by httpcore over blocking sockets, for threads.

In:  a planned request, and its body as blocks.
Out: an `Exchange`, the response's head read and its body not; or `BackendError`.

`asyncio_client` is the same without blocking; what the two share is in `connections`.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, TypeAlias

import httpcore

from .connections import (
    CONNECT_FAULTS,
    FAULTS,
    AnyBackend,
    Connection,
    SilentError,
    head_of,
    make_timeout,
    may_repeat,
    read_connect_fault,
    read_fault,
)
from .heads import UnaskedError
from .wire import AnswerReader

# How much is read only to know whether anything is there, in bytes.
_AHEAD = 1024

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .heads import BackendRequest, ResponseHead


class Stream(httpcore.NetworkStream):
    """A blocking socket, whose every byte `wire` sees before httpcore does."""

    def __init__(self, sock: socket.socket) -> None:
        self.answer: AnswerReader = AnswerReader("")
        self._socket = sock
        # What was read only to know whether anything is there; `None`: the end.
        self._ahead: bytes | None = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            data = self._receive(max_bytes, timeout)
            passed = self.answer.take(data) if data else b""
            if passed or not data:
                return passed

    def _receive(self, max_bytes: int, timeout: float | None) -> bytes:
        if self._ahead != b"":
            data, self._ahead = self._ahead, b""
            return data or b""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise make_timeout() from error
        except OSError as error:
            raise httpcore.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # At the end of a body of known length nothing is written, and nothing early.
        if buffer:
            self.answer.note_sending(has_news=self.is_readable)
        self._socket.settimeout(timeout)
        left = memoryview(buffer)
        try:
            while left:
                left = left[self._socket.send(left) :]
        except TimeoutError as error:
            raise make_timeout() from error
        except OSError as error:
            raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._socket.close()

    drop = close

    @property
    def is_readable(self) -> bool:
        """
        Whether anything waits to be read: bytes, or the end.

        It is read and kept, since only reading shows whether TLS has any: of what is
        encrypted, the system cannot say whether it is data at all.
        """
        if self._ahead == b"":
            self._socket.settimeout(0)
            try:
                self._ahead = self._socket.recv(_AHEAD) or None
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            except OSError:
                self._ahead = None
        return True


BlockingConnection: TypeAlias = Connection[httpcore.HTTP11Connection, Stream]


class Backend(AnyBackend[httpcore.HTTP11Connection, Stream]):
    """The backend of one mount point, for threads that wait for it."""

    def send(self, request: BackendRequest, blocks: Iterator[bytes] | None) -> Exchange:
        """
        Send a request, and wait for the head of the response.

        Args:
            request: What to send.

            blocks: The body, or ``None``. What it raises comes out as it is.

        Raises:
            BackendError: 502 where the backend is down, 503 where too many of its
                connections are in use, 504 where it is slow.
        """
        self.enter()
        try:
            return self._send(request, blocks)
        except BaseException:
            self.leave()
            raise

    def _send(
        self, request: BackendRequest, blocks: Iterator[bytes] | None
    ) -> Exchange:
        try:
            return self._ask(self.find_idle() or self._connect(), request, blocks)
        except (SilentError, UnaskedError) as error:
            if not may_repeat(request, blocks, error):
                raise
        return self._ask(self._connect(), request, blocks)

    def _ask(
        self,
        connection: BlockingConnection,
        request: BackendRequest,
        blocks: Iterator[bytes] | None,
    ) -> Exchange:
        answer = AnswerReader(request.method, sends_body=blocks is not None)
        connection.stream.answer = answer
        try:
            response = connection.http.handle_request(
                self.make_request(request, blocks)
            )
        except BaseException as error:
            connection.stream.drop()
            if isinstance(error, FAULTS):
                raise read_fault(error, answer) from error
            raise
        return Exchange(self, connection, response)

    def _connect(self) -> BlockingConnection:
        try:
            stream = Stream(self._open_socket())
        except CONNECT_FAULTS as error:
            raise read_connect_fault(error) from error
        return Connection(httpcore.HTTP11Connection(self.origin, stream), stream)

    def _open_socket(self) -> socket.socket:
        where, timeout = self.mount_point, self.limits.connect_timeout
        host = where.host.strip("[]")
        if where.socket is None:
            sock = socket.create_connection((host, where.port), timeout)
        else:
            sock = socket.socket(socket.AF_UNIX)
        try:
            if where.socket is None:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            else:
                sock.settimeout(timeout)
                sock.connect(where.socket)
            if self.ssl_context is not None:
                return self.ssl_context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        return sock


class Exchange:
    """
    A response, and the connection that it comes on.

    Attributes:
        head: The head of the response.
    """

    def __init__(
        self,
        backend: Backend,
        connection: BlockingConnection,
        response: httpcore.Response,
    ) -> None:
        self.head: ResponseHead = head_of(connection.stream)
        self._backend = backend
        self._connection = connection
        self._response = response
        self._is_open = True

    def read_blocks(self) -> Iterator[bytes]:
        """
        Read the body, block by block as they come, to its proper end.

        Raises:
            BackendError: The backend died or fell silent before that end.
        """
        try:
            yield from self._response.iter_stream()
        except FAULTS as error:
            raise read_fault(error, self._connection.stream.answer) from error
        self._response.close()

    def close(self) -> None:
        """Keep the connection if the exchange is over; else close it."""
        if self._is_open:
            self._is_open = False
            self._backend.keep(self._connection)
            self._backend.leave()
