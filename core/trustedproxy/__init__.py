"""
Whom to trust behind a reverse proxy: trusted proxy headers for any Python server.

In:  a policy: which headers, from which proxies.
Out: environs, scopes and requests that say the truth, and a decision that says why.
"""

from __future__ import annotations

from .decision import Connection, Decision, Problem, Reason
from .exceptions import ConfigurationError
from .headers import Category, Form, ProxyHeader
from .hsts import HSTSPolicy
from .https_only import HTTPSOnlyASGIMiddleware, HTTPSOnlyMiddleware
from .middleware import TrustedProxyASGIMiddleware, TrustedProxyMiddleware
from .mount_points import ProxyMountPointsASGIMiddleware, ProxyMountPointsMiddleware
from .policy import ProxyPolicy
from .settings import Settings, read_settings

__all__ = [
    "Category",
    "ConfigurationError",
    "Connection",
    "Decision",
    "Form",
    "HSTSPolicy",
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
    "read_settings",
]
