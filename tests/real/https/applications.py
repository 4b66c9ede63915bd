"""
The same application five times: bare WSGI and ASGI, Django under both, and Flask.

In:  a request through a real server.
Out: JSON: what the application saw of it.

It runs inside of the servers, so it imports nothing of the tests. The ports of the
front end come in the variable ``SECURE_PORTS``: name of the application → port.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from trustedproxy import (
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
    read_settings,
)

HOSTS = ["localhost", "127.0.0.1"]

Message = MutableMapping[str, Any]


def make_settings(name: str) -> dict[str, Any]:
    """The settings of the application *name*, whose redirect has a port of its own."""
    port = json.loads(os.environ["SECURE_PORTS"])[name]
    return {
        "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
        # nginx connects from here; tests that go around it do from elsewhere.
        "TRUSTED_PROXIES": ["127.0.0.1"],
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        "TRUSTED_PROXY_HTTPS_HOST": f":{port}",
        "TRUSTED_PROXY_HTTPS_EXEMPT": [
            "/.well-known/acme-challenge/*",
            "/healthz",
            "127.0.0.77",
        ],
        "TRUSTED_PROXY_HSTS_POLICY": "max-age=60; includeSubDomains",
    }


def make_wsgi() -> Callable[..., Iterable[bytes]]:
    """Make the bare WSGI application."""

    def application(
        environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        seen = {
            "scheme": environ["wsgi.url_scheme"],
            "method": environ["REQUEST_METHOD"],
            "body": environ["wsgi.input"].read(length).decode(),
        }
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(seen).encode()]

    settings = read_settings(make_settings("wsgi"))
    https_only = settings.https_only
    assert https_only is not None
    return TrustedProxyMiddleware(
        HTTPSOnlyMiddleware(
            application,
            hsts=https_only.hsts,
            host=https_only.host,
            exempt=https_only.exempt,
            allowed_hosts=HOSTS,
        ),
        settings.policy,
    )


def make_asgi() -> Callable[..., Awaitable[None]]:
    """Make the bare ASGI application."""

    async def application(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": scope["scheme"]})
            await send({"type": "websocket.close"})
            return
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        seen = {
            "scheme": scope["scheme"],
            "method": scope["method"],
            "body": body.decode(),
        }
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(seen).encode()})

    settings = read_settings(make_settings("asgi"))
    https_only = settings.https_only
    assert https_only is not None
    return TrustedProxyASGIMiddleware(
        HTTPSOnlyASGIMiddleware(
            application,
            hsts=https_only.hsts,
            host=https_only.host,
            exempt=https_only.exempt,
            allowed_hosts=HOSTS,
        ),
        settings.policy,
    )


def configure_django(name: str) -> None:
    """Configure Django as a site of one view."""
    from django.conf import settings
    from django.http import HttpRequest, JsonResponse
    from django.urls import re_path

    def view(request: HttpRequest) -> JsonResponse:
        return JsonResponse(
            {
                "scheme": request.scheme,
                "method": request.method,
                "body": request.body.decode(),
            }
        )

    settings.configure(
        SECRET_KEY="for tests only",
        ALLOWED_HOSTS=HOSTS,
        INSTALLED_APPS=["django_trustedproxy"],
        MIDDLEWARE=[
            "django_trustedproxy.middleware.TrustedProxyMiddleware",
            "django_trustedproxy.middleware.HTTPSOnlyMiddleware",
        ],
        ROOT_URLCONF=(re_path("", view),),
        **make_settings(name),
    )


def make_django_wsgi() -> Any:
    """Make Django's WSGI application."""
    from django.core.wsgi import get_wsgi_application

    configure_django("django-wsgi")
    return get_wsgi_application()


def make_django_asgi() -> Any:
    """Make Django's ASGI application."""
    from django.core.asgi import get_asgi_application

    configure_django("django-asgi")
    return get_asgi_application()


def make_flask() -> Callable[..., Iterable[bytes]]:
    """Make the Flask application."""
    from flask import Flask, request

    from flask_trustedproxy import TrustedProxy

    app = Flask("secured")
    app.config.from_mapping(make_settings("flask"), TRUSTED_HOSTS=HOSTS)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def view(path: str) -> dict[str, str]:
        return {
            "scheme": request.scheme,
            "method": request.method,
            "body": request.get_data(as_text=True),
        }

    TrustedProxy(app)
    return app
