"""
The smallest Django project with Channels behind a proxy, with a websocket.

Run it from this folder with ``daphne channels_app:application``.
"""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import JsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse

from django_trustedproxy.entrypoints import wrap_asgi

settings.configure(
    ALLOWED_HOSTS=["shop.example", "app.internal"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_trustedproxy"],
    TRUSTED_PROXY_HEADERS=[
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    ],
    TRUSTED_PROXIES=["loopback"],
    TRUSTED_PROXY_STRIP="all",
)
http = get_asgi_application()


def what_i_see(request: HttpRequest) -> JsonResponse:
    """Answer with the client's address and the application's own, as it sees them."""
    return JsonResponse(
        {
            "client": request.META["REMOTE_ADDR"],
            "link": request.build_absolute_uri(reverse("page")),
        }
    )


class WhatISee(JsonWebsocketConsumer):
    """Send the same over a websocket."""

    def connect(self) -> None:
        """Accept, send, and close."""
        self.accept()
        client, _ = self.scope["client"] or (None, None)
        host = dict(self.scope["headers"])[b"host"].decode()
        seen = {"client": client, "scheme": self.scope["scheme"], "host": host}
        self.send_json(seen)
        self.close()


urlpatterns = [path("page", what_i_see, name="page")]
# Channels puts an ASGI application where Django's types know views alone.
talk: Any = WhatISee.as_asgi()
paths: list[Any] = [path("talk", talk)]
websocket = URLRouter(paths)
router = ProtocolTypeRouter(
    {"http": http, "websocket": AllowedHostsOriginValidator(websocket)}
)
# Around the whole application: Django's MIDDLEWARE never sees a websocket.
application = wrap_asgi(router)
