"""
A policy and a request in words: the text says what was decided, and why.

In:  policies, connections and headers.
Out: the text of `trustedproxy.explain`, held against `decide`.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy import (
    Connection,
    ProxyPolicy,
    Settings,
    read_settings,
)
from trustedproxy.explain import describe_policy, describe_settings, explain
from trustedproxy.headers import KNOWN_HEADERS

PEER = "10.0.0.5"
CONNECTION = Connection(PEER, "http", "backend:8000", "backend", "8000", "", "/a")
LIST = ["X-Forwarded-For"]


def make_policy(**options: Any) -> ProxyPolicy:
    """Make a policy that trusts `LIST` from 10/8, unless *options* say otherwise."""
    return ProxyPolicy(**{"headers": LIST, "proxies": ["10.0.0.0/8"], **options})


def explain_with(
    sent: dict[str, str], *, connection: Connection = CONNECTION, **options: Any
) -> str:
    """Explain a request with the headers *sent*, by the policy of *options*."""
    return explain(make_policy(**options), connection, sent)


def paragraph(text: str, title: str) -> list[str]:
    """Take the lines of one paragraph by the beginning of its title."""
    (found,) = (p for p in text.split("\n\n") if p.startswith(title))
    return [line.removeprefix("  ") for line in found.splitlines()[1:]]


def test_explain_a_request_of_a_trusted_proxy() -> None:
    """The whole text, for the request that most people have."""
    text = explain_with(
        {
            "X-Forwarded-For": "6.6.6.6, 203.0.113.7:4711, 10.0.0.6",
            "X-Forwarded-Proto": "http, https, http",
            "X-Real-IP": "6.6.6.6",
        },
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
    )

    assert (
        text
        == """\
The request
  peer '10.0.0.5', scheme 'http', host 'backend:8000', mount point '', path '/a'
  X-Forwarded-For: '6.6.6.6, 203.0.113.7:4711, 10.0.0.6'
  X-Forwarded-Proto: 'http, https, http'
  X-Real-IP: '6.6.6.6'

The peer
  '10.0.0.5' is a trusted proxy: its headers are read.

X-Forwarded-For (client address)
  Elements are read from the right, over the trusted proxies:
  1. '10.0.0.6' is a trusted proxy.
  2. '203.0.113.7:4711' is not a trusted proxy.
  So the client is 203.0.113.7, port 4711: the client is the nearest hop that is not \
a trusted proxy.
  The header now is '203.0.113.7:4711, 10.0.0.6': nobody confirmed what stood \
further left.

X-Forwarded-Proto (scheme)
  Of 'http, https, http', the element that the client's own proxy wrote counts: \
'https' is used as the scheme.

X-Forwarded-Host (host)
  not sent

Removed
  X-Real-IP

The application sees
  client address  '203.0.113.7', was '10.0.0.5'
  scheme          'https', was 'http'
  host            'backend:8000'
  server name     'backend'
  port            '8000'
  mount point     ''
  path            '/a'
  The client is known: the client is the nearest hop that is not a trusted proxy."""
    )


@pytest.mark.parametrize(
    ("options", "peer", "expected"),
    [
        (
            {},
            "198.51.100.7",
            "'198.51.100.7' is not a trusted proxy: this is a direct request, and no "
            "header is read.",
        ),
        (
            {},
            "",
            "The unix socket '' is not a trusted proxy: this is a direct request, and "
            "no header is read.",
        ),
        (
            {"proxies": ["unix"]},
            "",
            "The unix socket '' is a trusted proxy: its headers are read.",
        ),
        (
            {"proxies": None},
            PEER,
            "'10.0.0.5' is trusted, as every peer is: its headers are read.",
        ),
        ({"headers": []}, PEER, "No header is trusted, so none is read."),
        (
            {"secret_header": "X-Edge-Secret", "secrets": ["hush"]},
            PEER,
            "The request does not carry the proxy's secret: this is a direct request, "
            "and no header is read.",
        ),
    ],
)
def test_explain_the_peer(options: dict[str, Any], peer: str, expected: str) -> None:
    """The peer's verdict comes before any header."""
    connection = CONNECTION._replace(peer=peer)

    text = explain_with(
        {"X-Forwarded-For": "1.1.1.1"}, connection=connection, **options
    )

    assert paragraph(text, "The peer") == [expected]


def test_explain_reads_no_header_of_a_direct_request() -> None:
    """Where the peer is not trusted there is nothing to say of its headers."""
    text = explain_with(
        {"X-Forwarded-For": "1.1.1.1"},
        connection=CONNECTION._replace(peer="198.51.100.7"),
    )

    assert "X-Forwarded-For (" not in text
    assert paragraph(text, "Removed") == ["X-Forwarded-For"]


def test_explain_a_peer_that_knows_the_secret() -> None:
    """The secret opens the door, and neither it nor the configured one is shown."""
    text = explain_with(
        {"X-Forwarded-For": "203.0.113.7", "X-Edge-Secret": "hush-hush"},
        proxies=None,
        secret_header="X-Edge-Secret",
        secrets=["hush-hush"],
    )

    assert paragraph(text, "The peer") == [
        "'10.0.0.5' knows the secret: its headers are read."
    ]
    assert "X-Edge-Secret: (not shown)" in text
    assert "hush-hush" not in text


def test_explain_a_secret_under_another_spelling() -> None:
    """What is typed with underscores is a secret all the same."""
    text = explain_with(
        {"x_edge_secret": "hush-hush"},
        secret_header="X-Edge-Secret",
        secrets=["hush-hush"],
    )

    assert "x_edge_secret: (not shown)" in text
    assert "hush" not in text


CLIENT_CASES = [
    (
        "an empty header",
        {},
        " , ",
        ["empty, which counts as not sent"],
    ),
    (
        "nothing left to cut",
        {},
        "203.0.113.7",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. '203.0.113.7' is not a trusted proxy.",
            "So the client is 203.0.113.7: the client is the nearest hop that is not a "
            "trusted proxy.",
            "The header stays as it came.",
        ],
    ),
    (
        "all hops trusted",
        {},
        "10.1.1.1, 10.2.2.2",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. '10.2.2.2' is a trusted proxy.",
            "2. '10.1.1.1' is a trusted proxy.",
            "So the client is 10.1.1.1: every hop is a trusted proxy, so the client is "
            "the farthest.",
            "The header stays as it came.",
        ],
    ),
    (
        "garbage with an address right of it",
        {},
        "1.1.1.1, <script>, 10.0.0.6",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. '10.0.0.6' is a trusted proxy.",
            "2. '<script>' names nobody.",
            "So the client is unknown: the walk ended at a hop that is no address; the "
            "last address that was confirmed is 10.0.0.6.",
            "The header now is '10.0.0.6': nobody confirmed what stood further left.",
        ],
    ),
    (
        "garbage at the right end",
        {},
        "1.1.1.1, unknown",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. 'unknown' names nobody.",
            "So the client is unknown: the walk ended at a hop that is no address; the "
            "peer's address stays.",
        ],
    ),
    (
        "more than is read",
        {},
        "1.1.1.1," * 3 + "10.0.0.6," * 64,
        [
            "65. There is more, and it is not read: nobody can be found there.",
            "So the client is unknown: the walk ended at a hop that is no address; the "
            "last address that was confirmed is 10.0.0.6.",
        ],
    ),
    (
        "a hop count",
        {"hops": 2},
        "6.6.6.6, 203.0.113.7, garbage",
        [
            "Elements are counted from the right, up to 2:",
            "1. 'garbage' is counted, and not looked at.",
            "2. '203.0.113.7' is the client's.",
            "So the client is 203.0.113.7: the client is the hop at the configured "
            "count.",
            "The header now is '203.0.113.7, garbage': nobody confirmed what stood "
            "further left.",
        ],
    ),
    (
        "a hop count that ends at nobody",
        {"hops": 2},
        "6.6.6.6, unknown, 10.0.0.6",
        [
            "Elements are counted from the right, up to 2:",
            "1. '10.0.0.6' is counted, and not looked at.",
            "2. 'unknown' names nobody.",
            "So the client is unknown: the walk ended at a hop that is no address; the "
            "last address that was confirmed is 10.0.0.6.",
            "The header now is '10.0.0.6': nobody confirmed what stood further left.",
        ],
    ),
    (
        "too few elements",
        {"hops": 3},
        "203.0.113.7, 10.0.0.6",
        [
            "Elements are counted from the right, up to 3:",
            "1. '10.0.0.6' is counted, and not looked at.",
            "2. '203.0.113.7' is counted, and not looked at.",
            "So the client is unknown: the header has fewer elements than the "
            "configured count; the peer's address stays.",
        ],
    ),
    (
        "every peer trusted",
        {"proxies": None},
        "203.0.113.7, 10.0.0.6",
        [
            "No proxies are listed, so the first element counts.",
            "So the client is 203.0.113.7: every peer is trusted, so the client is "
            "the first element.",
            "The header stays as it came.",
        ],
    ),
]


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [case[1:] for case in CLIENT_CASES],
    ids=[case[0] for case in CLIENT_CASES],
)
def test_explain_the_walk(
    options: dict[str, Any], value: str, expected: list[str]
) -> None:
    """Each element of the walk has its verdict, and the end its reason."""
    text = explain_with({"X-Forwarded-For": value}, **options)

    lines = paragraph(text, "X-Forwarded-For (client address)")
    if len(value) > 200:
        assert lines[-3:-1] == expected
    else:
        assert lines == expected


def test_explain_one_address() -> None:
    """A header that holds one address is not walked."""
    text = explain_with({"X-Real-IP": "203.0.113.7"}, headers=["X-Real-IP"])

    assert paragraph(text, "X-Real-IP (") == [
        "1. '203.0.113.7' is an address.",
        "So the client is 203.0.113.7: the client is the one address that the header "
        "holds.",
        "The header stays as it came.",
    ]


def test_explain_one_malformed_address() -> None:
    """What is no address is shown, and not used."""
    text = explain_with({"X-Real-IP": "a, b"}, headers=["X-Real-IP"])

    assert paragraph(text, "X-Real-IP (") == [
        "1. 'a, b' names nobody.",
        "So the client is unknown: the trusted client header is malformed; the peer's "
        "address stays.",
    ]
    assert paragraph(text, "Problems") == [
        "malformed (X-Real-IP): the header's value does not match its grammar"
    ]


def test_explain_several_trusted_synonyms() -> None:
    """The loser's paragraph says that another won, in both kinds of category."""
    text = explain_with(
        {
            "X-Real-IP": "203.0.113.8",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Proto": "http",
            "X-Scheme": "https",
        },
        headers=["X-Forwarded-For", "X-Real-IP", "X-Scheme", "X-Forwarded-Proto"],
    )

    won = "Another header of the category wins over this one."
    assert paragraph(text, "X-Forwarded-For (")[-1] == won
    assert paragraph(text, "X-Real-IP (")[-1] == "The header stays as it came."
    assert paragraph(text, "X-Scheme (") == [won]
    assert paragraph(text, "X-Forwarded-Proto (") == ["'http' is used as the scheme."]


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("X-Forwarded-Proto", "", "empty, which counts as not sent"),
        (
            "X-Forwarded-Proto",
            "javascript",
            "'javascript' is not used: the header's value does not match its grammar.",
        ),
        ("X-Forwarded-Port", "8443", "'8443' is used as the port."),
        ("X-Forwarded-Server", "front", "'front' is used as the server name."),
        ("X-Forwarded-Prefix", "/app", "'/app' is used as the mount point."),
        ("X-Forwarded-SSL", "on", "'on' is used as the scheme."),
    ],
)
def test_explain_a_single_value(header: str, value: str, expected: str) -> None:
    """What a header beside the client's does, or why it does nothing."""
    text = explain_with({header: value}, headers=[header])

    assert paragraph(text, f"{header} (") == [expected]


def test_explain_an_element_that_is_too_far_away() -> None:
    """A list beside the client's that is longer than what is read is not used."""
    text = explain_with(
        {"X-Forwarded-For": "10.0.0.6", "X-Forwarded-Proto": "h" * 5000},
        headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    )

    (line,) = paragraph(text, "X-Forwarded-Proto (")
    assert line.endswith(
        "(5000 characters) is not used: the walk reached more of the header than is "
        "ever read."
    )


def test_explain_the_first_element_where_every_peer_is_believed() -> None:
    """Without a list of proxies the first element of the others counts, too."""
    text = explain_with(
        {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https, http"},
        headers=["X-Forwarded-For", "X-Forwarded-Proto"],
        proxies=None,
    )

    assert paragraph(text, "X-Forwarded-Proto (") == [
        "Of 'https, http', the first element counts: 'https' is used as the scheme."
    ]


def test_explain_forwarded() -> None:
    """One header of three categories: its element says the scheme and the host."""
    text = explain_with(
        {
            "Forwarded": "for=6.6.6.6, "
            'for=203.0.113.7;proto=https;host="a/b", for=10.0.0.6'
        },
        headers=["Forwarded"],
    )

    assert paragraph(text, "Forwarded (client address, scheme, host)")[-4:] == [
        "So the client is 203.0.113.7: the client is the nearest hop that is not a "
        "trusted proxy.",
        """The header now is 'for=203.0.113.7;proto=https;host="a/b", for=10.0.0.6': """
        "nobody confirmed what stood further left.",
        "proto of the client's element, 'https', is used.",
        "host of the client's element, 'a/b', is malformed, not used.",
    ]


def test_explain_forwarded_without_a_scheme() -> None:
    """Where the element says no more than the address, the text says no more."""
    text = explain_with({"Forwarded": "for=203.0.113.7"}, headers=["Forwarded"])

    assert paragraph(text, "Forwarded (")[-1] == "The header stays as it came."


def test_explain_an_element_of_forwarded_that_is_broken_right_of_the_count() -> None:
    """It might be several, so that the count ends there."""
    text = explain_with(
        {"Forwarded": "for=203.0.113.7, for"}, headers=["Forwarded"], hops=2
    )

    assert "1. 'for' names nobody." in paragraph(text, "Forwarded (")


def test_explain_a_known_header_named_in_connection() -> None:
    """A problem that concerns a header does not make its value unusable."""
    text = explain_with(
        {"X-Forwarded-Proto": "https", "Connection": "close, X-Forwarded-Proto"},
        headers=["X-Forwarded-Proto"],
    )

    assert paragraph(text, "X-Forwarded-Proto (") == ["'https' is used as the scheme."]
    assert paragraph(text, "Problems") == [
        "named-in-connection (X-Forwarded-Proto): the Connection header asks proxies "
        "to drop this header"
    ]


def test_explain_a_known_header_named_in_connection_and_empty() -> None:
    """A header that is only named there, and says nothing, counts as not sent."""
    text = explain_with(
        {"X-Forwarded-Proto": "", "Connection": "X-Forwarded-Proto"},
        headers=["X-Forwarded-Proto"],
    )

    assert paragraph(text, "X-Forwarded-Proto (") == ["empty, which counts as not sent"]


def test_explain_a_refused_request() -> None:
    """Where the answer is 400 the application sees nothing, and nothing was used."""
    text = explain_with(
        {
            "X-Forwarded-For": "garbage",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "",
        },
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
        malformed="reject",
    )

    assert paragraph(text, "The application sees") == [
        "nothing: the answer is 400, because of malformed (X-Forwarded-For)"
    ]
    assert paragraph(text, "X-Forwarded-Proto (") == [
        "not used, since the request is refused"
    ]


def test_explain_a_refused_forwarded() -> None:
    """Nothing of the element is said to be used."""
    text = explain_with(
        {"Forwarded": "for=unknown;proto=https"},
        headers=["Forwarded"],
        missing="reject",
    )

    assert paragraph(text, "Forwarded (")[-1].startswith("So the client is unknown")


@pytest.mark.parametrize("options", [{}, {"missing": "reject"}])
def test_explain_shadow(options: dict[str, Any]) -> None:
    """In report-only mode the text says that nothing of it comes true."""
    text = explain_with({}, report_only=True, **options)

    assert paragraph(text, "The application sees")[-1] == (
        "In report-only mode all of this is only logged."
    )


def test_explain_a_mount_point_that_is_stripped() -> None:
    """The path that the application sees is shown beside the one that was asked."""
    text = explain_with(
        {"X-Forwarded-Prefix": "/app"},
        headers=["X-Forwarded-Prefix"],
        strip_mount_point=True,
        connection=CONNECTION._replace(path="/app/x"),
    )

    assert "mount point     '/app', was ''" in text
    assert "path            '/x', was '/app/x'" in text


def test_policy_explains_an_environ() -> None:
    """`ProxyPolicy.explain` reads an environ, and leaves it as it is."""
    environ = {
        "REMOTE_ADDR": PEER,
        "wsgi.url_scheme": "http",
        "HTTP_X_FORWARDED_FOR": "203.0.113.7",
        "HTTP_CONNECTION": "X-Forwarded-For",
    }
    before = dict(environ)

    text = make_policy().explain(environ)

    assert "client address  '203.0.113.7', was '10.0.0.5'" in text
    assert "named-in-connection" in text
    assert environ == before


TEXT = st.text(
    st.sampled_from('0123456789.:,;= \t"\\[]_aforunkwptsh\r\n\x00é\u2028'), max_size=60
)
NAMES = [header.name for header in KNOWN_HEADERS]


@given(
    policy=st.sampled_from(
        [
            make_policy(),
            make_policy(headers=["Forwarded"], hops=2),
            make_policy(headers=["Forwarded"], proxies=None),
            make_policy(headers=["X-Real-IP", "X-Forwarded-Proto"], strip="all"),
            make_policy(
                headers=["X-Forwarded-For", "X-Forwarded-Prefix"],
                malformed="reject",
                missing="reject",
            ),
        ]
    ),
    headers=st.dictionaries(st.sampled_from(NAMES), TEXT, max_size=5),
    peer=st.sampled_from([PEER, "198.51.100.7", "", None, "garbage"]),
)
def test_explain_agrees_with_the_decision(
    policy: ProxyPolicy, headers: dict[str, str], peer: str | None
) -> None:
    """The text never fails, tells the decision, and carries no control character."""
    connection = CONNECTION._replace(peer=peer)
    decision = policy.decide(connection, headers)

    text = explain(policy, connection, headers)

    assert text.replace("\n", "").isprintable()
    assert not any(line != line.rstrip() for line in text.splitlines())
    if decision.rejected:
        assert "the answer is 400" in text
    else:
        known = "known" if decision.client_known else "unknown"
        assert f"client address  {decision.address!r}" in text
        assert f"The client is {known}: {decision.reason}." in text


def test_explain_shows_odd_names_through_repr() -> None:
    """A header's name from elsewhere cannot write lines of its own."""
    text = explain_with({"X\r\nForged": "1", "X-Fine": "2"})

    assert "  'X\\r\\nForged': '1'" in text
    assert "  X-Fine: '2'" in text


def test_explain_shortens_what_was_sent() -> None:
    """A long value does not fill the screen."""
    text = explain_with({"X-Forwarded-For": "9" * 4000})

    assert len(text) < 2000


POLICY_CASES: list[tuple[dict[str, Any], str, str]] = [
    (
        {},
        "TRUSTED_PROXY_HEADERS = X-Forwarded-For",
        "client address from X-Forwarded-For",
    ),
    (
        {"headers": ["Forwarded", "X-Forwarded-Port"]},
        "TRUSTED_PROXY_HEADERS = Forwarded, X-Forwarded-Port",
        "client address from Forwarded; scheme from Forwarded; host from Forwarded; "
        "port from X-Forwarded-Port",
    ),
    (
        {"headers": []},
        "TRUSTED_PROXY_HEADERS = nothing",
        "nothing is trusted, and nothing corrected",
    ),
    (
        {"proxies": ["loopback", "10.0.0.0/8"]},
        "TRUSTED_PROXIES = loopback, 10.0.0.0/8",
        "only these peers are trusted",
    ),
    ({"proxies": []}, "TRUSTED_PROXIES = nothing", "nobody is trusted"),
    (
        {"proxies": None},
        "TRUSTED_PROXIES = None",
        "every peer is peer_trusted: right only where nothing but the proxy can reach this "
        "server",
    ),
    (
        {"proxies": "*"},
        "TRUSTED_PROXIES = '*'",
        "every peer is peer_trusted: right only where nothing but the proxy can reach this "
        "server",
    ),
    (
        {"proxies": None, "secret_header": "X-Edge-Secret", "secrets": ["hush"]},
        "TRUSTED_PROXIES = None",
        "every peer that knows the secret is trusted",
    ),
    ({}, "TRUSTED_PROXY_HOPS = None", "addresses are not counted"),
    (
        {"hops": 2},
        "TRUSTED_PROXY_HOPS = 2",
        "the client is element number 2 from the right",
    ),
    ({}, "TRUSTED_PROXY_SECRET_HEADER = None", "no secret is asked for"),
    (
        {"secret_header": "X-Edge-Secret", "secrets": ["hush"]},
        "TRUSTED_PROXY_SECRET_HEADER = X-Edge-Secret",
        "a request without one of the secrets in it is a direct one; the header is "
        "removed from every request",
    ),
    (
        {"strip": "all"},
        "TRUSTED_PROXY_STRIP = 'all'",
        "every known header that was not used is removed, from any peer",
    ),
    (
        {"malformed": "reject"},
        "TRUSTED_PROXY_MALFORMED = 'reject'",
        "a request with a malformed trusted header is answered with 400",
    ),
    (
        {"missing": "reject"},
        "TRUSTED_PROXY_MISSING = 'reject'",
        "a request whose client is unknown is answered with 400",
    ),
    (
        {"port_in_host": True},
        "TRUSTED_PROXY_PORT_IN_HOST = True",
        "a trusted port is written into a host that has none",
    ),
    (
        {"strip_mount_point": True},
        "TRUSTED_PROXY_STRIP_MOUNT_POINT = True",
        "the mount point is taken off the front of the path",
    ),
    (
        {"report_only": True},
        "TRUSTED_PROXY_REPORT_ONLY = True",
        "nothing is changed: what would differ is only logged",
    ),
]


@pytest.mark.parametrize(("options", "setting", "meaning"), POLICY_CASES)
def test_describe_policy(options: dict[str, Any], setting: str, meaning: str) -> None:
    """Each setting has its name, its value, and what that means."""
    lines = describe_policy(make_policy(**options)).splitlines()

    assert lines[lines.index(setting) + 1] == f"    {meaning}"


def test_describe_policy_shows_no_secret() -> None:
    """A secret is never in the text."""
    text = describe_policy(
        make_policy(secret_header="X-Edge-Secret", secrets=["hush-hush"])
    )

    assert "hush" not in text


def read(**given: Any) -> Settings:
    """Read settings as a project has them."""
    return read_settings({f"TRUSTED_PROXY_{k.upper()}": v for k, v in given.items()})


SETTINGS_CASES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "TRUSTED_PROXY_HTTPS_ONLY = False", "plain HTTP is served"),
    (
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_ONLY = True",
        "plain HTTP is redirected to HTTPS by the client's scheme",
    ),
    (
        {"https_only": True, "https_host": ":8443"},
        "TRUSTED_PROXY_HTTPS_HOST = :8443",
        "redirects go to this port of the request's host",
    ),
    (
        {"https_only": True, "https_host": "a.example"},
        "TRUSTED_PROXY_HTTPS_HOST = a.example",
        "redirects go to this host",
    ),
    (
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_HOST = None",
        "redirects go to the request's host",
    ),
    (
        {"https_only": True, "https_status": 302},
        "TRUSTED_PROXY_HTTPS_STATUS = 302",
        "the answer to GET and HEAD; other methods get 307",
    ),
    (
        {"https_only": True, "https_exempt": ["/healthz", "10.0.0.0/8"]},
        "TRUSTED_PROXY_HTTPS_EXEMPT = /healthz, 10.0.0.0/8",
        "these paths and direct peers stay reachable over HTTP",
    ),
    (
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_EXEMPT = nothing",
        "nothing stays reachable over HTTP",
    ),
    (
        {},
        "TRUSTED_PROXY_HSTS_POLICY = None",
        "browsers are not told to stay on HTTPS",
    ),
    (
        {"https_only": True, "hsts_policy": "max-age=60"},
        "TRUSTED_PROXY_HSTS_POLICY = max-age=60",
        "sent with every answer to a secure request",
    ),
    (
        {"hsts_policy": "max-age=60"},
        "TRUSTED_PROXY_HSTS_POLICY = max-age=60",
        "not sent, since TRUSTED_PROXY_HTTPS_ONLY is off",
    ),
    ({}, "TRUSTED_PROXY_MOUNT_POINTS = nothing", "no path is proxied"),
    (
        {"mount_points": {"/blog/": "http://127.0.0.1:1/"}},
        "TRUSTED_PROXY_MOUNT_POINTS = /blog/ → http://127.0.0.1:1/",
        "requests below these paths go to other servers",
    ),
    (
        {},
        "TRUSTED_PROXY_RESTRICT_SIGNALS = False",
        "signal handlers are left alone",
    ),
    (
        {"restrict_signals": True},
        "TRUSTED_PROXY_RESTRICT_SIGNALS = True",
        "signal.signal() is refused from the first request on",
    ),
]


@pytest.mark.parametrize(("given_settings", "setting", "meaning"), SETTINGS_CASES)
def test_describe_settings(
    given_settings: dict[str, Any], setting: str, meaning: str
) -> None:
    """What stands on the policy is described like it."""
    lines = describe_settings(read(**given_settings)).splitlines()

    assert lines[lines.index(setting) + 1] == f"    {meaning}"


def test_describe_settings_begins_with_the_policy() -> None:
    """The policy comes first, in the same words."""
    settings = read(headers=LIST)

    text = describe_settings(settings)

    assert text.startswith(describe_policy(settings.policy) + "\n")
