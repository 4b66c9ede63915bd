"""
HTTPS only around a whole application, WSGI or ASGI: thin shells around `rules`.

In:  an application and its rules.
Out: an application whose plain requests are redirected, and whose secure responses
     carry ``Strict-Transport-Security``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar

from .._types import (
    ASGIApp,
    Environ,
    Message,
    Receive,
    Scope,
    Send,
    Site,
    StartResponse,
    WSGIApp,
)
from ..decision import DECISION_KEY
from ..hsts import HSTSPolicy
from ..responses import Answer, send_asgi, send_wsgi
from .exemptions import ExemptEntry
from .facts import (
    RequestFacts,
    find_report,
    is_secure,
    read_environ,
    read_host,
    read_scope,
)
from .rules import HSTS_HEADER, HTTPSOnly

App = TypeVar("App")


class _Shell(Generic[App]):
    """What the middlewares for WSGI and for ASGI have in common: how they are made."""

    app: App
    rules: HTTPSOnly
    site: Site | None

    def __init__(
        self,
        app: App,
        *,
        hsts: HSTSPolicy | str | None = None,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        allowed_hosts: Sequence[str] | str | None = None,
    ) -> None:
        rules = HTTPSOnly(
            hsts=hsts,
            host=host,
            status=status,
            exempt=exempt,
            allowed_hosts=allowed_hosts,
        )
        self._wrap(app, rules, None)

    @classmethod
    def from_rules(cls, app: App, rules: HTTPSOnly, site: Site | None = None) -> Self:
        """
        Wrap *app* in *rules* that are compiled already, as `Settings` has them.

        Args:
            app: The application.

            rules: What is redirected where.

            site: What a framework knows of its site, which limits the hosts.
        """
        shell = cls.__new__(cls)
        shell._wrap(app, rules, site)
        return shell

    def _wrap(self, app: App, rules: HTTPSOnly, site: Site | None) -> None:
        self.app = app
        self.rules = rules
        self.site = site
        if site is None:
            rules.warn_at_start()

    def _answer(self, facts: RequestFacts, source: Any) -> Answer | None:
        """Answer a request that may not reach the application."""
        site = self.site
        if site is not None and not facts.secure:
            if not facts.websocket and site.exempts_view(source):
                return None
            facts = replace(facts, host_refused=not site.accepts_host(source))
        return self.rules.answer(facts)


class HTTPSOnlyMiddleware(_Shell[WSGIApp]):
    """
    HTTPS only for a WSGI application; it goes inside of the trusted proxy middleware.

    Args:
        app: The application.

        hsts: The value of ``Strict-Transport-Security``, or ``None`` for none.

        host: Where the redirect leads; ``None``: to the request's host.

        status: The status of the redirect.

        exempt: Paths and networks that stay reachable over plain HTTP.

        allowed_hosts: The site's hosts; all five as for `HTTPSOnly`.

    Raises:
        ConfigurationError: An argument is invalid; it names the setting too.
    """

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        # Where nothing was decided, the scheme here may be only the last hop's.
        if is_secure(environ.get("wsgi.url_scheme")) and find_report(environ) is None:
            self.rules.note_secure(environ.get(DECISION_KEY))
            value = self.rules.hsts_value(environ.get("HTTP_HOST"))
            if value is not None:
                start_response = add_hsts(start_response, value)
        else:
            answer = self._answer(read_environ(environ), environ)
            if answer is not None:
                return send_wsgi(answer, environ, start_response)
        return self.app(environ, start_response)


def add_hsts(start_response: StartResponse, value: str) -> StartResponse:
    """Wrap *start_response* so that the header is there, unless it was set already."""

    def start_with_hsts(
        status: str, headers: list[tuple[str, str]], *exc_info: object
    ) -> Callable[[bytes], object]:
        if not any(name.lower() == HSTS_HEADER.lower() for name, _ in headers):
            headers = [*headers, (HSTS_HEADER, value)]
        return start_response(status, headers, *exc_info)

    return start_with_hsts


class HTTPSOnlyASGIMiddleware(_Shell[ASGIApp]):
    """
    HTTPS only for an ASGI application: http and websocket, anything else passes.

    Args:
        app: The application.

        hsts: The value of ``Strict-Transport-Security``, or ``None`` for none.

        host: Where the redirect leads; ``None``: to the request's host.

        status: The status of the redirect.

        exempt: Paths and networks that stay reachable over plain HTTP.

        allowed_hosts: The site's hosts; all five as for `HTTPSOnly`.

    Raises:
        ConfigurationError: An argument is invalid; it names the setting too.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if is_secure(scope.get("scheme")) and find_report(scope) is None:
            self.rules.note_secure(scope.get(DECISION_KEY))
            value = self.rules.hsts_value(read_host(scope))
            if value is not None:
                send = add_hsts_message(send, value)
        else:
            answer = self._answer(read_scope(scope), scope)
            if answer is not None:
                await send_asgi(answer, scope, receive, send)
                return
        await self.app(scope, receive, send)


def add_hsts_message(send: Send, value: str) -> Send:
    """Wrap *send* so that the header is there, unless the application set it."""
    name = HSTS_HEADER.lower().encode("ascii")

    async def send_with_hsts(message: Message) -> None:
        # A websocket has no such message.
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(key.lower() == name for key, _ in headers):
                headers.append((name, value.encode("ascii")))
            message = {**message, "headers": headers}
        await send(message)

    return send_with_hsts
