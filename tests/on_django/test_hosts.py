"""
S-38: a host that the site does not serve, named by a trusted header.

In:  requests through Django's own handlers.
Out: 200, or the 400 of ``ALLOWED_HOSTS``, which judges the host that the policy found.
"""

from __future__ import annotations

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from ..cases.case import HOST, Case, ours, sent
from ..django_urls import ASYNC, SYNC
from ..surfaces import call_asgi, call_wsgi, make_environ, make_scope, settings_of


@pytest.mark.parametrize("is_async", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("host", "status"),
    [("app.example", 200), ("evil.example", 400), ("app.example.evil.example", 400)],
)
def test_host_that_is_not_served_gets_400(
    is_async: bool, host: str, status: int
) -> None:
    """``ALLOWED_HOSTS`` decides about the forwarded host as about any other."""
    case = Case("asks with a host", ours(HOST), sent(HOST, host))
    with override_settings(
        ALLOWED_HOSTS=["app.example"],
        MIDDLEWARE=[
            "django_trustedproxy.middleware.TrustedProxyMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        ROOT_URLCONF=ASYNC if is_async else SYNC,
        **settings_of(case.policy),
    ):
        if is_async:
            answered, _ = call_asgi(ASGIHandler(), make_scope(case))
        else:
            answered, _ = call_wsgi(WSGIHandler(), make_environ(case))

    assert answered == status
