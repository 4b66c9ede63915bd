"""
Why the redirects of Django's own SecurityMiddleware may never end.

In:  a request, corrected, and the response to it.
Out: a record in the log that names the cause, where Django redirects to HTTPS what may
     have come over HTTPS (rule R17); nothing is changed.

`trustedproxy.https_only` has the causes; its own redirects it logs by itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings as django_settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest

from trustedproxy.https_only import (
    Redirect,
    RedirectLog,
    read_environ,
    read_scope,
)

from . import get_decision

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from trustedproxy.https_only import RequestFacts


def read_facts(request: HttpRequest) -> RequestFacts:
    """Read the facts of a request that Django calls plain."""
    if isinstance(request, ASGIRequest):
        facts = read_scope(dict(request.scope))
    else:
        # Django has decoded both variables in place, from UTF-8.
        facts = replace(
            read_environ(request.META),
            mount_point=request.META.get("SCRIPT_NAME", "").encode(),
            path=request.path_info.encode(),
        )
    host = find_host(request)
    # Whoever told Django so; in report-only mode the client's own connection may be
    # secure all the same.
    scheme = facts.scheme if facts.report_only else "http"
    return replace(
        facts, scheme=scheme, host=host or facts.host, host_refused=host is None
    )


def find_host(request: HttpRequest) -> str | None:
    """Return the host that Django makes of the request, if it allows it."""
    try:
        return request.get_host()
    except DisallowedHost:
        return None


def _name_exemption(facts: RequestFacts) -> str:
    """Say how Django exempts a path: by a pattern for it, without its first slash."""
    path = facts.path.decode("utf-8", "replace").lstrip("/")[:100]
    return f": SECURE_REDIRECT_EXEMPT = [..., r'^{re.escape(path)}$']"


_log = RedirectLog(
    Redirect("SECURE_SSL_REDIRECT", "secure-ssl-redirect", _name_exemption)
)


def log_redirect(request: HttpRequest, response: HttpResponseBase) -> None:
    """Log why the redirect in *response*, if it is Django's own, may never end."""
    if not django_settings.SECURE_SSL_REDIRECT:
        return
    if request.is_secure():
        _log.note_secure(get_decision(request))
        return
    target = response.headers.get("Location", "")
    if (
        response.status_code == 301
        and target.startswith("https://")
        and target.endswith(request.get_full_path())
    ):
        _log.log_redirect(read_facts(request))
