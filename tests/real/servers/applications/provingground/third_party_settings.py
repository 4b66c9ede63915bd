"""The settings of a Django project whose third-party apps read the client's address."""

from __future__ import annotations

from typing import Any

from .answers import read_policy_settings

SECRET_KEY = "for tests on loopback only"
ALLOWED_HOSTS = ["*"]
DEBUG = True
INTERNAL_IPS = ["203.0.113.7"]
INSTALLED_APPS = [
    "django_trustedproxy",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "axes",
    "rest_framework",
]
MIDDLEWARE = [
    "django_trustedproxy.middleware.TrustedProxyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend"]
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_FAILURE_LIMIT = 2
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
REST_FRAMEWORK: dict[str, Any] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_THROTTLE_RATES": {"anon": "2/hour"},
}
ROOT_URLCONF = "provingground.third_party"
USE_TZ = True

globals().update(read_policy_settings())
if "TRUSTED_PROXY_HEADERS" not in globals():
    # The same project without the policy, for comparison.
    MIDDLEWARE = MIDDLEWARE[1:]
    INSTALLED_APPS = INSTALLED_APPS[1:]
