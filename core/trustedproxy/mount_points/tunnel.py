"""
Websockets to a backend, by the library `websockets`.

In:  a planned request for a websocket; then the messages of both sides.
Out: an open connection, or why there is none: `RefusedError`, `BackendError`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect as _Connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from .heads import BackendError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from typing import Any

    from websockets.asyncio.client import ClientConnection

    from .._types import Receive, Send
    from .heads import BackendRequest, Headers

# Close codes that a library says to its own side only (RFC 6455 section 7.4.1), and
# what the other side is told instead: done, going away, internal error.
_TO_BACKEND = {1005: 1000, 1006: 1001, 1015: 1001}
_TO_CLIENT = {1005: 1000, 1006: 1011, 1015: 1011}
_GOING_AWAY = 1001


class RefusedError(Exception):
    """The backend answered with something else than a websocket."""

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body


class _ConnectOnce(_Connect):
    """Connect to one backend, and to no other one that it redirects to."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def connect(
    request: BackendRequest,
    subprotocols: Sequence[str],
    *,
    timeout: float,
    max_message: int,
    ssl_context: ssl.SSLContext | None,
) -> ClientConnection:
    """
    Open a websocket to the backend of *request*.

    Args:
        request: What to ask for.

        subprotocols: What the client can speak, the best first.

        timeout: Seconds until the backend has to have answered.

        max_message: The longest message, in bytes.

        ssl_context: For backends over TLS; ``None``: the system's certificates.

    Raises:
        RefusedError: The backend answered, but not with a websocket.

        BackendError: 502 where the backend is down, 504 where it is slow.
    """
    where = request.mount_point
    options: dict[str, Any] = {}
    if where.socket is not None:
        options |= {"unix": True, "path": where.socket}
    if where.scheme == "https" and ssl_context is not None:
        options["ssl"] = ssl_context
    scheme = "wss" if where.scheme == "https" else "ws"
    # `Host` is made of the URL.
    headers = [(name, value) for name, value in request.headers if name != "Host"]
    try:
        return await _ConnectOnce(
            f"{scheme}://{where.authority}{request.target}",
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            compression=None,
            additional_headers=headers,
            user_agent_header=None,
            proxy=None,
            open_timeout=timeout,
            max_size=max_message,
            **options,
        )
    except InvalidStatus as error:
        response = error.response
        raise RefusedError(
            response.status_code,
            response.reason_phrase,
            list(response.headers.raw_items()),
            bytes(response.body),
        ) from error
    except TimeoutError as error:
        raise BackendError(HTTPStatus.GATEWAY_TIMEOUT, str(error)) from error
    except (WebSocketException, OSError, ValueError) as error:
        raise BackendError(HTTPStatus.BAD_GATEWAY, str(error)) from error


def read_headers(backend: ClientConnection) -> Headers:
    """Read the headers with which the backend accepted the websocket."""
    response = backend.response
    return [] if response is None else list(response.headers.raw_items())


async def relay(backend: ClientConnection, receive: Receive, send: Send) -> None:
    """Pass messages in both directions, until one side closes; then close the other."""
    client_left = asyncio.Event()
    upwards = asyncio.create_task(_pass_up(backend, receive, client_left))
    try:
        await _pass_down(backend, send, client_left)
    finally:
        upwards.cancel()
        await asyncio.gather(upwards, return_exceptions=True)


async def _pass_up(
    backend: ClientConnection, receive: Receive, client_left: asyncio.Event
) -> None:
    code: int = _GOING_AWAY
    reason = ""
    try:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                client_left.set()
                code = int(message.get("code") or 1005)
                code = _TO_BACKEND.get(code, code)
                reason = message.get("reason") or ""
                return
            text = message.get("text")
            await backend.send(message["bytes"] if text is None else text)
    except ConnectionClosed:
        # The other direction notices, and tells the client.
        return
    finally:
        await backend.close(code, reason)


async def _pass_down(
    backend: ClientConnection, send: Send, client_left: asyncio.Event
) -> None:
    # An end that is not clean is no error here: its code says so to the client.
    with suppress(ConnectionClosed):
        async for message in backend:
            key = "text" if isinstance(message, str) else "bytes"
            await send({"type": "websocket.send", key: message})
    if client_left.is_set():
        return
    code = backend.close_code or 1006
    await send(
        {
            "type": "websocket.close",
            "code": _TO_CLIENT.get(code, code),
            "reason": backend.close_reason or "",
        }
    )
