"""
The redirects of Django's own SecurityMiddleware, and why they may never end.

In:  a request, corrected, before Django answers it.
Out: whether Django redirects it; and a record in the log that names the cause, where
     that is one which may have come over HTTPS (rule R17); nothing is changed.

`trustedproxy.https_only` has the causes; its own redirects it logs by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.conf import settings as django_settings

from trustedproxy.https_only import Redirect, RedirectLog

from . import get_decision
from .conf import get_settings, has_middleware
from .site import read_facts

if TYPE_CHECKING:
    from django.http import HttpRequest

    from trustedproxy.https_only import RequestFacts

SECURITY = "django.middleware.security.SecurityMiddleware"


def _name_exemption(facts: RequestFacts) -> str:
    """Say how Django exempts a path: by a pattern for it, without its first slash."""
    path = facts.path.decode("utf-8", "replace").lstrip("/")[:100]
    return f": SECURE_REDIRECT_EXEMPT = [..., r'^{re.escape(path)}$']"


_log = RedirectLog(
    Redirect("SECURE_SSL_REDIRECT", "secure-ssl-redirect", _name_exemption)
)


def redirects_by_itself() -> bool:
    """Say whether Django redirects plain HTTP, whatever else does so before it."""
    if not django_settings.SECURE_SSL_REDIRECT:
        return False
    return has_middleware(SECURITY)


def redirects() -> bool:
    """Say whether Django redirects plain HTTP, and HTTPS only did not before it."""
    return redirects_by_itself() and get_settings().https_only is None


def watch_redirect(request: HttpRequest) -> None:
    """Log why the redirect of *request* may never end, where Django `redirects`."""
    if request.is_secure():
        _log.note_secure(get_decision(request))
    elif not is_exempt(request):
        _log.log_redirect(read_facts(request))


def is_exempt(request: HttpRequest) -> bool:
    """Say whether Django exempts the path, as its middleware looks for it."""
    path = request.path.lstrip("/")
    return any(
        re.search(entry, path) for entry in django_settings.SECURE_REDIRECT_EXEMPT
    )
