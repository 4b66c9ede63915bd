"""
Setting names to settings, the same for Django, Flask, the environment and mod_wsgi.

In:  a mapping that holds ``TRUSTED_PROXY_…`` names among others.
Out: `Settings`, validated; or a `ConfigurationError` that names what is wrong.

The names, defaults and meanings are in `option_table`.  What a value must be is checked
by the feature that it belongs to.  `Settings` puts everything around an application, in
the one right order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .https_only import HTTPSOnly, HTTPSOnlyASGIMiddleware, HTTPSOnlyMiddleware
from .middleware import TrustedProxyASGIMiddleware, TrustedProxyMiddleware
from .mount_points.options import read_mount_points
from .option_table import OPTION_OF, read_environment, select_settings
from .options import read_flag
from .policy import ProxyPolicy, make_policy
from .process import restrict_signals
from .token_options import read_token_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._types import (
        ASGIApp,
        Environ,
        Receive,
        Scope,
        Send,
        SettingsMapping,
        Site,
        StartResponse,
        WSGIApp,
    )
    from .hsts import HSTSPolicy

__all__ = ["Settings", "read_environment", "read_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Everything that the settings say.

    Attributes:
        policy: Whom to trust.

        https_only: The redirect to https, or ``None``.

        hsts: The Strict-Transport-Security policy, or ``None``.

        mount_points: URL path → backend URL.

        restrict_signals: Whether server processes refuse ``signal.signal()``.

        token_file:
            The file in which all processes see which tokens of the page were used, or
            ``None``.
    """

    policy: ProxyPolicy
    https_only: HTTPSOnly | None = None
    hsts: HSTSPolicy | None = None
    mount_points: Mapping[str, str] = field(default_factory=dict)
    restrict_signals: bool = False
    token_file: str | None = None

    def wrap_wsgi(
        self,
        app: WSGIApp,
        *,
        allowed_hosts: Sequence[str] | None = None,
        site: Site | None = None,
    ) -> WSGIApp:
        """
        Put everything that the settings ask for around a WSGI application.

        From the outside in: signals, the trusted headers, HTTPS only, the proxy mount
        points, *app*.

        Args:
            app: The application.

            allowed_hosts:
                The site's hosts, as for `HTTPSOnly`; ``None``: every well-formed one.

            site:
                What a framework knows besides: the hosts that it serves, and the views
                that stay reachable over plain HTTP.

        Raises:
            ImportError: Mount points are set, and the extra ``mount`` is missing.
        """
        if self.mount_points:
            # What they stand on is there with the extra alone.
            from .mount_points import ProxyMountPointsMiddleware

            proxied = ProxyMountPointsMiddleware(
                app, self.mount_points, self.policy, allowed_hosts=allowed_hosts
            )
            app = proxied if site is None else _OwnHostsOnly(app, proxied, site)
        if self.https_only is not None:
            rules = self.https_only.limit_to(allowed_hosts)
            app = HTTPSOnlyMiddleware.from_rules(app, rules, site)
        app = TrustedProxyMiddleware(app, self.policy)
        return _RestrictSignals(app) if self.restrict_signals else app

    def wrap_asgi(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Sequence[str] | None = None,
        site: Site | None = None,
    ) -> ASGIApp:
        """
        Put everything that the settings ask for around an ASGI application.

        As `wrap_wsgi`, for http and websocket.
        """
        if self.mount_points:
            from .mount_points import ProxyMountPointsASGIMiddleware

            proxied = ProxyMountPointsASGIMiddleware(
                app, self.mount_points, self.policy, allowed_hosts=allowed_hosts
            )
            app = proxied if site is None else _OwnHostsOnlyASGI(app, proxied, site)
        if self.https_only is not None:
            rules = self.https_only.limit_to(allowed_hosts)
            app = HTTPSOnlyASGIMiddleware.from_rules(app, rules, site)
        app = TrustedProxyASGIMiddleware(app, self.policy)
        return _RestrictSignalsASGI(app) if self.restrict_signals else app


class _OwnHostsOnly:
    """
    Let requests reach the proxy mount points only for hosts that the site serves.

    Behind a mount point the framework is not asked, and the redirect to ``/blog/`` goes
    to the request's own host.  A request for another host is the framework's to refuse.

    Args:
        app: The framework's application.

        proxied: The proxy mount points around it.

        site: What knows the hosts.
    """

    def __init__(self, app: WSGIApp, proxied: WSGIApp, site: Site) -> None:
        self.app = app
        self.proxied = proxied
        self.site = site

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        app = self.proxied if self.site.accepts_host(environ) else self.app
        return app(environ, start_response)


class _OwnHostsOnlyASGI:
    """The same for http and websocket; a lifespan has no host, and passes."""

    def __init__(self, app: ASGIApp, proxied: ASGIApp, site: Site) -> None:
        self.app = app
        self.proxied = proxied
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] in ("http", "websocket")
        refused = asks and not self.site.accepts_host(scope)
        app = self.app if refused else self.proxied
        await app(scope, receive, send)


class _RestrictSignals:
    """Restrict signals with the first request, in the process that serves it."""

    def __init__(self, app: WSGIApp) -> None:
        self.app = app

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        # With every request: this process may be a child of the one that had the first.
        restrict_signals()
        return self.app(environ, start_response)


class _RestrictSignalsASGI:
    """The same; a lifespan is no request, and the server may still set handlers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            restrict_signals()
        await self.app(scope, receive, send)


def read_settings(mapping: SettingsMapping) -> Settings:
    """
    Read the settings from *mapping*; names that are not ours are not looked at.

    Raises:
        ConfigurationError: A name is unknown, or a value is invalid.
    """
    given = select_settings(mapping)
    policy = make_policy(given)
    # Made in any case, so that a wrong value is an error before it is switched on.
    https_only = _make_https_only(given, policy)
    wanted = _read_flag(given, "TRUSTED_PROXY_HTTPS_ONLY")
    return Settings(
        policy=policy,
        https_only=https_only if wanted else None,
        hsts=https_only.hsts,
        mount_points=read_mount_points(given.get("TRUSTED_PROXY_MOUNT_POINTS")),
        restrict_signals=_read_flag(given, "TRUSTED_PROXY_RESTRICT_SIGNALS"),
        token_file=read_token_file(given.get("TRUSTED_PROXY_TOKEN_FILE")),
    )


def _get(given: Mapping[str, Any], name: str) -> Any:
    return given.get(name, OPTION_OF[name].default)


def _read_flag(given: Mapping[str, Any], name: str) -> bool:
    return read_flag(name, _get(given, name))


def _make_https_only(given: Mapping[str, Any], policy: ProxyPolicy) -> HTTPSOnly:
    return HTTPSOnly(
        host=_get(given, "TRUSTED_PROXY_HTTPS_HOST"),
        status=_get(given, "TRUSTED_PROXY_HTTPS_STATUS"),
        exempt=_get(given, "TRUSTED_PROXY_HTTPS_EXEMPT"),
        hsts=_get(given, "TRUSTED_PROXY_HSTS_POLICY"),
        report_only=policy.report_only,
    )
