"""
URLs that have the page at the site's root.

In:  nothing.
Out: ``urlpatterns``.
"""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("django_trustedproxy.urls"))]
