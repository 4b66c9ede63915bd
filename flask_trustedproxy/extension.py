"""
The Flask extension.

In:  an application whose configuration is loaded.
Out: the application with its `wsgi_app` wrapped, so that every request object is right
     by the time Flask makes it, and its state in ``app.extensions["trustedproxy"]``.

Nothing of an application is kept on the extension object, so one object serves many.
From the outside in: the duties of the first request, the trusted headers, HTTPS-only,
the proxy mount points, Flask.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import has_request_context, request
from werkzeug.local import LocalProxy

from trustedproxy import Settings, TrustedProxyMiddleware, read_settings
from trustedproxy.decision import DECISION_KEY
from trustedproxy.log import logger, warn_once
from trustedproxy.option_table import is_ours
from trustedproxy.process import restrict_signals

from .cli import command
from .hosts import OwnHostsOnly
from .https import FlaskHTTPSOnly
from .stack import is_proxy_fix, walk_stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Flask

    from trustedproxy import Decision
    from trustedproxy._types import Environ, StartResponse, WSGIApp

#: Where the state of an application is kept: ``app.extensions[EXTENSION]``.
EXTENSION = "trustedproxy"


@dataclass(frozen=True, slots=True)
class State:
    """
    What the extension knows about one application.

    Attributes:
        settings: What its configuration said when the extension was initialised.

        configured:
            That part of the configuration, to notice later changes. It may hold
            secrets, so it is never shown.

        told: Keys of what was told of this application; another may have its name.
    """

    settings: Settings
    configured: Mapping[str, Any] = field(repr=False)
    told: set[str] = field(default_factory=set, repr=False, compare=False)

    def warn_once(self, key: str, message: str, *args: object) -> None:
        """Log *message* at WARNING, once for this application and a *key*."""
        if key not in self.told:
            self.told.add(key)
            logger.warning(message, *args)


class TrustedProxy:
    """
    Trust the configured proxies' headers, and nobody else's.

    ``TrustedProxy(app)``, or ``trusted_proxy.init_app(app)`` in a factory. The
    configuration (``TRUSTED_PROXIES`` and the ``TRUSTED_PROXY_…`` names) is read then,
    so it has to be loaded before.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """
        Read the configuration of *app* and wrap its ``wsgi_app``.

        An application that has been initialised stays as it is; that is logged.

        Raises:
            ConfigurationError: A setting cannot be meant; it names which and why.
        """
        if EXTENSION in app.extensions:
            app.extensions[EXTENSION].warn_once(
                "initialised-twice",
                "TrustedProxy is initialised twice on the application %r; "
                "the second time changes nothing. Remove one of the two.",
                app.name,
            )
            return

        configured = select_configuration(app.config)
        settings = read_settings(configured)
        state = State(settings, deepcopy(configured))

        inner: WSGIApp = app.wsgi_app
        wrapped = inner
        if settings.mount_points:
            # What it stands on is there with the extra ``mount`` only.
            from trustedproxy.mount_points import ProxyMountPointsMiddleware

            proxied = ProxyMountPointsMiddleware(
                inner, settings.mount_points, settings.policy
            )
            wrapped = OwnHostsOnly(app, proxied, inner)
        if settings.https_only is not None:
            wrapped = FlaskHTTPSOnly(app, wrapped, settings.https_only)
        wrapped = TrustedProxyMiddleware(wrapped, settings.policy)

        # Flask's own way of wrapping: an attribute over a method, which types forbid.
        app.wsgi_app = Entrance(app, wrapped, state)  # type: ignore[method-assign]
        app.extensions[EXTENSION] = state
        app.cli.add_command(command)
        if settings.policy.changes_nothing:
            state.warn_once(
                "no-header",
                "TrustedProxy is on the application %r, but TRUSTED_PROXY_HEADERS is "
                "empty, so nothing is corrected. List the headers that your proxy "
                "sets, such as ['X-Forwarded-For', 'X-Forwarded-Proto'], before "
                "init_app(app). If no proxy stands in front: TRUSTED_PROXY_STRIP = "
                "'all'.",
                app.name,
            )
        if any(map(is_proxy_fix, walk_stack(inner))):
            _tell_proxy_fix(app, "inside")


def select_configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """Take from *config* what is this extension's, misspelled names included."""
    return {name: value for name, value in config.items() if is_ours(name)}


class Entrance:
    """
    Do when requests come what cannot be done earlier (a WSGI middleware).

    Other middlewares are wrapped around ``app.wsgi_app``, and configuration is
    loaded, after `init_app`; the first request looks for that. Two threads may both
    be first, since to look twice does no harm.
    """

    def __init__(self, app: Flask, wrapped: WSGIApp, state: State) -> None:
        self.app = app
        self.wrapped = wrapped
        self.state = state
        self.is_first = True

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if self.is_first:
            self.is_first = False
            self.look_around()
        # With every request: this process may be a child of the one that had the first.
        if self.state.settings.restrict_signals:
            restrict_signals()
        return self.wrapped(environ, start_response)

    def look_around(self) -> None:
        """Tell what came after `init_app` and should not have (rule R16)."""
        # Around the application itself, only its key in the environ shows ProxyFix;
        # the policy looks for that.
        if any(map(is_proxy_fix, walk_stack(self.app.wsgi_app, until=self))):
            _tell_proxy_fix(self.app, "outside")

        configured = select_configuration(self.app.config)
        names = sorted(
            name
            for name in configured.keys() | self.state.configured.keys()
            if configured.get(name) != self.state.configured.get(name)
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


def _tell_proxy_fix(app: Flask, where: str) -> None:
    warn_once(
        # The policy's own key for it: it is told once, by whoever notices first.
        "proxy-fix",
        "Werkzeug's ProxyFix stands %s of TrustedProxy on the application %r: it "
        "trusts the same headers from anybody. Remove ProxyFix, and list what it "
        "read in TRUSTED_PROXY_HEADERS.",
        where,
        app.name,
    )


def _find_decision() -> Decision:
    """Find the decision about the request at hand."""
    if not has_request_context():
        raise RuntimeError("current_decision is there only while a request is handled.")
    decision = request.environ.get(DECISION_KEY)
    if decision is None:
        raise RuntimeError(
            "There is no decision about this request: TRUSTED_PROXY_REPORT_ONLY is on, or "
            "the request did not go through TrustedProxy."
        )
    return cast("Decision", decision)


#: The `trustedproxy.Decision` about the request at hand. It is false, and using it a
#: `RuntimeError`, where there is none: outside of a request, and in report-only mode.
# Typed as what it stands for, so that its attributes are known.
current_decision: Decision = LocalProxy(  # type: ignore[assignment]
    _find_decision
)
