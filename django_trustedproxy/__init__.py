"""
The Django app: settings, middleware, checks, a command, wrappers for entry points.

In:  Django's settings (``TRUSTED_PROXY_…`` and ``TRUSTED_PROXIES``).
Out: requests whose every accessor tells the truth, and `get_decision`.

Importing this package touches no settings.  What is decided, and how, is in
`trustedproxy`; the modules here only carry it to Django and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from trustedproxy.decision import DECISION_KEY

if TYPE_CHECKING:
    from django.http import HttpRequest

    from trustedproxy import Decision

__all__ = ["get_decision"]


def get_decision(request: HttpRequest) -> Decision | None:
    """
    Return what was decided about *request*, or ``None``.

    ``None`` where nothing has decided yet, and under ``TRUSTED_PROXY_REPORT_ONLY``, which
    changes nothing.
    """
    # ASGI requests keep their scope, WSGI requests have the environ for META.
    holder = getattr(request, "scope", None)
    if holder is None:
        holder = request.META
    return cast("Decision | None", holder.get(DECISION_KEY))
