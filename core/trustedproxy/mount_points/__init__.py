"""
Proxy mount points: a whole site or sub site from another server, at a URL path.

In:  an application, a mapping of URL paths to backend URLs, and a policy.
Out: an application that answers below those paths with what the backends say.

`request_plan` and `response_plan` decide everything and move no byte, by the `points`
that are configured and the `client_side` that a policy confirms; what they hand over
is in `heads`. `wsgi` and `asgi` move the bytes and decide nothing; `urllib3_client`,
`httpcore_client` and `tunnel` are what they stand on, and are imported only when a
middleware is made.
"""

from __future__ import annotations

from .asgi import ProxyMountPointsASGIMiddleware
from .wsgi import ProxyMountPointsMiddleware

__all__ = ["ProxyMountPointsASGIMiddleware", "ProxyMountPointsMiddleware"]
