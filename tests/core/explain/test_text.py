"""
An explanation as plain text.

In:  policies, connections and headers.
Out: the text, whole and by its paragraphs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy import Connection, ProxyPolicy
from trustedproxy.explain import OtherResult, explain, write_text
from trustedproxy.headers import KNOWN_HEADERS

from .making import CONNECTION, PEER, make_policy, paragraph, text_of


def test_text_of_a_request_of_a_trusted_proxy() -> None:
    """The whole text, for the request that most people have."""
    text = text_of(
        {
            "X-Forwarded-For": "6.6.6.6, 203.0.113.7:4711, 10.0.0.6",
            "X-Forwarded-Proto": "http, https, http",
            "X-Real-IP": "6.6.6.6",
            "Cookie": "sessionid=1",
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
  Cookie: (not shown)

The peer
  '10.0.0.5' is a trusted proxy, by the entry '10.0.0.0/8' of TRUSTED_PROXIES: its \
headers are read.

X-Forwarded-For (client address): used
  Elements are read from the right, over the trusted proxies:
  1. '10.0.0.6' is a trusted proxy (10.0.0.0/8).
  2. '203.0.113.7:4711' is not a trusted proxy.
  3. '6.6.6.6' stands further left: nobody confirmed it.
  So the client is 203.0.113.7, port 4711: the client is the nearest hop that is not \
a trusted proxy.
  The header now is '203.0.113.7:4711, 10.0.0.6': nobody confirmed what stood \
further left.

X-Forwarded-Proto (scheme): used
  Of 'http, https, http', the element that the client's own proxy wrote counts: \
'https' is used as the scheme.

X-Forwarded-Host (host)
  not sent

X-Real-IP (client address): removed
  It says the client address, as X-Forwarded-For does, which is listed.

The application sees
  client address  '203.0.113.7', was '10.0.0.5'
  scheme          'https', was 'http'
  host            'backend:8000'
  server name     'backend'
  port            '8000'
  mount point     ''
  path            '/a'
  client port     '4711', was None
  The client is known: the client is the nearest hop that is not a trusted proxy."""
    )


def test_text_of_everything_that_is_seldom_there() -> None:
    """Notes, stated facts, problems, answers and advice have paragraphs."""
    text = text_of(
        {"X-Forwarded-For": "garbage"},
        report_only=True,
        malformed="reject",
        fixed_scheme="https",
    )

    assert paragraph(text, "Note") == [
        "In report-only mode all of this is only logged, and nothing is changed."
    ]
    assert paragraph(text, "Stated") == [
        "'https' is stated as the scheme, and does not hold for this request, whose "
        "headers do not count."
    ]
    assert paragraph(text, "Problems") == [
        "X-Forwarded-For: the header's value does not match its grammar (malformed)"
    ]
    assert paragraph(text, "The application sees")[-1] == (
        "The request is rejected, and left as it came without those headers."
    )


def test_text_of_advice_has_the_lines_to_paste() -> None:
    """A sentence with a capital, and below it the settings, indented."""
    text = text_of({"X-Forwarded-For": "203.0.113.7"}, fields={"peer": "172.18.0.1"})

    advice = paragraph(text, "If this is not what you want")
    assert advice[0].startswith("- The peer '172.18.0.1' sent X-Forwarded-For, which ")
    assert advice[1] == '    TRUSTED_PROXIES = ["10.0.0.0/8", "172.18.0.1"]'


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
NAMES = [
    *(header.name for header in KNOWN_HEADERS),
    "X_Forwarded_For",
    "Connection",
    "Host",
    "X-Other",
]
POLICIES = [
    make_policy(),
    make_policy(headers=["Forwarded"], hops=2),
    make_policy(headers=["Forwarded"], proxies="*"),
    make_policy(headers=["X-Real-IP", "X-Forwarded-Proto"], strip="all"),
    make_policy(
        headers=["X-Forwarded-For", "X-Forwarded-Prefix"],
        malformed="reject",
        missing="reject",
        strip_mount_point=True,
    ),
    make_policy(fixed_host="app.example", fixed_port=8443, port_in_host=True),
]


@given(
    policy=st.sampled_from(POLICIES),
    headers=st.dictionaries(st.sampled_from(NAMES), TEXT, max_size=5),
    peer=st.sampled_from([PEER, "198.51.100.7", "", None, "garbage", "fe80::1%eth0"]),
)
def test_text_agrees_with_the_decision(
    policy: ProxyPolicy, headers: dict[str, str], peer: str | None
) -> None:
    """The text never fails, says the decision, and carries no control character."""
    connection = replace(CONNECTION, peer=peer)
    decision = policy.decide(connection, headers)

    text = write_text(explain(policy, connection, headers))

    assert text.replace("\n", "").isprintable()
    assert not any(line != line.rstrip() for line in text.splitlines())
    if decision.rejected:
        assert "the request is answered with 400" in text
    else:
        known = "known" if decision.client_known else "unknown"
        assert f"client address  {decision.address!r}" in text
        assert f"The client is {known}: {decision.reason}." in text


def test_text_shows_odd_names_through_repr() -> None:
    """A header's name from elsewhere cannot write lines of its own."""
    text = text_of({"X\r\nForged": "1", "X-Fine": "2"})

    assert "  'X\\r\\nForged': '1'" in text
    assert "  X-Fine: '2'" in text


def test_text_is_short_where_a_request_is_long() -> None:
    """A long value does not fill the screen."""
    text = text_of({"X-Forwarded-For": "9" * 4000})

    assert len(text) < 3000


@pytest.mark.parametrize("more", [{}, {"missing": "reject"}])
def test_text_in_report_only_mode(more: dict[str, Any]) -> None:
    """It says that nothing of it comes true."""
    text = text_of({}, report_only=True, **more)

    assert text.startswith("Note\n  In report-only mode all of this is only logged")


def test_text_names_where_a_request_was_read() -> None:
    """The line of a log is above what it says."""
    explanation = explain(make_policy(), Connection(PEER), {})

    text = write_text(replace(explanation, where="access.log, line 3"))

    assert paragraph(text, "The request")[0] == "from access.log, line 3"


def test_text_of_what_others_make_of_it() -> None:
    """Each with its version and configuration, and what differs from here."""
    explanation = replace(
        explain(make_policy(), CONNECTION, {}),
        others=(
            OtherResult(
                name="ProxyFix",
                version="3.1",
                settings="ProxyFix(app)",
                sees={"client address": "6.6.6.6", "scheme": None},
                differs=("client address",),
            ),
            OtherResult(
                name="waitress", version=None, settings="-", error="is not installed"
            ),
        ),
    )

    assert paragraph(write_text(explanation), "Others make of it") == [
        "ProxyFix 3.1: ProxyFix(app)",
        "  client address  '6.6.6.6', which differs",
        "  scheme          None",
        "waitress: -",
        "  is not installed",
    ]
