"""
Find the policy around an application.

In:  stacks of middlewares as people build them, and ``module:name``.
Out: the settings that stand around it, the adapter that knows them, or nothing.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trustedproxy import (
    HSTSPolicy,
    HTTPSOnly,
    ProxyPolicy,
    Settings,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)
from trustedproxy.cli.applications import (
    NoApplicationError,
    find_settings,
    load_object,
)

POLICY = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["loopback"])


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    """Answer nothing."""
    return []


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing."""


class Outer:
    """A middleware of somebody else."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, *_: Any) -> Any:
        return None


class Made:
    """What Starlette keeps of a middleware that is not made yet."""

    def __init__(self, cls: type, *args: Any, **kwargs: Any) -> None:
        self.cls, self.args, self.kwargs = cls, args, kwargs


class Waiting:
    """An application that makes its middlewares with the first request."""

    def __init__(self, *middlewares: Any) -> None:
        self.user_middleware = list(middlewares)

    async def __call__(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize(
    "application",
    [
        TrustedProxyMiddleware(wsgi_app, POLICY),
        TrustedProxyASGIMiddleware(asgi_app, POLICY),
        Outer(TrustedProxyMiddleware(wsgi_app, POLICY)),
        Outer(Outer(TrustedProxyASGIMiddleware(asgi_app, POLICY))),
        Waiting(Made(TrustedProxyASGIMiddleware, policy=POLICY)),
        Waiting(Made(Outer), Made(TrustedProxyASGIMiddleware, POLICY)),
        Outer(Waiting(SimpleNamespace(options={"policy": POLICY}))),
    ],
)
def test_policy_around_an_application(application: Any) -> None:
    """Wherever in the stack it stands."""
    found = find_settings(application)

    assert isinstance(found, Settings)
    assert found.policy is POLICY
    assert (found.https_only, found.hsts, found.mount_points) == (None, None, {})
    assert not found.restrict_signals


@pytest.mark.parametrize("wrap", ["wrap_wsgi", "wrap_asgi"])
def test_everything_around_an_application(wrap: str) -> None:
    """What stands on the policy is found with it."""
    pytest.importorskip("urllib3", reason="the extra mount is not installed here")
    pytest.importorskip("httpcore", reason="the extra mount is not installed here")
    https_only = HTTPSOnly(host="a.example", hsts="max-age=60")
    settings = Settings(
        POLICY,
        https_only,
        HSTSPolicy.parse("max-age=60"),
        {"/blog": "http://127.0.0.1:8001/", "/": "http://127.0.0.1:8002/"},
        restrict_signals=True,
    )
    inner = wsgi_app if wrap == "wrap_wsgi" else asgi_app

    found = find_settings(getattr(settings, wrap)(inner))

    assert found == settings


@pytest.mark.parametrize(
    "application", [wsgi_app, Outer(asgi_app), Waiting(), object()]
)
def test_application_without_a_policy(application: Any) -> None:
    """There is nothing to find."""
    assert find_settings(application) is None


def test_application_of_flask_is_known_by_its_extension() -> None:
    """Its adapter knows what is in force."""
    application = SimpleNamespace(extensions={"trustedproxy": object()})

    assert find_settings(Outer(application)) is None
    assert find_settings(application) == "flask_trustedproxy"


def test_application_of_django_is_known_by_its_class() -> None:
    """Its handlers are in its own package."""
    handler = type("WSGIHandler", (), {"__module__": "django.core.handlers.wsgi"})()

    assert find_settings(handler) == "django_trustedproxy"


@pytest.fixture
def module(folder: Path) -> str:
    """Make a module with applications, and return its name."""
    (folder / "some_module.py").write_text(
        "class group:\n    inner = 'nested'\n"
        "def create_app():\n    return 'made'\n"
        "def produce():\n    return 'produced'\n"
        "thing = 'a thing'\n"
    )
    return "some_module"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("some_module:thing", "a thing"),
        ("some_module:group.inner", "nested"),
        ("some_module:produce()", "produced"),
        ("some_module", "made"),
    ],
)
def test_object_of_a_module(
    path: str, expected: str, module: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """A name, one in another, a call; else the usual names are tried."""
    monkeypatch.syspath_prepend(str(folder))

    assert load_object(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("some_module:thin", "some_module has no 'thin' (the nearest is 'thing')"),
        ("some_module:xyzzy", "some_module has no 'xyzzy'"),
        (
            "textwrap",
            "textwrap has none of app, application, create_app, make_app: write "
            "textwrap:NAME",
        ),
    ],
)
def test_object_that_is_not_there(
    path: str, expected: str, module: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """The nearest is named."""
    monkeypatch.syspath_prepend(str(folder))

    with pytest.raises(NoApplicationError) as caught:
        load_object(path)

    assert str(caught.value) == expected
