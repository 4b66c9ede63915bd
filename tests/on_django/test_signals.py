"""
The signal of a decision, through Django's own handlers.

In:  requests, and receivers of every kind.
Out: each decision once, with its request; an answer whatever a receiver does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from django_trustedproxy.entrypoints import wrap_wsgi
from django_trustedproxy.middleware import TrustedProxyMiddleware
from django_trustedproxy.signals import decision_made

from .handlers import ASKERS, call_wsgi, make_environ

CLIENT = "203.0.113.7"
HEADERS = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}

each_handler = pytest.mark.parametrize("ask", ASKERS)
Sent = list[dict[str, Any]]


@pytest.fixture
def sent() -> Iterator[Sent]:
    """Collect what the signal sends, and what the request said of itself then."""
    collected: Sent = []

    def receive(*, sender: object, request: Any, decision: Any, **_: object) -> None:
        collected.append(
            {
                "sender": sender,
                "client": decision.client,
                "address": request.META["REMOTE_ADDR"],
                "secure": request.is_secure(),
                "rejected": decision.rejected is not None,
            }
        )

    decision_made.connect(receive)
    yield collected
    decision_made.disconnect(receive)


@each_handler
def test_signal_has_the_corrected_request_and_its_decision(
    ask: Callable[..., Any], sent: Sent
) -> None:
    """It is sent once, before the view, by the middleware's class."""
    answer = ask(headers=HEADERS)

    assert answer.status == 200
    assert sent == [
        {
            "sender": TrustedProxyMiddleware,
            "client": CLIENT,
            "address": CLIENT,
            "secure": True,
            "rejected": False,
        }
    ]


@each_handler
@override_settings(TRUSTED_PROXY_MALFORMED="reject")
def test_signal_is_sent_for_a_rejected_request(
    ask: Callable[..., Any], sent: Sent
) -> None:
    """Those who count have to see what gets 400, too."""
    answer = ask(headers={"X-Forwarded-Proto": "gopher"})

    assert answer.status == 400
    assert [one["rejected"] for one in sent] == [True]


@each_handler
@override_settings(TRUSTED_PROXY_REPORT_ONLY=True)
def test_signal_in_report_only_mode_has_what_would_be(
    ask: Callable[..., Any], sent: Sent
) -> None:
    """The decision is the one of the report, and the request is as it came."""
    ask(headers=HEADERS)

    [one] = sent
    assert (one["client"], one["address"]) == (CLIENT, "10.0.0.9")


def test_signal_is_sent_where_a_wrapper_has_decided(sent: Sent) -> None:
    """The middleware sends it with the wrapper's decision, and once."""
    call_wsgi(wrap_wsgi(WSGIHandler()), make_environ(headers=HEADERS))

    assert [one["client"] for one in sent] == [CLIENT]


@each_handler
def test_receiver_that_raises_changes_nothing(
    ask: Callable[..., Any], sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    """The request is answered, the next receiver is called, and Django logs it."""

    def fail(**_: object) -> None:
        raise LookupError("no such counter")

    decision_made.connect(fail)
    try:
        with caplog.at_level(logging.ERROR, logger="django.dispatch"):
            answer = ask(headers=HEADERS)
    finally:
        decision_made.disconnect(fail)

    assert answer.status == 200
    assert len(sent) == 1
    assert "no such counter" in caplog.text


def test_async_receiver_hears_of_both_kinds_of_request() -> None:
    """It is awaited under ASGI, and run to its end under WSGI."""
    heard: list[str | None] = []

    async def receive(*, decision: Any, **_: object) -> None:
        heard.append(decision.client)

    decision_made.connect(receive)
    try:
        for ask in ASKERS:
            ask(headers=HEADERS)
    finally:
        decision_made.disconnect(receive)

    assert heard == [CLIENT, CLIENT]
