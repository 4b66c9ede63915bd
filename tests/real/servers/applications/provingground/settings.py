"""The settings of the Django project; the policy comes from the environment."""

from __future__ import annotations

from .answers import read_policy_settings

SECRET_KEY = "for tests on loopback only"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_trustedproxy"]
MIDDLEWARE = [
    "django_trustedproxy.middleware.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
]
ROOT_URLCONF = "provingground.urls"
WSGI_APPLICATION = "provingground.wsgi.application"
USE_TZ = True
LOGGING_CONFIG = None

globals().update(read_policy_settings())
