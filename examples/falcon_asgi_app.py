"""
The smallest Falcon application for ASGI behind a proxy, with a mount point.

Run it with ``uvicorn --app-dir examples --no-proxy-headers
falcon_asgi_app:application``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import falcon.asgi

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Page:
    """The page that says what it sees."""

    async def on_get(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response
    ) -> None:
        """Answer with the client's address and the application's own."""
        link = f"{request.prefix}/page"
        response.media = {"client": request.remote_addr, "link": link}


def without_mount_point(app: Application) -> Application:
    """Give Falcon the path below the mount point, since it compares the whole path."""

    async def serve(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        mount_point = scope.get("root_path", "")
        path = scope.get("path", "")
        if mount_point and path.startswith(mount_point):
            scope = {**scope, "path": path.removeprefix(mount_point) or "/"}
        await app(scope, receive, send)

    return serve


app = falcon.asgi.App()
app.add_route("/page", Page())
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
application = TrustedProxyASGIMiddleware(without_mount_point(app), policy)
