"""
Register the checks.

In:  Django starting up.
Out: the checks of `checks`, known to ``manage.py check``.

Nothing here raises on a bad configuration: the checks report it without a traceback,
and the middleware and the wrappers raise where the server would start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core import checks

if TYPE_CHECKING:
    # Of the stubs, where the base class has it.
    from django.utils.functional import _StrOrPromise


class TrustedProxyConfig(AppConfig):
    """The app's configuration; ``"django_trustedproxy"`` in ``INSTALLED_APPS``."""

    name = "django_trustedproxy"
    verbose_name: _StrOrPromise = "Trusted proxy"

    def ready(self) -> None:
        from .checks import check_deployment, check_settings
        from .neighbour_checks import check_neighbours, check_neighbours_deployed

        checks.register(check_settings, checks.Tags.security)
        checks.register(check_neighbours, checks.Tags.security)
        checks.register(check_deployment, checks.Tags.security, deploy=True)
        checks.register(check_neighbours_deployed, checks.Tags.security, deploy=True)
