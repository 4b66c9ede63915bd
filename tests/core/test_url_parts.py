"""
The URL's parts: which element counts, which header wins, and what was wrong.

In:  the values of listed headers beside a client's, through the pure `decide`.
Out: what each part becomes, and problems with all that an operator needs.  The table of
     cases has the rules themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Category, Connection, Decision, Problem, ProxyPolicy
from trustedproxy.parsing.lists import MAX_CHARACTERS

from .making import FOR, FORWARDED, HOST, PORT, PROTO, PROXIES, PROXY, SCRIPT, SERVER

SSL = "X-Forwarded-SSL"
LONG = "x" * (MAX_CHARACTERS + 1)


def decide(sent: dict[str, str], *, scheme: str = "http", **options: Any) -> Decision:
    """Decide a request by a policy that lists just the headers that are *sent*."""
    policy = ProxyPolicy(**{"headers": list(sent), "proxies": PROXIES, **options})
    connection = Connection(PROXY, scheme, "backend.internal", "backend", "8000")
    return policy.decide(connection, sent)


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        (PROTO, "https, ftp", "malformed"),
        (PROTO, LONG, "too-long"),
        (HOST, "a/b", "malformed"),
        (SERVER, "a:1", "malformed"),
        (PORT, " 0 ", "malformed"),
        (SCRIPT, "//evil", "malformed"),
        (SSL, "off, on", "uncounted-list"),
    ],
)
def test_problem_has_the_header_and_its_whole_value(
    header: str, value: str, code: str
) -> None:
    """As it came, so that an operator finds it; also when it comes again."""
    policy = ProxyPolicy(headers=[header], proxies=PROXIES)

    for sent in (value, f"{value} ", value):
        decision = policy.decide(PROXY, {header: sent})
        assert decision.problems == (Problem(code, header, sent),)
        assert (decision.winners == {}) is (code != "uncounted-list")


def test_value_that_cannot_be_used_leaves_the_others() -> None:
    """It counts as absent, its header goes, and every other part is what was said."""
    decision = decide({PROTO: "ftp", PORT: "8443", HOST: "a.example"})

    assert (decision.scheme, decision.port, decision.host) == (
        "http",
        "8443",
        "a.example",
    )
    assert decision.removed == (PROTO,)
    assert decision.winners == {Category.PORT: PORT, Category.HOST: HOST}


def test_list_becomes_the_value_that_was_used() -> None:
    """Afterwards the header holds just that value, as it came (R9)."""
    decision = decide(
        {
            FOR: "203.0.113.7, 10.0.0.8",
            PROTO: "http, HTTPS, http",
            HOST: " a.example",
            PORT: "443",
        }
    )

    assert (decision.scheme, decision.host) == ("https", "a.example")
    assert decision.rewritten == {PROTO: "HTTPS", HOST: "a.example"}


def test_header_that_lost_is_not_rewritten_either() -> None:
    """The last synonym that is well-formed wins, and the others go (R5)."""
    decision = decide({PROTO: "http, http", SSL: "on", "X-Scheme": "?"})

    assert decision.scheme == "https"
    assert decision.winners == {Category.SCHEME: SSL}
    assert decision.removed == (PROTO, "X-Scheme")
    assert decision.rewritten == {}


@pytest.mark.parametrize(
    ("element", "scheme", "host", "problems"),
    [
        ("proto=https;host=a.example", "https", "a.example", []),
        ("proto=HTTPS", "https", "backend.internal", []),
        ('host="a.example:80"', "http", "a.example:80", []),
        ("", "http", "backend.internal", []),
        ('proto=ftp;host="a/b"', "http", "backend.internal", ["ftp", "a/b"]),
    ],
)
def test_clients_element_of_forwarded_names_scheme_and_host(
    element: str, scheme: str, host: str, problems: list[str]
) -> None:
    """RFC 7239 sections 5.3 and 5.4; of a malformed one the parameter is the value."""
    decision = decide({FORWARDED: f"for=203.0.113.7;{element}", PORT: "8443"})

    assert (decision.scheme, decision.host, decision.port) == (scheme, host, "8443")
    assert decision.problems == tuple(
        Problem("malformed", FORWARDED, value) for value in problems
    )


@pytest.mark.parametrize(
    ("own", "said", "scheme"),
    [
        ("http", "wss", "https"),
        ("ws", "https", "wss"),
        ("wss", "http", "ws"),
        ("ws", "wss", "wss"),
        ("wss", "", "wss"),
    ],
)
def test_scheme_is_said_as_the_connection_does(
    own: str, said: str, scheme: str
) -> None:
    """A websocket's scheme stays ``ws`` or ``wss``."""
    assert decide({PROTO: said}, scheme=own).scheme == scheme


@pytest.mark.parametrize(
    ("own", "port", "host"),
    [
        ("ws", "80", "a.example"),
        ("wss", "443", "a.example"),
        ("wss", "80", "a.example:80"),
        ("http", "443", "a.example:443"),
    ],
)
def test_port_is_merged_by_the_scheme_that_was_decided(
    own: str, port: str, host: str
) -> None:
    """A websocket's default ports are http's and https's (R15)."""
    sent = {HOST: "a.example", PORT: port}

    assert decide(sent, scheme=own, port_in_host=True).host == host
    assert decide(sent, scheme=own).host == "a.example"


def test_same_texts_say_something_else_beside_another_client() -> None:
    """What is remembered is remembered by all that it depends on."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES)
    lists = {
        "203.0.113.7": "http",
        "203.0.113.7, 10.0.0.8": "https",
        "203.0.113.7, 10.0.0.7, 10.0.0.8": "http",
    }

    for _ in range(3):
        for chain, scheme in lists.items():
            sent = {FOR: chain, PROTO: "http, https, http"}
            assert policy.decide(PROXY, sent).scheme == scheme
            assert (
                policy.decide(Connection(PROXY, "ws"), sent).scheme
                == {
                    "http": "ws",
                    "https": "wss",
                }[scheme]
            )
