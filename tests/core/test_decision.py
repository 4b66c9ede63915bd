"""
Connection, Decision, Reason, Problem: the records that everybody reads.

In:  requests, decided.
Out: what a decision says, in every form in which it can be passed on.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from operator import mod
from typing import Any

import pytest

from trustedproxy import (
    DECISION_KEY,
    Category,
    Connection,
    Decision,
    Problem,
    ProxyPolicy,
    Reason,
    get_decision,
)
from trustedproxy.decision import CODES, REPORT_KEY

from .making import (
    ATTRIBUTES,
    FOR,
    HOST,
    PORT,
    PROTO,
    PROXIES,
    PROXY,
    REAL,
    SCRIPT,
    SERVER,
    STRANGER,
    make_environ,
    make_scope,
    show,
)

POLICY = ProxyPolicy(
    headers=[FOR, PROTO, HOST, SERVER, PORT, SCRIPT], proxies=[*PROXIES, "unix"]
)
CONNECTION = Connection(PROXY, "http", "backend:8000", "backend", "8000", "/own", "/x")
SENT = {
    FOR: "6.6.6.6, 203.0.113.7:4711",
    PROTO: "https",
    HOST: "app.example",
    SERVER: "app.example",
    PORT: "443",
    SCRIPT: "/app",
    REAL: "6.6.6.6",
}


#: What is decided: headers, peer, and what the policy has besides.
KINDS: dict[str, tuple[dict[str, str], str, dict[str, Any]]] = {
    "of a proxy": (SENT, PROXY, {}),
    "of a stranger": (SENT, STRANGER, {}),
    "without a header": ({}, PROXY, {}),
    "of a unix peer": ({PROTO: "https"}, "", {"proxies": ["unix"]}),
    "with problems": ({**SENT, FOR: "garbage", PORT: "0"}, PROXY, {}),
    "rejected": ({FOR: "garbage"}, PROXY, {"malformed": "reject"}),
    "in a list": ({FOR: "203.0.113.7, 10.0.0.8", PROTO: "a, b"}, PROXY, {}),
    "of Forwarded": ({"Forwarded": "for=203.0.113.7"}, PROXY, {"headers": "Forwarded"}),
}


def make_decision(kind: str, times: int = 1) -> Decision:
    """Make the decision about a request of one kind, which came *times* times."""
    headers, peer, options = KINDS[kind]
    keywords: dict[str, Any] = {"headers": list(SENT)[:-1], "proxies": PROXIES}
    policy = ProxyPolicy(**keywords | options)
    *_, decision = [
        policy.apply(make_environ(headers, peer=peer)) for _ in range(times)
    ]
    return decision


# -- what it says ----------------------------------------------------------------------


def test_decision_says_what_a_request_of_a_proxy_is() -> None:
    """Every attribute, where every category has a trusted header."""
    assert show(POLICY.decide(CONNECTION, SENT)) == {
        "peer": PROXY,
        "peer_trusted": True,
        "client": "203.0.113.7",
        "client_known": True,
        "client_port": 4711,
        "address": "203.0.113.7",
        "scheme": "https",
        "host": "app.example",
        "server": "app.example",
        "port": "443",
        "mount_point": "/app",
        "reason": Reason.FIRST_UNTRUSTED_HOP,
        "winners": {
            Category.CLIENT: FOR,
            Category.SCHEME: PROTO,
            Category.HOST: HOST,
            Category.SERVER: SERVER,
            Category.PORT: PORT,
            Category.MOUNT_POINT: SCRIPT,
        },
        "removed": (REAL,),
        "rewritten": {FOR: "203.0.113.7:4711"},
        "problems": (),
        "rejected": None,
        # Nothing is written, so that nothing is replaced.
        "original": {},
    }


def test_decision_of_a_direct_request_is_the_connection() -> None:
    """The client is the peer, and everything is as the server said."""
    connection = dataclasses.replace(CONNECTION, peer="2001:DB8::7")

    assert show(POLICY.decide(connection, SENT)) == {
        "peer": "2001:DB8::7",
        "peer_trusted": False,
        "client": "2001:db8::7",
        "client_known": True,
        "client_port": None,
        "address": "2001:DB8::7",
        "scheme": "http",
        "host": "backend:8000",
        "server": "backend",
        "port": "8000",
        "mount_point": "/own",
        "reason": Reason.PEER_NOT_TRUSTED,
        "winners": {},
        "removed": tuple(sorted(SENT)),
        "rewritten": {},
        "problems": (),
        "rejected": None,
        "original": {},
    }


@pytest.mark.parametrize(
    ("options", "peer", "headers"),
    [
        ({}, PROXY, {}),
        ({}, "", {}),
        ({}, PROXY, {FOR: "unknown"}),
        ({"proxies": []}, "", SENT),
        ({"missing": "reject"}, PROXY, {}),
        ({"proxies": "*", "headers": [PROTO]}, STRANGER, {}),
    ],
)
def test_client_is_unknown_where_nobody_confirms_one(
    options: dict[str, Any], peer: str, headers: dict[str, str]
) -> None:
    """A trusted peer that names nobody, a unix peer, a rejection."""
    policy = ProxyPolicy(**{"headers": [FOR], "proxies": [*PROXIES, "unix"], **options})

    decision = policy.decide(Connection(peer), headers)

    assert (decision.client, decision.client_known) == (None, False)
    assert (decision.address, decision.client_port) == (peer, None)


def test_client_of_a_unix_socket_is_unknown_whatever_it_is_called() -> None:
    """A client of a unix socket may choose a name that reads like an address."""
    for peer in ("127.0.0.1", "10.0.0.1", STRANGER):
        connection = Connection(peer, peer_is_unix=True)
        decision = ProxyPolicy(headers=[FOR], proxies=PROXIES).decide(connection, SENT)

        assert decision.reason is Reason.PEER_NOT_TRUSTED
        assert (decision.client, decision.address) == (None, peer)


def test_address_is_the_last_that_was_confirmed() -> None:
    """Where the walk ends at nobody, the hop before it is the address (R11)."""
    decision = POLICY.decide(CONNECTION, {FOR: "unknown, 10.0.0.8:4711"})

    assert decision.client is None
    assert (decision.address, decision.client_port) == ("10.0.0.8", 4711)


@pytest.mark.parametrize("peer", ["", "@app", "unix:/run/x", "0.0.0.0", None])
def test_address_is_what_is_there_to_the_letter(peer: str | None) -> None:
    """For a unix peer too, trusted or not, in an environ and in a scope."""
    for proxies in (["unix"], []):
        policy = ProxyPolicy(headers=[FOR], proxies=proxies)
        environ = make_environ(peer=peer, SERVER_NAME="/run/app.sock")
        scope = make_scope(client=(peer, 0), server=("/run/app.sock", None))

        decision = policy.apply(environ)
        decided, new = policy.apply_scope(scope)

        assert decision.peer_trusted is decided.peer_trusted is bool(proxies)
        assert decision.address == environ.get("REMOTE_ADDR") == peer
        assert decided.address == new["client"][0] == peer


def test_rejected_request_was_a_proxys_and_says_why() -> None:
    """It keeps the connection's own values, and loses its headers."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES, malformed="reject")

    decision = policy.decide(CONNECTION, {FOR: "garbage", PROTO: "https"})

    assert decision.rejected == Problem("malformed", FOR, "garbage")
    assert decision.problems == (decision.rejected,)
    assert decision.peer_trusted
    assert (decision.scheme, decision.winners) == ("http", {})
    assert decision.removed == (FOR, PROTO)


def test_port_of_a_connection_is_text_or_nothing() -> None:
    """Hypercorn's WSGI mode gives a number."""
    number: Any = 8000

    for port, expected in [(number, "8000"), ("8000", "8000"), (None, None)]:
        connection = dataclasses.replace(CONNECTION, port=port)
        assert POLICY.decide(connection, {}).port == expected


# -- a plain record --------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_decision_is_shown_with_everything_it_says(kind: str) -> None:
    """`repr`, `str` and formatting have each attribute by its name."""
    decision = make_decision(kind)

    shown = repr(decision)

    assert shown == str(decision) == f"{decision}" == mod("%s", decision)
    both = mod("decided: %s, %r", (decision, decision))
    assert both == f"decided: {shown}, {shown}"
    assert shown.startswith("Decision(peer=")
    for name, value in decision.as_dict().items():
        assert f"{name}={value!r}" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_decision_is_said_in_plain_values(kind: str) -> None:
    """Everything that it says, and JSON can hold it."""
    decision = make_decision(kind)

    plain = decision.as_dict()

    assert tuple(plain) == ATTRIBUTES
    assert json.loads(json.dumps(plain)) == plain
    assert plain["reason"] == decision.reason.name
    assert plain["winners"] == {str(k): v for k, v in decision.winners.items()}
    assert plain["removed"] == list(decision.removed)
    assert [problem["code"] for problem in plain["problems"]] == [
        problem.code for problem in decision.problems
    ]
    assert (plain["rejected"] is None) is (decision.rejected is None)
    for name in ("peer", "client", "address", "scheme", "host", "port", "mount_point"):
        assert plain[name] == getattr(decision, name)


def test_decision_says_the_originals_of_a_scope_in_plain_values() -> None:
    """Lists for tuples, text for bytes, and `repr` for what JSON does not have."""
    decision, _ = POLICY.apply_scope(
        make_scope([(k.lower(), v) for k, v in SENT.items()])
    )
    decision.original["odd"] = {1}

    original = decision.as_dict()["original"]

    assert original["client"] == [PROXY, 50000]
    assert original["server"] == ["127.0.0.1", 8000]
    assert original["raw_path"] == "/x"
    assert original["odd"] == "{1}"
    assert json.loads(json.dumps(original)) == original


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda decision: pickle.loads(pickle.dumps(decision))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_decision_can_be_copied_and_pickled(kind: str, again: Any) -> None:
    """A decision may go into a queue, a cache or a log of another process."""
    decision = make_decision(kind)

    other = again(decision)

    assert type(other) is Decision
    assert other == decision
    assert show(other) == show(decision)


@pytest.mark.parametrize("kind", KINDS)
def test_decision_has_every_field(kind: str) -> None:
    """The rules fill each of them; a constructor would, and takes longer."""
    decision = make_decision(kind)

    said = {
        each.name: getattr(decision, each.name) for each in dataclasses.fields(decision)
    }

    assert Decision(**said) == decision


def test_decisions_are_equal_where_they_say_the_same() -> None:
    """Deciding is pure, so deciding twice agrees."""
    one, two = POLICY.decide(CONNECTION, SENT), POLICY.decide(CONNECTION, SENT)
    other = POLICY.decide(dataclasses.replace(CONNECTION, peer=STRANGER), SENT)

    assert one == two
    assert one != other
    unlike: Any = show(one)
    assert one != unlike


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("surface", ["decide", "apply", "apply_scope"])
def test_decisions_share_nothing_that_can_be_changed(surface: str, kind: str) -> None:
    """Whoever writes into one writes into no other, whatever is remembered between."""
    headers, peer, options = KINDS[kind]
    keywords: dict[str, Any] = {"headers": list(SENT)[:-1], "proxies": PROXIES}
    policy = ProxyPolicy(**keywords | options)
    connection = Connection(peer)
    lines = [(name.lower(), value) for name, value in headers.items()]

    def decide() -> Decision:
        if surface == "decide":
            return policy.decide(connection, headers)
        if surface == "apply":
            return policy.apply(make_environ(headers, peer=peer))
        return policy.apply_scope(make_scope(lines, peer=peer))[0]

    one, two, three = decide(), decide(), decide()

    parts = [
        {id(part) for part in list_changeable(each)}
        for each in (one, two, three, connection)
    ]
    assert all(parts) and sum(map(len, parts)) == len(set().union(*parts))
    assert one == two == three
    before = show(three)
    one.original["x"] = one.winners[Category.HOST] = two.rewritten["x"] = "y"
    assert show(three) == before


def list_changeable(value: Any) -> list[Any]:
    """List the parts of a record, in every depth, that somebody could write into."""
    parts: list[Any] = []
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if not value.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # dataclasses do not say that they have it
            parts.append(value)
        inside = [getattr(value, each.name) for each in dataclasses.fields(value)]
    elif isinstance(value, (dict, list, set)):
        parts.append(value)
        inside = list(value.values()) if isinstance(value, dict) else list(value)
    elif isinstance(value, (tuple, frozenset)):
        inside = list(value)
    else:
        inside = []
    for part in inside:
        parts += list_changeable(part)
    return parts


def test_decision_has_no_other_attributes() -> None:
    """What is misspelled is an error, and no attribute that nobody reads."""
    decision: Any = POLICY.decide(CONNECTION, SENT)

    with pytest.raises(AttributeError):
        decision.clinet = "203.0.113.9"
    with pytest.raises(TypeError, match="not subscriptable"):
        decision[0]


# -- where it is found -----------------------------------------------------------------


def test_decision_is_found_in_an_environ_and_in_a_scope() -> None:
    """By one function, under the key that is public."""
    environ, scope = make_environ(SENT), make_scope()

    decision = POLICY.apply(environ)
    decided, new = POLICY.apply_scope(scope)

    assert get_decision(environ) is environ[DECISION_KEY] is decision
    assert get_decision(new) is new[DECISION_KEY] is decided
    assert get_decision(scope) is None


def test_report_is_not_taken_for_a_decision() -> None:
    """In report-only mode nothing was decided: the report has a key of its own."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=True)
    environ = make_environ(SENT)

    report = policy.apply(environ)
    _, new = policy.apply_scope(make_scope())

    assert get_decision(environ) is None
    assert environ[REPORT_KEY] is report
    assert get_decision(new) is None
    assert isinstance(new[REPORT_KEY], Decision)


# -- the other records -----------------------------------------------------------------


def test_connection_has_the_defaults_of_a_plain_request() -> None:
    """Whoever asks by hand names only what matters."""
    assert Connection() == Connection(
        peer=None,
        scheme="http",
        host=None,
        server=None,
        port=None,
        mount_point="",
        path="/",
        peer_is_unix=None,
    )


def test_reason_reads_as_a_clause() -> None:
    """Every reason is text that can end a sentence, and no two are the same."""
    assert len({str(reason) for reason in Reason}) == len(Reason)
    for reason in Reason:
        assert str(reason)[0].islower() and not str(reason).endswith(".")


def test_code_has_a_meaning() -> None:
    """Codes are stable words; each has a clause that says what it means."""
    for code, meaning in CODES.items():
        assert code == code.lower() and " " not in code
        assert meaning and not meaning.endswith(".")


def test_url_parts_give_what_was_said() -> None:
    """A part that nothing said is none, and the connection's own value holds."""
    parts = POLICY.decide(CONNECTION, {PROTO: "https", PORT: "443"}).url_parts

    assert (parts.get("scheme"), parts.get("port")) == ("https", "443")
    assert parts.get("host") is None
