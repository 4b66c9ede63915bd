"""
The policy around the whole application, in ``wsgi.py`` or ``asgi.py``.

In:  the application of ``get_wsgi_application()`` or ``get_asgi_application()``, or
     whatever stands around it, such as the router of Channels.
Out: an application that is asked only with corrected environs and scopes.

The wrappers do everything that the settings say, proxy mount points included, which
``MIDDLEWARE`` cannot serve.  They stand in the place of both middlewares.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from django.conf import settings as django_settings

from trustedproxy import (
    Category,
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)
from trustedproxy.decision import DECISION_KEY
from trustedproxy.parsing.values import split_host
from trustedproxy.process import restrict_signals

from .conf import get_settings, warn_at_start
from .requests import force_mount_point

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

#: What Django allows under DEBUG where ALLOWED_HOSTS is empty.
DEBUG_HOSTS = (".localhost", "127.0.0.1", "[::1]")

App = TypeVar("App")


def wrap_wsgi(application: WSGIApp) -> WSGIApp:
    """
    Apply the settings around a whole WSGI *application*.

    Raises:
        ConfigurationError: A setting is wrong; it names which.
    """
    current = _Current(application, _build_wsgi)

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return current.get(serving=True)(environ, start_response)

    return serve


def wrap_asgi(application: Callable[..., Awaitable[None]]) -> ASGIApp:
    """
    Apply the settings around a whole ASGI *application*: http and websocket.

    Raises:
        ConfigurationError: A setting is wrong; it names which.
    """
    current: _Current[ASGIApp] = _Current(application, _build_asgi)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # A lifespan is no request; the server may not have set its handlers yet.
        serving = scope["type"] != "lifespan"
        await current.get(serving=serving)(scope, receive, send)

    return serve


class _Current(Generic[App]):
    """
    The application, wrapped by the settings of this moment.

    They are those of the start, but for tests that override them.
    """

    def __init__(self, app: App, build: Callable[[App, Settings], App]) -> None:
        self._app = app
        self._build = build
        self._settings, self._hosts = get_settings(), _list_hosts()
        self._wrapped = build(app, self._settings)
        warn_at_start()

    def get(self, *, serving: bool) -> App:
        settings, hosts = get_settings(), _list_hosts()
        if settings is not self._settings or hosts != self._hosts:
            self._wrapped = self._build(self._app, settings)
            self._settings, self._hosts = settings, hosts
        if serving and settings.restrict_signals:
            restrict_signals()
        return self._wrapped


def _build_wsgi(app: WSGIApp, settings: Settings) -> WSGIApp:
    app = _forget_rewrites(app)
    if settings.mount_points:
        # The extra "mount" is needed only by those who use the setting.
        from trustedproxy.mount_points import ProxyMountPointsMiddleware

        app = ProxyMountPointsMiddleware(
            app,
            settings.mount_points,
            settings.policy,
            allowed_hosts=_list_hosts(),
        )
    if settings.https_only is not None:
        rules = settings.https_only.limit_to(_list_hosts())
        app = HTTPSOnlyMiddleware.from_rules(app, rules)
    return TrustedProxyMiddleware(app, settings.policy)


def _build_asgi(app: ASGIApp, settings: Settings) -> ASGIApp:
    app = _keep_forced_mount_point(app)
    if settings.mount_points:
        from trustedproxy.mount_points import ProxyMountPointsASGIMiddleware

        app = ProxyMountPointsASGIMiddleware(
            app,
            settings.mount_points,
            settings.policy,
            allowed_hosts=_list_hosts(),
        )
    if settings.https_only is not None:
        rules = settings.https_only.limit_to(_list_hosts())
        app = HTTPSOnlyASGIMiddleware.from_rules(app, rules)
    return TrustedProxyASGIMiddleware(app, settings.policy)


def _list_hosts() -> tuple[str, ...]:
    """
    List the hosts that Django would serve.

    Entries that no host ever equals are left out, as Django passes over them: the
    empty text that is left of an empty variable, ``*.example.com``, a URL, a port.
    """
    allowed = django_settings.ALLOWED_HOSTS
    if django_settings.DEBUG and not allowed:
        return DEBUG_HOSTS
    return tuple(entry for entry in allowed if _can_be_asked_for(entry))


@cache
def _can_be_asked_for(entry: str) -> bool:
    if entry == "*":
        return True
    split = split_host(entry.removeprefix("."))
    return split is not None and split[1] is None


def _forget_rewrites(app: WSGIApp) -> WSGIApp:
    """
    Let Django take the mount point from where the decision put it.

    Where Apache's mod_rewrite was at work, Django would take it from the whole URL,
    as the connection has it.
    """

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        decision = environ.get(DECISION_KEY)
        if decision is not None and Category.MOUNT_POINT in decision.winners:
            gone = {key: environ.pop(key) for key in REWRITES if key in environ}
            if gone:
                decision.original |= gone
        return app(environ, start_response)

    return serve


def _keep_forced_mount_point(app: ASGIApp) -> ASGIApp:
    """Let no header move the application where ``FORCE_SCRIPT_NAME`` is set."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await app(force_mount_point(scope), receive, send)

    return serve
