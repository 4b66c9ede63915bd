"""
Requests are read from environs, scopes, words like curl's, and text as it is sent.

In:  each of these.
Out: a `Request`; or a `RequestError` that says where it cannot be read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import Connection
from trustedproxy.advice import PROXY_FIX, REWRITTEN_BY_SERVER
from trustedproxy.explain import explain_environ, explain_scope
from trustedproxy.explain.requests import (
    DEFAULT,
    MOST_CHARACTERS,
    RequestError,
    describe_request,
    join_headers,
    parse_request,
    read_environ,
    read_scope,
)
from trustedproxy.wsgi_text import spell_path

from ..making import make_environ, make_scope
from .making import PEER, SECRET, make_policy

# -- environs and scopes ---------------------------------------------------------------


def test_environ_is_read_with_every_header() -> None:
    """Known names are spelled as in the table, others as people write them."""
    policy = make_policy(secret_header="X-Edge-SECRET", secrets=[SECRET])
    environ = make_environ(
        {"X-Real-IP": "1.1.1.1", "user-agent": "x", "X-Edge-Secret": SECRET},
        REQUEST_METHOD="POST",
        QUERY_STRING="a=b",
        HTTP_CONNECTION="close",
    )

    request = read_environ(policy, environ)

    assert request.connection == policy.read_connection(environ)
    assert request.headers == {
        "Host": "backend.internal",
        "X-Real-IP": "1.1.1.1",
        "User-Agent": "x",
        "X-Edge-SECRET": SECRET,
        "Connection": "close",
    }
    assert (request.method, request.raw_path, request.query) == ("POST", None, "a=b")
    assert request.environ is environ
    assert (request.rewritten, request.decided) == (None, False)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("/a%2Fb?c", "/a%2Fb", "c"), ("/a?", "/a", ""), ("/a", "/a", None)],
)
def test_environ_with_the_target_as_sent(
    target: str, path: str, query: str | None
) -> None:
    """It says more than the decoded path."""
    request = read_environ(make_policy(), make_environ(RAW_URI=target))

    assert (request.raw_path, request.query) == (path, query)


def test_environ_that_was_met_before_is_said_to_be() -> None:
    """Neither an earlier decision nor ProxyFix goes unnoticed."""
    policy = make_policy()
    environ = make_environ({"X-Forwarded-For": "203.0.113.7"})
    policy.apply(environ)
    environ["werkzeug.proxy_fix.orig"] = {}

    explanation = explain_environ(policy, environ)

    assert explanation.notes[0].startswith(
        "A policy was applied to this request before"
    )
    assert [advice.code for advice in explanation.advice][:2] == [
        "rewritten-before",
        "decided-twice",
    ]
    assert explanation.advice[0].text == PROXY_FIX


def test_scope_is_read_with_every_header() -> None:
    """Lines of one name are joined, and what is read is what the policy reads."""
    policy = make_policy()
    scope = make_scope(
        [
            ("X-Forwarded-For", "1.1.1.1"),
            ("x-forwarded-for", "203.0.113.7"),
            ("accept", "a"),
            ("accept", "b"),
        ],
        raw_path=b"/x%20?y",
        query_string=b"y",
    )

    request = read_scope(policy, scope)

    assert request.headers == {
        "Host": "backend.internal",
        "X-Forwarded-For": "1.1.1.1,203.0.113.7",
        "Accept": "a,b",
    }
    assert (request.raw_path, request.query) == ("/x%20", "y")
    assert not request.websocket
    assert explain_scope(policy, scope).outcome.client == "203.0.113.7"


def test_paths_of_a_scope_are_spelled_as_wsgi_has_them() -> None:
    """Whoever is asked about the request is asked with an environ."""
    scope = make_scope(root_path="/\u20ac", path="/\u20ac/ü")

    connection = read_scope(make_policy(), scope).connection

    assert (connection.mount_point, connection.path) == ("/â\x82¬", "/Ã¼")


def test_paths_that_are_described_are_spelled_as_wsgi_has_them() -> None:
    """By an option as by a URL."""
    by_options = describe_request(path="/\u20ac", mount_point="/ü", host="a.example")
    by_url = describe_request(url="/%E2%82%AC", mount_point="/ü")

    for request in (by_options, by_url):
        connection = request.connection
        assert (connection.mount_point, connection.path) == ("/Ã¼", "/â\x82¬")
    assert by_options.connection.host == "a.example"


def test_scope_of_a_websocket() -> None:
    """It has no method, and may have no raw path."""
    request = read_scope(
        make_policy(), make_scope(kind="websocket", raw_path=None, query_string=None)
    )

    assert request.websocket
    assert (request.method, request.raw_path, request.query) == ("GET", None, None)


def test_scope_whose_client_was_rewritten() -> None:
    """uvicorn's own proxy headers leave a port of 0."""
    scope = make_scope([("X-Forwarded-For", "203.0.113.7")], client=("203.0.113.7", 0))

    request = read_scope(make_policy(), scope)

    assert request.rewritten == REWRITTEN_BY_SERVER


# -- words -----------------------------------------------------------------------------


def test_lines_of_one_name_are_joined() -> None:
    """In the order in which they came, under the first spelling, blanks dropped."""
    lines = ["X-Forwarded-For: 1.1.1.1", "Host:a:80", " x-forwarded-for :2.2.2.2 "]

    assert join_headers(lines) == {
        "X-Forwarded-For": "1.1.1.1,2.2.2.2",
        "Host": "a:80",
    }


def test_empty_value_is_a_header() -> None:
    """A header may be empty, and keeps its place among others of its name."""
    assert join_headers(["A:", "B: x", "B:"]) == {"A": "", "B": "x,"}


@pytest.mark.parametrize(
    "line", ["X-Forwarded-For", ": value", " : value", "", "a b: c", "é: x"]
)
def test_line_that_is_no_header(line: str) -> None:
    """A line without a name or a colon is an error that shows it."""
    with pytest.raises(RequestError) as caught:
        join_headers(["A: b", line])

    assert str(caught.value) == f"-H {line!r}: not a header such as 'X-Scheme: https'"


def test_request_where_nothing_is_described() -> None:
    """A server on this machine was asked for its root."""
    request = describe_request()

    assert request.connection == DEFAULT
    assert request.headers == {}


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (
            "https://app.example:8443/a%20b/?c=d",
            {"scheme": "https", "host": "app.example:8443", "path": "/a b/"},
        ),
        ("http://127.0.0.1:8000", {"host": "127.0.0.1:8000", "path": "/"}),
        ("wss://user:pass@app.example/", {"scheme": "wss", "host": "app.example"}),
        ("/just/a/path?x", {"path": "/just/a/path"}),
        ("//a/b", {"path": "//a/b"}),
        ("/caf%C3%A9", {"path": "/caf\u00c3\u00a9"}),
        # A byte of a command line that is no UTF-8, and half a character of JSON.
        ("/\udcff", {"path": "/\u00ff"}),
        ("/\ud800", {"path": "/\u00ef\u00bf\u00bd"}),
    ],
)
def test_request_by_a_url(url: str, fields: dict[str, Any]) -> None:
    """Its scheme is the connection's own, its host the Host header, its path asked."""
    request = describe_request(url=url)

    assert request.connection == replace(DEFAULT, **fields)


def test_request_by_options_beside_a_url() -> None:
    """Options and headers come first."""
    request = describe_request(
        url="https://app.example/a",
        headers=["Host: other.example", "Upgrade: WebSocket"],
        method="POST",
        peer=PEER,
        scheme="http",
        server=None,
        path="/b",
    )

    assert request.connection == replace(
        DEFAULT, peer=PEER, scheme="http", host="other.example", path="/b"
    )
    assert (request.method, request.raw_path) == ("POST", None)
    assert request.websocket


@pytest.mark.parametrize(
    "url", ["app.example", "ftp://app.example/", "http:///a", "http://[::1/"]
)
def test_request_by_a_url_that_is_none(url: str) -> None:
    """It is shown, with an example."""
    with pytest.raises(RequestError, match=r"^the URL: '.*' is not a URL"):
        describe_request(url=url)


# -- as it is sent ---------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_request_as_it_is_sent(end: str) -> None:
    """A request line, headers, an empty line, a body that is not read."""
    text = end.join(
        [
            "",
            "POST /a%2Fb?c HTTP/1.1",
            "Host: app.example",
            "X-Forwarded-For: 1.1.1.1",
            "x-forwarded-for:2.2.2.2",
            "",
            "Body: not a header",
        ]
    )

    request = parse_request(text, peer=PEER, scheme=None)

    assert request.connection == replace(
        DEFAULT, peer=PEER, host="app.example", path="/a/b"
    )
    assert request.headers == {
        "Host": "app.example",
        "X-Forwarded-For": "1.1.1.1,2.2.2.2",
    }
    assert (request.method, request.raw_path, request.query) == ("POST", "/a%2Fb", "c")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET https://app.example/x HTTP/1.1", ("https", "app.example", "/x")),
        ("GET /x", ("http", None, "/x")),
        ("OPTIONS * HTTP/1.1", ("http", None, "/")),
        ("CONNECT app.example:443 HTTP/1.1", ("http", None, "/")),
    ],
)
def test_request_line(line: str, expected: tuple[str, str | None, str]) -> None:
    """A target is a path, a URL, or neither."""
    connection = parse_request(line).connection

    assert (connection.scheme, connection.host, connection.path) == expected


@pytest.mark.parametrize("target", ["/ü?q=ü", "/à?à", "/\u0445\u2028x?\u0405"])
def test_target_as_it_is_sent_is_spelled_once(target: str) -> None:
    """Bytes outside of ASCII are characters of Latin-1 there, and no blanks."""
    path, _, query = spell_path(target).partition("?")
    line = f"GET {path}?{query} HTTP/1.1"

    request = parse_request(line, mount_point="/ü")

    assert request.raw_path == path
    assert request.query == query
    assert request.connection.path == path
    assert request.connection.mount_point == spell_path("/ü")


def test_target_that_is_more_than_bytes_is_spelled() -> None:
    """A log of JSON may escape a character that no server could hand on as it is."""
    request = parse_request("GET /\u20ac?\u20ac HTTP/1.1")

    assert request.connection.path == request.raw_path == spell_path("/\u20ac")
    assert request.query == spell_path("\u20ac")


def test_request_as_browsers_show_it() -> None:
    """The pseudo headers of HTTP/2 are the parts of a request line."""
    request = parse_request(
        ":authority: app.example\n:method: PUT\n:path: /a?b\n"
        ":scheme: https\nx-real-ip: 1"
    )

    assert request.connection == replace(
        DEFAULT, scheme="https", host="app.example", path="/a"
    )
    assert (request.method, request.headers) == ("PUT", {"x-real-ip": "1"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: there is no request line such as 'GET / HTTP/1.1'"),
        (
            "\n\nnonsense",
            "line 3: 'nonsense' is not a request line such as 'GET / HTTP/1.1'",
        ),
        (
            "G3T / HTTP/1.1",
            "line 1: 'G3T / HTTP/1.1' is not a request line such as 'GET / HTTP/1.1'",
        ),
        ("GET / HTTQ", "line 1: 'HTTQ' is not a version of HTTP"),
        (
            "GET nowhere HTTP/1.1",
            "line 1: 'nowhere' is not a URL such as http://127.0.0.1:8000/page",
        ),
        (
            "\nGET / HTTP/1.1\nHost: a\nX-Forwarded-For",
            "line 4: not a header such as 'X-Scheme: https'",
        ),
        (
            "GET / HTTP/1.1\nX-Forwarded-For: 1.1.1.1,\n 2.2.2.2",
            "line 3: begins with a blank, and no server joins it to the line above "
            "(RFC 9112 section 5.2)",
        ),
        (":path", "line 1: ':path' is not a line such as ':path: /'"),
        (
            ":path: nowhere",
            ":path: 'nowhere' is not a URL such as http://127.0.0.1:8000/page",
        ),
        (
            "G" * (MOST_CHARACTERS + 1),
            f"the request: longer than {MOST_CHARACTERS} characters",
        ),
    ],
)
def test_request_that_cannot_be_read_says_where(text: str, expected: str) -> None:
    """The line is named, so that it is found among others."""
    with pytest.raises(RequestError) as caught:
        parse_request(text)

    assert str(caught.value) == expected


def test_error_shows_no_control_character() -> None:
    """What cannot be read may have been anybody's."""
    with pytest.raises(RequestError) as caught:
        parse_request("GET \x1b[31m\x07 HTTP/1.1")

    assert str(caught.value).isprintable()


def test_connection_is_made_anew() -> None:
    """No request changes the default one."""
    describe_request(peer="192.0.2.1", path="/other")

    assert Connection("127.0.0.1", "http", None, "localhost", "8000") == DEFAULT
