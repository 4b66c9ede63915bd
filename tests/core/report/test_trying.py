"""
The request that somebody describes in the box.

In:  fields of the form.
Out: a request, and the fields of one that came.
"""

from __future__ import annotations

import pytest

from trustedproxy.explain import explain_request
from trustedproxy.explain.masks import HIDDEN
from trustedproxy.report.trying import RequestError, describe_fields, read_request

from .making import explain, make_settings

KEY = "hush-hush-hush-hush"


def test_request_that_came_is_described_and_read_again() -> None:
    """What the form says at first is the request itself."""
    policy = make_settings().policy
    explanation = explain("X-Forwarded-For: 203.0.113.7", "Host: app.example")

    fields = describe_fields(explanation)
    request = read_request(policy, fields)

    assert fields["headers"] == "X-Forwarded-For: 203.0.113.7\nHost: app.example"
    assert request.headers == {
        "X-Forwarded-For": "203.0.113.7",
        "Host": "app.example",
    }
    assert request.connection.peer == "10.0.0.5"
    assert request.connection.path == "/a"
    assert request.where == "the box of this page"


def test_path_outside_of_ascii_is_described_and_read_again() -> None:
    """People see text, and the request has what a server would give."""
    policy = make_settings().policy
    typed = {"path": "/\u20ac", "mount_point": "/ü"}

    request = read_request(policy, typed)
    shown = describe_fields(explain_request(make_settings(), request))

    assert request.connection.path == "/â\x82¬"
    assert {name: shown[name] for name in typed} == typed
    assert read_request(policy, shown).connection == request.connection


def test_value_of_several_lines_stays_on_one() -> None:
    """No value can write another header into the form."""
    explanation = explain("X-Forwarded-For: a\nX-Real-IP: b")

    assert describe_fields(explanation)["headers"] == "X-Forwarded-For: a X-Real-IP: b"


def test_empty_peer_is_a_unix_socket() -> None:
    """As the servers have it."""
    request = read_request(make_settings().policy, {"peer": " ", "headers": ""})

    assert request.connection.peer == ""
    assert request.connection.scheme == "http"


def test_secret_that_is_not_shown_is_the_right_one() -> None:
    """Who changes another header need not know the secret."""
    policy = make_settings(secret_header="X-Secret", secrets=[KEY], proxies="*").policy

    kept = read_request(policy, {"headers": f"x-secret: {HIDDEN}"})
    changed = read_request(policy, {"headers": "X-Secret: other"})

    assert kept.headers == {"x-secret": KEY}
    assert changed.headers == {"X-Secret": "other"}


def test_line_that_is_no_header_is_named() -> None:
    """The form says which line it cannot read."""
    with pytest.raises(RequestError, match="the line 'nonsense'"):
        read_request(make_settings().policy, {"headers": "A: b\n\nnonsense"})
