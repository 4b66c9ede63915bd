"""
Backends by httpcore, the layer below httpx: kept connections for one event loop.

In:  a planned request, and its body as blocks.
Out: an `Exchange`, the response's head read and its body not; or `BackendError`.

httpcore's own pool looks at every connection for every request, which takes longer than
the request where there are fifty of them. Here a connection is kept on a stack between
two requests, and everything that it does is httpcore's.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

# httpcore speaks asyncio through anyio, and would miss it no sooner than a request.
import anyio  # noqa: F401
import httpcore

from .heads import BackendError, Body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from .heads import BackendRequest
    from .points import MountPoint

# RFC 9110 section 9.2.1: repeating them does no harm.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# What httpcore raises where the backend, or the way to it, is at fault.
_FAULTS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    OSError,
)


class Backend:
    """
    The connections to the backend of one mount point, in one event loop.

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
        self._mount_point = mount_point
        self._timeouts = {
            "connect": connect_timeout,
            "read": timeout,
            "write": timeout,
        }
        if ssl_context is None and mount_point.scheme == "https":
            ssl_context = ssl.create_default_context()
        self._ssl_context = ssl_context
        self._origin = httpcore.Origin(
            mount_point.scheme.encode("ascii"),
            mount_point.host.strip("[]").encode("ascii"),
            mount_point.port,
        )
        self._most = idle_connections
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def send(
        self, request: BackendRequest, blocks: AsyncIterator[bytes] | None
    ) -> Exchange:
        """
        Send a request, and wait for the head of the response.

        Args:
            request: What to send.

            blocks: The body, or ``None``. What it raises comes out as it is.

        Raises:
            BackendError: 502 where the backend is down, 504 where it is slow.
        """
        connection = await self._take()
        try:
            return await self._ask(connection, request, blocks)
        except _FAULTS as error:
            # A kept connection may have been closed by the backend just now.
            # RFC 9110 section 9.2.2 allows to repeat what does no harm.
            closed = isinstance(
                error, (httpcore.ReadError, httpcore.RemoteProtocolError)
            )
            may_repeat = blocks is None and request.method in _SAFE_METHODS
            if not (closed and may_repeat):
                raise _read_error(error) from error
        try:
            return await self._ask(self._connect(), request, None)
        except _FAULTS as error:
            raise _read_error(error) from error

    def _connect(self) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            self._origin,
            ssl_context=self._ssl_context,
            uds=self._mount_point.socket,
        )

    async def _take(self) -> httpcore.AsyncHTTPConnection:
        """Take the connection that was used last and is still open, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return self._connect()

    async def keep(self, connection: httpcore.AsyncHTTPConnection) -> None:
        """Keep a connection for later, if it is of use and there are not too many."""
        if connection.is_idle() and len(self._idle) < self._most:
            self._idle.append(connection)
        else:
            await connection.aclose()

    async def _ask(
        self,
        connection: httpcore.AsyncHTTPConnection,
        request: BackendRequest,
        blocks: AsyncIterator[bytes] | None,
    ) -> Exchange:
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ]
        if blocks is not None and request.body is not Body.LENGTH:
            headers.append((b"Transfer-Encoding", b"chunked"))
        response = await connection.handle_async_request(
            httpcore.Request(
                request.method.encode("ascii"),
                httpcore.URL(
                    scheme=self._origin.scheme,
                    host=self._origin.host,
                    port=self._origin.port,
                    target=request.target.encode("latin-1"),
                ),
                headers=headers,
                content=blocks,
                extensions={"timeout": self._timeouts},
            )
        )
        return Exchange(self, connection, response)

    async def close(self) -> None:
        """Close the kept connections, and keep no more."""
        self._most = 0
        while self._idle:
            await self._idle.pop().aclose()


class Exchange:
    """
    A response, and the connection that it comes on.

    Attributes:
        status: The status code.

        reason: The reason phrase.

        headers: Names and values, as bytes.
    """

    def __init__(
        self,
        backend: Backend,
        connection: httpcore.AsyncHTTPConnection,
        response: httpcore.Response,
    ) -> None:
        self._backend = backend
        self._connection = connection
        self._response = response
        self.status = response.status
        self.reason: str = response.extensions["reason_phrase"].decode("latin-1")
        self.headers = response.headers

    async def read_blocks(self) -> AsyncGenerator[bytes, None]:
        """
        Read the body, block by block as they come, to its proper end.

        Raises:
            BackendError: The backend died or fell silent before that end.
        """
        try:
            async for block in self._response.aiter_stream():
                yield block
        except _FAULTS as error:
            raise _read_error(error) from error

    async def close(self) -> None:
        """Keep the connection if the body was read to its end; else close it."""
        await self._response.aclose()
        await self._backend.keep(self._connection)


def _read_error(error: Exception) -> BackendError:
    slow = isinstance(error, httpcore.TimeoutException)
    status = HTTPStatus.GATEWAY_TIMEOUT if slow else HTTPStatus.BAD_GATEWAY
    return BackendError(status, f"{type(error).__name__}: {error}")
