"""
Backends by httpcore, the layer below httpx: pools of connections for one event loop.

In:  a planned request, and its body as blocks.
Out: httpcore's response, its head read and its body not; or `BackendError`.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpcore

from .planner import BackendError, Body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from .planner import BackendRequest, MountPoint

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
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            # As many as the server in front lets requests in.
            max_connections=None,
            max_keepalive_connections=idle_connections,
            uds=mount_point.socket,
        )

    async def send(
        self, request: BackendRequest, blocks: AsyncIterator[bytes] | None
    ) -> httpcore.Response:
        """
        Send a request, and wait for the head of the response.

        Args:
            request: What to send.

            blocks: The body, or ``None``. What it raises comes out as it is.

        Raises:
            BackendError: 502 where the backend is down, 504 where it is slow.
        """
        try:
            return await self._open(request, blocks)
        except _FAULTS as error:
            # A connection out of the pool may have been closed by the backend just
            # now. RFC 9110 section 9.2.2 allows to repeat what does no harm.
            closed = isinstance(
                error, (httpcore.ReadError, httpcore.RemoteProtocolError)
            )
            may_repeat = blocks is None and request.method in _SAFE_METHODS
            if not (closed and may_repeat):
                raise _read_error(error) from error
        try:
            return await self._open(request, None)
        except _FAULTS as error:
            raise _read_error(error) from error

    async def _open(
        self, request: BackendRequest, blocks: AsyncIterator[bytes] | None
    ) -> httpcore.Response:
        mount_point = self._mount_point
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ]
        if blocks is not None and request.body is not Body.LENGTH:
            headers.append((b"Transfer-Encoding", b"chunked"))
        return await self._pool.handle_async_request(
            httpcore.Request(
                request.method.encode("ascii"),
                httpcore.URL(
                    scheme=mount_point.scheme.encode("ascii"),
                    host=mount_point.host.strip("[]").encode("ascii"),
                    port=mount_point.port,
                    target=request.target.encode("latin-1"),
                ),
                headers=headers,
                content=blocks,
                extensions={"timeout": self._timeouts},
            )
        )

    async def close(self) -> None:
        """Close the connections, those in use too."""
        await self._pool.aclose()


def _read_error(error: Exception) -> BackendError:
    slow = isinstance(error, httpcore.TimeoutException)
    status = HTTPStatus.GATEWAY_TIMEOUT if slow else HTTPStatus.BAD_GATEWAY
    return BackendError(status, f"{type(error).__name__}: {error}")


async def read_blocks(response: httpcore.Response) -> AsyncGenerator[bytes, None]:
    """
    Read a body, block by block as they come, to its proper end.

    Raises:
        BackendError: The backend died or fell silent before that end.
    """
    try:
        async for block in response.aiter_stream():
            yield block
    except _FAULTS as error:
        raise _read_error(error) from error
