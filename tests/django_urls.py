"""
One view for every path, which keeps the request that it was called with.

In:  Django's handlers, with `SYNC` or `ASYNC` as ``ROOT_URLCONF``.
Out: `SEEN`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

#: The requests that reached the view, the last one asked for.
SEEN: list[Any] = []


def keep(request: HttpRequest) -> HttpResponse:
    """Keep the request of the WSGI handler."""
    SEEN.append(request)
    return HttpResponse()


async def keep_async(request: HttpRequest) -> HttpResponse:
    """Keep the request of the ASGI handler."""
    SEEN.append(request)
    return HttpResponse()


#: Tuples, since Django remembers what it resolved by them.
SYNC = (re_path("", keep),)
ASYNC = (re_path("", keep_async),)
