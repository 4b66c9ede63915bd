"""
Connection, Decision, Reason, Problem: the records that everybody reads.

In:  requests, decided.
Out: what a decision says, and that nobody can make it say something else.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from trustedproxy import (
    Category,
    Connection,
    Decision,
    Problem,
    ProxyPolicy,
    Reason,
)
from trustedproxy.decision import CODES, NOTHING

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


def test_decision_says_what_a_believed_request_is() -> None:
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
        "original": {"x-forwarded-for": SENT[FOR], "x-real-ip": "6.6.6.6"},
    }


def test_decision_of_a_direct_request_is_the_connection() -> None:
    """The client is the peer, and everything is as the server said."""
    decision = POLICY.decide(CONNECTION._replace(peer="2001:DB8::7", port="80"), SENT)

    assert show(decision) == {
        "peer": "2001:DB8::7",
        "peer_trusted": False,
        "client": "2001:db8::7",
        "client_known": True,
        "client_port": None,
        "address": "2001:DB8::7",
        "scheme": "http",
        "host": "backend:8000",
        "server": "backend",
        "port": "80",
        "mount_point": "/own",
        "reason": Reason.PEER_NOT_TRUSTED,
        "winners": {},
        # In the table's order.
        "removed": tuple(
            header.name for header in POLICY.known_headers if header.name in SENT
        ),
        "rewritten": {},
        "problems": (),
        "rejected": None,
        "original": {name.lower(): value for name, value in SENT.items()},
    }


def test_client_is_unknown_where_nobody_vouches_for_one() -> None:
    """A trusted peer that names nobody, a unix peer of a direct request, a refusal."""
    direct = ProxyPolicy(headers=[FOR], proxies=[])
    refusing = ProxyPolicy(headers=[FOR], proxies=PROXIES, missing="reject")
    unix = CONNECTION._replace(peer="")

    for policy, connection, headers in [
        (POLICY, CONNECTION, {}),
        (POLICY, unix, {}),
        (POLICY, CONNECTION, {FOR: "unknown"}),
        (direct, unix, SENT),
        (refusing, CONNECTION, {}),
    ]:
        decision = policy.decide(connection, headers)
        assert decision.client is None
        assert not decision.client_known
        assert decision.address == connection.peer
        assert decision.client_port is None


def test_address_is_the_last_that_was_vouched_for() -> None:
    """Where the walk ends at nobody, the hop before it is the address (R11)."""
    decision = POLICY.decide(CONNECTION, {FOR: "unknown, 10.0.0.8:4711"})

    assert decision.client is None
    assert (decision.address, decision.client_port) == ("10.0.0.8", 4711)


def test_refused_request_was_believed_and_says_why() -> None:
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
        decision = POLICY.decide(CONNECTION._replace(port=port), {})
        assert decision.port == expected


def test_decision_is_shown_with_everything_it_says() -> None:
    """`repr` has each attribute but the one that follows from another."""
    decision = POLICY.decide(CONNECTION, SENT)

    shown = repr(decision)

    assert shown.startswith(f"Decision(peer='{PROXY}', peer_trusted=True, client=")
    for name in ATTRIBUTES:
        if name != "client_known":
            value = getattr(decision, name)
            plain = dict(value) if isinstance(value, Mapping) else value
            assert f"{name}={plain!r}" in shown


@pytest.mark.parametrize("name", [*ATTRIBUTES, "anything"])
def test_decision_cannot_be_changed(name: str) -> None:
    """No attribute of a decision can be set, and none added."""
    decision = POLICY.decide(CONNECTION, SENT)

    with pytest.raises(AttributeError):
        setattr(decision, name, "203.0.113.9")


@pytest.mark.parametrize("sent", [SENT, {}])
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_what_a_decision_says_cannot_be_written_into(
    peer: str, sent: dict[str, str]
) -> None:
    """Neither of the long way nor of the short way, or later requests would see it."""
    headers = {f"HTTP_{n.upper().replace('-', '_')}": v for n, v in sent.items()}
    for _ in range(3):
        decision: Any = POLICY.apply(make_environ(REMOTE_ADDR=peer) | headers)

        for says in (decision.original, decision.rewritten, decision.outcome.keys):
            with pytest.raises(TypeError):
                says["X-Forwarded-For"] = "203.0.113.9"


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_decision_can_be_given_more_originals(peer: str) -> None:
    """An adapter that removes more says so in a decision of its own."""
    headers = {f"HTTP_{n.upper().replace('-', '_')}": v for n, v in SENT.items()}
    for _ in range(3):
        decision = POLICY.apply(make_environ(REMOTE_ADDR=peer) | headers)
        before = dict(decision.original)

        fuller = decision.with_original({"SCRIPT_URL": "/app/x"})

        assert isinstance(fuller, Decision)
        assert fuller.original == {**before, "SCRIPT_URL": "/app/x"}
        assert decision.original == before
        assert show(fuller) == {**show(decision), "original": fuller.original}


def test_decisions_are_equal_where_they_say_the_same() -> None:
    """Deciding is pure, so deciding twice agrees."""
    one, two = POLICY.decide(CONNECTION, SENT), POLICY.decide(CONNECTION, SENT)
    other = POLICY.decide(CONNECTION._replace(peer=STRANGER), SENT)

    assert isinstance(one, Decision)
    assert one == two
    assert one != other
    assert one != tuple(one)


def test_decision_of_the_short_way_equals_that_of_the_long_way() -> None:
    """What is kept in another way says the same, and is no key of a dictionary."""
    headers = {f"HTTP_{n.upper().replace('-', '_')}": v for n, v in SENT.items()}
    for peer in (PROXY, STRANGER):
        environ = make_environ(REMOTE_ADDR=peer) | headers
        long, *short = [POLICY.apply(dict(environ)) for _ in range(3)]

        for decision in short:
            assert decision == long
            assert (decision != long) is False
        with pytest.raises(TypeError, match="unhashable"):
            hash(long)


def test_connection_has_the_defaults_of_a_plain_request() -> None:
    """Whoever asks by hand names only what matters."""
    assert Connection() == (None, "http", None, None, None, "", "/")


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


def test_nothing_stays_nothing() -> None:
    """The mapping that everybody shares cannot be written to."""
    nothing: Any = NOTHING

    with pytest.raises(TypeError):
        nothing["x"] = 1
    assert dict(NOTHING) == {}


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
@pytest.mark.parametrize("sent", [SENT, {}])
def test_decision_can_be_copied_and_pickled(peer: str, sent: dict[str, str]) -> None:
    """A decision may go into a queue, a cache or a log of another process."""
    decision = POLICY.decide(CONNECTION._replace(peer=peer), sent)
    applied = POLICY.apply(make_environ(sent, peer=peer))

    for one in (decision, applied):
        for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert isinstance(other, Decision)
            assert show(other) == show(one)
