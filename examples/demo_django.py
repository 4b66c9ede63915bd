"""
The Django application of the demo: it answers with what it sees of the client.
"""

from __future__ import annotations

from demo_settings import POLICY_IS_ON, TRUSTED_PROXY, find_claims
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse

from django_trustedproxy import get_decision

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[])
if POLICY_IS_ON:
    settings.INSTALLED_APPS = ["django_trustedproxy"]
    settings.MIDDLEWARE = ["django_trustedproxy.middleware.TrustedProxyMiddleware"]
    for name, value in TRUSTED_PROXY.items():
        setattr(settings, name, value)


def what_i_see(request: HttpRequest) -> JsonResponse:
    """Answer with the client, a link to a page here, and the decision's reason."""
    decision = get_decision(request)
    return JsonResponse(
        {
            "client": request.META["REMOTE_ADDR"],
            "link": request.build_absolute_uri(reverse("orders")),
            "claims": find_claims(request.META),
            "reason": None if decision is None else decision.reason,
        }
    )


urlpatterns = [path("", what_i_see), path("orders", what_i_see, name="orders")]
application = get_wsgi_application()
