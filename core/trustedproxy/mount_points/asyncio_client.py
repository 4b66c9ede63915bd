"""
Backends by httpcore over asyncio, for one event loop.

In:  a planned request, and its body as blocks.
Out: an `Exchange`, the response's head read and its body not; or `BackendError`.

`blocking_client` is the same for threads; what the two share is in `connections`.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, cast

# httpcore imports it with the first request, and who has not installed it is to see
# that at start-up; nothing here uses the name.
import anyio  # noqa: F401  # imported so that its absence is an error at once
import httpcore

from .connections import (
    CONNECT_FAULTS,
    FAULTS,
    AnyBackend,
    Connection,
    SilentError,
    has_news,
    head_of,
    make_timeout,
    may_repeat,
    read_connect_fault,
    read_fault,
)
from .heads import UnaskedError
from .wire import AnswerReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from .heads import BackendRequest, ResponseHead


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """
    A connection of asyncio's, whose every byte `wire` sees before httpcore does.

    What the event loop has read waits here, and is known to wait; a stream with a
    buffer of its own would keep that to itself.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self.answer: AnswerReader = AnswerReader("")
        self._arrived: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._has_ended = False
        self._error: Exception | None = None

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._is_plain = transport.get_extra_info("ssl_object") is None

    def data_received(self, data: bytes) -> None:
        self._arrived.append(data)
        self._news.set()
        # One piece at a time: a slow client must not fill the memory.
        self._transport.pause_reading()

    def eof_received(self) -> None:
        self._has_ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._error = exc
        self.eof_received()
        self._room.set()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    # What httpcore asks for.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            await _wait(self._news, timeout)
            if not self._arrived:
                if self._error is not None:
                    raise httpcore.ReadError(self._error)
                return b""
            data = self._arrived.popleft()
            if len(data) > max_bytes:
                self._arrived.appendleft(data[max_bytes:])
                data = data[:max_bytes]
            elif not self._arrived and not self._has_ended:
                self._news.clear()
                self._transport.resume_reading()
            passed = self.answer.take(data)
            if passed:
                return passed

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # At the end of a body of known length nothing is written, and nothing early.
        if buffer:
            has_news = self._has_arrived(look=self._is_plain)
            self.answer.note_sending(has_news=has_news)
        if self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        await _wait(self._room, timeout)

    async def aclose(self) -> None:
        self.drop()

    @property
    def is_readable(self) -> bool:
        """Whether anything waits to be read: bytes, or the end."""
        return self._has_arrived(look=True)

    def _has_arrived(self, *, look: bool) -> bool:
        """
        Say whether anything has come from the backend.

        Args:
            look:
                Whether to look at the socket, too, for what the event loop has not read
                yet. With TLS that may be no data at all, such as a session's ticket.
        """
        if self._arrived or self._has_ended:
            return True
        return look and has_news(self._transport.get_extra_info("socket"))

    def drop(self) -> None:
        """Close the connection at once, whatever state it is in."""
        try:
            self._transport.abort()
        except RuntimeError:
            # The loop is closed, and closes nothing any more.  The backend hears of it
            # now; the socket itself is closed with the last reference to it.
            with suppress(OSError):
                self._transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


async def _wait(event: asyncio.Event, timeout: float | None) -> None:
    if event.is_set():
        return
    try:
        async with asyncio.timeout(timeout):
            await event.wait()
    except TimeoutError as error:
        raise make_timeout() from error


AsyncConnection: TypeAlias = Connection[httpcore.AsyncHTTP11Connection, Stream]


class Backend(AnyBackend[httpcore.AsyncHTTP11Connection, Stream]):
    """The backend of one mount point, in one event loop."""

    async def send(
        self, request: BackendRequest, blocks: AsyncIterator[bytes] | None
    ) -> Exchange:
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
            return await self._send(request, blocks)
        except BaseException:
            self.leave()
            raise

    async def _send(
        self, request: BackendRequest, blocks: AsyncIterator[bytes] | None
    ) -> Exchange:
        try:
            connection = self.find_idle() or await self._connect()
            return await self._ask(connection, request, blocks)
        except (SilentError, UnaskedError) as error:
            if not may_repeat(request, blocks, error):
                raise
        return await self._ask(await self._connect(), request, blocks)

    async def _ask(
        self,
        connection: AsyncConnection,
        request: BackendRequest,
        blocks: AsyncIterator[bytes] | None,
    ) -> Exchange:
        answer = AnswerReader(request.method, sends_body=blocks is not None)
        connection.stream.answer = answer
        try:
            response = await connection.http.handle_async_request(
                self.make_request(request, blocks)
            )
        except BaseException as error:
            connection.stream.drop()
            if isinstance(error, FAULTS):
                raise read_fault(error, answer) from error
            raise
        return Exchange(self, connection, response)

    async def _connect(self) -> AsyncConnection:
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                stream = await self._open_stream()
        except CONNECT_FAULTS as error:
            raise read_connect_fault(error) from error
        return Connection(httpcore.AsyncHTTP11Connection(self.origin, stream), stream)

    async def _open_stream(self) -> Stream:
        loop, where = asyncio.get_running_loop(), self.mount_point
        host = where.host.strip("[]")
        if where.socket is not None:
            _, stream = await loop.create_unix_connection(Stream, where.socket)
        else:
            _, stream = await loop.create_connection(
                Stream, host, where.port, ssl=self.ssl_context
            )
        return stream


class Exchange:
    """
    A response, and the connection that it comes on.

    Attributes:
        head: The head of the response.
    """

    def __init__(
        self,
        backend: Backend,
        connection: AsyncConnection,
        response: httpcore.Response,
    ) -> None:
        self.head: ResponseHead = head_of(connection.stream)
        self._backend = backend
        self._connection = connection
        self._response = response

    async def read_blocks(self) -> AsyncGenerator[bytes, None]:
        """
        Read the body, block by block as they come, to its proper end.

        Raises:
            BackendError: The backend died or fell silent before that end.
        """
        try:
            async for block in self._response.aiter_stream():
                yield block
        except FAULTS as error:
            raise read_fault(error, self._connection.stream.answer) from error
        await self._response.aclose()

    def close(self) -> None:
        """Keep the connection if the exchange is over; else close it. Call it once."""
        self._backend.leave()
        if self._connection.may_serve_again():
            # TLS may have read ahead, which the loop hands over in its next turn.
            loop = asyncio.get_running_loop()
            loop.call_soon(self._backend.keep, self._connection)
        else:
            self._connection.stream.drop()
