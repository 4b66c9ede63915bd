"""
What Django knows of the site: its hosts, and the views that stay reachable over HTTP.

In:  an environ or a scope whose trusted headers were applied, or Django's own request.
Out: yes or no, and the facts that the core's rules for HTTPS decide by.

Django is asked in its own words: ``get_host()`` and ``resolve()``, of a request that is
made as its handlers make one.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.urls import Resolver404, resolve

from trustedproxy.https_only import is_https_exempt, read_environ, read_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from trustedproxy.https_only import RequestFacts


class DjangoSite:
    """The site of this project's settings; a `trustedproxy._types.Site`."""

    def accepts_host(self, request: Mapping[str, Any]) -> bool:
        """Say whether ``ALLOWED_HOSTS`` has the host of *request*."""
        return find_host(make_request(request)) is not None

    def exempts_view(self, request: Mapping[str, Any]) -> bool:
        """Say whether the view of *request* is marked by ``https_exempt``."""
        return is_exempt_view(make_request(request))


def make_request(source: Mapping[str, Any]) -> HttpRequest:
    """Make Django's request of an environ or a scope, to ask it."""
    if "type" not in source:
        return WSGIRequest(dict(source))
    # A websocket has no method; and what is no UTF-8 in a query is Django's to refuse.
    scope = {"method": "GET", **source, "query_string": b""}
    return ASGIRequest(scope, BytesIO())


def find_host(request: HttpRequest) -> str | None:
    """Return the host that Django makes of *request*, if it allows it."""
    try:
        return request.get_host()
    except DisallowedHost:
        return None


def is_exempt_view(request: HttpRequest) -> bool:
    """Look which view would be asked; no middleware has had a say yet."""
    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return False
    return is_https_exempt(match.func)


def read_facts(request: HttpRequest) -> RequestFacts:
    """Read what the rules for HTTPS decide by, of a request that is plain to Django."""
    if isinstance(request, ASGIRequest):
        facts = read_scope(cast("dict[str, Any]", dict(request.scope)))
    else:
        # Django has decoded both variables in place, from UTF-8.
        facts = replace(
            read_environ(request.META),
            mount_point=request.META.get("SCRIPT_NAME", "").encode(),
            path=request.path_info.encode(),
        )
    host = find_host(request)
    # Django may take the scheme from elsewhere; in report-only mode the client's own
    # connection may be secure all the same.
    scheme = facts.scheme if facts.report_only else "http"
    return replace(
        facts, scheme=scheme, host=host or facts.host, host_refused=host is None
    )
