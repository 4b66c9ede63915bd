"""
The smallest Quart application behind a proxy, with a websocket.

Run it with ``uvicorn --app-dir examples --no-proxy-headers quart_app:application``.
"""

from __future__ import annotations

from quart import Quart, request, websocket

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

app = Quart(__name__)


@app.get("/")
async def what_i_see() -> dict[str, str | None]:
    """Answer with the client's address and scheme as the application sees them."""
    return {"client": request.remote_addr, "scheme": request.scheme}


@app.websocket("/")
async def what_i_see_on_a_websocket() -> None:
    """Send the same over a websocket."""
    seen = {"client": websocket.remote_addr, "scheme": websocket.scheme}
    await websocket.send_json(seen)


policy = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    proxies=["127.0.0.1"],
)
# Around the whole application: Quart makes its request objects inside of it.
application = TrustedProxyASGIMiddleware(app, policy)  # type: ignore[arg-type]
