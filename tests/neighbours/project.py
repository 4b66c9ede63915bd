"""
A Django project with the packages whose users need the client's address.

In:  requests; nobody here knows of the policy.
Out: views that say what each package saw, or refuse who asks too often.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

TRUSTED_PROXY = "django_trustedproxy.middleware.TrustedProxyMiddleware"
WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"
TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"

#: Where the project keeps its static files, and has collected them.
FILES = Path(tempfile.mkdtemp(prefix="trustedproxy-static-"))
for folder in ("source", "collected"):
    (FILES / folder).mkdir()
    (FILES / folder / "site.css").write_text("body {}\n", encoding="ascii")

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["shop.example"],
    "AUTHENTICATION_BACKENDS": [
        "axes.backends.AxesStandaloneBackend",
        "django.contrib.auth.backends.ModelBackend",
    ],
    "AXES_FAILURE_LIMIT": 2,
    "AXES_HANDLER": "axes.handlers.cache.AxesCacheHandler",
    "AXES_LOCKOUT_PARAMETERS": ["ip_address"],
    "ACCOUNT_LOGIN_METHODS": {"username"},
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_RATE_LIMITS": {"login": "2/m/ip", "login_failed": False},
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    "DATABASES": {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    },
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
        "allauth",
        "allauth.account",
        "axes",
        "debug_toolbar",
        "drf_spectacular",
        "rest_framework",
        "django_trustedproxy",
    ],
    "MIDDLEWARE": [
        TRUSTED_PROXY,
        "django.middleware.security.SecurityMiddleware",
        WHITENOISE,
        TOOLBAR,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "axes.middleware.AxesMiddleware",
    ],
    "REST_FRAMEWORK": {
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_THROTTLE_RATES": {"anon": "2/hour"},
        "NUM_PROXIES": None,
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_AUTHENTICATION_CLASSES": [],
    },
    "ROOT_URLCONF": f"{__package__}.project_urls",
    "SECRET_KEY": "only for these tests, which keep nothing",
    "SILENCED_SYSTEM_CHECKS": ["debug_toolbar.W001"],
    "STATIC_ROOT": str(FILES / "collected"),
    "STATIC_URL": "/static/",
    "STATICFILES_DIRS": [str(FILES / "source")],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "USE_TZ": True,
    # The example policy of every page of the docs.
    "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
    "TRUSTED_PROXIES": ["loopback"],
}
