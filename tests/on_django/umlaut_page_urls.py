"""
URLs that have the page below a path outside of ASCII.

In:  nothing.
Out: ``urlpatterns``.
"""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("ü/", include("django_trustedproxy.urls"))]
