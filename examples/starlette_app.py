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
    """Answer with the client's address and the application's own, as it sees them."""
    return JSONResponse(
        {
            "client": request.client.host if request.client else None,
            "base_url": str(request.base_url),
            "link": str(request.url_for("page")),
        }
    )


async def what_i_see_on_a_websocket(websocket: WebSocket) -> None:
    """Send the client's address and the websocket's own, and close."""
    await websocket.accept()
    client = websocket.client.host if websocket.client else None
    await websocket.send_json({"client": client, "url": str(websocket.url)})
    await websocket.close()


policy = ProxyPolicy(
    headers=[
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    ],
    proxies=["loopback"],
    strip="all",
)
app = Starlette(
    routes=[
        Route("/page", what_i_see, name="page"),
        WebSocketRoute("/talk", what_i_see_on_a_websocket),
    ],
    # The first of the list is the outermost.
    middleware=[Middleware(TrustedProxyASGIMiddleware, policy)],
)
