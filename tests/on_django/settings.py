"""
The settings of the Django project that the tests ask.

In:  nothing.
Out: `SETTINGS`, for ``settings.configure``; tests override what they are about.
"""

from __future__ import annotations

from typing import Any

TRUSTED_PROXY = "django_trustedproxy.middleware.TrustedProxyMiddleware"
HTTPS_ONLY = "django_trustedproxy.middleware.HTTPSOnlyMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": [".example", "testserver", "127.0.0.1"],
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": [
        "django.contrib.sessions",
        "django_trustedproxy",
    ],
    "MIDDLEWARE": [TRUSTED_PROXY, SECURITY, SESSION, COMMON, CSRF],
    "ROOT_URLCONF": f"{__package__}.urls",
    "SECRET_KEY": "only for these tests, which keep nothing",
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "STATIC_URL": "/static/",
    "TRUSTED_PROXY_HEADERS": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
    ],
    "TRUSTED_PROXIES": ["10.0.0.0/8"],
    "USE_TZ": True,
}
