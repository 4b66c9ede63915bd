"""Why plain HTTP may be none, and what is logged of it."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import (
    Category,
    Connection,
    Decision,
    Form,
    ProxyHeader,
    ProxyPolicy,
    log,
)
from trustedproxy.decision import Reason
from trustedproxy.https_only import HTTPSOnly, RequestFacts
from trustedproxy.https_only.facts import read_environ, read_scope
from trustedproxy.https_only.loops import MANY

from ...attacks_https import PROXY, STRANGER
from ..making import make_environ, make_scope
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


FOR, PROTO, SSL = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-SSL"
SCHEME, FORWARDED = "X-Scheme", "Forwarded"
CAME = {FOR: "203.0.113.7"}
HTTPS_FLAG = ProxyHeader(SSL, Category.SCHEME, Form.FLAG)


def ask(
    sent: dict[str, str],
    *,
    surface: str = "wsgi",
    peer: str = PROXY,
    **options: Any,
) -> Decision:
    """Ask rules of their own, behind a policy, by one surface; return the decision."""
    policy = ProxyPolicy(
        **{"headers": [FOR, PROTO], "proxies": ["10.0.0.0/8"], **options}
    )
    rules = HTTPSOnly(host="www.example.com")
    if surface == "wsgi":
        environ = make_environ(sent, peer=peer)
        decision = policy.apply(environ)
        rules.answer(read_environ(environ))
    else:
        scope = make_scope([(k.lower(), v) for k, v in sent.items()], peer=peer)
        decision, new = policy.apply_scope(scope)
        rules.answer(read_scope(new))
    return decision


def list_causes(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str | None, str]]:
    """Code, header and words of what HTTPS only has logged."""
    return [
        (record.__dict__["code"], record.__dict__["header"], record.getMessage())
        for record in caplog.records
        if record.__dict__["code"].startswith("https-only-")
    ]


each_surface = pytest.mark.parametrize("surface", ["wsgi", "asgi"])


@each_surface
@pytest.mark.parametrize(
    ("headers", "options", "header", "words"),
    [
        pytest.param(
            CAME,
            {},
            None,
            (
                "sent no header that says the scheme",
                "let it set the scheme header that TRUSTED_PROXY_HEADERS lists",
                "set X-Forwarded-Proto, and list that",
                'TRUSTED_PROXY_FIXED_SCHEME = "https", and take the scheme header out '
                "of TRUSTED_PROXY_HEADERS.",
            ),
            id="no scheme header",
        ),
        pytest.param(
            {**CAME, SSL: ""},
            {"headers": [FOR, SSL]},
            None,
            ("sent no header that says the scheme",),
            id="one that is listed and empty",
        ),
        pytest.param(
            {**CAME, SCHEME: "https"},
            {},
            SCHEME,
            ("X-Scheme: 'https', which is not used", "does not list it", "list it."),
            id="one that is not listed",
        ),
        pytest.param(
            {**CAME, PROTO: "https"},
            {"headers": [FOR]},
            PROTO,
            ("X-Forwarded-Proto: 'https', which is not used",),
            id="one of a category that is not opted in",
        ),
        pytest.param(
            {**CAME, SCHEME: "http", SSL: "on"},
            {},
            SSL,
            ("X-Forwarded-SSL: 'on', which is not used",),
            id="the one that says https is named",
        ),
        pytest.param(
            {**CAME, SCHEME: "http"},
            {},
            None,
            ("X-Scheme: 'http', which is not used", "let it set the scheme header"),
            id="one that would change nothing",
        ),
        pytest.param(
            {**CAME, PROTO: "tls"},
            {},
            PROTO,
            ("X-Forwarded-Proto: 'tls' says neither http nor https",),
            id="one that says nothing",
        ),
        pytest.param(
            {**CAME, "X-Edge-Proto": "tls"},
            {
                "headers": [
                    FOR,
                    ProxyHeader("X-Edge-Proto", Category.SCHEME, Form.SCHEME),
                ]
            },
            "X-Edge-Proto",
            ("X-Edge-Proto: 'tls' says neither http nor https",),
            id="a custom one that says nothing",
        ),
        pytest.param(
            {FORWARDED: "for=203.0.113.7"},
            {"headers": [FORWARDED]},
            FORWARDED,
            ("Forwarded: 'for=203.0.113.7' says neither http nor https",),
            id="an element without a scheme",
        ),
        pytest.param(
            {FORWARDED: "for=203.0.113.7, for=10.0.0.9;proto=https"},
            {"headers": [FORWARDED]},
            FORWARDED,
            ("says the scheme, and not in the client's own element",),
            id="another proxy's element with a scheme",
        ),
        pytest.param(
            {**CAME, FORWARDED: 'for=203.0.113.7;proto="https"'},
            {},
            FORWARDED,
            ("which is not used",),
            id="an element that is not listed",
        ),
        pytest.param(
            CAME,
            {"fixed_scheme": "http", "headers": [FOR]},
            None,
            ("TRUSTED_PROXY_FIXED_SCHEME states http", "state 'https'"),
            id="a scheme that is stated",
        ),
    ],
)
def test_loop_of_a_trusted_proxy_is_logged_with_its_cause(
    headers: dict[str, str],
    options: dict[str, Any],
    header: str | None,
    words: tuple[str, ...],
    surface: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The cause is the one that an explanation gives, with what to type."""
    ask(headers, surface=surface, **options)

    ((code, named, message),) = list_causes(caplog)
    assert (code, named) == ("https-only-loop", header)
    assert "redirected for ever" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (SSL, "on" + ",off" * 64),
        (SSL, "on," + " " * 4096),
        (FORWARDED, "for=a;proto=https" + ",for=a" * 64),
        ("CF-Visitor", '{"scheme":"https"}' + " " * 4096),
    ],
)
def test_value_beyond_what_is_read(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A header that counts for nothing is read within the same bounds (R13)."""
    ask({**CAME, name: value})

    ((code, header, _),) = list_causes(caplog)
    assert (code, header) == ("https-only-loop", None)


@each_surface
def test_scheme_that_another_header_contradicts(
    surface: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The first request shows it: the twentieth is not waited for."""
    ask({**CAME, SSL: "off", PROTO: "https"}, surface=surface, headers=[FOR, SSL])

    ((code, header, message),) = list_causes(caplog)
    assert (code, header) == ("https-only-overwritten", SSL)
    assert "X-Forwarded-SSL says http, and X-Forwarded-Proto: 'https'" in message
    assert "If it came over HTTPS, browsers would be redirected for ever" in message
    assert "a client sent X-Forwarded-Proto, or a proxy further inside" in message


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(
            replace(
                TRUSTED,
                scheme_header=PROTO,
                scheme_sent=((HTTPS_FLAG, "on"),),
                signs=(PROTO, SSL),
            ),
            id="a header that a client may have sent",
        ),
        pytest.param(replace(TRUSTED, signs=(FOR,)), id="no scheme header"),
        pytest.param(
            replace(TRUSTED, signs=(FOR,), websocket=True), id="a websocket, refused"
        ),
        pytest.param(
            replace(TRUSTED, signs=(FOR,), report_only=True), id="report only"
        ),
        pytest.param(
            replace(TRUSTED, scheme_stated=True), id="a scheme that is stated"
        ),
        pytest.param(TRUSTED, id="a health check, perhaps"),
        pytest.param(
            replace(UNTRUSTED, peer="10.0.0.1", signs=(PROTO,)), id="a peer not listed"
        ),
        pytest.param(replace(PLAIN, signs=(PROTO,)), id="no policy"),
    ],
)
def test_loop_is_claimed_under_a_condition(
    facts: RequestFacts, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether the request came over HTTPS is not known, nor that it was redirected."""
    HTTPSOnly().answer(facts)

    message = list_records(caplog)[0]
    assert re.search(r"If [^:]+, browsers would be redirected for ever", message)
    assert "are redirected" not in message


@each_surface
def test_loop_of_a_list_that_is_too_short(
    surface: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of it is used, and the record about that says so."""
    sent = {FORWARDED: "for=203.0.113.7;proto=https"}
    ask(sent, surface=surface, headers=[FORWARDED], hops=2)

    assert [record.__dict__["code"] for record in caplog.records] == [
        "too-few-elements"
    ]


def test_loop_of_a_request_that_is_rejected(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it was read, so that nothing is known of its scheme."""
    decision = ask(
        {FOR: "garbage", PROTO: "https"}, malformed="reject", report_only=True
    )

    assert decision.rejected is not None
    assert [code for code, _, _ in list_causes(caplog)] == ["https-only-report"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        pytest.param(
            replace(UNTRUSTED, peer="10.0.0.7", peer_is_unix=True, signs=(SCHEME,)),
            ("since TRUSTED_PROXIES does not list that peer",),
            id="a unix socket whose client calls itself an address",
        ),
        pytest.param(
            replace(UNTRUSTED, peer="172.18.0.1", signs=(SCHEME,)),
            ("peer '172.18.0.1'", "whose X-Scheme does not count"),
            id="a peer that is not listed",
        ),
        pytest.param(
            replace(UNTRUSTED, peer=None, peer_is_unix=False, signs=(SCHEME,)),
            ("peer None", "since TRUSTED_PROXIES does not list that peer"),
            id="a peer that the server does not report",
        ),
        pytest.param(
            replace(
                UNTRUSTED,
                peer="10.0.0.1",
                reason=Reason.SECRET_MISSING,
                signs=(SCHEME,),
            ),
            (
                "since the request did not carry the secret",
                "that proxy has to send the secret",
            ),
            id="a secret that is missing",
        ),
        pytest.param(
            replace(
                UNTRUSTED,
                peer="10.0.0.1",
                reason=Reason.NO_TRUSTED_HEADERS,
                signs=(SCHEME,),
            ),
            (
                "since TRUSTED_PROXY_HEADERS is empty",
                "to TRUSTED_PROXY_HEADERS, and that proxy to TRUSTED_PROXIES.",
            ),
            id="no header listed",
        ),
        pytest.param(
            replace(PLAIN, signs=(SCHEME,)),
            ("header X-Scheme", "no policy was applied", "trusted proxy middleware"),
            id="no policy",
        ),
    ],
)
def test_loop_logged_with_its_cause(
    facts: RequestFacts, words: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Each way into a loop is named, and the entry to add is for the policy to say."""
    HTTPSOnly().answer(facts)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert "redirected for ever" in message
    assert "add '" not in message
    for word in words:
        assert word in message


@each_surface
def test_loop_names_the_settings_where_no_other_record_does(
    surface: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing listed came, this record about the peer is the only one."""
    ask({PROTO: "https"}, surface=surface, peer="192.168.7.7", headers=[FOR])

    (record,) = caplog.records
    assert record.__dict__["code"] == "https-only-peer-not-trusted"
    assert (
        "TRUSTED_PROXIES has to list that proxy, and TRUSTED_PROXY_HEADERS the scheme "
        "header" in record.getMessage()
    )


@each_surface
def test_loop_of_a_peer_that_sends_a_custom_header(
    surface: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What the policy lists may say the scheme, whatever it is called."""
    custom = ProxyHeader("X-Edge-Proto", Category.SCHEME, Form.SCHEME)
    sent = {custom.name: "https"}
    ask(sent, surface=surface, peer="192.168.7.7", headers=[FOR, custom])

    ((code, header, _),) = list_causes(caplog)
    assert (code, header) == ("https-only-peer-not-trusted", custom.name)


def test_loop_contradicts_nothing_that_the_policy_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A peer that a server has rewritten is a client, and no entry for the list."""
    ask({FOR: "192.168.7.7", PROTO: "https"}, peer="192.168.7.7")

    by_code = {
        record.__dict__["code"]: record.getMessage() for record in caplog.records
    }
    assert set(by_code) == {"peer-rewritten", "https-only-peer-not-trusted"}
    assert "Do not add this address" in by_code["peer-rewritten"]
    assert "add" not in by_code["https-only-peer-not-trusted"]


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
    assert "where none is listed, set X-Forwarded-Proto, and list that" in message
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
    assert f"from the peer '{peer}'" in record.getMessage()
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
        f"met plain HTTP in {MANY} requests of the trusted proxy '{PROXY}'",
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

    assert [
        text for text in list_records(caplog) if f"in {MANY} requests" in text
    ] == []


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
