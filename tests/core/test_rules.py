"""
The compiled policy: from a connection and its headers to a decision.

In:  policies of every kind, through the pure `decide`.
Out: what the order of the rules means: the secret, the peer, the client, the others,
     what is rejected, what is removed.  The table of cases has the rules themselves.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import (
    Category,
    Connection,
    Decision,
    Form,
    Problem,
    ProxyHeader,
    ProxyPolicy,
    Reason,
)
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.parsing.lists import MAX_CHARACTERS

from .making import FOR, PROTO, PROXIES, PROXY, REAL, STRANGER

CONNECTION = Connection(PROXY, "http", "backend.internal", "backend", "8000")
SECRET_HEADER = "X-Proxy-Secret"
FIRST = "first-secret-of-two"
SECOND = "second-secret-of-two"


def decide(
    sent: dict[str, str], *, peer: str | None = PROXY, **options: Any
) -> Decision:
    """Decide a request by a policy of *options*, trusting `PROXIES`."""
    policy = ProxyPolicy(**{"headers": [FOR, PROTO], "proxies": PROXIES, **options})
    return policy.decide(replace(CONNECTION, peer=peer), sent)


def test_every_known_header_is_removed_where_nothing_stands_in_front() -> None:
    """With ``strip="all"`` and no header, none that is known passes (R1)."""
    sent = {header.name: "203.0.113.7" for header in KNOWN_HEADERS}

    decision = decide(sent, headers=[], strip="all")

    assert set(decision.removed) == set(sent)
    assert decision.problems == ()


SECRETS: dict[str, Any] = {
    "secret_header": SECRET_HEADER,
    "secrets": [FIRST, SECOND],
}


@pytest.mark.parametrize(
    ("value", "trusted"),
    [
        (FIRST, True),
        (SECOND, True),
        (f"\t{SECOND} ", True),
        (FIRST[:-1], False),
        (f"{FIRST}2", False),
        (FIRST.upper(), False),
        (f"{FIRST},{FIRST}", False),
        ("", False),
        (None, False),
        ("\ud800", False),
        (f"{FIRST}\xef", False),
    ],
)
def test_request_is_direct_without_the_secret(value: str | None, trusted: bool) -> None:
    """Any of the secrets will do; nothing else will, not even from a proxy."""
    sent = {FOR: "203.0.113.7", REAL: "6.6.6.6"}
    if value is not None:
        sent[SECRET_HEADER] = value

    anybody: dict[str, Any] = {**SECRETS, "proxies": None}
    for options in (SECRETS, anybody):
        decision = decide(sent, **options)
        assert decision.peer_trusted is trusted
        assert (decision.reason is Reason.SECRET_MISSING) is not trusted
        assert decision.client == ("203.0.113.7" if trusted else PROXY)


def test_secret_is_compared_with_every_one_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`hmac.compare_digest` sees each secret, whichever was right."""
    compared: list[str] = []

    def compare(given: str, secret: str) -> bool:
        compared.append(secret)
        return given == secret

    monkeypatch.setattr(hmac, "compare_digest", compare)

    for value in (FIRST, "wrong"):
        compared.clear()
        decide({SECRET_HEADER: value}, **SECRETS)
        assert compared == [FIRST, SECOND]


def test_missing_client_headers_are_one_problem() -> None:
    """It names the one that would win."""
    decision = decide({}, headers=[REAL, FOR])

    assert decision.problems == (Problem("missing", FOR),)


def test_custom_forwarded_is_named_so() -> None:
    """Winners and problems have the name that came."""
    own = ProxyHeader("X-Edge-Forwarded", Category.CLIENT, Form.FORWARDED)
    sent = {"X-Edge-Forwarded": 'for=203.0.113.7;proto=https;host="a/b"'}

    decision = decide(sent, headers=[own])

    assert decision.scheme == "https"
    assert set(decision.winners.values()) == {"X-Edge-Forwarded"}
    assert decision.problems == (Problem("malformed", "X-Edge-Forwarded", "a/b"),)


@pytest.mark.parametrize(
    ("connection", "names"),
    [
        (f"close, {FOR}", [FOR]),
        ("X_Forwarded_For", [FOR]),
        (f"{PROTO.lower()},\t{FOR.upper()} , {FOR}", [PROTO, FOR]),
        ("Close", []),
        ("keep-alive, te", []),
        ("", []),
        (f"{FOR}, " + "x" * MAX_CHARACTERS, []),
        ("x" * MAX_CHARACTERS + f", {FOR}", [FOR]),
    ],
)
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_known_header_named_in_connection_is_a_problem(
    connection: str, names: list[str], peer: str
) -> None:
    """A proxy may have dropped it; the value has a bound, as every list (R14)."""
    decision = decide({FOR: "203.0.113.7", "Connection": connection}, peer=peer)

    assert [p for p in decision.problems if p.code == "named-in-connection"] == [
        Problem("named-in-connection", name, connection) for name in names
    ]


MALFORMED: dict[str, Any] = {"malformed": "reject"}
MISSING: dict[str, Any] = {"missing": "reject"}


@pytest.mark.parametrize(
    ("headers", "options", "rejected"),
    [
        ({FOR: "garbage"}, MALFORMED, Problem("malformed", FOR, "garbage")),
        ({FOR: "x" * 5000}, MALFORMED, Problem("too-long", FOR, "x" * 5000)),
        (
            {FOR: "203.0.113.7", PROTO: "ftp"},
            MALFORMED,
            Problem("malformed", PROTO, "ftp"),
        ),
        ({FOR: "unknown"}, MALFORMED, None),
        ({FOR: "203.0.113.7", PROTO: ""}, MALFORMED, None),
        ({}, MALFORMED, None),
        ({FOR: "garbage, 203.0.113.7"}, MALFORMED, None),
        ({FOR: "203.0.113.7", REAL: "garbage"}, MALFORMED, None),
        ({}, MISSING, Problem("missing", FOR)),
        ({FOR: ""}, MISSING, Problem("missing", FOR)),
        ({FOR: "unknown"}, MISSING, Problem("unidentified", FOR)),
        ({FOR: "unknown, 10.0.0.8"}, MISSING, Problem("unidentified", FOR)),
        (
            {REAL: "unknown"},
            {**MISSING, "headers": [REAL, FOR]},
            Problem("unidentified", REAL),
        ),
        ({FOR: "garbage"}, MISSING, Problem("malformed", FOR, "garbage")),
        ({FOR: "203.0.113.7", PROTO: "ftp"}, MISSING, None),
        (
            {FOR: "203.0.113.7"},
            {**MISSING, "hops": 2},
            Problem("too-few-elements", FOR, "203.0.113.7"),
        ),
        (
            {"Connection": FOR, FOR: "unknown"},
            MISSING,
            Problem("unidentified", FOR),
        ),
        ({"Connection": FOR, FOR: "203.0.113.7"}, {**MISSING, **MALFORMED}, None),
    ],
)
def test_request_is_rejected_for_what_the_policy_rejects(
    headers: dict[str, str], options: dict[str, Any], rejected: Problem | None
) -> None:
    """The problem is the decision's, and in its list; no stranger is rejected."""
    decision = decide(headers, **options)

    assert decision.rejected == rejected
    assert rejected is None or rejected in decision.problems
    assert decide(headers, peer=STRANGER, **options).rejected is None
