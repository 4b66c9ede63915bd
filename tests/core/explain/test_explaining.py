"""
All steps together, and their shape as JSON.

In:  requests and settings.
Out: `Explanation`, and dictionaries that `json.dumps` takes.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from trustedproxy.explain import explain, explain_environ
from trustedproxy.headers import KNOWN_HEADERS

from ..making import make_environ
from .making import CONNECTION, PEER, STRANGER, explain_sent, make_policy, make_settings


def test_outcome_of_a_request() -> None:
    """Who the client is, and why."""
    outcome = explain_sent({"X-Forwarded-For": "203.0.113.7"}).outcome

    assert (outcome.client, outcome.client_known) == ("203.0.113.7", True)
    assert (outcome.address, outcome.reason) == ("203.0.113.7", "FIRST_UNTRUSTED_HOP")
    assert not outcome.rejected


def test_stated_fact_of_a_trusted_peer_holds() -> None:
    """It is called stated, since no header says it (R21)."""
    explanation = explain_sent({}, fixed_scheme="https", fixed_host="app.example")

    assert [(s.setting, s.value) for s in explanation.stated] == [
        ("TRUSTED_PROXY_FIXED_SCHEME", "https"),
        ("TRUSTED_PROXY_FIXED_HOST", "app.example"),
    ]
    assert explanation.stated[0].sentence == (
        "'https' is stated as the scheme, and holds, since the peer is trusted."
    )


def test_policy_that_changes_nothing_says_so() -> None:
    """Nobody has to conclude it from what is missing."""
    explanation = explain(make_policy(headers=[], proxies=None), CONNECTION, {})

    assert explanation.notes == (
        "This policy changes nothing: no header is listed, and none is removed.",
    )


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"https_only": True},
        {"https_only": True, "malformed": "reject"},
        {"fixed_port": 8443, "report_only": True},
        {"mount_points": {"/a": "http://127.0.0.1:8001/"}},
    ],
)
def test_dictionary_is_what_json_takes(more: dict[str, Any]) -> None:
    """Every part is plain, and says what the record does."""
    explanation = explain_sent(
        {"X-Forwarded-For": "6.6.6.6, garbage", "Host": "a", "X-Forwarded-Proto": "x"},
        settings=make_settings(**more),
    )

    plain = explanation.as_dict()

    assert json.loads(json.dumps(plain)) == plain
    assert plain["peer"]["trusted"] is True
    assert plain["headers"][0]["name"] == "X-Forwarded-For"
    assert [v["changed"] for v in plain["variables"]] == [
        v.changed for v in explanation.variables
    ]


def test_explanation_changes_nothing_and_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is asked for beside real requests."""
    environ = make_environ({"X-Forwarded-For": "garbage"}, peer="172.18.0.1")
    before = dict(environ)
    caplog.set_level("DEBUG")

    explain_environ(make_policy(malformed="reject"), environ)

    assert environ == before
    assert caplog.records == []


@pytest.mark.parametrize("proxies", [["10.0.0.0/8"], "*"])
@pytest.mark.parametrize("peer", [PEER, STRANGER])
def test_cost_is_linear_in_the_request(proxies: Any, peer: str) -> None:
    """Ten times as much takes no more than some thirty times as long."""
    policy = make_policy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
        proxies=proxies,
    )

    def measure(size: int) -> float:
        value = "10.0.0.6, " * size
        sent = {header.name: value for header in KNOWN_HEADERS}
        sent |= {f"X-Other-{i}": value[:50] for i in range(size)}
        connection = CONNECTION
        connection = type(connection)(peer, "http", value, "a", "1", "", "/" + value)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            explain(policy, connection, sent)
            times.append(time.perf_counter() - start)
        return min(times)

    measure(10)

    assert measure(3000) < 30 * measure(300)
