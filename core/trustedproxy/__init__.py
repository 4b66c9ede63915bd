"""
Whom to trust behind a reverse proxy: trusted proxy headers for any Python server.

In:  a policy: which headers, from which proxies.
Out: environs, scopes and requests that say the truth, and a decision that says why.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .decision import (
    DECISION_KEY,
    Connection,
    Decision,
    Problem,
    Reason,
    get_decision,
)
from .events import on_decision
from .exceptions import ConfigurationError
from .headers import Category, Form, ProxyHeader
from .middleware import TrustedProxyASGIMiddleware, TrustedProxyMiddleware
from .policy import ProxyPolicy

if TYPE_CHECKING:
    from .hsts import HSTSPolicy
    from .https_only import (
        HTTPSOnly,
        HTTPSOnlyASGIMiddleware,
        HTTPSOnlyMiddleware,
        https_exempt,
    )
    from .mount_points import (
        ProxyMountPointsASGIMiddleware,
        ProxyMountPointsMiddleware,
    )
    from .process import restrict_signals
    from .settings import Settings, read_settings

__all__ = [
    "DECISION_KEY",
    "Category",
    "ConfigurationError",
    "Connection",
    "Decision",
    "Form",
    "HSTSPolicy",
    "HTTPSOnly",
    "HTTPSOnlyASGIMiddleware",
    "HTTPSOnlyMiddleware",
    "Problem",
    "ProxyHeader",
    "ProxyMountPointsASGIMiddleware",
    "ProxyMountPointsMiddleware",
    "ProxyPolicy",
    "Reason",
    "Settings",
    "TrustedProxyASGIMiddleware",
    "TrustedProxyMiddleware",
    "get_decision",
    "https_exempt",
    "on_decision",
    "read_settings",
    "restrict_signals",
]

#: Names of what not everybody uses → the modules that are loaded then, since they weigh
#: as much as all others, or need an event loop.
_LOADED_WHEN_ASKED_FOR = {
    "HSTSPolicy": ".hsts",
    "HTTPSOnly": ".https_only",
    "HTTPSOnlyASGIMiddleware": ".https_only",
    "HTTPSOnlyMiddleware": ".https_only",
    "ProxyMountPointsASGIMiddleware": ".mount_points",
    "ProxyMountPointsMiddleware": ".mount_points",
    "Settings": ".settings",
    "https_exempt": ".https_only",
    "read_settings": ".settings",
    "restrict_signals": ".process",
}


def __getattr__(name: str) -> Any:
    module = _LOADED_WHEN_ASKED_FOR.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module, __name__), name)
