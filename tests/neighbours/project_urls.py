"""
The pages of the Django project: each asks one of the packages.

In:  requests.
Out: JSON, a page, or a refusal of who asks too often.
"""

from __future__ import annotations

import importlib
from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.context_processors import debug
from django.templatetags.static import static
from django.urls import include, path

# Most of them are not typed, and none is there where types are checked.
account: Any = importlib.import_module("allauth.account.views")
spectacular: Any = importlib.import_module("drf_spectacular.views")
rest_response: Any = importlib.import_module("rest_framework.response")
rest_throttling: Any = importlib.import_module("rest_framework.throttling")
rest_views: Any = importlib.import_module("rest_framework.views")


class Throttled(rest_views.APIView):  # type: ignore[misc]  # the package has no types
    """A view of Django REST framework that anybody may ask twice an hour."""

    throttle_classes = (rest_throttling.AnonRateThrottle,)

    def get(self, request: Any) -> Any:
        """Say nothing."""
        return rest_response.Response({})


def log_in(request: HttpRequest) -> JsonResponse:
    """Fail to log in."""
    user = authenticate(request, username="somebody", password="wrong")
    return JsonResponse({"user": user})


def show_internal(request: HttpRequest) -> JsonResponse:
    """Say whether INTERNAL_IPS has the client."""
    return JsonResponse({"internal": bool(debug(request).get("debug"))})


def show_page(request: HttpRequest) -> HttpResponse:
    """Show a page that the toolbar can be put on."""
    return HttpResponse("<html><body>page</body></html>")


def show_static(request: HttpRequest) -> JsonResponse:
    """Say where the project's style sheet is."""
    return JsonResponse({"url": static("site.css")})


def fail(request: HttpRequest) -> HttpResponse:
    """Fail, for error reporters."""
    raise RuntimeError("for an error reporter")


urlpatterns = [
    path("throttled", Throttled.as_view()),
    path("login", log_in),
    path("accounts/login/", account.LoginView.as_view(), name="account_login"),
    path("accounts/signup/", show_page, name="account_signup"),
    path("accounts/reset/", show_page, name="account_reset_password"),
    path("internal", show_internal),
    path("page", show_page),
    path("where", show_static),
    path("fail", fail),
    path("schema", spectacular.SpectacularAPIView.as_view(), name="schema"),
    path("__debug__/", include("debug_toolbar.urls")),
    path(
        "docs",
        spectacular.SpectacularSwaggerView.as_view(url_name="schema"),
        name="docs",
    ),
]
