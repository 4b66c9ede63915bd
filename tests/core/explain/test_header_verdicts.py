"""
What became of each header, and why.

In:  headers of a request, and policies.
Out: `Header` records: fate, value afterwards, sentences.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy.explain import Fate

from .making import SECRET, STRANGER, explain_sent, header_of

FOR, REAL, PROTO = "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto"


@pytest.mark.parametrize(
    ("name", "value", "fate", "after", "expected"),
    [
        (PROTO, "", Fate.IGNORED, None, "empty, which counts as not sent"),
        (
            PROTO,
            "javascript",
            Fate.MALFORMED,
            None,
            "'javascript' is malformed, and counts as absent.",
        ),
        (PROTO, "HTTPS", Fate.USED, "HTTPS", "'HTTPS' is used as the scheme, 'https'."),
        (PROTO, " https ", Fate.USED, "https", "'https' is used as the scheme."),
        ("X-Forwarded-Port", "8443", Fate.USED, "8443", "'8443' is used as the port."),
        (
            "X-Forwarded-Server",
            "front",
            Fate.USED,
            "front",
            "'front' is used as the server name.",
        ),
        (
            "X-Forwarded-Prefix",
            "/a%40b/",
            Fate.USED,
            "/a%40b/",
            "'/a%40b/' is used as the mount point, '/a@b'.",
        ),
        (
            "X-Forwarded-Prefix",
            "",
            Fate.USED,
            "",
            "'' is used as the mount point.",
        ),
        (
            "X-Forwarded-SSL",
            "on",
            Fate.USED,
            "on",
            "'on' is used as the scheme, 'https'.",
        ),
        (
            PROTO,
            "http," * 1000 + "h" * 5000,
            Fate.MALFORMED,
            None,
            "There is more of it than is read, and what counts stands there.",
        ),
    ],
)
def test_header_with_one_value(
    name: str, value: str, fate: Fate, after: str | None, expected: str
) -> None:
    """What it does, or why it does nothing; its value afterwards is what remains."""
    header = header_of(explain_sent({name: value}, headers=[name]), name)

    assert header.listed
    assert header.fate is fate
    assert header.value_after == after
    assert header.sentences == (expected,)


LISTS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "the client's own proxy's",
        {},
        "203.0.113.7, 10.0.0.6",
        "Of 'http, https, http', the element that the client's own proxy wrote counts: "
        "'https' is used as the scheme.",
    ),
    (
        "the count's",
        {"hops": 2},
        "203.0.113.7, 10.0.0.6",
        "Of 'http, https, http', the element at the count from the right is taken: "
        "'https' is used as the scheme.",
    ),
    (
        "the first",
        {"proxies": "*"},
        "203.0.113.7, 10.0.0.6",
        "Of 'http, https, http', the first element counts, as of every list: 'http' is "
        "used as the scheme.",
    ),
]


@pytest.mark.parametrize(
    ("options", "chain", "expected"),
    [case[1:] for case in LISTS],
    ids=[case[0] for case in LISTS],
)
def test_header_with_a_list(options: dict[str, Any], chain: str, expected: str) -> None:
    """Which element counts follows the client's, and the sentence says which."""
    sent = {FOR: chain, PROTO: "http, https, http"}

    header = header_of(explain_sent(sent, headers=[FOR, PROTO], **options), PROTO)

    assert header.sentences == (expected,)
    assert not header.guess


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        (PROTO, "https,http", "'http' is used as the scheme."),
        ("X-Forwarded-Port", "443, 80", "'80' is used as the port."),
    ],
)
def test_guess_is_called_one(name: str, value: str, taken: str) -> None:
    """Without a list of addresses nothing says which element is the client's."""
    explanation = explain_sent({REAL: "203.0.113.7", name: value}, headers=[REAL, name])

    header = header_of(explanation, name)
    assert header.guess
    assert header.sentences == (
        f"Of {value!r}, the right-most element is taken, which is a guess, since "
        f"nothing says which one the client's own proxy wrote: {taken}",
    )
    assert [problem.code for problem in explanation.problems] == ["uncounted-list"]


def test_list_whose_elements_agree_is_no_guess() -> None:
    """Whichever counts, the outcome is the same."""
    sent = {REAL: "203.0.113.7", PROTO: "https, https"}

    header = header_of(explain_sent(sent, headers=[REAL, PROTO]), PROTO)

    assert not header.guess
    assert header.sentences == (
        "Of 'https, https', all elements mean the same: 'https' is used as the scheme.",
    )
    assert header.value_after == "https"


def test_several_listed_synonyms() -> None:
    """The loser's sentence says that another counts, in both kinds of category."""
    explanation = explain_sent(
        {
            REAL: "203.0.113.8",
            FOR: "203.0.113.7",
            PROTO: "http",
            "X-Scheme": "https",
        },
        headers=[FOR, REAL, "X-Scheme", PROTO],
    )

    assert header_of(explanation, FOR).fate is Fate.REMOVED
    assert header_of(explanation, FOR).sentences[-1] == (
        "A trusted header that is listed later says the client, so that one counts."
    )
    assert header_of(explanation, REAL).fate is Fate.USED
    assert header_of(explanation, "X-Scheme").fate is Fate.REMOVED
    assert header_of(explanation, "X-Scheme").sentences == (
        "'https' is well-formed, but another header that is listed later says the "
        "scheme, so that one counts.",
    )
    assert header_of(explanation, PROTO).fate is Fate.USED


def test_client_header_that_is_malformed() -> None:
    """What is no address is shown, and not used."""
    header = header_of(explain_sent({REAL: "a, b"}, headers=[REAL]), REAL)

    assert header.fate is Fate.MALFORMED
    assert header.sentences == (
        "1. 'a, b' names nobody.",
        "So the client is unknown: the trusted client header is malformed; the peer's "
        "address stays.",
    )


def test_client_header_that_names_nobody() -> None:
    """A hop that declines to give its address is well-formed, and the header goes."""
    header = header_of(explain_sent({FOR: "unknown"}), FOR)

    assert header.fate is Fate.REMOVED
    assert header.value_after is None


def test_forwarded_of_which_only_the_scheme_is_used() -> None:
    """The header itself does not remain where nobody in it is confirmed."""
    explanation = explain_sent(
        {"Forwarded": "for=unknown;proto=https"}, headers=["Forwarded"]
    )

    header = header_of(explanation, "Forwarded")
    assert header.fate is Fate.USED
    assert header.value_after is None
    assert header.sentences[-1] == "proto of the client's element, 'https', is used."


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "The peer is not trusted, so that it is removed, unread."),
        (
            {"proxies": None, "secret_header": "X-Edge", "secrets": [SECRET]},
            "The secret is missing, so that it is removed, unread.",
        ),
    ],
)
def test_listed_header_of_a_direct_request(options: dict[str, Any], why: str) -> None:
    """It is removed whatever it says, and not read."""
    explanation = explain_sent({FOR: "1.1.1.1"}, fields={"peer": STRANGER}, **options)

    header = header_of(explanation, FOR)
    assert (header.fate, header.value_after, header.hops) == (Fate.REMOVED, None, ())
    assert header.sentences == (why,)


def test_listed_headers_of_a_rejected_request() -> None:
    """The blame is shown, and nothing is said to be used."""
    explanation = explain_sent(
        {FOR: "garbage", PROTO: "https", "X-Forwarded-Host": ""},
        headers=[FOR, PROTO, "X-Forwarded-Host"],
        malformed="reject",
    )

    fates = {header.name: header.fate for header in explanation.headers}
    assert fates == {
        FOR: Fate.MALFORMED,
        PROTO: Fate.REMOVED,
        "X-Forwarded-Host": Fate.REMOVED,
    }
    assert all(header.value_after is None for header in explanation.headers)


OTHERS: list[tuple[str, dict[str, Any], str, Fate, str]] = [
    (
        "a synonym",
        {},
        REAL,
        Fate.REMOVED,
        "It says the client address, as X-Forwarded-For does, which is listed.",
    ),
    (
        "of what is stated",
        {"fixed_scheme": "https"},
        PROTO,
        Fate.REMOVED,
        "TRUSTED_PROXY_FIXED_SCHEME states the scheme.",
    ),
    (
        "of a preset",
        {"strip": "all"},
        "X-Original-URL",
        Fate.REMOVED,
        "TRUSTED_PROXY_STRIP is 'all': every known header that was not used goes.",
    ),
    (
        "of another category",
        {},
        PROTO,
        Fate.NOT_LISTED,
        "TRUSTED_PROXY_HEADERS does not list it, nor anything else that says the same: "
        "it stays as it came, and whatever reads it may read a forged value.",
    ),
    (
        "with underscores",
        {},
        "X_Forwarded_For",
        Fate.IGNORED,
        "To a WSGI server and to many others this is X-Forwarded-For: the front end "
        "has to drop it. It is not read here; in ASGI it is removed wherever "
        "X-Forwarded-For would be.",
    ),
    (
        "the host",
        {},
        "Host",
        Fate.CONNECTION,
        "The host that the server was asked for.",
    ),
    (
        "Connection",
        {},
        "Connection",
        Fate.CONNECTION,
        "It may ask proxies to drop headers (RFC 9110 section 7.6.1).",
    ),
    (
        "the secret",
        {"secret_header": "X-Edge", "secrets": [SECRET]},
        "X-Edge",
        Fate.SECRET,
        "The proxy's secret, which is removed from every request.",
    ),
]


@pytest.mark.parametrize(
    ("options", "name", "fate", "why"),
    [case[1:] for case in OTHERS],
    ids=[case[0] for case in OTHERS],
)
def test_header_that_is_not_listed(
    options: dict[str, Any], name: str, fate: Fate, why: str
) -> None:
    """Removed, left, or none of our business: with the reason."""
    header = header_of(explain_sent({name: SECRET}, **options), name)

    assert not header.listed
    assert header.fate is fate
    assert header.sentences == (why,)
    gone = fate in (Fate.REMOVED, Fate.SECRET)
    assert header.value_after == (None if gone else header.value)


def test_header_that_says_nothing_of_a_proxy() -> None:
    """It is there, and nothing is said of it."""
    header = header_of(explain_sent({"User-Agent": "x"}), "User-Agent")

    assert (header.fate, header.sentences) == (Fate.OTHER, ())
    assert header.value_after == "x"


def test_listed_headers_come_first_and_in_order() -> None:
    """Those of the policy, whether they came or not; then those that came."""
    explanation = explain_sent(
        {"User-Agent": "x", PROTO: "https", REAL: "1.1.1.1"}, headers=[FOR, PROTO]
    )

    assert [header.name for header in explanation.headers] == [
        FOR,
        PROTO,
        "User-Agent",
        REAL,
    ]
    assert explanation.headers[0].fate is Fate.NOT_SENT
