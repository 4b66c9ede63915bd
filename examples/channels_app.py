"""
The smallest Django application with Channels behind a proxy, with a websocket.

Run it with ``uvicorn --app-dir examples --no-proxy-headers channels_app:application``.
"""

from __future__ import annotations

from channels.generic.websocket import JsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)


def what_i_see(request: HttpRequest) -> JsonResponse:
    """Answer with the client's address and scheme as the application sees them."""
    return JsonResponse(
        {"client": request.META["REMOTE_ADDR"], "scheme": request.scheme}
    )


class WhatISee(JsonWebsocketConsumer):
    """Send the same over a websocket."""

    def connect(self) -> None:
        """Accept, tell, and close."""
        self.accept()
        client, _ = self.scope["client"] or (None, None)
        self.send_json({"client": client, "scheme": self.scope["scheme"]})
        self.close()


urlpatterns = [path("", what_i_see)]
policy = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    proxies=["127.0.0.1"],
)
router = ProtocolTypeRouter(
    {"http": get_asgi_application(), "websocket": WhatISee.as_asgi()}
)
# Around the whole application: Django's MIDDLEWARE never sees a websocket.
application = TrustedProxyASGIMiddleware(router, policy)  # type: ignore[arg-type]
