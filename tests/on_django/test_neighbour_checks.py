"""
The checks about other packages: which see other paths, or requests before MIDDLEWARE.

In:  settings with one such package.
Out: the one message about it, with a hint that says what to type; silence without it.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import INFO, WARNING, CheckMessage, run_checks
from django.test import override_settings

from django_trustedproxy import neighbour_checks
from django_trustedproxy.neighbour_checks import WHITENOISE

from .settings import SECURITY, TRUSTED_PROXY

BELOW_A_PATH: dict[str, Any] = {
    "SESSION_COOKIE_PATH": "/app",
    "CSRF_COOKIE_PATH": "/app",
}
WITH_WHITENOISE: dict[str, Any] = {"MIDDLEWARE": [TRUSTED_PROXY, SECURITY, WHITENOISE]}
MOVED: dict[str, Any] = {
    "STATIC_URL": "/app/static/",
    **BELOW_A_PATH,
    **WITH_WHITENOISE,
}


def find(*, deploy: bool = False, **overrides: Any) -> list[CheckMessage]:
    """Run the checks and return those about other packages."""
    with override_settings(**overrides):
        messages = run_checks(include_deployment_checks=deploy)
    ids = {check.id for check in neighbour_checks.NEIGHBOUR_CHECKS}
    return [message for message in messages if message.id in ids]


def use_sentry(monkeypatch: pytest.MonkeyPatch, *, active: bool) -> None:
    """Let Sentry's SDK be imported, and be at work or not."""
    client = SimpleNamespace(is_active=lambda: active)
    module = SimpleNamespace(get_client=lambda: client)
    monkeypatch.setitem(sys.modules, "sentry_sdk", module)


@pytest.fixture(autouse=True)
def without_sentry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without Sentry, whoever else has imported it."""
    monkeypatch.delitem(sys.modules, "sentry_sdk", raising=False)


@pytest.mark.parametrize(
    "moved",
    [
        {},
        {
            "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"],
            "TRUSTED_PROXY_FIXED_MOUNT_POINT": "/app",
        },
    ],
    ids=["by a header", "stated"],
)
def test_whitenoise_below_a_mount_point(moved: dict[str, Any]) -> None:
    """STATIC_URL with the mount point needs a prefix without it."""
    (message,) = find(**MOVED, **moved)

    assert message.id == "trustedproxy.W022"
    assert message.level == WARNING
    assert "STATIC_URL = '/app/static/'" in message.msg
    assert "WHITENOISE_STATIC_PREFIX = '/static/'" in str(message.hint)


@pytest.mark.parametrize(
    "settings",
    [
        {"WHITENOISE_STATIC_PREFIX": "/static/"},
        {"STATIC_URL": "/static/"},
        {"STATIC_URL": "https://cdn.example/static/"},
        {"STATIC_URL": None},
        {"MIDDLEWARE": [TRUSTED_PROXY, SECURITY]},
        {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"]},
    ],
    ids=str,
)
def test_whitenoise_that_finds_its_files(settings: dict[str, Any]) -> None:
    """Nothing is said where the prefix is there, or no mount point or no WhiteNoise."""
    assert find(**MOVED | settings) == []


def test_sentry_beside_the_middleware(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads requests further outside, and the hint says how to wrap."""
    use_sentry(monkeypatch, active=True)

    (message,) = find()

    assert message.id == "trustedproxy.W023"
    assert message.msg.startswith("Sentry's SDK sees requests as they came")
    assert "wrap_wsgi(get_wsgi_application())" in str(message.hint)


@pytest.mark.parametrize(
    "settings",
    [
        {"MIDDLEWARE": [SECURITY]},
        {"TRUSTED_PROXY_HEADERS": []},
    ],
    ids=["no middleware", "no work"],
)
def test_sentry_where_nothing_is_corrected(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrapper alone, or no policy at all, leaves nothing to say."""
    use_sentry(monkeypatch, active=True)

    assert find(**settings) == []


def test_sentry_that_is_not_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK that was never initialised reads nothing."""
    use_sentry(monkeypatch, active=False)

    assert find() == []


@pytest.mark.parametrize(("application", "found"), [("site.asgi.app", 1), (None, 0)])
def test_channels_beside_the_middleware(
    application: str | None, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Websockets never pass MIDDLEWARE."""
    monkeypatch.setattr(
        neighbour_checks, "apps", SimpleNamespace(is_installed=lambda app: True)
    )

    messages = find(ASGI_APPLICATION=application)

    assert [message.msg.partition(" ")[0] for message in messages] == [
        "Channels"
    ] * found


def test_cookies_of_several_deployments() -> None:
    """Below a mount point a hint says how each deployment keeps its own."""
    (message,) = find(deploy=True)

    assert message.id == "trustedproxy.I001"
    assert message.level == INFO
    assert "SESSION_COOKIE_PATH = '/app'" in str(message.hint)


@pytest.mark.parametrize(
    "settings",
    [BELOW_A_PATH, {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"]}],
    ids=["own paths", "at the root"],
)
def test_cookies_of_one_deployment(settings: dict[str, Any]) -> None:
    """With paths of their own, or without a mount point, there is nothing to say."""
    assert find(deploy=True, **settings) == []


@pytest.mark.parametrize("deploy", [True, False])
def test_neighbours_beside_a_configuration_error(deploy: bool) -> None:
    """The error has been said, once."""
    assert find(deploy=deploy, TRUSTED_PROXIES=["10.0.0.0/33"]) == []
