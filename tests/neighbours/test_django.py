"""
Django's own static files and other people's Django apps behind a proxy.

In:  requests that a proxy on this machine passes on, through Django's WSGI handler.
Out: what each package saw; each is also asked without the policy, to show that the
     trial can fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import clear_url_caches

from ..on_django.handlers import Answer, call_wsgi, make_environ
from . import project_urls
from .project import SETTINGS, TRUSTED_PROXY

CLIENT, OTHER = "203.0.113.7", "203.0.113.8"
STRANGER = "198.51.100.66"
PREFIX = {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Prefix"]}
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
WITHOUT_POLICY = {
    "MIDDLEWARE": [m for m in SETTINGS["MIDDLEWARE"] if m != TRUSTED_PROXY]
}


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Forget who asked before."""
    cache.clear()


def ask(path: str, client: str = CLIENT, *, app: Any = None, **request: Any) -> Answer:
    """Ask as a proxy on this machine does for *client*."""
    headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
    headers |= request.pop("headers", {})
    return send(path, app=app, headers=headers, peer="127.0.0.1", **request)


def send(path: str, *, app: Any = None, **request: Any) -> Answer:
    """Send one request through Django's handler."""
    environ = make_environ(path, host="shop.example", **request)
    return copy_context().run(call_wsgi, app or WSGIHandler(), environ)


def count_until_refused(answers: Iterator[Answer]) -> int:
    """Count the answers before the first refusal, of at most six requests."""
    for count, answer in enumerate(answers):
        if answer.status in (403, 429):
            return count
        assert answer.status == 200, answer.body[:500]
    return 6


# -- who asks too often


@pytest.mark.parametrize("path", ["/throttled", "/login"])
def test_limit_counts_the_client(path: str) -> None:
    """The throttle of DRF and the lockout of axes are the client's, not the proxy's."""
    refused = count_until_refused(ask(path) for _ in range(6))

    assert refused in (1, 2)
    assert ask(path, OTHER).status == 200


@pytest.mark.parametrize("path", ["/throttled", "/login"])
def test_limit_is_not_got_around_by_a_forged_address(path: str) -> None:
    """A new address in the header each time is no new client."""
    refused = count_until_refused(
        send(path, peer=STRANGER, headers={"X-Forwarded-For": f"192.0.2.{i}"})
        for i in range(6)
    )

    assert refused in (1, 2)


def test_limit_without_the_policy() -> None:
    """Everybody behind the proxy shares the lockout, which is what users report."""
    with override_settings(**WITHOUT_POLICY):
        refused = count_until_refused(ask("/login") for _ in range(6))
        other = ask("/login", OTHER)

    assert refused in (1, 2)
    assert other.status in (403, 429)


def test_allauth_limits_the_client() -> None:
    """allauth's limit by "ip" is REMOTE_ADDR, whatever a header says."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form: dict[str, Any] = {"method": "POST", "body": b"login=a&password=wrong"}
    path = "/accounts/login/"
    with override_settings(AUTHENTICATION_BACKENDS=[MODEL_BACKEND]):
        refused = count_until_refused(
            ask(path, headers=headers, **form) for _ in range(6)
        )
        other = ask(path, OTHER, headers=headers, **form)
        forged = count_until_refused(
            send(
                path,
                peer=STRANGER,
                headers=headers | {"X-Forwarded-For": f"192.0.2.{i}"},
                **form,
            )
            for i in range(6)
        )

    assert refused in (1, 2)
    assert other.status == 200
    assert forged == refused


# -- who is inside


def test_internal_ips_means_the_client() -> None:
    """INTERNAL_IPS, and the toolbar that stands on it, is about the client."""
    with override_settings(DEBUG=True, INTERNAL_IPS=[CLIENT]):
        inside = ask("/internal").facts
        outside = ask("/internal", OTHER).facts
        forged = send("/internal", peer=STRANGER, headers={"X-Forwarded-For": CLIENT})

    assert (inside["internal"], outside["internal"]) == (True, False)
    assert forged.facts["internal"] is False


def test_toolbar_is_shown_to_the_developer_alone() -> None:
    """With 127.0.0.1 in INTERNAL_IPS, a visitor behind the proxy does not see it."""
    with override_settings(DEBUG=True, INTERNAL_IPS=["127.0.0.1"]):
        with override_settings(TRUSTED_PROXIES=[]):
            # On a development machine nothing stands in front.
            developer = send("/page", peer="127.0.0.1").body
        visitor = ask("/page").body
        with override_settings(**WITHOUT_POLICY):
            without = ask("/page").body

    assert b"djDebug" in developer
    assert b"djDebug" not in visitor
    assert b"djDebug" in without


def test_toolbar_has_the_page_as_a_panel() -> None:
    """The client below its name, and the page when the panel is opened."""
    panels = ["django_trustedproxy.panels.TrustedProxyPanel"]
    with override_settings(
        DEBUG=True, INTERNAL_IPS=[CLIENT], DEBUG_TOOLBAR_PANELS=panels
    ):
        body = ask("/page").body.decode()
        shown = re.search(r'data-request-id="([^"]+)"', body)
        assert shown is not None
        query = f"request_id={shown[1]}&panel_id=TrustedProxyPanel"
        opened = ask(f"/__debug__/render_panel/?{query}").facts["content"]

    assert "Trusted proxy" in body
    assert f"<small>{CLIENT}</small>" in body
    assert "&lt;title&gt;What the application sees" in opened
    assert CLIENT in opened


# -- where links lead


def test_spectacular_names_the_clients_url() -> None:
    """The page of the schema links below the mount point, with the client's scheme."""
    headers = {"X-Forwarded-Prefix": "/app"}
    listed = [*SETTINGS["TRUSTED_PROXY_HEADERS"], "X-Forwarded-Prefix"]
    with override_settings(TRUSTED_PROXY_HEADERS=listed):
        page = ask("/docs", headers=headers)
        schema = ask("/schema?format=json", headers=headers)

    assert b'"/app/schema"' in page.body
    assert "/throttled" in json.loads(schema.body)["paths"]


# -- static files below a mount point that the proxy takes off

BELOW = {**PREFIX, "STATIC_URL": "/app/static/"}
MOVED = {"X-Forwarded-Prefix": "/app"}


def ask_for_file(path: str = "/static/site.css", *, app: Any = None) -> int:
    """Ask for the style sheet as the proxy does, and return the status."""
    return ask(path, headers=MOVED, app=app).status


def test_whitenoise_below_a_mount_point() -> None:
    """STATIC_URL with the mount point, and WhiteNoise's prefix without it."""
    with override_settings(**BELOW, WHITENOISE_STATIC_PREFIX="/static/"):
        where = ask("/where", headers=MOVED).facts["url"]
        status = ask_for_file()

    assert (where, status) == ("/app/static/site.css", 200)


def test_whitenoise_below_a_mount_point_without_its_prefix() -> None:
    """That is the 404 which the check `trustedproxy.W022` is about."""
    with override_settings(**BELOW):
        assert ask_for_file() == 404


def test_whitenoise_below_a_mount_point_that_stays_in_the_path() -> None:
    """Where TRUSTED_PROXY_STRIP_MOUNT_POINT takes it off, the prefix is the same."""
    with override_settings(
        **BELOW,
        WHITENOISE_STATIC_PREFIX="/static/",
        TRUSTED_PROXY_STRIP_MOUNT_POINT=True,
    ):
        assert ask_for_file("/app/static/site.css") == 200


def test_whitenoise_below_a_stated_mount_point() -> None:
    """The same where no header names it."""
    with override_settings(
        STATIC_URL="/app/static/",
        WHITENOISE_STATIC_PREFIX="/static/",
        TRUSTED_PROXY_FIXED_MOUNT_POINT="/app",
    ):
        assert ask("/static/site.css").status == 200


@pytest.fixture
def runserver() -> Iterator[Any]:
    """Make the handler that ``runserver`` puts around the application."""
    without = [m for m in settings.MIDDLEWARE if "whitenoise" not in m]
    with override_settings(DEBUG=True, MIDDLEWARE=without):
        yield lambda: StaticFilesHandler(WSGIHandler())


def test_runserver_below_a_mount_point(runserver: Any) -> None:
    """Its static files need a route of their own, which the docs give."""
    own = staticfiles_urlpatterns("/static/") if settings.DEBUG else []
    assert own, "Django gives this route while DEBUG is on"
    project_urls.urlpatterns += own
    clear_url_caches()
    try:
        with override_settings(**BELOW):
            assert ask_for_file(app=runserver()) == 200
    finally:
        for pattern in own:
            project_urls.urlpatterns.remove(pattern)
        clear_url_caches()


def test_runserver_below_a_mount_point_without_the_route(runserver: Any) -> None:
    """That is the 404 which users report."""
    with override_settings(**BELOW):
        assert ask_for_file(app=runserver()) == 404


def test_runserver_below_a_mount_point_that_stays_in_the_path(runserver: Any) -> None:
    """Where the proxy leaves it there, nothing else is needed."""
    with override_settings(**BELOW, TRUSTED_PROXY_STRIP_MOUNT_POINT=True):
        assert ask_for_file("/app/static/site.css", app=runserver()) == 200
