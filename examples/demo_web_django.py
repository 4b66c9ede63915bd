"""
The Django application of the demo in the browser: one page, and the page about it.

In:  the environment variable ``DEMO_SETTINGS``: settings as JSON.
Out: ``application``, and ``asgi_application``.
"""

from __future__ import annotations

import json
import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, reverse
from django.utils.html import format_html

settings.configure(
    **{
        "ALLOWED_HOSTS": ["*"],
        "INSTALLED_APPS": ["django_trustedproxy"],
        "MIDDLEWARE": [
            "django_trustedproxy.middleware.TrustedProxyMiddleware",
            "django_trustedproxy.middleware.HTTPSOnlyMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        "ROOT_URLCONF": __name__,
        "SECRET_KEY": "only for this demo, on this machine",
        **json.loads(os.environ.get("DEMO_SETTINGS", "{}")),
    }
)


def orders(request: HttpRequest) -> HttpResponse:
    """Say who the visitor is, and link to the page that says why."""
    return HttpResponse(
        format_html(
            "<!DOCTYPE html><html lang=en><title>Orders</title><h1>Orders (Django)</h1>"
            "<p>You are {}, and this page is {}.</p>"
            '<p><a href="{}">What the application sees</a></p></html>',
            request.META["REMOTE_ADDR"],
            request.build_absolute_uri(),
            reverse("django_trustedproxy:page"),
        )
    )


urlpatterns = [
    path("trustedproxy/", include("django_trustedproxy.urls")),
    path("", orders),
]
application = get_wsgi_application()
asgi_application = get_asgi_application()
