"""
The smallest Django application on an ASGI server behind a proxy.

Run it with ``uvicorn --app-dir examples --no-proxy-headers --lifespan off
django_asgi_app:application``.
"""

from __future__ import annotations

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse

settings.configure(
    ALLOWED_HOSTS=["shop.example", "app.internal"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_trustedproxy"],
    MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"],
    TRUSTED_PROXY_HEADERS=[
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    ],
    TRUSTED_PROXIES=["loopback"],
    TRUSTED_PROXY_STRIP="all",
)


async def what_i_see(request: HttpRequest) -> JsonResponse:
    """Answer with the client's address and the application's own, as it sees them."""
    return JsonResponse(
        {
            "client": request.META["REMOTE_ADDR"],
            "link": request.build_absolute_uri(reverse("page")),
        }
    )


urlpatterns = [path("page", what_i_see, name="page")]
application = get_asgi_application()
