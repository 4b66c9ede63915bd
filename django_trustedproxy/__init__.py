"""
The Django app: settings, middleware, checks, a command, wrappers for entry points.

In:  Django's settings (``TRUSTED_PROXY_…`` and ``TRUSTED_PROXIES``).
Out: requests whose every accessor is right, and `get_decision`.

Importing this package touches no settings.  What is decided, and how, is in
`trustedproxy`; the modules here only carry it to Django and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustedproxy.decision import get_decision as _get_decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from trustedproxy import Decision

__all__ = ["get_decision"]


def get_decision(request: HttpRequest) -> Decision | None:
    """
    Return what was decided about *request*, or ``None``.

    ``None`` where nothing has decided yet, and in report-only mode, which changes
    nothing: what would have been is at `trustedproxy.decision.REPORT_KEY` of
    ``request.META``, under ASGI of ``request.scope``.
    """
    return _get_decision(get_holder(request))


def get_holder(request: HttpRequest) -> Mapping[str, Any]:
    """Return what holds the decision: the scope of an ASGI request, else ``META``."""
    scope: Mapping[str, Any] | None = getattr(request, "scope", None)
    return request.META if scope is None else scope
