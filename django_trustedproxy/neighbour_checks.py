"""
Say at ``manage.py check`` what other packages need, which see other paths or sooner.

In:  Django's settings, and which packages are at work.
Out: messages with stable ids, as in `checks`; ``docs/django.md`` has a row for each.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Info

from .checks import TRUSTED_PROXY, Check, Project
from .conf import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.apps import AppConfig

WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"


def _whitenoise_prefix(project: Project) -> Iterator[str]:
    """WhiteNoise compares all of STATIC_URL with paths that lack the mount point."""
    if (
        project.is_moved
        and project.find(WHITENOISE) is not None
        and not hasattr(django_settings, "WHITENOISE_STATIC_PREFIX")
    ):
        # Asked for in the usual way, a relative one comes with a script prefix.
        url = urlsplit(django_settings._wrapped.STATIC_URL or "").path
        if url.strip("/").count("/"):
            yield url


def _outside(project: Project) -> Iterator[str]:
    """Some read requests before MIDDLEWARE runs, or serve what never passes it."""
    if project.settings.policy.changes_nothing or project.find(TRUSTED_PROXY) is None:
        return
    sentry = sys.modules.get("sentry_sdk")
    if sentry is not None and sentry.get_client().is_active():
        yield "Sentry's SDK"
    if apps.is_installed("channels") and getattr(
        django_settings, "ASGI_APPLICATION", None
    ):
        yield "Channels"


def _shared_cookies(project: Project) -> Iterator[str]:
    """Deployments below several paths of one host share cookies for its root."""
    if project.is_moved:
        names = ["SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH"]
        if all(getattr(django_settings, name) == "/" for name in names):
            yield " and ".join(names)


class Hint(Check):
    """Something to know, where it depends on what no setting says."""

    def run(self, project: Project) -> Iterator[CheckMessage]:
        """Yield an info for each finding of this kind."""
        for warning in super().run(project):
            yield Info(warning.msg, hint=warning.hint, id=warning.id)


NEIGHBOUR_CHECKS: tuple[Check, ...] = (
    Check(
        "trustedproxy.W022",
        _whitenoise_prefix,
        "WhiteNoise looks for files below STATIC_URL = '{}', in paths without the "
        "mount point.",
        "If '{}' begins with the mount point, say what is behind it: "
        "WHITENOISE_STATIC_PREFIX = '/static/' for STATIC_URL = '/app/static/' below "
        "/app.",
    ),
    Check(
        "trustedproxy.W023",
        _outside,
        "{} sees requests as they came, since MIDDLEWARE is further inside: the "
        "proxy's address, and headers that anybody can forge.",
        "Wrap the application as well, in wsgi.py: application = "
        "wrap_wsgi(get_wsgi_application()), or in asgi.py: application = "
        "wrap_asgi(...), from django_trustedproxy.entrypoints. The line in MIDDLEWARE "
        "may stay. Then add 'trustedproxy.W023' to SILENCED_SYSTEM_CHECKS.",
    ),
    Hint(
        "trustedproxy.I001",
        _shared_cookies,
        "{} are '/', so that another deployment on the same host, below another path, "
        "gets and replaces the cookies of this one: each logs the other's users out.",
        "Where there is another, give each its own path: SESSION_COOKIE_PATH = '/app' "
        "and CSRF_COOKIE_PATH = '/app', or its own SESSION_COOKIE_NAME and "
        "CSRF_COOKIE_NAME. Else add 'trustedproxy.I001' to SILENCED_SYSTEM_CHECKS.",
        deploy=True,
    ),
)


def check_neighbours(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[CheckMessage]:
    """Look for what other packages need wherever the project runs."""
    return _run(deploy=False)


def check_neighbours_deployed(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[CheckMessage]:
    """Look for what other deployments need."""
    return _run(deploy=True)


def _run(*, deploy: bool) -> list[CheckMessage]:
    try:
        project = Project.read()
    except ConfigurationError:
        # `checks` has said it.
        return []
    wanted = (check for check in NEIGHBOUR_CHECKS if check.deploy is deploy)
    return [message for check in wanted for message in check.run(project)]
