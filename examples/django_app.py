"""
The smallest Django application behind a proxy.

Run it with ``gunicorn --chdir examples django_app:application``.
"""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_trustedproxy"],
    MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"],
    TRUSTED_PROXY_HEADERS=["X-Forwarded-For", "X-Forwarded-Proto"],
    TRUSTED_PROXIES=["loopback"],
    TRUSTED_PROXY_STRIP="all",
)


def what_i_see(request: HttpRequest) -> JsonResponse:
    """Answer with the client's address and scheme as the application sees them."""
    return JsonResponse(
        {"client": request.META["REMOTE_ADDR"], "scheme": request.scheme}
    )


urlpatterns = [path("", what_i_see)]
application = get_wsgi_application()
