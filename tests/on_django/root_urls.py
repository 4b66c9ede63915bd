"""
A Django project with one page, at its root.

In:  requests.
Out: what the request says about itself.
"""

from __future__ import annotations

from django.urls import path

from .urls import facts

urlpatterns = [path("", facts, name="facts")]
