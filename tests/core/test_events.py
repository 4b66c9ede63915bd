"""
The event of a decision: who listens is called, and can break nothing.

In:  listeners of every kind.
Out: each decision once, with its request; a record where one raises.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from trustedproxy import Decision, ProxyPolicy, events, log, on_decision

from .making import make_environ, make_scope

POLICY = ProxyPolicy(headers="X-Forwarded-For", proxies="10.0.0.0/8")


@pytest.fixture(autouse=True)
def _nobody_listens() -> Iterator[None]:
    events.listeners.clear()
    log.forget()
    yield
    events.listeners.clear()


def test_listener_gets_each_decision_with_its_request() -> None:
    """The decision is in the request already, environ or scope."""
    heard: list[tuple[Decision, Mapping[str, Any]]] = []

    @on_decision
    def listen(decision: Decision, request: Mapping[str, Any]) -> None:
        heard.append((decision, request))

    environ = make_environ()
    first = POLICY.apply(environ)
    second, scope = POLICY.apply_scope(make_scope())

    assert [decision for decision, _ in heard] == [first, second]
    assert heard[0][1] is environ
    assert heard[1][1] is scope
    assert heard[0][1]["trustedproxy.decision"] is first


def test_listener_hears_of_a_request_once() -> None:
    """Neither a second policy nor a second registration calls it again."""
    heard: list[Decision] = []

    def listen(decision: Decision, _: Mapping[str, Any]) -> None:
        heard.append(decision)

    on_decision(listen)
    on_decision(listen)
    environ = make_environ()
    POLICY.apply(environ)
    POLICY.apply(environ)

    assert len(heard) == 1


def test_listener_that_raises_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged once a minute, and the next listener is called."""
    heard: list[Decision] = []

    @on_decision
    def fail(decision: Decision, _: Mapping[str, Any]) -> None:
        raise LookupError("no such counter")

    @on_decision
    def listen(decision: Decision, _: Mapping[str, Any]) -> None:
        heard.append(decision)

    with caplog.at_level(logging.WARNING, logger="trustedproxy"):
        decisions = [POLICY.apply(make_environ()) for _ in range(3)]

    failed = [r for r in caplog.records if r.__dict__.get("code") == "listener-failed"]
    assert heard == decisions
    assert len(failed) == 1
    assert "no such counter" in failed[0].getMessage()


def test_what_a_listener_raises_is_shortened(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may hold a whole header of a client's."""

    @on_decision
    def listen(decision: Decision, _: Mapping[str, Any]) -> None:
        raise ValueError("x" * 5000)

    POLICY.apply(make_environ())

    failed = [r for r in caplog.records if r.__dict__.get("code") == "listener-failed"]
    assert "raised ValueError('xxx" in failed[0].getMessage()
    assert len(failed[0].getMessage()) < 500


class SilentError(Exception):
    """One that cannot say what it is, and counts how often it was asked."""

    asked = 0

    def __repr__(self) -> str:
        type(self).asked += 1
        raise RuntimeError("nothing to say")


def test_what_a_listener_raises_may_fail_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The request goes on, and the error is asked only where it is logged."""
    SilentError.asked = 0

    @on_decision
    def fail(decision: Decision, _: Mapping[str, Any]) -> None:
        raise SilentError

    for _ in range(3):
        assert POLICY.apply(make_environ()).peer_trusted

    failed = [r for r in caplog.records if r.__dict__.get("code") == "listener-failed"]
    assert [record.getMessage().split(" raised ")[1] for record in failed] == [
        "<SilentError>, which changes nothing for the request"
    ]
    assert SilentError.asked == 1


def test_listener_that_left_is_not_called() -> None:
    """One that never came may leave, too."""
    heard: list[Decision] = []

    def listen(decision: Decision, _: Mapping[str, Any]) -> None:
        heard.append(decision)

    on_decision(listen)
    events.stop_listening(listen)
    events.stop_listening(listen)
    POLICY.apply(make_environ())

    assert heard == []
