"""
The Flask extension.

In:  an application whose configuration is loaded.
Out: the application with its `wsgi_app` wrapped, so that every request object is right
     by the time Flask makes it, and its state in ``app.extensions["trustedproxy"]``.

Nothing of an application is kept on the extension object, so one object serves many.
Here stands what happens once; what happens with requests is in `entrance`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trustedproxy import ConfigurationError, ProxyPolicy, Settings, read_settings
from trustedproxy.exceptions import hide_userinfo
from trustedproxy.option_table import OPTION_OF
from trustedproxy.policy_options import HIDDEN

from .cli import command
from .entrance import Entrance, warn_proxy_fix, wrap_around
from .stack import is_proxy_fix, walk_stack
from .state import EXTENSION, State, select_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from trustedproxy._types import WSGIApp


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
        # Flask's own way of wrapping: an attribute over a method.
        app.wsgi_app = Entrance(  # type: ignore[method-assign]  # Flask documents it
            app, inner, state
        )
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
    return wrap_around(app, app.extensions[EXTENSION])


def _make_settings(
    policy: ProxyPolicy | Settings | None, configured: Mapping[str, Any]
) -> Settings:
    """Read what is configured beside a *policy* that may have been made elsewhere."""
    if isinstance(policy, Settings):
        return policy
    if policy is None:
        return read_settings(configured)
    others = dict(configured)
    for name, value in configured.items():
        option = OPTION_OF.get(name)
        if option is None or option.argument is None:
            continue
        if value is not None:
            expected = "possible beside TrustedProxy(policy=...): remove one of the two"
            shown = HIDDEN if option.argument == "secrets" else hide_userinfo(value)
            raise ConfigurationError(name, shown, expected)
        del others[name]
    return replace(read_settings(others), policy=policy)


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
        warn_proxy_fix(app, "inside")
