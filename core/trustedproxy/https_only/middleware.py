"""
HTTPS only around a whole application, WSGI or ASGI: thin shells around `rules`.

In:  an application and its rules.
Out: an application whose plain requests are redirected, and whose secure responses
     carry ``Strict-Transport-Security``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..log import warn_once
from ..responses import send_asgi, send_wsgi
from .facts import is_secure, read_environ, read_host, read_scope
from .rules import HOST, HSTS_HEADER, HTTPSOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .._types import (
        ASGIApp,
        Environ,
        Message,
        Receive,
        Scope,
        Send,
        StartResponse,
        WSGIApp,
    )
    from ..hsts import HSTSPolicy
    from .rules import ExemptEntry


class HTTPSOnlyMiddleware:
    """
    HTTPS only for a WSGI application; it goes inside of the trusted proxy middleware.

    Args:
        app: The application.

        hsts, host, status, exempt, allowed_hosts: As for `HTTPSOnly`.

    Raises:
        ConfigurationError: An argument cannot be meant; it names the setting.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        hsts: HSTSPolicy | str | None = None,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        allowed_hosts: Sequence[str] | str | None = None,
    ) -> None:
        self._serve(app, HTTPSOnly(host, status, exempt, hsts, allowed_hosts))

    @classmethod
    def from_rules(cls, app: WSGIApp, rules: HTTPSOnly) -> HTTPSOnlyMiddleware:
        """Wrap *app* in *rules* that are compiled already, as `Settings` has them."""
        middleware = cls.__new__(cls)
        middleware._serve(app, rules)
        return middleware

    def _serve(self, app: WSGIApp, rules: HTTPSOnly) -> None:
        self.app = app
        self.rules = rules
        _tell_open(rules)

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if not is_secure(environ.get("wsgi.url_scheme")):
            answer = self.rules.answer(read_environ(environ))
            if answer is not None:
                return send_wsgi(answer, environ, start_response)
        else:
            value = self.rules.hsts_value(environ.get("HTTP_HOST"), True)
            if value is not None:
                start_response = add_hsts(start_response, value)
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


class HTTPSOnlyASGIMiddleware:
    """
    HTTPS only for an ASGI application: http and websocket, anything else passes.

    Args:
        app: The application.

        hsts, host, status, exempt, allowed_hosts: As for `HTTPSOnly`.

    Raises:
        ConfigurationError: An argument cannot be meant; it names the setting.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hsts: HSTSPolicy | str | None = None,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        allowed_hosts: Sequence[str] | str | None = None,
    ) -> None:
        self._serve(app, HTTPSOnly(host, status, exempt, hsts, allowed_hosts))

    @classmethod
    def from_rules(cls, app: ASGIApp, rules: HTTPSOnly) -> HTTPSOnlyASGIMiddleware:
        """Wrap *app* in *rules* that are compiled already, as `Settings` has them."""
        middleware = cls.__new__(cls)
        middleware._serve(app, rules)
        return middleware

    def _serve(self, app: ASGIApp, rules: HTTPSOnly) -> None:
        self.app = app
        self.rules = rules
        _tell_open(rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not is_secure(scope.get("scheme")):
            answer = self.rules.answer(read_scope(scope))
            if answer is not None:
                await send_asgi(answer, scope, receive, send)
                return
        elif scope["type"] == "http":
            value = self.rules.hsts_value(read_host(scope), True)
            if value is not None:
                send = add_hsts_message(send, value)
        await self.app(scope, receive, send)


def add_hsts_message(send: Send, value: str) -> Send:
    """Wrap *send* so that the header is there, unless the application set it."""
    name = HSTS_HEADER.lower().encode("ascii")

    async def send_with_hsts(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(key.lower() == name for key, _ in headers):
                headers.append((name, value.encode("ascii")))
            message = {**message, "headers": headers}
        await send(message)

    return send_with_hsts


def _tell_open(rules: HTTPSOnly) -> None:
    """Tell that nothing limits the host of a redirect, where no framework does."""
    if rules._target_name is None and rules.allowed_hosts is None:
        warn_once(
            "https-only-open",
            "HTTPS only redirects to whatever host a request names: name the site's "
            "host (%s, or host=), or its hosts (allowed_hosts=).",
            HOST,
        )
