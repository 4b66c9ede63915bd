"""
What stands around a Flask application: the settings, and a look at the first request.

In:  an application, what its ``wsgi_app`` was, and its state.
Out: a WSGI application that decides, and records in the log of what stands outside of
     it or came too late (rule R16).

What is put around the application, and in which order, is the core's business
(`trustedproxy.Settings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustedproxy import TrustedProxyMiddleware
from trustedproxy.log import warn_once
from trustedproxy.stack import name_part

from .early import EarlyPage
from .signals import name_application
from .site import FlaskSite
from .stack import find_way, is_proxy_fix, walk_stack
from .state import select_configuration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

    from trustedproxy._types import Environ, StartResponse, WSGIApp

    from .state import State

#: Where `wrap_around` says, in an environ, for which application it has decided.
WRAPPED = "flask_trustedproxy.wrapped"


class Entrance:
    """
    Do when requests come what cannot be done earlier (a WSGI middleware).

    Other middlewares are wrapped around ``app.wsgi_app``, and configuration is
    loaded, after `init_app`; the first request looks for that. Two threads may both
    be first, since to look twice does no harm.

    Args:
        app: The Flask application.

        inner: What its ``wsgi_app`` was.

        state: What the extension knows about it.
    """

    def __init__(self, app: Flask, inner: WSGIApp, state: State) -> None:
        self.app = app
        self.inner = inner
        self.state = state
        self.site: FlaskSite = FlaskSite(app)
        self.wrapped: WSGIApp = state.settings.wrap_wsgi(inner, site=self.site)
        self.page: EarlyPage = EarlyPage(app)
        self.is_first: bool = True

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        is_wrapped = environ.get(WRAPPED) is self.state
        if self.is_first:
            self.is_first = False
            self._look_for_late_configuration()
            self._look_for_open_redirects()
            if not is_wrapped:
                self._look_outside()
        if is_wrapped:
            return self.inner(environ, start_response)
        if self.page.covers(environ):
            shown = self.page.answer(environ, start_response)
            if shown is not None:
                return shown
        name_application(environ, self.app)
        return self.wrapped(environ, start_response)

    def _look_outside(self) -> None:
        """Log what was put around the application after `init_app` (rule R16)."""
        outermost = self.app.wsgi_app
        # Around the application itself, only its key in the environ shows ProxyFix;
        # the policy looks for that.
        if any(map(is_proxy_fix, walk_stack(outermost, until=self))):
            warn_proxy_fix(self.app, "outside")
        way = find_way(outermost, self)
        if any(isinstance(part, TrustedProxyMiddleware) for part in way):
            # It decides in the place of this one, and the policy logs that.
            return
        names = [name_part(part) for part in way if not is_proxy_fix(part)]
        if names:
            self.state.warn_once(
                "outside",
                "%s of the application %r stands outside of TrustedProxy, and sees "
                "requests as they came: the proxy's address, and headers that anybody "
                "can forge. Call TrustedProxy(app) after it, so that TrustedProxy is "
                "the outermost; or give the server flask_trustedproxy.wrap_wsgi(app).",
                ", ".join(names),
                self.app.name,
            )

    def _look_for_late_configuration(self) -> None:
        """Log which names changed after `init_app`, without their values."""
        before, now = self.state.configured, select_configuration(self.app.config)
        names = sorted(
            name
            for name in before.keys() | now.keys()
            if before.get(name) != now.get(name)
        )
        if names:
            self.state.warn_once(
                "configured-late",
                "%s of the application %r changed after TrustedProxy was initialised, "
                "which has no effect. Load the configuration first, "
                "or call init_app(app) after it.",
                ", ".join(names),
                self.app.name,
            )

    def _look_for_open_redirects(self) -> None:
        """Log that nothing limits the host of a redirect."""
        rules = self.state.settings.https_only
        is_open = rules is not None and rules.redirects_to_any_host
        if is_open and self.site.allowed_hosts is None:
            self.state.warn_once(
                "https-only-open",
                "HTTPS only redirects to whatever host a request names: set "
                "TRUSTED_PROXY_HTTPS_HOST to the site's host, or TRUSTED_HOSTS to its "
                "hosts, in the configuration of the application %r.",
                self.app.name,
            )


def wrap_around(app: Flask, state: State) -> WSGIApp:
    """Put the settings around all of *app*; its `Entrance` then only lets pass."""

    def enter(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ[WRAPPED] = state
        return app(environ, start_response)

    wrapped = state.settings.wrap_wsgi(enter, site=FlaskSite(app))
    page = EarlyPage(app)

    def decide(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if page.covers(environ):
            shown = page.answer(environ, start_response)
            if shown is not None:
                return shown
        name_application(environ, app)
        return wrapped(environ, start_response)

    return decide


def warn_proxy_fix(app: Flask, where: str) -> None:
    """Log that ProxyFix stands inside or outside of the extension."""
    warn_once(
        # The policy's own code for it: it is logged once, by whoever sees it first.
        "proxy-fix",
        "Werkzeug's ProxyFix stands %s of TrustedProxy on the application %r: it "
        "trusts the same headers from anybody. Remove ProxyFix, and list what it "
        "read in TRUSTED_PROXY_HEADERS.",
        where,
        app.name,
    )
