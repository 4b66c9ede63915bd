"""
Proxy mount points: a whole site or sub site from another server, at a URL path.

In:  an application, a mapping of URL paths to backend URLs, and a policy.
Out: an application that answers below those paths with what the backends say.

`request_plan` and `response_plan` decide everything and move no byte, by the `points`
that are configured and the `client_side` that a policy confirms; what they hand over
is in `heads`. `wsgi` and `asgi` are the two middlewares, and share `shell`. Below them
`blocking_client`, `asyncio_client` and `tunnel` speak to the backends by libraries, and
`wire` judges every byte that comes. Nothing of this is loaded before it is asked for,
and no library before a middleware is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asgi import ProxyMountPointsASGIMiddleware
    from .wsgi import ProxyMountPointsMiddleware

__all__ = ["ProxyMountPointsASGIMiddleware", "ProxyMountPointsMiddleware"]

_MODULES = {
    "ProxyMountPointsASGIMiddleware": ".asgi",
    "ProxyMountPointsMiddleware": ".wsgi",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
