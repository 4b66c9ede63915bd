"""
The policy around the whole application, in ``wsgi.py`` or ``asgi.py``.

In:  the application of ``get_wsgi_application()`` or ``get_asgi_application()``, or
     whatever stands around it, such as the router of Channels.
Out: an application that is asked only with corrected environs and scopes.

The wrappers do everything that the settings say, proxy mount points included, which
``MIDDLEWARE`` cannot serve.  In which order is the core's business
(`trustedproxy.Settings`).  The lines in ``MIDDLEWARE`` may stay: what a wrapper has
decided stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from trustedproxy.decision import get_decision

from . import early
from .conf import get_settings, warn_at_start
from .redirects import redirects, watch_redirect
from .requests import WRAPPED, force_mount_point
from .site import DjangoSite, make_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from trustedproxy import Settings
    from trustedproxy._types import (
        ASGIApp,
        Environ,
        Receive,
        Scope,
        Send,
        StartResponse,
        WSGIApp,
    )

#: Variables from which Django takes the mount point before it looks at SCRIPT_NAME.
REWRITES = ("SCRIPT_URL", "REDIRECT_URL")

App = TypeVar("App")


def wrap_wsgi(application: WSGIApp) -> WSGIApp:
    """
    Apply the settings around a whole WSGI *application*.

    Raises:
        ConfigurationError: A setting is wrong; it names which.
    """
    current = _Current(_enter_wsgi(application), _wrap_wsgi)

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return current.get()(environ, start_response)

    return early.enter_wsgi(serve)


def wrap_asgi(application: Callable[..., Awaitable[None]]) -> ASGIApp:
    """
    Apply the settings around a whole ASGI *application*: http and websocket.

    Raises:
        ConfigurationError: A setting is wrong; it names which.
    """
    current: _Current[ASGIApp] = _Current(_enter_asgi(application), _wrap_asgi)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await current.get()(scope, receive, send)

    return early.enter_asgi(serve)


class _Current(Generic[App]):
    """
    The application, wrapped by the settings of this moment.

    They are those of the start, but for tests that override them.
    """

    def __init__(self, app: App, wrap: Callable[[Settings, App], App]) -> None:
        self._app = app
        self._wrap = wrap
        self._settings = get_settings()
        self._wrapped = wrap(self._settings, app)
        warn_at_start()

    def get(self) -> App:
        settings = get_settings()
        if settings is not self._settings:
            self._wrapped = self._wrap(settings, self._app)
            self._settings = settings
        return self._wrapped


def _wrap_wsgi(settings: Settings, app: WSGIApp) -> WSGIApp:
    return settings.wrap_wsgi(app, site=DjangoSite())


def _wrap_asgi(settings: Settings, app: ASGIApp) -> ASGIApp:
    return settings.wrap_asgi(app, site=DjangoSite())


def _enter_wsgi(app: WSGIApp) -> WSGIApp:
    """
    Hand a decided environ to Django.

    Where Apache's mod_rewrite was at work, Django would take the mount point from the
    whole URL, as the connection has it, and not from where the decision put it.
    """

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        decision = get_decision(environ)
        if decision is not None and decision.url_parts.get("mount_point") is not None:
            gone = {key: environ.pop(key) for key in REWRITES if key in environ}
            decision.original.update(gone)
        environ[WRAPPED] = True
        if redirects():
            watch_redirect(make_request(environ))
        return app(environ, start_response)

    return serve


def _enter_asgi(app: ASGIApp) -> ASGIApp:
    """
    Hand a decided scope to Django.

    Where ``FORCE_SCRIPT_NAME`` is set, no header moves the application.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope = {**force_mount_point(scope), WRAPPED: True}
        if scope["type"] == "http" and redirects():
            watch_redirect(make_request(scope))
        await app(scope, receive, send)

    return serve
