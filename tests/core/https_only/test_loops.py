"""Why plain HTTP may be none, and what is logged of it."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from trustedproxy import Connection, Decision, ProxyPolicy, log
from trustedproxy.decision import Reason
from trustedproxy.https_only import HTTPSOnly, RequestFacts
from trustedproxy.https_only.loops import MANY

from ...attacks_https import PROXY, STRANGER
from .making import PLAIN, TRUSTED, UNTRUSTED


def list_records(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages that were logged."""
    return [record.getMessage() for record in caplog.records]


def test_loop_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for a peer, at WARNING, with its address."""
    rules = HTTPSOnly()
    now = 1000.0
    monkeypatch.setattr(log, "monotonic", lambda: now)

    for peer in (PROXY, PROXY, "10.0.0.8"):
        rules.answer(replace(TRUSTED, peer=peer))
    first, second = caplog.records
    now += 61
    rules.answer(TRUSTED)

    assert len(caplog.records) == 3
    for key, value in {"code": "https-only-loop", "peer": PROXY}.items():
        assert first.__dict__[key] == value
    assert (first.name, first.levelno) == ("trustedproxy", logging.WARNING)
    assert "'10.0.0.9'" in first.getMessage()
    assert "'10.0.0.8'" in second.getMessage()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        pytest.param(
            replace(TRUSTED, signs=("X-Forwarded-For",)),
            (
                "sent no scheme header",
                "set X-Forwarded-Proto",
                "add that to TRUSTED_PROXY_HEADERS",
                "TRUSTED_PROXY_FIXED_SCHEME = 'https'",
            ),
            id="no scheme header",
        ),
        pytest.param(
            replace(TRUSTED, signs=("X-Forwarded-For", "X-Scheme")),
            ("X-Scheme is not in TRUSTED_PROXY_HEADERS", "add 'X-Scheme'"),
            id="one that is not listed",
        ),
        pytest.param(
            replace(TRUSTED, signs=("X-Scheme",), malformed=("X-Scheme",)),
            ("X-Scheme says neither http nor https", "let it say one of them"),
            id="one that says nothing",
        ),
        pytest.param(
            replace(TRUSTED, scheme_stated=True),
            ("TRUSTED_PROXY_FIXED_SCHEME states http", "state 'https'"),
            id="a scheme that is stated",
        ),
        pytest.param(
            replace(UNTRUSTED, peer="10.0.0.7", peer_is_unix=True, signs=("X-Scheme",)),
            ("add 'unix'",),
            id="a unix socket whose client calls itself an address",
        ),
        pytest.param(
            replace(UNTRUSTED, peer="172.18.0.1", signs=("X-Scheme",)),
            ("peer '172.18.0.1'", "whose X-Scheme", "add '172.18.0.1'"),
            id="a peer that is not listed",
        ),
        pytest.param(
            replace(UNTRUSTED, peer="fe80::1%eth0", signs=("X-Scheme",)),
            ("add 'fe80::1', or its network, to TRUSTED_PROXIES",),
            id="a peer of a zone",
        ),
        pytest.param(
            replace(UNTRUSTED, peer="", signs=("X-Scheme",)),
            ("add 'unix'",),
            id="a unix socket that is not listed",
        ),
        pytest.param(
            replace(
                UNTRUSTED,
                peer="10.0.0.1",
                reason=Reason.SECRET_MISSING,
                signs=("X-Scheme",),
            ),
            ("set TRUSTED_PROXY_SECRET_HEADER",),
            id="a secret that is missing",
        ),
        pytest.param(
            replace(
                UNTRUSTED,
                peer="10.0.0.1",
                reason=Reason.NO_TRUSTED_HEADERS,
                signs=("X-Scheme",),
            ),
            ("add 'X-Scheme' to TRUSTED_PROXY_HEADERS",),
            id="no header listed",
        ),
        pytest.param(
            replace(PLAIN, signs=("X-Scheme",)),
            ("header X-Scheme", "no policy was applied", "trusted proxy middleware"),
            id="no policy",
        ),
    ],
)
def test_loop_logged_with_its_cause(
    facts: RequestFacts, words: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Each way into a loop is named, with what to type to leave it."""
    HTTPSOnly().answer(facts)

    (message,) = list_records(caplog)
    assert "redirected for ever" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (b"/_health", ("'/_health/' is exempt", "EXEMPT = [..., '/_health']")),
        (b"/x", ("exempt its path: TRUSTED_PROXY_HTTPS_EXEMPT = [..., '/x']",)),
        (b"", ("EXEMPT = [..., '/']",)),
    ],
)
def test_health_check_is_named_first(
    path: bytes, words: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Without any header of a proxy it is probably the peer's own request."""
    HTTPSOnly(exempt=["/_health/"]).answer(replace(TRUSTED, path=path))

    (message,) = list_records(caplog)
    assert "without any forwarding header" in message
    assert "health check" in message
    assert "set X-Forwarded-Proto, and add that to TRUSTED_PROXY_HEADERS" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("peer", ["192.0.2.1", "2001:db8::1"])
def test_stranger_is_logged_at_debug(
    peer: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A peer from elsewhere is probably a forger, who shall not flood the log."""
    caplog.set_level(logging.DEBUG, logger="trustedproxy")

    HTTPSOnly().answer(replace(UNTRUSTED, peer=peer, signs=("X-Forwarded-Proto",)))

    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert f"add '{peer}'" in record.getMessage()
    assert record.__dict__["peer"] == peer


@pytest.mark.parametrize(
    "facts",
    [
        PLAIN,
        replace(TRUSTED, scheme_header="X-Forwarded-Proto"),
        replace(
            TRUSTED,
            scheme_header="X-Forwarded-Proto",
            signs=("X-Forwarded-Proto", "X-Forwarded-SSL"),
        ),
        replace(TRUSTED, scheme="https"),
        replace(TRUSTED, path=b"/healthz"),
        replace(TRUSTED, path=b"*"),
        UNTRUSTED,
        replace(UNTRUSTED, peer="10.0.0.1", signs=("X-Forwarded-For",)),
    ],
)
def test_loop_not_logged_where_none_is(
    facts: RequestFacts, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain client, a proxy that says http and an exempt path are no loops."""
    HTTPSOnly(exempt=["/healthz"]).answer(facts)

    assert caplog.records == []


def test_refused_host_is_the_only_cause(caplog: pytest.LogCaptureFixture) -> None:
    """Where a host is answered with 400, nobody is redirected."""
    HTTPSOnly().answer(replace(TRUSTED, host="a b"))

    (message,) = list_records(caplog)
    assert "HTTPS only answers 400" in message


SAYS_HTTP = replace(
    TRUSTED,
    scheme_header="X-Forwarded-Proto",
    signs=("X-Forwarded-For", "X-Forwarded-Proto"),
)


def make_decision(*, peer: str = PROXY, scheme: str = "https") -> Decision:
    """What is decided of a request that is secure."""
    policy = ProxyPolicy(headers=["X-Forwarded-Proto"], proxies=["10.0.0.0/8"])
    return policy.decide(Connection(peer), {"X-Forwarded-Proto": scheme})


def test_peer_that_always_says_http(caplog: pytest.LogCaptureFixture) -> None:
    """At its twentieth redirect, once: an inner proxy overwrites the scheme (R17)."""
    rules = HTTPSOnly()
    for _ in range(MANY - 1):
        rules.answer(SAYS_HTTP)
    assert caplog.records == []

    for _ in range(3 * MANY):
        rules.answer(SAYS_HTTP)

    (message,) = list_records(caplog)
    for word in (
        f"redirected {MANY} requests of the trusted proxy '{PROXY}'",
        "whose X-Forwarded-Proto said http each time, and https never",
        "overwrites its X-Forwarded-Proto",
        "$http_x_forwarded_proto",
    ):
        assert word in message


def test_peer_that_says_https_of_some(caplog: pytest.LogCaptureFixture) -> None:
    """It is a site whose visitors come over both, and no loop."""
    rules = HTTPSOnly()
    rules.note_secure(make_decision())
    rules.note_secure(make_decision())

    for _ in range(2 * MANY):
        rules.answer(SAYS_HTTP)

    assert caplog.records == []


@pytest.mark.parametrize("decision", [None, make_decision(peer=STRANGER)])
def test_secure_request_of_another(
    decision: Decision | None, caplog: pytest.LogCaptureFixture
) -> None:
    """What others say, and what nobody trusts, says nothing about the peer."""
    rules = HTTPSOnly()
    rules.note_secure(decision)
    rules.note_secure(make_decision(peer="10.0.0.10"))

    for _ in range(MANY):
        rules.answer(SAYS_HTTP)

    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "facts",
    [
        replace(SAYS_HTTP, peer_trusted=False),
        replace(SAYS_HTTP, websocket=True),
        replace(SAYS_HTTP, host="a b"),
        replace(SAYS_HTTP, path=b"/healthz"),
    ],
    ids=["a stranger", "a websocket", "a refused host", "an exempt path"],
)
def test_request_that_is_not_counted(
    facts: RequestFacts, caplog: pytest.LogCaptureFixture
) -> None:
    """Only what was redirected can come again."""
    rules = HTTPSOnly(exempt=["/healthz"])

    for _ in range(2 * MANY):
        rules.answer(facts)

    assert [text for text in list_records(caplog) if "has redirected" in text] == []


def test_peers_are_counted_apart_and_within_bounds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A million peers do not grow the process, and log nothing."""
    rules = HTTPSOnly()
    for number in range(5000):
        peer = f"10.0.{number // 256}.{number % 256}"
        rules.answer(replace(SAYS_HTTP, peer=peer))
        rules.note_secure(make_decision(peer=peer))

    assert caplog.records == []
    assert len(rules._log._redirects) <= 1024
    assert len(rules._log._secure) <= 1024
