"""
The smallest WSGI application behind a proxy.

Run it with ``gunicorn --chdir examples wsgi_app:application``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware


def what_i_see(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer with the client's address and scheme as the application sees them."""
    seen = {"client": environ["REMOTE_ADDR"], "scheme": environ["wsgi.url_scheme"]}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


policy = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    proxies=["loopback"],
    strip="all",
)
application = TrustedProxyMiddleware(what_i_see, policy)
