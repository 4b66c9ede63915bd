"""
The extension around the whole application, for what stands outside of ``wsgi_app``.

In:  applications whose ``__call__``, or ``wsgi_app``, somebody else has wrapped.
Out: corrected requests there too, decided once, and a silent log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from werkzeug.test import Client

from flask_trustedproxy import TrustedProxy, https_exempt, wrap_wsgi
from trustedproxy import ConfigurationError

from .conftest import POLICY, PROXY, STRANGER, make_app, make_bare_app, see

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.test import TestResponse

    from trustedproxy._types import Environ, StartResponse, WSGIApp

FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "app.example",
    "X-Forwarded-Prefix": "/app",
}


def ask(application: WSGIApp, path: str = "/", **options: Any) -> TestResponse:
    """Send a request from the proxy through *application*."""
    options.setdefault("headers", FORWARDED)
    return Client(application).get(path, environ_base={"REMOTE_ADDR": PROXY}, **options)


class Watching(Flask):
    """An application that an error reporter looks into from outside."""

    seen: list[tuple[str, str]]

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        self.seen.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return super().__call__(environ, start_response)


def make_watching(**config: Any) -> Watching:
    """Make such an application."""
    app = Watching("watching")
    app.seen = []
    app.config.update(config)
    app.add_url_rule("/", view_func=lambda: "well")
    return app


def test_what_stands_outside_sees_corrected_requests(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With the wrapper it does, without it does not; the log is silent."""
    app = make_watching(**POLICY)
    TrustedProxy(app)

    ask(wrap_wsgi(app))
    ask(app)

    assert app.seen == [("203.0.113.7", "https"), (PROXY, "http")]
    assert caplog.records == []


def test_wrapper_without_the_extension_initialises_it() -> None:
    """One line is enough."""
    app = make_bare_app(**POLICY)

    response = ask(wrap_wsgi(app))

    assert response.get_json()["external"] == "https://app.example/app/x"
    assert "trustedproxy" in app.extensions


def test_application_beside_its_wrapper_goes_on_by_itself() -> None:
    """A test client, which asks the application, finds the extension at work."""
    app = make_app(**POLICY)
    wrap_wsgi(app)

    assert see(app, headers=FORWARDED)["remote_addr"] == "203.0.113.7"
    assert see(app, peer=STRANGER, headers=FORWARDED)["remote_addr"] == STRANGER


def test_wrapper_of_another_application_does_not_count() -> None:
    """A request that another application passes on is decided for this one, too."""
    inner = make_app(TRUSTED_PROXY_HEADERS=["X-Real-IP"], TRUSTED_PROXIES=[PROXY])
    outer = make_bare_app(TRUSTED_PROXY_STRIP="all")
    vars(outer)["wsgi_app"] = inner
    TrustedProxy(outer)

    response = ask(wrap_wsgi(outer), headers={"X-Real-IP": "203.0.113.9"})

    assert response.get_json()["remote_addr"] == PROXY


def test_https_only_in_the_wrapper_knows_the_views() -> None:
    """Hosts and exempt views are Flask's, and the redirect is made once."""
    app = make_bare_app(
        **POLICY, TRUSTED_PROXY_HTTPS_ONLY=True, TRUSTED_HOSTS=["app.example"]
    )
    app.add_url_rule("/healthz", view_func=https_exempt(lambda: "well"))
    application = wrap_wsgi(app)
    plain = FORWARDED | {"X-Forwarded-Proto": "http"}

    redirected = ask(application, headers=plain)
    exempt = ask(application, "/healthz", headers=plain)
    refused = ask(application, headers=plain | {"X-Forwarded-Host": "evil.example"})

    assert redirected.headers["Location"] == "https://app.example/app/"
    assert exempt.text == "well"
    assert refused.status_code == 400


def test_middleware_that_came_later_is_not_named_below_the_wrapper(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It stands inside of the wrapper, and sees corrected requests."""
    seen: list[str] = []

    def look(app: WSGIApp) -> WSGIApp:
        def middleware(environ: Environ, start: StartResponse) -> Iterable[bytes]:
            seen.append(environ["REMOTE_ADDR"])
            return app(environ, start)

        return middleware

    app = make_app(**POLICY)
    vars(app)["wsgi_app"] = look(app.wsgi_app)

    ask(wrap_wsgi(app))

    assert seen == ["203.0.113.7"]
    assert caplog.records == []


def test_wrapper_with_an_invalid_setting() -> None:
    """It raises where the server would start."""
    app = make_bare_app(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"])

    with pytest.raises(ConfigurationError, match="TRUSTED_PROXIES"):
        wrap_wsgi(app)
