"""
The URL of the page: ``path("trustedproxy/", include("django_trustedproxy.urls"))``.

In:  nothing.
Out: ``urlpatterns``, and the name ``django_trustedproxy:page``.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from trustedproxy.report import recent

from . import views

app_name: str = "django_trustedproxy"
urlpatterns: list[URLPattern] = [path("", views.page, name="page")]

# What the page shows of the log begins when the URLs are loaded.
recent.keep()
