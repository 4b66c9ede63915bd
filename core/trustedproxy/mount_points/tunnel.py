"""
Websockets to a backend, by the library `websockets`.

In:  a planned request for a websocket; then the messages of both sides.
Out: an open `Tunnel`, or why there is none: `RefusedError`, `BackendError`.  Whatever
     was opened is closed on every way out.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as _Connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from .connections import CONNECT_FAULTS, make_timeout, read_connect_fault
from .heads import BackendError
from .wire import check_head

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from typing import Any

    from websockets.client import ClientProtocol
    from websockets.http11 import Response

    from .._types import Message, Receive, Send
    from .heads import BackendRequest, ResponseHead
    from .limits import Limits

# Close codes that may be sent (RFC 6455 section 7.4 and its registry). The others say
# something to a library's own side only, and the other side hears instead: done,
# going away, internal error.
_SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
_NORMAL, _GOING_AWAY, _ABSENT, _INTERNAL_ERROR = 1000, 1001, 1005, 1011
#: Seconds that a backend may take to close, at most.
CLOSE_TIMEOUT = 10.0
# The longest reason of a close frame, in bytes (RFC 6455 section 5.5).
_LONGEST_REASON = 123


class RefusedError(Exception):
    """The backend answered with something else than a websocket."""

    def __init__(self, head: ResponseHead, body: bytes) -> None:
        super().__init__(head.status)
        self.head = head
        self.body = body


class Tunnel:
    """
    An open websocket to a backend.

    Attributes:
        head: The head with which the backend accepted.

        subprotocol: The subprotocol that it chose, or ``None``.
    """

    def __init__(
        self,
        backend: ClientConnection,
        first: Awaitable[Message],
        receive: Receive,
    ) -> None:
        self.head: ResponseHead = _read_head(backend.response, HTTPStatus.OK)
        self.subprotocol: str | None = backend.subprotocol
        self._backend = backend
        self._first = first
        self._receive = receive
        self._client_left = False
        self._failure: Exception | None = None

    async def relay(self, send: Send) -> None:
        """Pass messages in both directions until one side leaves, and end the other."""
        upwards = asyncio.create_task(self._pass_up())
        try:
            await self._pass_down(send)
        finally:
            upwards.cancel()
            await asyncio.wait({upwards})
        if self._failure is not None:
            raise self._failure

    async def _pass_up(self) -> None:
        code, reason = _GOING_AWAY, ""
        try:
            message = await self._first
            while message["type"] != "websocket.disconnect":
                text = message.get("text")
                await self._backend.send(message["bytes"] if text is None else text)
                message = await self._receive()
            self._client_left = True
            code = _make_sendable(message.get("code"), _GOING_AWAY)
            reason = _shorten(message.get("reason") or "")
        except ConnectionClosed:
            # The other direction notices, and lets the client know.
            return
        except Exception as error:
            # The server's own, which is to hear of it when both directions have ended.
            self._failure = error
        finally:
            # Whatever ended this direction, the other one is not to wait for ever.
            await self._backend.close(code, reason)

    async def _pass_down(self, send: Send) -> None:
        # An end that is not clean is no error here: its code says so to the client.
        with suppress(ConnectionClosed):
            async for message in self._backend:
                if not self._client_left:
                    key = "text" if isinstance(message, str) else "bytes"
                    await send({"type": "websocket.send", key: message})
        if self._client_left:
            return
        code = _make_sendable(self._backend.close_code, _INTERNAL_ERROR)
        reason = self._backend.close_reason or ""
        await send({"type": "websocket.close", "code": code, "reason": reason})


def _make_sendable(code: object, otherwise: int) -> int:
    """Give a close code that may be sent instead of *code*, or that one."""
    if isinstance(code, int) and code in _SENDABLE:
        return code
    return _NORMAL if code in (None, _ABSENT) else otherwise


def _shorten(reason: str) -> str:
    """Cut a reason to what a close frame holds."""
    return reason.encode(errors="replace")[:_LONGEST_REASON].decode(errors="ignore")


@asynccontextmanager
async def open_tunnel(
    request: BackendRequest,
    subprotocols: Sequence[str],
    limits: Limits,
    ssl_context: ssl.SSLContext | None,
    receive: Receive,
) -> AsyncIterator[Tunnel | None]:
    """
    Open a websocket to the backend of *request*, and close it at the end.

    Args:
        request: What to ask for.

        subprotocols: What the client can speak, the best first.

        limits: How the backend is treated.

        ssl_context: For a backend over TLS.

        receive: The server's; it says so if the client leaves meanwhile.

    Yields:
        The tunnel; ``None`` where the client left before there was one.

    Raises:
        RefusedError: The backend answered, but not with a websocket.

        BackendError: 502 where the backend is down, 504 where it is slow.
    """
    # Before the websocket is accepted, this is the news that the client left; or else
    # it is the first message.
    first = asyncio.ensure_future(receive())
    connecting = asyncio.create_task(
        _connect(request, subprotocols, limits, ssl_context)
    )
    try:
        await asyncio.wait({first, connecting}, return_when=asyncio.FIRST_COMPLETED)
        if first.done() and first.result()["type"] == "websocket.disconnect":
            yield None
        else:
            yield Tunnel(await connecting, first, receive)
    finally:
        for task in (first, connecting):
            task.cancel()
        # However often this is cancelled itself, a connection that is there is closed.
        connecting.add_done_callback(_abort)
        await asyncio.wait({first, connecting})


def _abort(connecting: asyncio.Task[ClientConnection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().transport.abort()


class _ConnectOnce(_Connect):
    """Connect to one backend, and to no other one that it redirects to."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _connect(
    request: BackendRequest,
    subprotocols: Sequence[str],
    limits: Limits,
    ssl_context: ssl.SSLContext | None,
) -> ClientConnection:
    where = request.mount_point
    options: dict[str, Any] = {}
    if where.socket is not None:
        options |= {"unix": True, "path": where.socket}
    if ssl_context is not None:
        options["ssl"] = ssl_context
    scheme = "wss" if where.scheme == "https" else "ws"
    # `Host` is made of the URL.
    headers = [(name, value) for name, value in request.headers if name != "Host"]
    # The library has one time-out for both: that there is a connection, and an answer.
    deadline = asyncio.timeout(limits.connect_timeout)
    is_open = False

    def wait_for_answer() -> None:
        nonlocal is_open
        is_open = True
        # It may be over at this very moment.
        with suppress(RuntimeError):
            deadline.reschedule(asyncio.get_running_loop().time() + limits.timeout)

    try:
        async with deadline:
            return await _ConnectOnce(
                f"{scheme}://{where.authority}/",
                create_connection=_ask_for(request.target, wait_for_answer),
                subprotocols=[Subprotocol(name) for name in subprotocols] or None,
                compression=None,
                additional_headers=headers,
                user_agent_header=None,
                proxy=None,
                open_timeout=None,
                close_timeout=min(limits.timeout, CLOSE_TIMEOUT),
                max_size=limits.max_message,
                **options,
            )
    except InvalidStatus as error:
        response = error.response
        head = _read_head(response, response.status_code)
        raise RefusedError(head, bytes(response.body)) from error
    except (WebSocketException, *CONNECT_FAULTS) as error:
        if isinstance(error, TimeoutError) and is_open:
            raise make_timeout() from error
        raise read_connect_fault(error) from error


def _ask_for(target: str, note_open: Callable[[], None]) -> Any:
    """
    Let the library ask for *target* as it is: from a URL, it drops parameters.

    Once there is a connection, *note_open* is called.
    """
    path, _, query = target.partition("?")

    def make(protocol: ClientProtocol, **options: Any) -> ClientConnection:
        protocol.uri = replace(protocol.uri, path=path, query=query)
        connection = _Connection(protocol, **options)
        connection.note_open = note_open
        return connection

    return make


class _Connection(ClientConnection):
    """A connection that ends soon after its websocket, whatever the backend does."""

    note_open: Callable[[], None]
    _ends = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.note_open()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.close_expected() and not self._ends:
            self._ends = True
            self.loop.call_later(self.close_timeout or 0, self.transport.abort)


def _read_head(response: Response | None, status: int) -> ResponseHead:
    assert response is not None
    if status < HTTPStatus.OK:
        why = f"the status is {status}, which is not the final one"
        raise BackendError(HTTPStatus.BAD_GATEWAY, why)
    headers = list(response.headers.raw_items())
    head, _ = check_head("GET", status, response.reason_phrase, headers)
    return head
