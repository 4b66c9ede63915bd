"""
Proxy mount points around an ASGI application, websockets tunnelled.

In:  http and websocket scopes, as any server on asyncio hands them over.
Out: the backend's response below a mount point, the application's elsewhere.

Bodies pass in blocks, in both directions.  A body that ends too early raises, on which
a server closes the connection: half an answer never looks whole.  When the client
leaves, the backend's connection is closed.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from .._types import ASGIApp
from ..asgi import read_connection
from ..decision import DECISION_KEY
from ..parsing.grammar import MOUNT_POINT_SAFE
from ..request_target import split_scope_path
from ..responses import Answer, bad_request, refuse, refuse_websocket, send_asgi
from .client_side import describe_client_side
from .heads import BackendError, Body, RequestHead
from .paths import find_raw_path
from .response_plan import plan_handshake, plan_response
from .shell import MountPointsShell, load_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from .._types import Message, Receive, Scope, Send
    from .asyncio_client import Backend
    from .heads import BackendRequest, ClientSide, Headers
    from .points import MountPoint
    from .tunnel import RefusedError


class _ClientGoneError(Exception):
    """The client left while its body was read."""


class _ClientError(Exception):
    """The client's body is not as long as was said."""


class ProxyMountPointsASGIMiddleware(MountPointsShell[ASGIApp, "Backend"]):
    """
    Proxy what is below some URL paths of an ASGI application to backends.

    Websockets are proxied, too.

    Args:
        app: The application that answers everything else.

        mount_points:
            URL path → backend URL: ``{"/blog/": "http://127.0.0.1:8001/"}``, or
            ``unix:/run/blog.sock|http://blog/`` for a unix socket.

        policy:
            Whom to trust. It is applied here to requests to which none was applied
            yet.

        allowed_hosts:
            Hosts whose requests are proxied, others get 400: exact names,
            ``.example.com`` for it and every name below, or ``*``. ``None``: all.

        limits: The fields of `Limits`, by their names.

    Raises:
        ConfigurationError: A path, a URL, a host or a limit is wrong.

        ImportError: The extra ``mount`` is not installed.

    Source: ``--proxy-mount-point`` of mod_wsgi-express.
    """

    def _prepare(self) -> None:
        self._client = load_client("asyncio_client")
        self._tunnel = load_client("tunnel")
        # Connections belong to the event loop that made them.
        self._backends: dict[asyncio.AbstractEventLoop, dict[MountPoint, Backend]] = {}

    def _own_backends(self) -> dict[MountPoint, Backend]:
        loop = asyncio.get_running_loop()
        if loop not in self._backends:
            self._drop_closed_loops()
        return self._backends.setdefault(loop, {})

    def _drop_closed_loops(self) -> None:
        """Let go of loops that ended without a lifespan; each holds its sockets."""
        for loop in list(self._backends):
            if loop.is_closed():
                for backend in self._backends.pop(loop, {}).values():
                    backend.close()

    def _make_backend(self, mount_point: MountPoint) -> Backend:
        backend: Backend = self._client.Backend(mount_point, self.limits)
        return backend

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        backends = self._backends.pop(asyncio.get_running_loop(), {})
        for backend in backends.values():
            backend.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not self.was_applied(scope):
            decision, scope = self.policy.apply_scope(scope)
            if self.policy.rejects(decision):
                await send_asgi(bad_request(), scope, receive, send)
                return
        headers = _decode(scope["headers"])
        planned = self.plan(
            _read_head(scope, headers), _read_client_side(scope, headers)
        )
        if planned is None:
            await self.app(scope, receive, send)
        elif isinstance(planned, Answer):
            await send_asgi(planned, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._open_tunnel(planned, scope, receive, send)
        else:
            await self._proxy(planned, scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connections when the application has shut down."""

        async def send_and_close(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                await self.close()
            await send(message)

        await self.app(scope, receive, send_and_close)

    async def _proxy(
        self, request: BackendRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Proxy one request, unless the client leaves."""
        incoming = _Incoming(receive, request)
        exchange = asyncio.create_task(self._exchange(request, scope, incoming, send))
        leaving = asyncio.create_task(incoming.wait_until_gone())
        try:
            await asyncio.wait({exchange, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            exchange.cancel()
            leaving.cancel()
            await asyncio.gather(exchange, leaving, return_exceptions=True)
        if not exchange.cancelled():
            exchange.result()

    async def _exchange(
        self, request: BackendRequest, scope: Scope, incoming: _Incoming, send: Send
    ) -> None:
        started = False

        async def pass_on(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._pass_response(request, incoming, pass_on)
        except _ClientGoneError:
            return
        except _ClientError:
            answer = refuse(HTTPStatus.BAD_REQUEST, "The body's length is wrong.")
        except BackendError as error:
            answer = self.answer_failure(request, error)
            if started:
                raise
        else:
            return
        await send_asgi(answer, scope, incoming.receive, send)

    async def _pass_response(
        self, request: BackendRequest, incoming: _Incoming, send: Send
    ) -> None:
        backend = self.find_backend(request.mount_point)
        exchange = await backend.send(request, await incoming.open())
        try:
            head = plan_response(request, exchange.head)
            await send(
                {
                    "type": "http.response.start",
                    "status": head.status,
                    "headers": _encode(head.headers),
                }
            )
            async with aclosing(exchange.read_blocks()) as blocks:
                # Read to its end, even where there is none: only then may the
                # connection serve another request.
                async for block in blocks:
                    await send(
                        {
                            "type": "http.response.body",
                            "body": block,
                            "more_body": True,
                        }
                    )
        finally:
            exchange.close()
        await send({"type": "http.response.body", "body": b""})

    async def _open_tunnel(
        self, request: BackendRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await receive()  # websocket.connect
        try:
            await self._pass_messages(request, scope, receive, send)
        except self._tunnel.RefusedError as refused:
            await refuse_websocket(_pass_refusal(request, refused), scope, send)
        except BackendError as error:
            answer = self.answer_failure(request, error)
            await refuse_websocket(answer, scope, send)

    async def _pass_messages(
        self, request: BackendRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        backend = self.find_backend(request.mount_point)
        backend.enter()
        try:
            async with self._tunnel.open_tunnel(
                request,
                list(scope.get("subprotocols") or ()),
                self.limits,
                backend.ssl_context,
                receive,
            ) as tunnel:
                if tunnel is None:
                    return
                headers = plan_handshake(request, tunnel.head)
                await send(
                    {
                        "type": "websocket.accept",
                        "subprotocol": tunnel.subprotocol,
                        "headers": _encode(headers),
                    }
                )
                await tunnel.relay(send)
        finally:
            backend.leave()


class _Incoming:
    """What comes from the client: first its body, then the news that it left."""

    def __init__(self, receive: Receive, request: BackendRequest) -> None:
        self.receive = receive
        self._request = request
        self._length = 0
        self._message: Message | None = None
        self._more = True
        self._read = asyncio.Event()

    async def open(self) -> AsyncIterator[bytes] | None:
        """Get ready to read the body in blocks; ``None`` where there is none."""
        body = self._request.body
        if body is Body.UNDECLARED:
            self._message = await self._next()
            if self._message.get("body") or self._message.get("more_body"):
                return self
        elif body is not Body.NONE:
            return self
        self._read.set()
        return None

    async def _next(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise _ClientGoneError
        return message

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._more:
            raise StopAsyncIteration
        message, self._message = self._message, None
        if message is None:
            message = await self._next()
        block: bytes = message.get("body", b"")
        self._length += len(block)
        self._more = message.get("more_body", False)
        declared = self._request.body is Body.LENGTH
        left = self._request.length - self._length
        if declared and (left < 0 or (left > 0 and not self._more)):
            raise _ClientError
        if not self._more:
            self._read.set()
        return block

    async def wait_until_gone(self) -> None:
        """Wait until the body was read and the client left."""
        await self._read.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass


def _decode(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers
    ]


def _encode(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers
    ]


def _read_client_side(scope: Scope, headers: Headers) -> ClientSide:
    hosts = [value for name, value in headers if name.lower() == "host"]
    forwarded_for = [
        value for name, value in headers if name.lower() == "x-forwarded-for"
    ]
    connection = read_connection(scope, hosts[0] if hosts else None)
    mount_point, _ = split_scope_path(scope)
    connection.mount_point = quote(mount_point, MOUNT_POINT_SAFE)
    return describe_client_side(
        scope.get(DECISION_KEY), connection, ", ".join(forwarded_for)
    )


def _read_head(scope: Scope, headers: Headers) -> RequestHead:
    """Read the head of a request from *scope*, as far as a proxy needs it."""
    _, path = split_scope_path(scope)
    raw = (scope.get("raw_path") or b"").decode("latin-1")
    is_http_1 = scope.get("http_version", "1.1").startswith("1")
    return RequestHead(
        method=scope.get("method", "GET"),
        path=find_raw_path(raw, path, "utf-8") or quote(path),
        query=(scope.get("query_string") or b"").decode("latin-1"),
        headers=headers,
        may_say_close=is_http_1,
        undeclared=not is_http_1,
        websocket=scope["type"] == "websocket",
    )


def _pass_refusal(request: BackendRequest, refused: RefusedError) -> Answer:
    """Pass on what the backend said instead: a redirect, a demand for a password."""
    head = plan_response(request, refused.head)
    headers = [pair for pair in head.headers if pair[0] != "Content-Length"]
    headers.append(("Content-Length", str(len(refused.body))))
    return Answer(head.status, tuple(headers), refused.body)
