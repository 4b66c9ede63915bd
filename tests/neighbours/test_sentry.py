"""
Sentry's SDK, which reads requests outside of every middleware.

In:  applications that fail, with the extension or the lines in MIDDLEWARE, and wrapped.
Out: the client and the URL in what would be sent to Sentry.
"""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from flask import Flask

from django_trustedproxy.entrypoints import wrap_asgi, wrap_wsgi
from flask_trustedproxy import TrustedProxy
from flask_trustedproxy import wrap_wsgi as wrap_flask

from ..on_django.handlers import call_asgi, call_wsgi, make_environ, make_scope

sentry: Any = importlib.import_module("sentry_sdk")
for_django: Any = importlib.import_module("sentry_sdk.integrations.django")
for_flask: Any = importlib.import_module("sentry_sdk.integrations.flask")

CLIENT, STRANGER, FORGED = "203.0.113.7", "198.51.100.66", "192.0.2.99"
FROM_PROXY = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
FROM_FORGER = {"X-Forwarded-For": FORGED, "X-Real-IP": FORGED}


@pytest.fixture(scope="module")
def events() -> Iterator[list[Any]]:
    """Let Sentry's SDK collect its events here instead of sending them."""
    collected: list[Any] = []

    def keep(event: Any, hint: Any) -> None:
        collected.append(event)

    with warnings.catch_warnings():
        # Newer ones have another name for the option, which older ones do not know.
        warnings.simplefilter("ignore", DeprecationWarning)
        sentry.init(
            dsn="http://key@127.0.0.1:9/1",
            send_default_pii=True,
            before_send=keep,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                for_django.DjangoIntegration(),
                for_flask.FlaskIntegration(),
            ],
        )
    yield collected
    sentry.init(default_integrations=False, auto_enabling_integrations=False)


def make_flask() -> Flask:
    """Make a Flask application that fails, with the docs' example policy."""
    app = Flask("application")
    app.config["TRUSTED_PROXY_HEADERS"] = ["X-Forwarded-For", "X-Forwarded-Proto"]
    app.config["TRUSTED_PROXIES"] = ["loopback"]
    TrustedProxy(app)

    @app.get("/fail")
    def fail() -> str:
        raise RuntimeError("for an error reporter")

    return app


def ask_wsgi(application: Any, peer: str, headers: dict[str, str]) -> int:
    """Ask a WSGI application for the page that fails."""
    environ = make_environ("/fail", peer=peer, headers=headers, host="shop.example")
    return copy_context().run(call_wsgi, application, environ).status


def ask_asgi(application: Any, peer: str, headers: dict[str, str]) -> int:
    """Ask an ASGI application for the page that fails."""
    scope = make_scope("/fail", peer=peer, headers=headers, host="shop.example")
    return asyncio.run(call_asgi(application, scope)).status


def describe(event: Any) -> tuple[str, str]:
    """Say whom and where an event is about."""
    asked = event["request"]
    address = event.get("user", {}).get("ip_address")
    return address or asked["env"]["REMOTE_ADDR"], asked["url"]


WRAPPED: dict[str, tuple[Any, Callable[[], Any]]] = {
    "django": (ask_wsgi, lambda: wrap_wsgi(WSGIHandler())),
    "django-asgi": (ask_asgi, lambda: wrap_asgi(ASGIHandler())),
    "flask": (ask_wsgi, lambda: wrap_flask(make_flask())),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_application_reports_the_client(name: str, events: list[Any]) -> None:
    """With the wrapper, and what was there left as it is, everything is right."""
    ask, make = WRAPPED[name]
    application = make()

    ask(application, "127.0.0.1", FROM_PROXY)
    ask(application, STRANGER, FROM_FORGER)

    assert describe(events[-2]) == (CLIENT, "https://shop.example/fail")
    assert describe(events[-1]) == (STRANGER, "http://shop.example/fail")


@pytest.mark.parametrize(
    ("ask", "make"),
    [(ask_wsgi, WSGIHandler), (ask_wsgi, make_flask)],
    ids=["django", "flask"],
)
def test_application_alone_reports_what_is_forged(
    ask: Any, make: Any, events: list[Any]
) -> None:
    """That is what the docs warn of: the trial can fail."""
    ask(make(), STRANGER, FROM_FORGER)

    assert describe(events[-1])[0] == FORGED


def test_check_names_sentry(events: list[Any]) -> None:
    """Django's check sees the SDK at work, and says to wrap."""
    messages = [m for m in run_checks() if m.id == "trustedproxy.W023"]

    assert len(messages) == 1
    assert "Sentry" in messages[0].msg
