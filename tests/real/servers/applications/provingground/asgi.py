"""
The ASGI applications, chosen request by request: ``raw``, ``echo``, ``django``
(websockets through Channels), ``starlette``. The choice touches nothing of the scope.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

from .answers import (
    describe_decision,
    describe_everything,
    describe_scope,
    find_application,
    write_json,
)

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]


async def _answer(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": body.decode()})
        await send({"type": "websocket.close", "code": 1000})
        return
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the server handed over, without any policy."""
    if scope["type"] == "http":
        # Trailer fields have arrived when the body has ended.
        while (await receive()).get("more_body"):
            pass
    answer = describe_scope(scope)
    answer["scope"] = describe_everything(scope)
    await _answer(scope, receive, send, write_json(answer))


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
    await _answer(scope, receive, send, write_json(describe_scope(scope)))


def make_echo() -> ASGIApplication:
    """Make the bare echo with the policy around it."""
    return TrustedProxyASGIMiddleware(_echo, ProxyPolicy.from_env())


def make_django() -> ASGIApplication:
    """Make the Django project, its websockets through Channels' router."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "provingground.settings")
    from django.core.asgi import get_asgi_application

    http: ASGIApplication = get_asgi_application()
    from .consumers import make_router

    websocket = TrustedProxyASGIMiddleware(make_router(), ProxyPolicy.from_env())

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = websocket if scope["type"] == "websocket" else http
        await chosen(scope, receive, send)

    return choose


def make_starlette() -> ASGIApplication:
    """Make a Starlette application with the middleware around it."""
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket

    def describe(connection: HTTPConnection) -> bytes:
        answer = describe_scope(connection.scope)
        answer["address"] = connection.client.host if connection.client else None
        answer["scheme"] = connection.url.scheme
        answer["host"] = connection.url.netloc
        answer["url"] = str(connection.url)
        answer["base_url"] = str(connection.base_url)
        answer["decision"] = describe_decision(
            connection.scope.get("trustedproxy.decision")
        )
        return write_json(answer)

    async def show(request: Request) -> Response:
        return Response(describe(request), media_type="application/json")

    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(describe(websocket).decode())
        await websocket.close()

    routes = [Route("/{path:path}", show), WebSocketRoute("/{path:path}", talk)]
    app: Any = Starlette(routes=routes)
    return TrustedProxyASGIMiddleware(app, ProxyPolicy.from_env())


MAKERS: Mapping[str, Callable[[], ASGIApplication]] = {
    "echo": make_echo,
    "django": make_django,
    "starlette": make_starlette,
}
_made: dict[str, ASGIApplication] = {"raw": raw}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand the request to the application that it names."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    name = find_application(scope["headers"])
    if name not in _made:
        _made[name] = MAKERS[name]()
    await _made[name](scope, receive, send)
