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
from weakref import WeakKeyDictionary

from ..asgi import read_connection
from ..decision import DECISION_KEY
from ..log import warn
from ..middleware import TrustedProxyASGIMiddleware
from ..parsing.hosts import compile_allowed_hosts
from ..parsing.values import strip_mount_point
from .answers import answer_error, refuse
from .client_side import describe_client_side
from .heads import Answer, BackendError, Body, RequestHead
from .paths import find_raw_path
from .points import MISSING_EXTRA, compile_mount_points
from .request_plan import name_own_headers, plan_request
from .response_plan import plan_handshake, plan_response

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from .._types import ASGIApp, Message, Receive, Scope, Send
    from ..policy import ProxyPolicy
    from .heads import BackendRequest, Headers
    from .httpcore_client import Backend
    from .points import MountPoint
    from .tunnel import RefusedError


class _ClientGoneError(Exception):
    """The client left while its body was read."""


class _ClientError(Exception):
    """The client's body is not as long as was said."""


class ProxyMountPointsASGIMiddleware:
    """
    Proxy what is below some URL paths of the ASGI application *app* to backends.

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

        connect_timeout: Seconds until a connection has to be there, else 504.

        timeout:
            Seconds that a backend may stay silent. Before its head: 504; in the body:
            the connection to the client is closed. Open websockets may stay silent.

        idle_connections: How many connections to a backend are kept for later.

        max_message: The longest message of a websocket, in bytes.

        ssl_context: For backends over TLS; ``None``: the system's certificates.

    Raises:
        ConfigurationError: A path, a URL or a host is wrong.

        ImportError: The extra ``mount`` is not installed.

    Source: ``--proxy-mount-point`` of mod_wsgi-express.
    """

    def __init__(
        self,
        app: ASGIApp,
        mount_points: Mapping[str, str],
        policy: ProxyPolicy,
        *,
        allowed_hosts: Sequence[str] | str | None = None,
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        idle_connections: int = 100,
        max_message: int = 16 * 1024 * 1024,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        try:
            from . import httpcore_client, tunnel
        except ModuleNotFoundError as error:
            raise ImportError(MISSING_EXTRA.format(error.name)) from error
        self.app = app
        self.mount_points = compile_mount_points(mount_points)
        self.allowed_hosts = compile_allowed_hosts(allowed_hosts)
        self.policy = policy
        self._client = httpcore_client
        self._tunnel = tunnel
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._idle_connections = idle_connections
        self._max_message = max_message
        self._ssl_context = ssl_context
        self._decide_first = TrustedProxyASGIMiddleware(self._serve, policy)
        self._own_headers = name_own_headers(policy)
        # Connections belong to the event loop that made them.
        self._backends: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[MountPoint, Backend]
        ] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif DECISION_KEY in scope:
            await self._serve(scope, receive, send)
        else:
            await self._decide_first(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connections when the application has shut down."""

        async def send_and_close(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                await self.close()
            await send(message)

        await self.app(scope, receive, send_and_close)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _decode(scope["headers"])
        hosts = [value for name, value in headers if name.lower() == "host"]
        forwarded_for = [
            value for name, value in headers if name.lower() == "x-forwarded-for"
        ]
        connection = read_connection(scope, hosts[0] if hosts else None)
        connection.mount_point = quote(scope.get("root_path", ""))
        client = describe_client_side(
            scope.get(DECISION_KEY), connection, ", ".join(forwarded_for)
        )
        planned = plan_request(
            self.mount_points,
            _read_head(scope, headers),
            client,
            self._own_headers,
            self.allowed_hosts,
        )
        if planned is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # The server's message that somebody asks for a websocket.
            await receive()
            if isinstance(planned, Answer):
                await _deny(planned, scope, send)
            else:
                await self._open_tunnel(planned, scope, receive, send)
        elif isinstance(planned, Answer):
            await _send(planned, scope, send)
        else:
            await self._proxy(planned, scope, receive, send)

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
        try:
            blocks = await incoming.open()
            response = await self._find_backend(request.mount_point).send(
                request, blocks
            )
            try:
                head = plan_response(
                    request,
                    response.status,
                    response.reason,
                    _decode(response.headers),
                )
                await send(
                    {
                        "type": "http.response.start",
                        "status": head.status,
                        "headers": _encode(head.headers),
                    }
                )
                started = True
                async with aclosing(response.read_blocks()) as body:
                    # Read to its end, even where there is none: only then does the
                    # connection serve another request.
                    async for block in body:
                        await send(
                            {
                                "type": "http.response.body",
                                "body": block,
                                "more_body": True,
                            }
                        )
                await send({"type": "http.response.body", "body": b""})
            finally:
                await response.close()
        except _ClientGoneError:
            return
        except _ClientError:
            refusal = refuse(HTTPStatus.BAD_REQUEST, "The body's length is wrong.")
            await _send(refusal, scope, send)
        except BackendError as error:
            self._tell(request.mount_point, error)
            if started:
                raise
            await _send(answer_error(error), scope, send)

    def _tell(self, where: MountPoint, error: BackendError) -> None:
        warn(
            "mount point",
            where.url,
            "The backend %s of the mount point %s failed: %s",
            where.url,
            where.path + "/",
            error,
        )

    def _find_backend(self, mount_point: MountPoint) -> Backend:
        backends = self._backends.setdefault(asyncio.get_running_loop(), {})
        if mount_point not in backends:
            backends[mount_point] = self._client.Backend(
                mount_point,
                connect_timeout=self._connect_timeout,
                timeout=self._timeout,
                idle_connections=self._idle_connections,
                ssl_context=self._ssl_context,
            )
        return backends[mount_point]

    async def _open_tunnel(
        self, request: BackendRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            backend = await self._tunnel.connect(
                request,
                list(scope.get("subprotocols") or ()),
                timeout=self._timeout,
                max_message=self._max_message,
                ssl_context=self._ssl_context,
            )
        except self._tunnel.RefusedError as refused:
            await _deny(_pass_refusal(request, refused), scope, send)
            return
        except BackendError as error:
            self._tell(request.mount_point, error)
            await _deny(answer_error(error), scope, send)
            return
        headers = plan_handshake(request, self._tunnel.read_headers(backend))
        await send(
            {
                "type": "websocket.accept",
                "subprotocol": backend.subprotocol,
                "headers": _encode(headers),
            }
        )
        await self._tunnel.relay(backend, receive, send)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        backends = self._backends.pop(asyncio.get_running_loop(), {})
        for backend in backends.values():
            await backend.close()


class _Incoming:
    """What comes from the client: first its body, then the news that it left."""

    def __init__(self, receive: Receive, request: BackendRequest) -> None:
        self._receive = receive
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
        message = await self._receive()
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
        while (await self._receive())["type"] != "http.disconnect":
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


def _read_head(scope: Scope, headers: Headers) -> RequestHead:
    """Read the head of a request from *scope*, as far as a proxy needs it."""
    path = strip_mount_point(scope["path"], scope.get("root_path", ""))
    raw = (scope.get("raw_path") or b"").decode("latin-1")
    websocket = scope["type"] == "websocket"
    return RequestHead(
        method=scope.get("method", "GET"),
        path=find_raw_path(raw, path, "utf-8") or quote(path),
        query=(scope.get("query_string") or b"").decode("latin-1"),
        headers=headers,
        undeclared=not scope.get("http_version", "1.1").startswith("1"),
        websocket=websocket,
    )


def _pass_refusal(request: BackendRequest, refused: RefusedError) -> Answer:
    """Pass on what the backend said instead: a redirect, a demand for a password."""
    try:
        head = plan_response(request, refused.status, refused.reason, refused.headers)
    except BackendError as error:
        return answer_error(error)
    headers = [pair for pair in head.headers if pair[0] != "Content-Length"]
    headers.append(("Content-Length", str(len(refused.body))))
    return Answer(head.status, head.reason, headers, refused.body)


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    await _send_as("http", answer, scope, send)


async def _deny(answer: Answer, scope: Scope, send: Send) -> None:
    """Answer instead of accepting a websocket; 403 where the server knows no more."""
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await _send_as("websocket.http", answer, scope, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


async def _send_as(kind: str, answer: Answer, scope: Scope, send: Send) -> None:
    await send(
        {
            "type": f"{kind}.response.start",
            "status": answer.status,
            "headers": _encode(answer.headers),
        }
    )
    body = b"" if scope.get("method") == "HEAD" else answer.body
    await send({"type": f"{kind}.response.body", "body": body})
