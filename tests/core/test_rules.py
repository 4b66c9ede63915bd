"""
The compiled policy: from a connection and its headers to a decision.

In:  policies of every kind, through the pure `decide`.
Out: what the order of the rules means: the secret, the peer, the client, the others,
what is removed, what is refused.  The table of cases has the rules themselves.
"""

from __future__ import annotations

import hmac
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

from .making import FOR, FORWARDED, HOST, PROTO, PROXIES, PROXY, REAL, STRANGER

CONNECTION = Connection(PROXY, "http", "backend.internal", "backend", "8000")
SECRET_HEADER = "X-Proxy-Secret"


def decide(
    sent: dict[str, str], *, peer: str | None = PROXY, **options: Any
) -> Decision:
    """Decide a request by a policy of *options*, trusting `PROXIES`."""
    policy = ProxyPolicy(**{"headers": [FOR, PROTO], "proxies": PROXIES, **options})
    return policy.decide(CONNECTION._replace(peer=peer), sent)


def test_nothing_is_believed_where_nothing_is_listed() -> None:
    """Without a header, the request passes untouched (R1)."""
    decision = decide({FOR: "203.0.113.7", REAL: "203.0.113.7"}, headers=[])

    assert decision.reason is Reason.NO_TRUSTED_HEADERS
    assert (decision.client, decision.removed) == (PROXY, ())


def test_every_known_header_is_removed_where_nothing_stands_in_front() -> None:
    """With ``strip="all"`` and no header, none that is known passes (R1)."""
    sent = {header.name: "203.0.113.7" for header in KNOWN_HEADERS}

    decision = decide(sent, headers=[], strip="all")

    assert set(decision.removed) == set(sent)
    assert decision.problems == ()


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_only_opted_in_categories_lose_headers(peer: str) -> None:
    """What the policy does not list passes, unless all is to go (R2)."""
    sent = {HOST: "a.example", REAL: "6.6.6.6", "X-Original-URL": "/admin"}

    assert decide(sent, peer=peer).removed == (REAL,)
    assert set(decide(sent, peer=peer, strip="all").removed) == set(sent)


SECRETS: dict[str, Any] = {
    "secret_header": SECRET_HEADER,
    "secrets": ["first-secret", "second-secret"],
}


@pytest.mark.parametrize(
    ("value", "peer_trusted"),
    [
        ("first-secret", True),
        ("second-secret", True),
        ("\tsecond-secret ", True),
        ("first-secre", False),
        ("first-secret2", False),
        ("FIRST-SECRET", False),
        ("first-secret,first-secret", False),
        ("", False),
        (None, False),
        ("\ud800", False),
        ("f\xefrst-secret", False),
    ],
)
def test_request_is_direct_without_the_secret(
    value: str | None, peer_trusted: bool
) -> None:
    """Any of the secrets will do; nothing else will, not even from a proxy."""
    sent = {FOR: "203.0.113.7", REAL: "6.6.6.6"}
    if value is not None:
        sent[SECRET_HEADER] = value

    for options in (SECRETS, {**SECRETS, "proxies": None}):
        decision = decide(sent, **options)
        assert decision.peer_trusted is trusted
        assert (decision.reason is Reason.SECRET_MISSING) is not trusted
        assert decision.client == ("203.0.113.7" if trusted else PROXY)


def test_secret_does_not_make_a_stranger_a_proxy() -> None:
    """With a list of proxies too, the peer must be in it."""
    sent = {FOR: "203.0.113.7", SECRET_HEADER: "first-secret"}

    decision = decide(sent, peer=STRANGER, **SECRETS)

    assert decision.reason is Reason.PEER_NOT_TRUSTED


def test_secret_is_compared_with_every_one_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`hmac.compare_digest` sees each secret, whichever was right."""
    compared: list[bytes] = []

    def compare(given: bytes, secret: bytes) -> bool:
        compared.append(secret)
        return given == secret

    monkeypatch.setattr(hmac, "compare_digest", compare)

    for value in ("first-secret", "wrong"):
        compared.clear()
        decide({SECRET_HEADER: value}, **SECRETS)
        assert compared == [b"first-secret", b"second-secret"]


@pytest.mark.parametrize(
    ("headers", "client", "winner", "removed"),
    [
        # Of two that identify the client, the last listed one wins.
        ({REAL: "203.0.113.7", FOR: "203.0.113.8"}, "203.0.113.8", FOR, {REAL}),
        # One that identifies beats one that does not, and a malformed one.
        ({REAL: "203.0.113.7", FOR: "unknown"}, "203.0.113.7", REAL, {FOR}),
        ({REAL: "203.0.113.7", FOR: "garbage"}, "203.0.113.7", REAL, {FOR}),
        ({REAL: "203.0.113.7", FOR: " ,"}, "203.0.113.7", REAL, {FOR}),
        # A well-formed one beats a malformed one; of the malformed, one that vouches.
        ({REAL: "unknown", FOR: "garbage"}, None, None, {REAL, FOR}),
        ({REAL: "garbage", FOR: "garbage, 10.0.0.8"}, None, FOR, {REAL}),
        ({REAL: "garbage", FOR: "garbage"}, None, None, {REAL, FOR}),
    ],
)
def test_best_of_several_client_headers_counts(
    headers: dict[str, str], client: str | None, winner: str | None, removed: set[str]
) -> None:
    """The order of the policy decides among equals (R5)."""
    decision = decide(headers, headers=[REAL, FOR])

    assert decision.client == client
    assert decision.winners.get(Category.CLIENT) == winner
    assert set(decision.removed) == removed


@pytest.mark.parametrize("order", [1, -1])
def test_well_formed_list_that_names_nobody_beats_a_malformed_one(order: int) -> None:
    """The address is the last that the better one confirms, in either order."""
    other = "X-Original-Forwarded-For"
    sent = {FOR: "garbage, 10.0.0.8", other: "unknown, 10.0.0.9"}

    decision = decide(sent, headers=[FOR, other][::order])

    assert (decision.client, decision.address) == (None, "10.0.0.9")
    assert decision.removed == (FOR,)


def test_missing_client_headers_are_one_problem() -> None:
    """It names the one that would win."""
    decision = decide({}, headers=[REAL, FOR])

    assert decision.problems == (Problem("missing", FOR),)


def test_header_of_ones_own_is_read_and_removed_as_known_ones_are() -> None:
    """Its category is opted in, its synonyms go, and it goes from strangers."""
    own = ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS)
    sent = {"x-edge-client": "203.0.113.7", FOR: "6.6.6.6"}

    decision = decide(sent, headers=[own])
    direct = decide(sent, headers=[own], peer=STRANGER)

    assert (decision.client, decision.removed) == ("203.0.113.7", (FOR,))
    assert set(direct.removed) == {FOR, "X-Edge-Client"}


def test_forwarded_of_ones_own_name_is_named_so() -> None:
    """Winners and problems have the name that came."""
    own = ProxyHeader("X-Edge-Forwarded", Category.CLIENT, Form.FORWARDED)
    sent = {"X-Edge-Forwarded": 'for=203.0.113.7;proto=https;host="a/b"'}

    decision = decide(sent, headers=[own])

    assert decision.scheme == "https"
    assert set(decision.winners.values()) == {"X-Edge-Forwarded"}
    assert decision.problems == (Problem("malformed", "X-Edge-Forwarded", "a/b"),)


def test_client_without_a_listed_header_is_unknown() -> None:
    """A trusted peer says nothing of the client: no header may."""
    decision = decide({PROTO: "http, https"}, headers=[PROTO])

    assert decision.reason is Reason.NO_CLIENT_HEADER
    assert (decision.client, decision.scheme) == (None, "https")
    assert decision.problems == ()


@pytest.mark.parametrize(
    ("hops", "proxies", "scheme"),
    [(None, PROXIES, "https"), (2, PROXIES, "http"), (None, None, "http")],
)
def test_other_lists_are_read_where_no_client_was_found(
    hops: int | None, proxies: Any, scheme: str
) -> None:
    """By the peer's own element, by the count, or from the left (R9)."""
    decision = decide({PROTO: "http, https"}, hops=hops, proxies=proxies)

    assert decision.scheme == scheme
    assert decision.problems == (Problem("missing", FOR),)


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


def test_connection_is_not_read_where_nothing_is_listed() -> None:
    """Then nothing can have been stripped that would have been used."""
    assert decide({"Connection": f"close, {FOR}"}, headers=[]).problems == ()


REJECT: dict[str, Any] = {"malformed": "reject"}
REFUSE: dict[str, Any] = {"missing": "reject"}


@pytest.mark.parametrize(
    ("headers", "options", "rejected"),
    [
        ({FOR: "garbage"}, REJECT, Problem("malformed", FOR, "garbage")),
        ({FOR: "x" * 5000}, REJECT, Problem("too-long", FOR, "x" * 5000)),
        (
            {FOR: "203.0.113.7", PROTO: "ftp"},
            REJECT,
            Problem("malformed", PROTO, "ftp"),
        ),
        ({FOR: "unknown"}, REJECT, None),
        ({FOR: "203.0.113.7", PROTO: ""}, REJECT, None),
        ({}, REJECT, None),
        ({FOR: "garbage, 203.0.113.7"}, REJECT, None),
        ({FOR: "203.0.113.7", REAL: "garbage"}, REJECT, None),
        ({}, REFUSE, Problem("missing", FOR)),
        ({FOR: ""}, REFUSE, Problem("missing", FOR)),
        ({FOR: "unknown"}, REFUSE, Problem("unidentified", FOR)),
        ({FOR: "unknown, 10.0.0.8"}, REFUSE, Problem("unidentified", FOR)),
        ({FOR: "garbage"}, REFUSE, Problem("malformed", FOR, "garbage")),
        ({FOR: "203.0.113.7", PROTO: "ftp"}, REFUSE, None),
        (
            {FOR: "203.0.113.7"},
            {**REFUSE, "hops": 2},
            Problem("too-few-elements", FOR, "203.0.113.7"),
        ),
        (
            {"Connection": FOR, FOR: "unknown"},
            REFUSE,
            Problem("unidentified", FOR),
        ),
        ({"Connection": FOR, FOR: "203.0.113.7"}, {**REFUSE, **REJECT}, None),
    ],
)
def test_request_is_refused_for_what_the_policy_refuses(
    headers: dict[str, str], options: dict[str, Any], rejected: Problem | None
) -> None:
    """The problem is the decision's, and in its list; strangers are not refused."""
    decision = decide(headers, **options)

    assert decision.rejected == rejected
    assert rejected is None or rejected in decision.problems
    assert decide(headers, peer=STRANGER, **options).rejected is None


def test_forwarded_opts_in_three_categories() -> None:
    """Client, scheme and host at once; other categories pass."""
    sent = {
        FORWARDED: "for=203.0.113.7;proto=https;host=a.example",
        FOR: "6.6.6.6",
        PROTO: "http",
        HOST: "evil.example",
        "X-Forwarded-Port": "1",
    }

    decision = decide(sent, headers=[FORWARDED])

    assert (decision.client, decision.scheme) == ("203.0.113.7", "https")
    assert decision.host == "a.example"
    assert decision.removed == (FOR, PROTO, HOST)


def test_forwarded_that_names_nobody_still_names_scheme_and_host() -> None:
    """The header is removed where no element became the address (R11, R12)."""
    decision = decide(
        {FORWARDED: "for=unknown;proto=https;host=a.example"}, headers=[FORWARDED]
    )

    assert (decision.client, decision.address) == (None, PROXY)
    assert (decision.scheme, decision.host) == ("https", "a.example")
    assert decision.removed == (FORWARDED,)
    assert Category.CLIENT not in decision.winners
    assert decision.winners[Category.SCHEME] == FORWARDED
