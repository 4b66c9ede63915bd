"""
The URLs of the tests of the page: the project's own, and the page among them.

In:  nothing.
Out: ``urlpatterns``.
"""

from __future__ import annotations

from django.urls import include, path

from .urls import urlpatterns as own

urlpatterns = [path("trustedproxy/", include("django_trustedproxy.urls")), *own]
