"""
The signal of a decision, through the whole application.

In:  requests, and receivers of every kind.
Out: each decision once, for the application that it is of; an answer whatever a
     receiver does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from flask_trustedproxy import TrustedProxy, decision_made, wrap_wsgi
from flask_trustedproxy.signals import APPLICATION
from trustedproxy import ProxyPolicy, events

from .conftest import POLICY, PROXY, ask, make_app, make_bare_app

CLIENT = "203.0.113.7"
HEADERS = {"X-Forwarded-For": CLIENT}

Sent = list[tuple[Flask, str | None]]


@pytest.fixture(autouse=True)
def _nobody_is_connected() -> Iterator[None]:
    events.listeners.clear()
    yield
    # blinker's own way for tests: receivers are kept by number, and numbers come again.
    decision_made._clear_state()
    events.listeners.clear()


@pytest.fixture
def sent() -> Iterator[Sent]:
    """Collect what the signal sends."""
    collected: Sent = []

    def receive(app: Flask, *, decision: Any, environ: Any) -> None:
        assert environ["trustedproxy.decision"] is decision
        collected.append((app, decision.client))

    with decision_made.connected_to(receive):
        yield collected


def test_signal_names_the_application(sent: Sent) -> None:
    """The sender is the application, and it is sent once a request."""
    app, other = make_app(**POLICY), make_app(**POLICY)

    ask(app, headers=HEADERS)
    ask(other)

    assert sent == [(app, CLIENT), (other, None)]


def test_receiver_of_one_application_hears_of_no_other() -> None:
    """As with Flask's own signals: ``sender`` chooses."""
    app, other = make_app(**POLICY), make_app(**POLICY)
    heard: list[Flask] = []

    def receive(app: Flask, **_: object) -> None:
        heard.append(app)

    with decision_made.connected_to(receive, sender=app):
        ask(other)
        ask(app)

    assert heard == [app]


def test_signal_is_sent_for_a_rejected_request(sent: Sent) -> None:
    """Those who count have to see what gets 400, too."""
    app = make_app(**POLICY, TRUSTED_PROXY_MALFORMED="reject")

    response = ask(app, headers={**HEADERS, "X-Forwarded-Proto": "gopher"})

    assert response.status_code == 400
    assert sent == [(app, None)]


def test_signal_of_a_wrapped_application(sent: Sent) -> None:
    """What decides around the whole application sends it, and once."""
    app = make_app(**POLICY)

    Client(wrap_wsgi(app)).get("/", environ_base={"REMOTE_ADDR": PROXY})
    Client(wrap_wsgi(app)).get(
        "/", environ_base={"REMOTE_ADDR": PROXY}, headers=HEADERS
    )

    assert sent == [(app, None), (app, CLIENT)]


def test_signal_of_an_application_below_another(sent: Sent) -> None:
    """The one whose extension decides is the sender."""
    outer, inner = make_bare_app(**POLICY), make_app(**POLICY)
    dispatcher = DispatcherMiddleware(outer.wsgi_app, {"/inner": inner})
    # Flask's own way of wrapping: an attribute over a method.
    vars(outer)["wsgi_app"] = dispatcher
    TrustedProxy(outer)

    ask(outer, "/inner/", headers=HEADERS)

    assert sent == [(outer, CLIENT)]


def test_receiver_that_raises_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The request is answered, the others are called, and it is logged."""
    app = make_app(**POLICY)
    heard: list[Flask] = []

    def fail(app: Flask, **_: object) -> None:
        raise LookupError("no such counter")

    def receive(app: Flask, **_: object) -> None:
        heard.append(app)

    decision_made.connect(fail)
    decision_made.connect(receive)
    with caplog.at_level(logging.WARNING, logger="trustedproxy"):
        response = ask(app, headers=HEADERS)

    assert response.status_code == 200
    assert heard == [app]
    [record] = [r for r in caplog.records if "no such counter" in r.getMessage()]
    assert record.__dict__["code"] == "listener-failed"


def test_muted_signal_is_not_sent(sent: Sent) -> None:
    """As every signal of blinker's."""
    with decision_made.muted():
        ask(make_app(**POLICY), headers=HEADERS)

    assert sent == []


def test_nothing_is_done_where_nobody_is_connected() -> None:
    """The core calls nobody, and the environ holds no key more."""
    app = make_bare_app(**POLICY)
    keys: list[str] = []

    @app.before_request
    def look() -> None:
        keys.extend(request.environ)

    TrustedProxy(app)
    ask(app, headers=HEADERS)

    assert "trustedproxy.decision" in keys
    assert APPLICATION not in keys
    assert events.listeners == []


def test_decision_that_is_of_no_application_is_not_sent(sent: Sent) -> None:
    """A policy that is applied elsewhere in the process has its own listeners."""
    decision = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback").apply(
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": CLIENT}
    )

    assert decision.client == CLIENT
    assert sent == []
