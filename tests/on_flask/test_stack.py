"""
Other middlewares around the extension, and configuration that came too late (R16).

In:  stacks of middlewares as people build them.
Out: what is logged, and that it is logged once.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

import pytest
from flask import url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from flask_trustedproxy import TrustedProxy
from flask_trustedproxy.entrance import Entrance
from flask_trustedproxy.stack import is_proxy_fix, walk_stack
from trustedproxy import ProxyPolicy, TrustedProxyMiddleware, log
from trustedproxy.stack import MOST

from .conftest import POLICY, PROXY, STRANGER, ask, make_app, make_bare_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from trustedproxy._types import Environ, StartResponse, WSGIApp


class Keeps:
    """A middleware that keeps its application in an attribute of any name."""

    def __init__(self, name: str, app: WSGIApp) -> None:
        setattr(self, name, app)
        self.call = app

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        return self.call(environ, start)

    def method(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        return self.call(environ, start)


def keep_in_closure(app: WSGIApp) -> WSGIApp:
    """A middleware that is a function in a function."""

    def middleware(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        return app(environ, start)

    return middleware


def keep_in_partial(app: WSGIApp) -> WSGIApp:
    """A middleware that is a partial function."""

    def middleware(
        inner: WSGIApp, environ: Environ, start: StartResponse
    ) -> Iterable[bytes]:
        return inner(environ, start)

    return functools.partial(middleware, app)


def keep_wrapped(app: WSGIApp) -> WSGIApp:
    """A middleware that says what it wraps."""

    @functools.wraps(app)
    def middleware(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        return app(environ, start)

    return middleware


WAYS: dict[str, Callable[[WSGIApp], WSGIApp]] = {
    "itself": lambda app: app,
    "app": lambda app: Keeps("app", app),
    "wsgi_app": lambda app: Keeps("wsgi_app", app),
    "application": lambda app: Keeps("application", app),
    "bound method": lambda app: Keeps("app", app).method,
    "closure": keep_in_closure,
    "partial": keep_in_partial,
    "wraps": keep_wrapped,
    "dispatcher": lambda app: DispatcherMiddleware(app, {}),
}


def logged(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    """What the logger said about *word*."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "trustedproxy" and word in record.getMessage()
    ]


def wrap(app: Flask, middleware: Callable[[WSGIApp], WSGIApp]) -> None:
    # Flask's own way of wrapping: an attribute over a method.
    vars(app)["wsgi_app"] = middleware(app.wsgi_app)


@pytest.mark.parametrize("way", WAYS)
def test_proxy_fix_inside_is_logged_at_the_start(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """ProxyFix below the extension is named before any request."""
    app = make_bare_app(**POLICY)
    wrap(app, lambda inner: WAYS[way](ProxyFix(inner)))

    TrustedProxy(app)

    (message,) = logged(caplog, "ProxyFix")
    assert message.startswith(
        "trustedproxy: Werkzeug's ProxyFix stands inside of TrustedProxy on the "
        "application 'application'"
    )


@pytest.mark.parametrize("way", WAYS)
def test_proxy_fix_outside_is_logged_at_the_first_request(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """ProxyFix put around the extension later is named, once."""
    app = make_app(**POLICY)
    wrap(app, lambda inner: WAYS[way](ProxyFix(inner)))

    assert logged(caplog, "ProxyFix") == []
    ask(app)
    ask(app)

    (message,) = logged(caplog, "ProxyFix")
    assert "outside of TrustedProxy" in message


def test_proxy_fix_outside_that_reads_nothing_yet_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """ProxyFix is found in the chain even where another middleware hides its key."""

    def hide(app: WSGIApp) -> WSGIApp:
        def middleware(environ: Environ, start: StartResponse) -> Iterable[bytes]:
            environ.pop("werkzeug.proxy_fix.orig")
            return app(environ, start)

        return middleware

    app = make_app(**POLICY)
    wrap(app, lambda inner: ProxyFix(hide(inner)))

    ask(app)

    assert len(logged(caplog, "ProxyFix")) == 1


def test_proxy_fix_around_the_application_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """ProxyFix around the application itself shows in the environ."""
    app = make_app(**POLICY)
    around = ProxyFix(app)

    Client(around).get("/")

    assert len(logged(caplog, "ProxyFix")) == 1


def test_proxy_fix_inside_is_not_taken_for_one_outside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What stands below the extension is not looked for again with a request."""
    app = make_bare_app(**POLICY)
    wrap(app, ProxyFix)
    TrustedProxy(app)
    log.forget()
    caplog.clear()

    ask(app)

    assert logged(caplog, "ProxyFix") == []


def test_stack_is_looked_at_with_the_first_request_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later requests pay nothing for it."""
    looks: list[Entrance] = []
    monkeypatch.setattr(Entrance, "_look_outside", lambda self: looks.append(self))
    app = make_app(**POLICY)

    ask(app)
    ask(app)

    assert looks == [app.wsgi_app]


def test_walk_stack_does_not_enter_another_application() -> None:
    """What another application does with its requests is its own."""
    other = make_bare_app()
    wrap(other, ProxyFix)
    middleware = Keeps("app", other)

    assert list(walk_stack(middleware)) == [middleware]


def test_stack_inside_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Other people's middlewares see corrected requests inside of the extension."""
    app = make_bare_app(**POLICY)
    for way in WAYS.values():
        wrap(app, way)
    TrustedProxy(app)

    ask(app, peer=STRANGER)

    assert caplog.records == []


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("app", f"{__name__}.Keeps"),
        ("bound method", f"{__name__}.Keeps"),
        ("closure", f"{__name__}.keep_in_closure.<locals>.middleware"),
        ("partial", f"{__name__}.keep_in_partial.<locals>.middleware"),
        ("dispatcher", "werkzeug.middleware.dispatcher.DispatcherMiddleware"),
    ],
)
def test_middleware_outside_is_named_once(
    way: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What was put around the extension later is named, with the order to change."""
    app = make_app(**POLICY)
    wrap(app, WAYS[way])

    ask(app, peer=STRANGER)
    ask(app, peer=STRANGER)

    (message,) = logged(caplog, "outside of TrustedProxy")
    assert f" {name} of the application 'application'" in message
    assert "Call TrustedProxy(app) after it" in message


def test_middlewares_outside_are_named_from_the_outside_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All of them are in one record, and nothing else that they keep."""
    app = make_app(**POLICY)
    wrap(app, WAYS["app"])
    wrap(app, WAYS["dispatcher"])

    ask(app, peer=STRANGER)

    (message,) = logged(caplog, "outside of TrustedProxy")
    assert f"DispatcherMiddleware, {__name__}.Keeps of" in message


def test_middleware_outside_that_hides_what_it_keeps_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the way to the extension is not to be seen, the outermost is named."""
    app = make_app(**POLICY)
    wrap(app, lambda inner: Keeps("hidden_at_another_place", inner))

    ask(app, peer=STRANGER)

    (message,) = logged(caplog, "outside of TrustedProxy")
    assert f" {__name__}.Keeps of" in message


def test_policy_outside_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    """A policy further out decides; that it was decided twice is what is logged."""
    app = make_app(**POLICY)
    policy = app.extensions["trustedproxy"].settings.policy
    wrap(app, lambda inner: TrustedProxyMiddleware(inner, policy))

    ask(app, peer=STRANGER)

    assert logged(caplog, "outside of TrustedProxy") == []
    assert len(logged(caplog, "Remove one of the two")) == 1


def test_walk_stack_ends_where_a_stack_does_not() -> None:
    """A middleware that keeps itself, or too many others, ends the walk."""
    ring = Keeps("app", make_bare_app())
    vars(ring)["app"] = ring
    tower: WSGIApp = ring
    for _ in range(2 * MOST):
        tower = keep_in_closure(tower)

    assert list(walk_stack(ring)) == [ring]
    assert len(list(walk_stack(tower))) == MOST


def test_walk_stack_survives_an_empty_cell() -> None:
    """A variable that its function has not assigned yet is passed over."""

    def outer() -> WSGIApp:
        def middleware(environ: Environ, start: StartResponse) -> Iterable[bytes]:
            return later(environ, start)

        if middleware is None:

            def later(environ: Environ, start: StartResponse) -> Iterable[bytes]:
                return [b""]

        return middleware

    middleware = outer()

    assert list(walk_stack(middleware)) == [middleware]


def test_walk_stack_runs_no_property() -> None:
    """A property of a stranger is not asked."""

    class Sour:
        @property
        def app(self) -> WSGIApp:
            raise AssertionError("asked")

        def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
            return [b""]

    sour = Sour()

    assert list(walk_stack(sour)) == [sour]
    assert not is_proxy_fix(sour)


def test_policy_around_a_dispatcher_keeps_its_paths() -> None:
    """The dispatcher's path is below the header's mount point."""
    inner = make_bare_app()
    inner.add_url_rule("/url", "url", lambda: url_for("url", _external=True))
    dispatcher = DispatcherMiddleware(make_bare_app(), {"/sub": inner})
    policy = ProxyPolicy(headers=["X-Forwarded-Prefix"], proxies=["10.0.0.0/8"])

    response = Client(TrustedProxyMiddleware(dispatcher, policy)).get(
        "/sub/url",
        environ_base={"REMOTE_ADDR": PROXY},
        headers={"X-Forwarded-Prefix": "/app"},
    )

    assert response.text == "http://localhost/app/sub/url"


def test_late_configuration_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Names that are set after `init_app` are logged at the first request."""
    app = make_app(**POLICY)
    app.config["TRUSTED_PROXY_HOPS"] = 1
    app.config["TRUSTED_PROXIES"].append("192.0.2.0/24")

    ask(app)
    ask(app)

    assert logged(caplog, "changed after") == [
        "trustedproxy: TRUSTED_PROXIES, TRUSTED_PROXY_HOPS of the application "
        "'application' changed after TrustedProxy was initialised, which has no "
        "effect. Load the configuration first, or call init_app(app) after it."
    ]


def test_configuration_that_is_taken_away_late_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A name that is gone after `init_app` has changed, too."""
    app = make_app(**POLICY)
    del app.config["TRUSTED_PROXIES"]

    ask(app)

    (message,) = logged(caplog, "changed after")
    assert message.startswith("trustedproxy: TRUSTED_PROXIES of the application")


def test_late_configuration_shows_no_values(caplog: pytest.LogCaptureFixture) -> None:
    """A secret that came too late is not in the log."""
    app = make_app()
    app.config["TRUSTED_PROXY_SECRETS"] = ["hush-hush-hush"]

    ask(app)

    assert "TRUSTED_PROXY_SECRETS" in caplog.text
    assert "hush-hush-hush" not in caplog.text


def test_late_configuration_is_logged_of_each_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second application of the same name is logged of, too."""
    for app in (make_app(**POLICY), make_app(**POLICY)):
        app.config["TRUSTED_PROXY_HOPS"] = 2
        ask(app)
        ask(app)

    assert len(logged(caplog, "changed after")) == 2


def test_unchanged_configuration_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is said where nothing came too late."""
    app = make_app(**POLICY)
    app.config["OTHER"] = 1

    with caplog.at_level(logging.WARNING):
        ask(app)

    assert logged(caplog, "changed after") == []
