"""
The categories beside the client's: which element counts, which header wins.

In:  the values of listed headers, and the position of the client's element.
Out: what each variable gets, what stays of the headers, and what is remembered.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Category, Problem, ProxyHeader, memo
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.parsing.lists import MAX_CHARACTERS
from trustedproxy.parsing.values import parse_mount_point, parse_scheme
from trustedproxy.url_parts import Beside, BesideReader, choose_value

from .making import HOST, PORT, PROTO, SCRIPT, SERVER

HEADERS = {header.name: header for header in KNOWN_HEADERS}
LONG = "x" * (MAX_CHARACTERS + 1)


def make_reader(*names: str, port_in_host: bool = False) -> BesideReader:
    """Make a reader of the headers *names*."""
    headers: tuple[ProxyHeader, ...] = tuple(HEADERS[name] for name in names)
    return BesideReader(headers, port_in_host=port_in_host)


def read(
    sent: dict[str, str | None],
    *,
    position: int | None = 1,
    winner: str | None = None,
    said: tuple[str | None, str | None] | None = None,
    own: tuple[str, str | None] | None = None,
    **options: Any,
) -> Beside:
    """Read what was *sent*, by a reader of just these headers."""
    reader = make_reader(*sent, **options)
    return reader.read((position, winner, said, tuple(sent.values()), own))


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("https", 1, ("https", "https", None)),
        (" HTTPS\t", 1, ("HTTPS", "https", None)),
        ("http, https, http", 2, ("https", "https", None)),
        ("http, https", 7, ("http", "http", None)),
        ("http, https", None, ("http", "http", None)),
        ("ftp", 1, ("ftp", None, "malformed")),
        ("https, ftp", 1, ("ftp", None, "malformed")),
        ("", 1, ("", None, None)),
        (" , ", 1, ("", None, None)),
        (LONG, 1, ("", None, "too-long")),
        (LONG, None, ("", None, "too-long")),
    ],
)
def test_value_is_chosen_in_lockstep_with_the_clients(
    text: str, position: int | None, expected: tuple[str, str | None, str | None]
) -> None:
    """The k-th element from the right counts, and is read by its grammar (R9)."""
    assert choose_value(text, position, Category.SCHEME, parse_scheme) == expected


@pytest.mark.parametrize(
    ("text", "value"), [("", ""), (" \t", ""), (",", None), (" , ,", None)]
)
def test_empty_mount_point_is_a_value_and_commas_are_none(
    text: str, value: str | None
) -> None:
    """An empty header is the empty mount point; one of commas alone is absent."""
    chosen = choose_value(text, 1, Category.MOUNT_POINT, parse_mount_point)

    assert chosen == ("", value, None)


def test_each_header_fills_its_category() -> None:
    """What is well-formed is used, its header wins, and nothing else happens."""
    sent: dict[str, str | None] = {
        PROTO: "https",
        HOST: "app.example:8443",
        SERVER: "app.example",
        PORT: "8443",
        SCRIPT: "/app",
    }

    assert read(sent, winner="X-Forwarded-For") == Beside(
        "https",
        "app.example:8443",
        "app.example",
        "8443",
        "/app",
        {
            Category.CLIENT: "X-Forwarded-For",
            Category.SCHEME: PROTO,
            Category.HOST: HOST,
            Category.SERVER: SERVER,
            Category.PORT: PORT,
            Category.MOUNT_POINT: SCRIPT,
        },
        {},
        (),
        (),
    )


def test_header_that_is_not_there_says_nothing() -> None:
    """Absent headers are no problem, and lose nothing."""
    outcome = read({PROTO: None, HOST: None})

    assert outcome[:5] == (None,) * 5
    assert (outcome.winners, outcome.lost, outcome.problems) == ({}, (), ())


def test_malformed_value_wins_nothing_and_is_a_problem() -> None:
    """It counts as absent, its header is lost, and the problem has the whole value."""
    outcome = read({PROTO: "https, ftp", PORT: "8443"})

    assert (outcome.scheme, outcome.port) == (None, "8443")
    assert outcome.lost == (PROTO,)
    assert outcome.problems == (Problem("malformed", PROTO, "https, ftp"),)
    assert outcome.winners == {Category.PORT: PORT}


def test_list_becomes_the_value_that_was_used() -> None:
    """Afterwards the header holds just that value, as it came."""
    outcome = read({PROTO: "http, HTTPS, http", HOST: " a.example"}, position=2)

    assert (outcome.scheme, outcome.host) == ("https", "a.example")
    assert outcome.rewritten == {PROTO: "HTTPS", HOST: "a.example"}


def test_last_synonym_that_is_well_formed_wins() -> None:
    """The one that won before is lost, and is not rewritten either (R5)."""
    outcome = read(
        {"X-Forwarded-Proto": "http, http", "X-Forwarded-SSL": "on", "X-Scheme": "?"}
    )

    assert outcome.scheme == "https"
    assert outcome.winners == {Category.SCHEME: "X-Forwarded-SSL"}
    assert set(outcome.lost) == {"X-Forwarded-Proto", "X-Scheme"}
    assert outcome.rewritten == {}
    assert [problem.header for problem in outcome.problems] == ["X-Scheme"]


@pytest.mark.parametrize(
    ("said", "scheme", "host", "problems"),
    [
        (("https", "a.example"), "https", "a.example", []),
        (("HTTPS", None), "https", None, []),
        ((None, "a.example:80"), None, "a.example:80", []),
        ((None, None), None, None, []),
        (("ftp", "a/b"), None, None, ["ftp", "a/b"]),
    ],
)
def test_clients_element_of_forwarded_names_scheme_and_host(
    said: tuple[str | None, str | None],
    scheme: str | None,
    host: str | None,
    problems: list[str],
) -> None:
    """RFC 7239 sections 5.3 and 5.4; a malformed one counts as absent."""
    outcome = read({PORT: "8443"}, said=said)

    assert (outcome.scheme, outcome.host, outcome.port) == (scheme, host, "8443")
    assert outcome.problems == tuple(
        Problem("malformed", "Forwarded", value) for value in problems
    )
    assert set(outcome.winners.values()) <= {"Forwarded", PORT}


@pytest.mark.parametrize(
    ("scheme", "own", "expected"),
    [
        ("https", "http", "https"),
        ("https", "ws", "wss"),
        ("http", "wss", "ws"),
        ("wss", "ws", "wss"),
        (None, "wss", None),
    ],
)
def test_scheme_of_a_websocket_is_said_as_websockets_do(
    scheme: str | None, own: str, expected: str | None
) -> None:
    """A websocket's scheme stays ``ws`` or ``wss``."""
    assert read({PROTO: scheme}, own=(own, None)).scheme == expected


@pytest.mark.parametrize(
    ("sent", "own", "host"),
    [
        ({PORT: "8443", HOST: "a.example"}, ("http", "b"), "a.example:8443"),
        ({PORT: "443", PROTO: "https"}, ("http", "b.internal:443"), "b.internal"),
        ({PORT: "8443"}, ("http", "b.internal"), "b.internal:8443"),
        ({PORT: "80"}, ("http", "b.internal"), None),
        ({HOST: "a.example:80"}, ("http", "b"), "a.example"),
        ({PORT: "8443"}, ("http", None), None),
        ({PORT: "8443"}, ("http", "not/a host"), None),
    ],
)
def test_port_is_merged_into_the_host_where_that_is_wanted(
    sent: dict[str, str | None], own: tuple[str, str | None], host: str | None
) -> None:
    """A trusted host, or else the connection's own, gets the port (R15)."""
    assert read(sent, own=own, port_in_host=True).host == host


@pytest.mark.parametrize(
    ("text", "own", "is_remembered"),
    [
        ("https", None, True),
        ("https", ("http", "a.example"), True),
        ("http, https", None, False),
        ("ftp", None, False),
        ("https", ("http", "h" * 256), False),
    ],
)
def test_only_what_is_short_and_well_formed_is_remembered(
    text: str, own: tuple[str, str | None] | None, is_remembered: bool
) -> None:
    """Nothing that a client can make up at will fills the memo with long texts."""
    reader = make_reader(PROTO)
    key = (1, None, None, (text,), own)

    outcome = reader.read(key)

    assert reader.remembered == ({key: outcome} if is_remembered else {})


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memo that is full is emptied, and goes on."""
    monkeypatch.setattr(memo, "_MOST", 3)
    reader = make_reader(HOST)

    for number in range(10):
        host = f"h{number}.example"
        assert reader.read((1, None, None, (host,), None)).host == host
        assert 0 < len(reader.remembered) <= 3


def test_outcome_cannot_be_changed() -> None:
    """It is used again for other requests."""
    outcome: Any = read({PROTO: "http, https"})

    with pytest.raises(TypeError):
        outcome.winners[Category.SCHEME] = HOST
    with pytest.raises(TypeError):
        outcome.rewritten[PROTO] = "http"
