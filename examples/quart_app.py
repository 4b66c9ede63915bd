"""
The smallest Quart application behind a proxy, with a websocket.

Run it from this folder with ``hypercorn quart_app:app``.
"""

from __future__ import annotations

from quart import Quart, request, url_for, websocket

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

app = Quart(__name__)


@app.get("/page")
async def what_i_see() -> dict[str, str | None]:
    """Answer with the client's address and the application's own, as it sees them."""
    return {
        "client": request.remote_addr,
        "scheme": request.scheme,
        "host": request.host,
        "mount_point": request.root_path,
        "link": url_for("what_i_see", _external=True),
    }


@app.websocket("/talk")
async def what_i_see_on_a_websocket() -> None:
    """Send the client's address and the websocket's own, and close."""
    await websocket.send_json(
        {
            "client": websocket.remote_addr,
            "scheme": websocket.scheme,
            "host": websocket.host,
            "mount_point": websocket.root_path,
        }
    )


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
# Around what serves, so that `app` stays a Quart application, with its commands: an
# attribute over a method, which Quart documents and types do not allow.
app.asgi_app = TrustedProxyASGIMiddleware(app.asgi_app, policy)  # type: ignore[assignment,method-assign]  # Quart documents it
