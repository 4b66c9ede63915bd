"""
A Django project and a Flask application with third-party code, as users write it.

In:  nothing but the framework's request; nobody here knows of the policy.
Out: views that say which client each package saw, or refuse who asks too often.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware

from .answers import read_policy_settings

_events: list[Any] = []


def _keep_event(event: Any, hint: Any) -> None:
    _events.append(event)


def start_sentry() -> None:
    """Start Sentry's SDK; events are kept here instead of being sent."""
    sentry: Any = importlib.import_module("sentry_sdk")
    sentry.init(
        dsn="http://key@127.0.0.1:9/1", send_default_pii=True, before_send=_keep_event
    )


def describe_last_event() -> dict[str, Any]:
    """Describe what Sentry's SDK would have sent last."""
    event = _events[-1]
    return {
        "address": event.get("user", {}).get("ip_address"),
        "variable": event["request"].get("env", {}).get("REMOTE_ADDR"),
        "url": event["request"]["url"],
        "header": event["request"]["headers"].get("X-Forwarded-For"),
    }


def make_django() -> Any:
    """Make the Django project of `third_party_settings`."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "provingground.third_party_settings"
    from django.core.wsgi import get_wsgi_application

    start_sentry()
    return get_wsgi_application()


def make_flask() -> Any:
    """Make a Flask application with Flask-Limiter."""
    from flask import Flask, jsonify

    from flask_trustedproxy import TrustedProxy

    limiter: Any = importlib.import_module("flask_limiter")
    limiter_util: Any = importlib.import_module("flask_limiter.util")
    start_sentry()
    app = Flask(__name__)
    settings = read_policy_settings()
    if settings:
        app.config.update(settings)
        TrustedProxy(app)
    limits = limiter.Limiter(
        limiter_util.get_remote_address, app=app, storage_uri="memory://"
    )

    @app.route("/limited")
    @limits.limit("2 per hour")  # type: ignore[untyped-decorator]  # the package has no types
    def limited() -> str:
        return "{}"

    @app.route("/fail")
    def fail() -> str:
        raise RuntimeError("for Sentry")

    @app.route("/sentry")
    def sentry() -> Any:
        return jsonify(describe_last_event())

    return app


def make_wrapped_django() -> Any:
    """Make the Django project with the policy around the whole application."""
    return TrustedProxyMiddleware(make_django(), ProxyPolicy.from_env())


def make_wrapped_flask() -> Any:
    """Make the Flask application with the policy around the whole application."""
    return TrustedProxyMiddleware(make_flask(), ProxyPolicy.from_env())


def _make_urls() -> list[Any]:
    from django.contrib.auth import authenticate
    from django.http import HttpRequest, JsonResponse
    from django.template.context_processors import debug
    from django.urls import path

    ipware: Any = importlib.import_module("ipware")
    ratelimit: Any = importlib.import_module("django_ratelimit.decorators")
    views: Any = importlib.import_module("rest_framework.views")
    response: Any = importlib.import_module("rest_framework.response")
    throttling: Any = importlib.import_module("rest_framework.throttling")

    class Throttled(views.APIView):  # type: ignore[misc]  # the package has no types
        """A view of Django REST framework that anybody may ask twice an hour."""

        throttle_classes = (throttling.AnonRateThrottle,)

        def get(self, request: Any) -> Any:
            return response.Response({})

    @ratelimit.ratelimit(key="ip", rate="2/h")  # type: ignore[untyped-decorator]  # the package has no types
    def limited(request: HttpRequest) -> JsonResponse:
        return JsonResponse({})

    def log_in(request: HttpRequest) -> JsonResponse:
        user = authenticate(request, username="somebody", password="wrong")
        return JsonResponse({"user": user})

    def show_ipware(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"address": ipware.get_client_ip(request)[0]})

    def show_internal(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"internal": bool(debug(request).get("debug"))})

    def fail(request: HttpRequest) -> JsonResponse:
        raise RuntimeError("for Sentry")

    def sentry(request: HttpRequest) -> JsonResponse:
        return JsonResponse(describe_last_event())

    return [
        path("throttled", Throttled.as_view()),
        path("limited", limited),
        path("login", log_in),
        path("ipware", show_ipware),
        path("internal", show_internal),
        path("fail", fail),
        path("sentry", sentry),
    ]


def __getattr__(name: str) -> Any:
    """Make the URLs when Django asks for them: the settings are there by then."""
    if name == "urlpatterns":
        return _make_urls()
    raise AttributeError(name)
