"""
The smallest FastAPI application behind a proxy, with a websocket.

Run it with ``uvicorn --app-dir examples --no-proxy-headers fastapi_app:app``.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, WebSocket

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

app = FastAPI()
app.add_middleware(
    TrustedProxyASGIMiddleware,
    policy=ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto"],
        proxies=["127.0.0.1"],
    ),
)


@app.get("/")
async def what_i_see(request: Request) -> dict[str, str | None]:
    """Answer with the client's address and scheme as the application sees them."""
    client = request.client.host if request.client else None
    return {"client": client, "scheme": request.url.scheme}


@app.websocket("/")
async def what_i_see_on_a_websocket(websocket: WebSocket) -> None:
    """Send the same over a websocket."""
    await websocket.accept()
    client = websocket.client.host if websocket.client else None
    await websocket.send_json({"client": client, "scheme": websocket.url.scheme})
    await websocket.close()
