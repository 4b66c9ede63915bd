"""
The Flask extension.

In:  an application whose configuration is loaded.
Out: the application with its `wsgi_app` wrapped, so that every request object is right
     by the time Flask makes it, and its state in ``app.extensions["trustedproxy"]``.

Nothing of an application is kept on the extension object, so one object serves many.
What is put around the application, and in which order, is the core's business
(`trustedproxy.Settings`); around that stands the `Entrance` alone.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trustedproxy import (
    ConfigurationError,
    ProxyPolicy,
    Settings,
    TrustedProxyMiddleware,
    read_settings,
)
from trustedproxy.log import warn, warn_once
from trustedproxy.option_table import OPTION_OF, is_ours

from .cli import command
from .signals import name_application
from .site import FlaskSite
from .stack import find_way, is_proxy_fix, name_part, walk_stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Flask

    from trustedproxy._types import Environ, StartResponse, WSGIApp

#: Where the state of an application is kept: ``app.extensions[EXTENSION]``.
EXTENSION = "trustedproxy"
#: Where `wrap_wsgi` says, in an environ, for which application it has decided.
WRAPPED = "flask_trustedproxy.wrapped"


@dataclass(frozen=True, slots=True)
class State:
    """
    What the extension knows about one application.

    Attributes:
        settings: What is in force.

        configured:
            The part of the configuration that was read when the extension was
            initialised, to find later changes. It may hold secrets, so it is never
            shown.

        logged: Codes of what was logged of this application; another may have its name.
    """

    settings: Settings
    configured: Mapping[str, Any] = field(repr=False)
    logged: set[str] = field(default_factory=set, repr=False, compare=False)

    def warn_once(self, code: str, message: str, *args: object) -> None:
        """Log *message* at WARNING, once for this application and a *code*."""
        if code not in self.logged:
            self.logged.add(code)
            warn(code, None, message, *args, about=f"application {id(self)}")


class TrustedProxy:
    """
    Trust the configured proxies' headers, and nobody else's.

    ``TrustedProxy(app)``, or ``trusted_proxy.init_app(app)`` in a factory. The
    configuration (``TRUSTED_PROXIES`` and the ``TRUSTED_PROXY_…`` names) is read then,
    so it has to be loaded before.

    Args:
        app: The application, or ``None`` where `init_app` follows.

        policy:
            A policy or settings that were made elsewhere. Beside a policy, the
            configuration says everything else, such as ``TRUSTED_PROXY_HTTPS_ONLY``;
            beside `trustedproxy.Settings` it is not read.
    """

    def __init__(
        self, app: Flask | None = None, *, policy: ProxyPolicy | Settings | None = None
    ) -> None:
        self.policy = policy
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """
        Read the configuration of *app* and wrap its ``wsgi_app``.

        An application that has been initialised stays as it is; that is logged.

        Raises:
            ConfigurationError: A setting is invalid; it names which and why.
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
        state = State(_make_settings(self.policy, configured), deepcopy(configured))
        inner: WSGIApp = app.wsgi_app
        # Flask's own way of wrapping: an attribute over a method, which types forbid.
        app.wsgi_app = Entrance(app, inner, state)  # type: ignore[method-assign]
        app.extensions[EXTENSION] = state
        app.cli.add_command(command)
        _warn_at_start(app, inner, state)
        if isinstance(self.policy, Settings):
            _warn_not_read(app, state)


def wrap_wsgi(app: Flask) -> WSGIApp:
    """
    Put everything that the settings ask for around the whole of *app*.

    For what stands outside of ``app.wsgi_app`` and reads requests there, such as the
    SDK of Sentry, or Flask-SocketIO where it came after the extension. The server gets
    what is returned; ``flask run`` and test clients go on with *app*, whose extension
    leaves alone what was decided here.

    Args:
        app: The application; the extension is initialised on it where it was not.

    Raises:
        ConfigurationError: A setting is invalid; it names which and why.
    """
    if EXTENSION not in app.extensions:
        TrustedProxy(app)
    state: State = app.extensions[EXTENSION]

    def enter(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ[WRAPPED] = state
        return app(environ, start_response)

    wrapped = state.settings.wrap_wsgi(enter, site=FlaskSite(app))

    def decide(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name_application(environ, app)
        return wrapped(environ, start_response)

    return decide


def select_configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """Take from *config* what is this extension's, misspelled names included."""
    return {name: value for name, value in config.items() if is_ours(name)}


def _make_settings(
    policy: ProxyPolicy | Settings | None, configured: Mapping[str, Any]
) -> Settings:
    """Read what is configured beside a *policy* that may have been made elsewhere."""
    if isinstance(policy, Settings):
        return policy
    if policy is None:
        return read_settings(configured)
    for name, value in configured.items():
        option = OPTION_OF.get(name)
        if option is not None and option.argument is not None:
            expected = "possible beside TrustedProxy(policy=...): remove one of the two"
            raise ConfigurationError(name, value, expected)
    return replace(read_settings(configured), policy=policy)


def _warn_not_read(app: Flask, state: State) -> None:
    """Log which names of the configuration settings from elsewhere take away."""
    if state.configured and _differs(state.configured, state.settings):
        state.warn_once(
            "not-read",
            "%s of the application %r is not read, because TrustedProxy was given "
            "settings that were made elsewhere: TrustedProxy(app, policy=...). Remove "
            "one of the two.",
            ", ".join(sorted(state.configured)),
            app.name,
        )


def _differs(configured: Mapping[str, Any], settings: Settings) -> bool:
    """Say whether the configuration says anything else than *settings* that hold."""
    try:
        other = read_settings(configured)
    except ConfigurationError:
        return True
    # The rules for HTTPS say no more than the other fields where both have them.
    both = other.https_only is not None and settings.https_only is not None
    rules = settings.https_only if both else other.https_only
    return replace(other, https_only=rules) != settings


def _warn_at_start(app: Flask, inner: WSGIApp, state: State) -> None:
    """Log what can be seen of mistakes before any request."""
    if state.settings.policy.changes_nothing:
        state.warn_once(
            "no-header",
            "TrustedProxy is on the application %r, but TRUSTED_PROXY_HEADERS is "
            "empty, so nothing is corrected. List the headers that your proxy sets "
            "before init_app(app): TRUSTED_PROXY_HEADERS = ['X-Forwarded-For', "
            "'X-Forwarded-Proto']. If no proxy stands in front: TRUSTED_PROXY_STRIP = "
            "'all'.",
            app.name,
        )
    if any(map(is_proxy_fix, walk_stack(inner))):
        _warn_proxy_fix(app, "inside")


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
        self.wrapped = state.settings.wrap_wsgi(inner, site=self.site)
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
        name_application(environ, self.app)
        return self.wrapped(environ, start_response)

    def _look_outside(self) -> None:
        """Log what was put around the application after `init_app` (rule R16)."""
        outermost = self.app.wsgi_app
        # Around the application itself, only its key in the environ shows ProxyFix;
        # the policy looks for that.
        if any(map(is_proxy_fix, walk_stack(outermost, until=self))):
            _warn_proxy_fix(self.app, "outside")
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
        if rules and rules.redirects_to_any_host and not self.site.limits_hosts:
            self.state.warn_once(
                "https-only-open",
                "HTTPS only redirects to whatever host a request names: set "
                "TRUSTED_PROXY_HTTPS_HOST to the site's host, or TRUSTED_HOSTS to its "
                "hosts, in the configuration of the application %r.",
                self.app.name,
            )


def _warn_proxy_fix(app: Flask, where: str) -> None:
    warn_once(
        # The policy's own code for it: it is logged once, by whoever sees it first.
        "proxy-fix",
        "Werkzeug's ProxyFix stands %s of TrustedProxy on the application %r: it "
        "trusts the same headers from anybody. Remove ProxyFix, and list what it "
        "read in TRUSTED_PROXY_HEADERS.",
        where,
        app.name,
    )
