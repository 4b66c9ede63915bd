"""
The smallest Starlette application behind a proxy, with a websocket.

Run it with ``uvicorn --app-dir examples --no-proxy-headers starlette_app:app``.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware


async def what_i_see(request: Request) -> JSONResponse:
    """Answer with the client's address and scheme as the application sees them."""
    client = request.client.host if request.client else None
    return JSONResponse({"client": client, "scheme": request.url.scheme})


async def what_i_see_on_a_websocket(websocket: WebSocket) -> None:
    """Send the same over a websocket."""
    await websocket.accept()
    client = websocket.client.host if websocket.client else None
    await websocket.send_json({"client": client, "scheme": websocket.url.scheme})
    await websocket.close()


policy = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    proxies=["127.0.0.1"],
)
app = Starlette(
    routes=[Route("/", what_i_see), WebSocketRoute("/", what_i_see_on_a_websocket)],
    middleware=[Middleware(TrustedProxyASGIMiddleware, policy)],
)
