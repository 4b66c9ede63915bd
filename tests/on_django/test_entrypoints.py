"""
The wrappers for the whole application.

In:  Django's own applications, wrapped, and others.
Out: the same as with the middlewares, and mount points besides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import copy_context
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from django_trustedproxy.conf import ConfigurationError
from django_trustedproxy.entrypoints import wrap_asgi, wrap_wsgi

from .handlers import (
    STRANGER,
    Answer,
    call_asgi,
    call_wsgi,
    make_environ,
    make_scope,
    read_log,
)
from .settings import COMMON, HTTPS_ONLY, SESSION, TRUSTED_PROXY

FORWARDED = {
    "X-Forwarded-For": "1.1.1.1, 203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Prefix": "/app",
}


def ask_wrapped_wsgi(path: str = "/facts/", **request: Any) -> Answer:
    """Send one request through Django's WSGI application, wrapped."""
    environ = make_environ(path, **request)
    return copy_context().run(call_wsgi, wrap_wsgi(WSGIHandler()), environ)


def ask_wrapped_asgi(path: str = "/facts/", **request: Any) -> Answer:
    """Send one request through Django's ASGI application, wrapped."""
    application = wrap_asgi(ASGIHandler())
    return asyncio.run(call_asgi(application, make_scope(path, **request)))


def _run(awaitable: Awaitable[None]) -> None:
    async def wait() -> None:
        await awaitable

    asyncio.run(wait())


each_wrapper = pytest.mark.parametrize("ask", [ask_wrapped_wsgi, ask_wrapped_asgi])


@pytest.fixture(autouse=True)
def without_our_middleware() -> Any:
    """Let every test of this module begin with Django's own middlewares only."""
    with override_settings(MIDDLEWARE=[SESSION, COMMON]):
        yield


@each_wrapper
def test_request_from_the_proxy(ask: Any) -> None:
    """Everything that Django derives is right without a middleware."""
    facts = ask("/facts/?a=b", headers=FORWARDED).facts

    assert facts["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert facts["absolute"] == "https://shop.example/app/facts/?a=b"
    assert facts["reverse"] == "/app/facts/"
    assert facts["decision"]["client"] == "203.0.113.7"


@each_wrapper
def test_request_from_a_stranger(ask: Any) -> None:
    """A stranger's headers are gone."""
    facts = ask(peer=STRANGER, headers=FORWARDED).facts

    assert facts["absolute"] == "http://app.example/facts/"
    assert not any("Forwarded" in name for name in facts["headers"])


@each_wrapper
def test_refusal(ask: Any) -> None:
    """A refused request never reaches Django."""
    with override_settings(TRUSTED_PROXY_MALFORMED="reject"):
        answer = ask(headers={"X-Forwarded-For": "garbage"})

    assert answer.status == 400
    assert answer.get("Cache-Control") == "no-store"


@each_wrapper
def test_wrapper_beside_the_middleware(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A request is decided once, by the wrapper, and the log has nothing to say."""
    with override_settings(MIDDLEWARE=[TRUSTED_PROXY]):
        facts = ask(headers=FORWARDED).facts

    assert facts["absolute"] == "https://shop.example/app/facts/"
    assert read_log(caplog) == []


@each_wrapper
def test_wrapper_beside_the_middleware_in_report_only_mode(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What is reported is reported once, and nothing is changed."""
    with override_settings(MIDDLEWARE=[TRUSTED_PROXY], TRUSTED_PROXY_REPORT_ONLY=True):
        facts = ask(headers=FORWARDED).facts

    assert facts["absolute"] == "http://app.example/facts/"
    assert len(read_log(caplog)) == 1


@each_wrapper
def test_wrapper_beside_both_middlewares(ask: Any) -> None:
    """HTTPS only is done by the wrapper, and HSTS is sent once."""
    with override_settings(
        MIDDLEWARE=[TRUSTED_PROXY, HTTPS_ONLY],
        TRUSTED_PROXY_HTTPS_ONLY=True,
        TRUSTED_PROXY_HSTS_POLICY="max-age=60",
    ):
        plain = ask(headers=FORWARDED | {"X-Forwarded-Proto": "http"})
        secure = ask(headers=FORWARDED)
        exempt = ask("/health/", headers=FORWARDED | {"X-Forwarded-Proto": "http"})

    assert plain.get("Location") == "https://shop.example/app/facts/"
    sent = [v for k, v in secure.headers if k == "Strict-Transport-Security"]
    assert sent == ["max-age=60"]
    assert (exempt.status, exempt.body) == (200, b"well")


@each_wrapper
def test_forced_mount_point_that_a_header_contradicts(ask: Any) -> None:
    """No header moves an application whose mount point is forced."""
    with override_settings(FORCE_SCRIPT_NAME="/forced"):
        facts = ask(headers=FORWARDED).facts

    assert facts["absolute"] == "https://shop.example/forced/facts/"
    assert facts["path_info"] == "/facts/"
    assert facts["reverse"] == "/forced/facts/"


@pytest.mark.parametrize("variable", ["SCRIPT_URL", "REDIRECT_URL"])
def test_mount_point_after_mod_rewrite(variable: str) -> None:
    """Apache's own idea of the mount point gives way to a trusted header."""
    facts = ask_wrapped_wsgi(headers=FORWARDED, **{variable: "/own/facts/"}).facts

    assert facts["reverse"] == "/app/facts/"


def test_mount_point_after_mod_rewrite_without_a_header() -> None:
    """Apache's own idea of the mount point stays where no header says another."""
    facts = ask_wrapped_wsgi(SCRIPT_URL="/own/facts/").facts

    assert facts["reverse"] == "/own/facts/"


def test_mount_point_after_mod_rewrite_is_kept_as_original() -> None:
    """What is replaced can be read from the decision."""
    seen: list[Any] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("204 No Content", [])
        return []

    environ = make_environ(headers=FORWARDED, SCRIPT_URL="/own/facts/")
    call_wsgi(wrap_wsgi(application), environ)

    assert "SCRIPT_URL" not in seen[0]
    original = seen[0]["trustedproxy.decision"].original
    assert original["SCRIPT_URL"] == "/own/facts/"


@each_wrapper
def test_https_only(ask: Any) -> None:
    """The wrapper redirects and sends the policy by itself."""
    with override_settings(
        TRUSTED_PROXY_HTTPS_ONLY=True, TRUSTED_PROXY_HSTS_POLICY="max-age=60"
    ):
        plain = ask(headers={"X-Forwarded-For": "203.0.113.7"})
        secure = ask(headers=FORWARDED)

    assert plain.status == 301
    assert plain.get("Location") == "https://app.example/facts/"
    assert secure.get("Strict-Transport-Security") == "max-age=60"


@each_wrapper
def test_https_only_in_report_only_mode(ask: Any) -> None:
    """In report-only mode the wrapper redirects nothing."""
    with override_settings(
        TRUSTED_PROXY_HTTPS_ONLY=True, TRUSTED_PROXY_REPORT_ONLY=True
    ):
        assert ask().status == 200


@each_wrapper
@pytest.mark.parametrize(
    ("host", "status"),
    [("app.example", 301), ("evil.test", 400), ("deep.app.example", 301)],
)
def test_https_only_for_allowed_hosts(ask: Any, host: str, status: int) -> None:
    """Only hosts that Django would serve are redirected to."""
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True):
        assert ask(host=host).status == status


@each_wrapper
@pytest.mark.parametrize(
    ("debug", "host", "status"),
    [(True, "localhost", 301), (True, "app.example", 400), (False, "localhost", 400)],
)
def test_https_only_without_allowed_hosts(
    ask: Any, debug: bool, host: str, status: int
) -> None:
    """Where ``ALLOWED_HOSTS`` is empty, Django's rule for ``DEBUG`` holds."""
    with override_settings(
        TRUSTED_PROXY_HTTPS_ONLY=True, ALLOWED_HOSTS=[], DEBUG=debug
    ):
        assert ask(host=host).status == status


@each_wrapper
@pytest.mark.parametrize(
    "entry", ["", "*.example.com", "https://app.example", "app.example:8443"]
)
def test_https_only_with_an_allowed_host_that_is_none(ask: Any, entry: str) -> None:
    """An entry that Django passes over stops no server, and allows nothing."""
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True, ALLOWED_HOSTS=[entry]):
        assert ask(host="app.example").status == 400


@each_wrapper
def test_https_only_with_every_host_allowed(ask: Any) -> None:
    """Where Django serves every host, each is redirected to."""
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True, ALLOWED_HOSTS=["*"]):
        assert ask(host="other.example").status == 301


@each_wrapper
@pytest.mark.parametrize("path", ["/health/", "/async-health/"])
def test_https_only_exempts_a_view(ask: Any, path: str) -> None:
    """The decorator works below the wrapper too; other views are redirected."""
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True):
        exempt, other, missing = ask(path), ask("/facts/"), ask("/nowhere/")

    assert (exempt.status, exempt.body) == (200, b"well")
    assert (other.status, missing.status) == (301, 301)


def test_https_only_with_a_query_that_is_no_utf_8() -> None:
    """Bytes that Django refuses to decode are no reason to fail before it."""
    application = wrap_asgi(ASGIHandler())
    scope = make_scope() | {"query_string": b"a=\xff"}
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True):
        answer = asyncio.run(call_asgi(application, scope))

    assert answer.get("Location") == "https://app.example/facts/?a=%FF"


def test_allowed_hosts_overridden_after_wrapping() -> None:
    """An application that was wrapped before follows Django's own setting, too."""
    application = wrap_wsgi(WSGIHandler())

    def ask() -> int:
        environ = make_environ(host="other.test")
        return copy_context().run(call_wsgi, application, environ).status

    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True):
        before = ask()
        with override_settings(ALLOWED_HOSTS=["other.test"]):
            during = ask()

    assert (before, during) == (400, 301)


@each_wrapper
def test_bad_configuration_when_the_server_starts(ask: Any) -> None:
    """The wrapper raises at start-up, naming the setting."""
    with (
        override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]),
        pytest.raises(ConfigurationError, match="TRUSTED_PROXIES"),
    ):
        ask()


def test_django_reading_the_scheme_itself_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """``SECURE_PROXY_SSL_HEADER`` inside of the wrapper is logged once."""
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        wrap_wsgi(WSGIHandler())
        wrap_asgi(ASGIHandler())

    (logged,) = read_log(caplog)
    assert "SECURE_PROXY_SSL_HEADER" in logged


def test_settings_overridden_after_wrapping() -> None:
    """An application that was wrapped before follows the override."""
    application = wrap_wsgi(WSGIHandler())

    def ask() -> Any:
        environ = make_environ(peer=STRANGER, headers=FORWARDED)
        return copy_context().run(call_wsgi, application, environ).facts

    with override_settings(TRUSTED_PROXIES=[STRANGER]):
        during = ask()
    after = ask()

    assert during["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert after["meta"]["REMOTE_ADDR"] == STRANGER


@each_wrapper
@pytest.mark.parametrize("wanted", [True, False])
def test_signals_from_the_first_request(
    ask: Any, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signals are restricted by the setting, with a request."""
    calls: list[str] = []
    monkeypatch.setattr(
        "trustedproxy.settings.restrict_signals", lambda: calls.append("")
    )
    with override_settings(TRUSTED_PROXY_RESTRICT_SIGNALS=wanted):
        wrap_wsgi(WSGIHandler())
        assert calls == []
        ask()

    assert len(calls) == int(wanted)


def test_lifespan_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lifespan is no request: it passes as it is, and restricts nothing."""
    calls: list[str] = []
    monkeypatch.setattr(
        "trustedproxy.settings.restrict_signals", lambda: calls.append("")
    )
    scope = {"type": "lifespan"}
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is sent or received here")

    with override_settings(TRUSTED_PROXY_RESTRICT_SIGNALS=True):
        _run(wrap_asgi(application)(scope, nothing, nothing))

    assert seen == [scope]
    assert calls == []


def test_websocket_is_corrected() -> None:
    """What Channels routes beside Django's handler is corrected, too."""
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is sent or received here")

    scope = make_scope(headers=FORWARDED) | {"type": "websocket", "scheme": "ws"}
    _run(wrap_asgi(application)(scope, nothing, nothing))

    assert seen[0]["scheme"] == "wss"
    assert seen[0]["client"][0] == "203.0.113.7"
    assert seen[0]["root_path"] == "/app"


def test_plain_websocket_is_refused() -> None:
    """HTTPS only asks Django for the host of a websocket, and for no view."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("a plain websocket is let through")

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = make_scope("/health/") | {"type": "websocket", "scheme": "ws"}
    del scope["method"]
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=True):
        _run(wrap_asgi(application)(scope, receive, send))

    assert sent == [{"type": "websocket.close", "code": 1008}]


@each_wrapper
def test_stated_mount_point_after_mod_rewrite(ask: Any) -> None:
    """A mount point that is stated counts like one that a header names."""
    with override_settings(
        TRUSTED_PROXY_HEADERS=["X-Forwarded-For"],
        TRUSTED_PROXY_FIXED_MOUNT_POINT="/dev",
    ):
        facts = ask(headers=FORWARDED, SCRIPT_URL="/own/facts/").facts

    assert facts["reverse"] == "/dev/facts/"


@each_wrapper
def test_forced_mount_point_that_is_stated_otherwise(ask: Any) -> None:
    """FORCE_SCRIPT_NAME keeps its meaning beside a stated mount point."""
    with override_settings(
        TRUSTED_PROXY_HEADERS=["X-Forwarded-For"],
        TRUSTED_PROXY_FIXED_MOUNT_POINT="/dev",
        FORCE_SCRIPT_NAME="/forced",
    ):
        facts = ask(headers=FORWARDED).facts

    assert facts["path"] == "/forced/facts/"
    assert facts["reverse"] == "/forced/facts/"


@each_wrapper
def test_mount_points_are_not_for_other_hosts(ask: Any) -> None:
    """A host that Django refuses gets Django's answer, and no redirect to itself."""
    pytest.importorskip("httpcore", reason="the extra mount is not installed here")
    pytest.importorskip("websockets", reason="the extra mount is not installed here")
    with override_settings(
        TRUSTED_PROXY_MOUNT_POINTS={"/blog/": "http://127.0.0.1:9/"}
    ):
        answer = ask("/blog", host="evil.test")

    assert answer.status == 400
    assert answer.get("Location") is None


@each_wrapper
def test_mount_points(ask: Any) -> None:
    """A mount point is answered by the wrapper, and everything else by Django."""
    pytest.importorskip("httpcore", reason="the extra mount is not installed here")
    pytest.importorskip("websockets", reason="the extra mount is not installed here")
    with override_settings(
        TRUSTED_PROXY_MOUNT_POINTS={"/blog/": "http://127.0.0.1:9/"}
    ):
        redirect = ask("/blog?a=b", headers=FORWARDED)
        other = ask("/facts/", headers=FORWARDED)

    assert redirect.status == 301
    assert redirect.get("Location") == "https://shop.example/app/blog/?a=b"
    assert other.facts["path"] == "/app/facts/"


def test_forced_mount_point_without_another() -> None:
    """Where the decision says no mount point, the scope stays as it is."""
    with override_settings(FORCE_SCRIPT_NAME="/forced"):
        facts = ask_wrapped_asgi(peer=STRANGER).facts

    assert facts["reverse"] == "/forced/facts/"
