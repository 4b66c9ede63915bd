"""
The pages of the Django project that the tests ask.

In:  requests, through Django's own handlers.
Out: what the request says about itself, as JSON; a form; streams; redirects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.middleware.csrf import get_token
from django.urls import path, re_path, reverse

from django_trustedproxy import get_decision
from trustedproxy.https_only import https_exempt


def collect_facts(request: HttpRequest) -> dict[str, Any]:
    """Ask *request* for everything that Django derives about where it came from."""
    meta = request.META
    decision = get_decision(request)
    return {
        "meta": {
            key: str(value)
            for key, value in meta.items()
            if key.startswith(("HTTP_", "REMOTE_", "SERVER_", "SCRIPT_", "PATH_"))
        },
        "headers": dict(request.headers),
        "scheme": request.scheme,
        "is_secure": request.is_secure(),
        "host": request.get_host(),
        "port": request.get_port(),
        "path": request.path,
        "path_info": request.path_info,
        "full_path": request.get_full_path(),
        "absolute": request.build_absolute_uri(),
        "sibling": request.build_absolute_uri("sibling?b=c"),
        "reverse": reverse("facts"),
        # Only ASGI requests have it as an attribute.
        "script_name": getattr(request, "script_name", meta["SCRIPT_NAME"]),
        "decision": None
        if decision is None
        else {
            "client": decision.client,
            "peer": decision.peer,
            "reason": decision.reason.name,
            "removed": sorted(decision.removed),
        },
    }


def facts(request: HttpRequest) -> HttpResponse:
    """Answer what the request says, in a sync view."""
    return JsonResponse(collect_facts(request))


async def async_facts(request: HttpRequest) -> HttpResponse:
    """Answer what the request says, in an async view."""
    return JsonResponse(collect_facts(request))


def form(request: HttpRequest) -> HttpResponse:
    """Hand out a CSRF token, and take it back."""
    if request.method == "POST":
        return HttpResponse(request.POST.get("said", ""))
    return HttpResponse(get_token(request))


def count(request: HttpRequest) -> HttpResponse:
    """Count this session's requests."""
    seen = request.session["seen"] = request.session.get("seen", 0) + 1
    return HttpResponse(str(seen))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Ask for a URL while the response is on its way, in a sync view."""

    def chunks() -> Iterator[str]:
        yield reverse("facts")
        yield " "
        yield reverse("facts")

    return StreamingHttpResponse(chunks())


async def async_stream(request: HttpRequest) -> StreamingHttpResponse:
    """Ask for a URL while the response is on its way, in an async view."""

    async def chunks() -> AsyncIterator[str]:
        yield reverse("facts")
        yield " "
        yield reverse("facts")

    return StreamingHttpResponse(chunks())


def leave(request: HttpRequest) -> HttpResponse:
    """Redirect to another page of this project."""
    return HttpResponseRedirect(reverse("facts"))


def echo(request: HttpRequest, rest: str) -> HttpResponse:
    """Send the body back, whatever the path and the method."""
    return HttpResponse(request.body or b"empty")


def own_hsts(request: HttpRequest) -> HttpResponse:
    """Set a policy of the view's own."""
    return HttpResponse(headers={"Strict-Transport-Security": "max-age=1"})


@https_exempt
def health(request: HttpRequest) -> HttpResponse:
    """Answer over plain HTTP, too."""
    return HttpResponse("well")


@https_exempt
async def async_health(request: HttpRequest) -> HttpResponse:
    """Answer over plain HTTP, too, in an async view."""
    return HttpResponse("well")


def fail(request: HttpRequest) -> HttpResponse:
    """Break down, as views do."""
    raise RuntimeError("a view that breaks down")


class Farewell(BaseException):
    """What no handler of Django's catches."""


def vanish(request: HttpRequest) -> HttpResponse:
    """Break down in a way that Django lets pass."""
    raise Farewell


async def async_vanish(request: HttpRequest) -> HttpResponse:
    """Break down in a way that Django lets pass, in an async view."""
    raise Farewell


urlpatterns = [
    path("facts/", facts, name="facts"),
    path("async-facts/", async_facts, name="async-facts"),
    path("form/", form, name="form"),
    path("count/", count, name="count"),
    path("stream/", stream, name="stream"),
    path("async-stream/", async_stream, name="async-stream"),
    path("leave/", leave, name="leave"),
    path("own-hsts/", own_hsts),
    path("health/", health),
    path("async-health/", async_health),
    path("fail/", fail, name="fail"),
    path("vanish/", vanish, name="vanish"),
    path("async-vanish/", async_vanish, name="async-vanish"),
    re_path("^echo/(.*)$", echo),
]
