"""
What requests with the same headers have in common is worked out once.

In:  requests that differ in their headers, and in the values alone.
Out: layouts, and what is remembered, within bounds.  That nothing of it is ever seen in
     another request is in tests/test_properties.py.
"""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import Any, Final

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.headers import environ_key
from trustedproxy.layouts import _MOST_CHARACTERS, _MOST_KEYS

from .making import make_environ

POLICY: Final = ProxyPolicy(
    headers="X-Forwarded-For X-Forwarded-Host", proxies=["10.0.0.0/8"]
)


def test_layout_is_the_same_for_the_same_headers() -> None:
    """Whatever their values are, and in which order they come."""
    rules = ProxyPolicy(headers="X-Forwarded-For", proxies=["10.0.0.0/8"]).rules
    one = make_environ({"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "x"})
    other = make_environ({"X-Real-IP": "", "X-Forwarded-For": "198.51.100.1"})
    third = make_environ({"X-Forwarded-For": "203.0.113.7"})

    layout = rules.layouts[tuple(one)]

    assert rules.layouts[tuple(reversed(one))] is layout
    assert rules.layouts[tuple(other)] is layout
    assert rules.layouts[tuple(third)] is not layout
    assert [key for key, _ in layout.client] == ["HTTP_X_FORWARDED_FOR"]


def test_layouts_are_bounded() -> None:
    """Whoever sends every combination of headers fills no memory."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies=["10.0.0.0/8"])
    names = [environ_key(header.name) for header in policy.known_headers]
    count = 0
    for three in combinations(names[:25], 3):
        policy.apply({**make_environ(), **dict.fromkeys(three, "203.0.113.7")})
        count += 1

    assert count > 2 * 1024
    assert len(policy.rules.layouts) <= 1024
    assert len(policy.rules.layouts._by_came) <= 1024
    assert len(policy.rules._remembered) <= 1024


ENVIRON: Final = make_environ({"X-Forwarded-For": "203.0.113.7"})
MANY: Final = [f"HTTP_{n}" for n in range(_MOST_KEYS - len(ENVIRON))]
LONG: Final = "A" * (_MOST_CHARACTERS - sum(map(len, ENVIRON)))


@pytest.mark.parametrize(
    ("more", "is_remembered"),
    [
        ([], True),
        (MANY, True),
        ([*MANY, "HTTP_A"], False),
        ([LONG], True),
        ([LONG + "A"], False),
        # No server's, and a wrapper's at the most.
        ([1], False),
        ([None, ("a", "b")], False),
    ],
    ids=["usual", "many", "one more", "long", "longer", "number", "others"],
)
def test_keys_are_remembered_within_bounds(
    more: list[Any], is_remembered: bool
) -> None:
    """What a request is asked for by is the same, whatever else it has."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies=["10.0.0.0/8"])

    decision = policy.apply({**ENVIRON, **dict.fromkeys(more, "x")})

    assert decision.client == "203.0.113.7"
    assert bool(policy.rules.layouts) is is_remembered


def test_decision_is_the_same_whoever_asks() -> None:
    """What a server says besides the headers is no part of what came."""
    environ = make_environ({"X-Real-IP": "6.6.6.6"}, peer="192.0.2.1")
    connection = POLICY.read_connection(environ)

    by_hand = POLICY.decide(connection, {"X-Real-IP": "6.6.6.6"})

    decision = POLICY.apply(environ)
    assert decision.came == by_hand.came == {"HTTP_X_REAL_IP"}
    assert dataclasses.replace(decision, original={}) == by_hand


@pytest.mark.parametrize(
    ("host", "is_remembered"),
    [("a.example", True), ("a" * 600, False), ("a b", False), ("a b" * 300, False)],
    ids=["usual", "long", "malformed", "both"],
)
def test_only_what_proxies_send_is_remembered(host: str, is_remembered: bool) -> None:
    """Long and malformed values are whoever sends them's to choose."""
    policy = ProxyPolicy(headers="X-Forwarded-Host", proxies=["10.0.0.0/8"])

    for _ in range(2):
        policy.apply(make_environ({"X-Forwarded-Host": host}))

    assert bool(policy.rules._remembered) is is_remembered


def test_header_without_a_value_is_logged_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The advice for an own proxy that is not in the list reads every header."""
    sent = {"X-Forwarded-Host": "app.example"}
    environ = make_environ(sent, peer="192.168.0.1")

    POLICY.apply({**environ, environ_key("X-Forwarded-For"): None})

    [record] = caplog.records
    assert "TRUSTED_PROXIES" in record.getMessage()


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Host", "Connection"])
def test_header_without_a_value_is_none(name: str) -> None:
    """A wrapper may leave ``None`` where a server leaves nothing."""
    environ = {**make_environ(), environ_key(name): None}

    decision = POLICY.apply(environ)

    assert decision.client is None
    assert {problem.code for problem in decision.problems} == {"missing"}
