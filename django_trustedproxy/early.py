"""
Open the page where nothing else opens: before whatever redirects or rejects requests.

In:  requests whose path ends as the page's does.
Out: the page's answer to somebody who holds a token; ``None`` for everybody else, whose
     request goes on as it came.

This much is loaded with the middleware; the page itself is not, before somebody asks.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from django.conf import settings
from django.urls import get_script_prefix, reverse

from trustedproxy.parsing.grammar import PATH_SAFE
from trustedproxy.wsgi_text import list_spellings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from trustedproxy._types import (
        ASGIApp,
        Environ,
        Receive,
        Scope,
        Send,
        StartResponse,
        WSGIApp,
    )

#: The name of the page's URL.
PAGE = "django_trustedproxy:page"


def find_page_path() -> str | None:
    """Find the path of the page below the mount point; ``None`` where there is none."""
    return _find(getattr(settings, "ROOT_URLCONF", None))


@cache
def _find(urlconf: str | None) -> str | None:
    try:
        path = reverse(PAGE, urlconf=urlconf)
    except Exception:
        # There is no page, or no URLs; or they cannot be loaded, which Django will say.
        return None
    # `reverse` has quoted the prefix with the rest.
    rest = unquote(path).removeprefix(get_script_prefix())
    return f"/{quote(rest, safe=PATH_SAFE)}"


def list_ends() -> tuple[str, ...]:
    """List what the path of a request for the page ends with: for ``str.endswith``."""
    path = find_page_path()
    # Every path ends like the site's root.
    return () if path in (None, "/") else list_spellings(unquote(path))


def answer_early(request: HttpRequest) -> HttpResponseBase | None:
    """Answer a request for the page that Django has made already, or leave it alone."""
    from .page import answer_request_early

    return answer_request_early(request)


def enter_wsgi(app: WSGIApp) -> WSGIApp:
    """Stand around a whole WSGI application, outside of everything."""
    ends: tuple[str, ...] | None = None

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal ends
        if ends is None:
            ends = list_ends()
        if environ.get("PATH_INFO", "").endswith(ends):
            from .page import answer_environ_early

            answered = answer_environ_early(environ, start_response)
            if answered is not None:
                return answered
        return app(environ, start_response)

    return serve


def enter_asgi(app: Callable[..., Awaitable[None]]) -> ASGIApp:
    """Stand around a whole ASGI application, outside of everything."""
    ends: tuple[str, ...] | None = None

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal ends
        if ends is None:
            ends = list_ends()
        if scope["type"] == "http" and scope["path"].endswith(ends):
            from .page import answer_scope_early

            answered, receive = await answer_scope_early(scope, receive, send)
            if answered:
                return
        await app(scope, receive, send)

    return serve
