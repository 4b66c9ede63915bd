"""Reading the two surfaces, before and after a policy was applied."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.decision import Reason
from trustedproxy.https_only import RequestFacts, read_environ, read_scope

from ...attacks_https import PROXY, STRANGER, Row, make_environ, make_scope
from .making import PLAIN_GOT


@pytest.mark.parametrize(
    ("environ", "facts"),
    [
        ({}, RequestFacts("http", path=b"")),
        (
            {"RAW_URI": "/a%2Fb?", "PATH_INFO": "/a/b", "QUERY_STRING": ""},
            RequestFacts("http", path=b"/a/b", raw_path=b"/a%2Fb", query=b""),
        ),
        (
            {"REQUEST_URI": "/a", "PATH_INFO": "/a", "QUERY_STRING": "b"},
            RequestFacts("http", path=b"/a", raw_path=b"/a", query=b"b"),
        ),
        (
            {"RAW_URI": "", "REQUEST_URI": "/a?b", "QUERY_STRING": "b"},
            RequestFacts("http", path=b"", raw_path=b"/a", query=b"b"),
        ),
        (
            {"PATH_INFO": "/\u20ac", "SCRIPT_NAME": "/\xc3\xa9"},
            RequestFacts("http", path=b"/\xe2\x82\xac", mount_point=b"/\xc3\xa9"),
        ),
        (
            {"REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "a", "REQUEST_METHOD": "PUT"},
            RequestFacts("http", "PUT", "a", "192.0.2.1", path=b""),
        ),
        (
            {"wsgi.url_scheme": "https", "HTTP_X_FORWARDED_SSL": "on"},
            RequestFacts("https", path=b"", signs=("X-Forwarded-SSL",)),
        ),
        (
            {"HTTP_CONNECTION": "Via", "HTTP_ACCEPT": "*/*"},
            RequestFacts("http", path=b"", signs=("Connection",)),
        ),
    ],
)
def test_environ_read(environ: dict[str, Any], facts: RequestFacts) -> None:
    """An environ's facts are read as the servers write them."""
    assert replace(read_environ(environ), peer_is_unix=None) == facts


@pytest.mark.parametrize(
    ("scope", "facts"),
    [
        ({"type": "http"}, RequestFacts("http")),
        (
            {"type": "websocket", "path": "/x"},
            RequestFacts("ws", path=b"/x", websocket=True),
        ),
        (
            {
                "type": "http",
                "root_path": "/app",
                "path": "/app/\xe9",
                "raw_path": b"/app/%C3%A9?q",
                "query_string": b"q",
                "method": "PUT",
                "client": ("192.0.2.1", 1),
                "headers": [(b"Host", b"a.example")],
            },
            RequestFacts(
                "http",
                "PUT",
                "a.example",
                "192.0.2.1",
                b"/app",
                b"/\xc3\xa9",
                b"/app/%C3%A9",
                b"q",
            ),
        ),
        (
            {"type": "http", "root_path": "/app/", "path": "/app", "query_string": b""},
            RequestFacts("http", mount_point=b"/app", path=b""),
        ),
        (
            {"type": "http", "root_path": None, "path": "/app"},
            RequestFacts("http", path=b"/app"),
        ),
        (
            {"type": "http", "root_path": "/app", "path": "/application"},
            RequestFacts("http", mount_point=b"/app", path=b"/application"),
        ),
        (
            {"type": "http", "headers": [(b"host", b"a"), (b"host", b"b")]},
            RequestFacts("http", host="a,b"),
        ),
        (
            {
                "type": "http",
                "headers": [
                    (b"connection", b"close"),
                    (b"Connection", b"x-scheme"),
                    (b"x_real_ip", b""),
                ],
            },
            RequestFacts("http", signs=("X-Real-IP", "Connection")),
        ),
        (
            {"type": "http", "path": "/\udce9", "raw_path": None, "client": None},
            RequestFacts("http", path=b"/\xed\xb3\xa9"),
        ),
    ],
)
def test_scope_read(scope: dict[str, Any], facts: RequestFacts) -> None:
    """A scope's facts are read as the servers write them."""
    assert replace(read_scope(scope), peer_is_unix=None) == facts


class UnixSocket:
    """A socket as gunicorn shows it."""

    family = socket.AF_UNIX


@pytest.mark.parametrize(
    ("environ", "is_unix"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, None),
        ({"REMOTE_ADDR": "127.0.0.1", "gunicorn.socket": UnixSocket()}, True),
        ({"SERVER_NAME": "/run/app.sock"}, True),
        ({"SERVER_NAME": "localhost"}, False),
    ],
)
def test_socket_of_an_environ_read(environ: dict[str, Any], is_unix: object) -> None:
    """Without a policy, too, a unix socket is one where the server shows it."""
    assert read_environ(environ).peer_is_unix is is_unix


@pytest.mark.parametrize(
    ("server", "is_unix"), [(("/run/app.sock", None), True), (("a", 80), False)]
)
def test_socket_of_a_scope_read(server: tuple[str, int | None], is_unix: bool) -> None:
    """What a client of a TCP socket calls itself makes it none of a unix socket."""
    scope = {"type": "http", "client": ("unix:", 0), "server": server}

    assert read_scope(scope).peer_is_unix is is_unix


POLICY = ProxyPolicy(headers=["X-Forwarded-Proto"], proxies=["10.0.0.0/8"])


def test_decision_of_a_trusted_peer_is_read() -> None:
    """It says which header said the scheme; that is a sign of a proxy, too."""
    row = Row("S-62", "read", PLAIN_GOT, scheme="https")
    environ = make_environ(row)
    POLICY.apply(environ)
    _, scope = POLICY.apply_scope(make_scope(row))

    for facts in (read_environ(environ), read_scope(scope)):
        assert facts.secure
        assert facts.peer_trusted
        assert facts.reason is Reason.NO_CLIENT_HEADER
        assert facts.scheme_header == "X-Forwarded-Proto"
        assert facts.signs == ("X-Forwarded-Proto",)
        assert facts.ignored_header is None


def test_decision_that_states_the_scheme_is_read() -> None:
    """No header said it, and it is said all the same."""
    environ = make_environ(Row("S-62", "read", PLAIN_GOT, scheme=None))
    ProxyPolicy(fixed_scheme="http", proxies=["10.0.0.0/8"]).apply(environ)

    facts = read_environ(environ)

    assert (facts.scheme_stated, facts.scheme_header) == (True, None)


def test_decision_about_a_stranger_is_read() -> None:
    """What was removed came all the same, and was ignored."""
    row = Row("S-62", "read", PLAIN_GOT, scheme="https", peer=STRANGER)
    environ = make_environ(row)
    POLICY.apply(environ)

    facts = read_environ(environ)

    assert not facts.secure
    assert not facts.peer_trusted
    assert (facts.peer, facts.reason) == (STRANGER, Reason.PEER_NOT_TRUSTED)
    assert (facts.scheme_header, facts.ignored_header) == (None, "X-Forwarded-Proto")


def test_decision_with_a_problem_is_read() -> None:
    """A trusted header that says no scheme is known by its name."""
    environ = make_environ(Row("S-62", "read", PLAIN_GOT, scheme="gopher"))
    POLICY.apply(environ)

    facts = read_environ(environ)

    assert "X-Forwarded-Proto" in facts.scheme_silent
    assert facts.ignored_header == "X-Forwarded-Proto"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_report_is_read(scheme: str) -> None:
    """In report-only mode nothing was corrected, and what would be said counts."""
    headers = {"X-Forwarded-Host": "shop.example"}
    row = Row("S-62", "read", PLAIN_GOT, scheme=scheme, headers=headers)
    policy = ProxyPolicy(
        headers=["X-Forwarded-Proto", "X-Forwarded-Host"],
        proxies=["10.0.0.0/8"],
        report_only=True,
    )
    environ = make_environ(row)
    policy.apply(environ)
    _, scope = policy.apply_scope(make_scope(row))

    assert environ["HTTP_HOST"] == "www.example.com"
    for facts in (read_environ(environ), read_scope(scope)):
        assert facts.report_only
        assert (facts.scheme, facts.host, facts.peer) == (scheme, "shop.example", PROXY)
        assert facts.peer_trusted
