"""
The smallest ASGI application behind a proxy.

Run it with ``uvicorn --app-dir examples --no-proxy-headers asgi_app:application``.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware


async def what_i_see(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer with the client's address and scheme as the application sees them."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    seen = {"client": scope["client"][0], "scheme": scope["scheme"]}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


policy = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    proxies=["loopback"],
    strip="all",
)
application = TrustedProxyASGIMiddleware(what_i_see, policy)
