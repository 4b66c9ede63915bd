"""
What Django does by itself beside the policy, for explanations and checks.

In:  Django's settings.
Out: a `trustedproxy.framework.Framework`.
"""

from __future__ import annotations

from django.conf import settings

from trustedproxy.framework import Framework

from .conf import HTTPS_ONLY, has_middleware
from .redirects import is_exempt, redirects_by_itself
from .site import DjangoSite, make_request

#: What Django takes while nobody has said anything, in development.
_IN_DEVELOPMENT = (".localhost", "127.0.0.1", "[::1]")
#: Django's own settings about proxies.
OWN_SETTINGS = (
    "SECURE_PROXY_SSL_HEADER",
    "USE_X_FORWARDED_HOST",
    "USE_X_FORWARDED_PORT",
)


def read_framework() -> Framework:
    """Read what the settings say."""
    hosts = settings.ALLOWED_HOSTS
    if settings.DEBUG and not hosts:
        hosts = _IN_DEVELOPMENT
    own = {name: getattr(settings, name) for name in OWN_SETTINGS}
    return Framework(
        name="Django",
        site=DjangoSite(),
        allowed_hosts=tuple(hosts),
        hosts_setting="ALLOWED_HOSTS",
        forced_mount_point=settings.FORCE_SCRIPT_NAME,
        forced_by="FORCE_SCRIPT_NAME",
        # The wrappers redirect before Django looks at its setting.
        forces_before_https_only=has_middleware(HTTPS_ONLY),
        redirects="SECURE_SSL_REDIRECT" if redirects_by_itself() else None,
        exempts=lambda environ: is_exempt(make_request(environ)),
        own_settings={name: value for name, value in own.items() if value},
    )
