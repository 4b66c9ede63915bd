"""
Read a connection from an environ, write a decision back.

In:  environs as the servers of docs/servers.md make them.
Out: what the policy trusts of them, and what it leaves in them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from trustedproxy import DECISION_KEY, Connection, ProxyPolicy, Reason
from trustedproxy.wsgi import is_https, shows_unix

from .making import (
    FOR,
    HOST,
    PORT,
    PROTO,
    PROXIES,
    PROXY,
    SCRIPT,
    SERVER,
    STRANGER,
    make_environ,
)

POLICY = ProxyPolicy(headers=[FOR, PROTO, HOST, SERVER, PORT, SCRIPT], proxies=PROXIES)


@pytest.fixture(params=["tcp", "tcp6", "unix", "tls"])
def kind_and_socket(request: pytest.FixtureRequest) -> Iterator[tuple[str, Any]]:
    """Make a real socket of each kind; none of them is connected."""
    kind: str = request.param
    family = {"tcp6": socket.AF_INET6, "unix": socket.AF_UNIX}.get(kind, socket.AF_INET)
    with closing(socket.socket(family, socket.SOCK_STREAM)) as plain:
        if kind != "tls":
            yield kind, plain
            return
        context = ssl.create_default_context()
        context.check_hostname = False
        with closing(context.wrap_socket(plain)) as wrapped:
            yield kind, wrapped


def test_connection_is_what_gunicorns_socket_shows(
    kind_and_socket: tuple[str, Any],
) -> None:
    """A unix socket by its family, TLS by what only such a socket can do (R3, R19)."""
    kind, given = kind_and_socket
    environ = make_environ(
        **{"gunicorn.socket": given, "wsgi.url_scheme": "https"}, peer="127.0.0.1"
    )

    connection = POLICY.read_connection(environ)

    assert connection.peer_is_unix is (kind == "unix")
    assert connection.scheme == ("https" if kind == "tls" else "http")


class Foreign:
    """A socket of another library: only a family."""

    def __init__(self, family: object) -> None:
        self.family = family


@pytest.mark.parametrize(
    ("given", "is_unix"),
    [
        (Foreign(socket.AF_UNIX), True),
        (Foreign(int(socket.AF_UNIX)), True),
        (Foreign(socket.AF_INET), False),
        (Foreign(None), False),
        (object(), False),
    ],
)
def test_kind_of_another_librarys_socket_is_seen(given: object, is_unix: bool) -> None:
    """gevent's sockets are no sockets of the standard library."""
    environ = make_environ()
    environ |= {"gunicorn.socket": given, "wsgi.url_scheme": "https"}

    assert shows_unix(environ) is is_unix
    assert POLICY.read_connection(environ).scheme == "http"


@pytest.mark.parametrize("value", ["on", "ON", "1", "true", "yes", 1, True])
def test_https_is_on(value: object) -> None:
    """The CGI variable says so in many ways."""
    assert is_https(value)


@pytest.mark.parametrize("value", ["off", "", "0", None, "https", 0, False])
def test_https_is_off(value: object) -> None:
    """Whatever else it holds is no."""
    assert not is_https(value)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"REMOTE_ADDR": None, "SERVER_NAME": "/run/app.sock"},
        {"gunicorn.socket": Foreign(socket.AF_UNIX), "wsgi.url_scheme": "https"},
        {"uwsgi.version": b"2.0", "HTTPS": "on"},
        {"wsgi.url_scheme": None, "SCRIPT_NAME": None},
    ],
    ids=str,
)
def test_connection_is_read_as_apply_reads_it(variables: dict[str, Any]) -> None:
    """Whoever asks for the connection alone sees what a decision rests on."""
    environ = make_environ(**variables)

    assert POLICY.read_connection(environ) == POLICY.apply(dict(environ)).connection


def test_scheme_that_is_missing_is_written() -> None:
    """PEP 3333 requires it; what the decision says stands in the environ (R19)."""
    environ = make_environ(**{"wsgi.url_scheme": None})

    decision = POLICY.apply(environ)

    assert environ["wsgi.url_scheme"] == decision.scheme == "http"


def test_connection_of_a_bare_environ_has_defaults() -> None:
    """Nothing of an environ is required; what is missing is not made up (R3)."""
    bare = Connection(None, "http", None, None, None, "", "", peer_is_unix=False)

    assert POLICY.read_connection({}) == bare
    assert POLICY.read_connection({"HTTP_HOST": "a"}).host == "a"
    assert POLICY.apply({}).reason is Reason.PEER_NOT_TRUSTED


@pytest.mark.parametrize(
    ("variables", "is_unix"),
    [
        ({"SERVER_NAME": "/run/app.sock"}, True),
        ({"SERVER_NAME": "run/app.sock"}, True),
        ({"SERVER_NAME": "127.0.0.1"}, False),
        ({"SERVER_NAME": None}, False),
        ({"REMOTE_ADDR": "", "SERVER_NAME": "/run/app.sock"}, None),
        ({"REMOTE_ADDR": "127.0.0.1"}, None),
    ],
    ids=str,
)
def test_missing_peer_is_a_unix_one_where_that_is_shown(
    variables: dict[str, Any], is_unix: bool | None
) -> None:
    """H-10: else it is nobody; what the server says of a peer, its text tells (R3)."""
    environ = make_environ(**{"REMOTE_ADDR": None, **variables})

    connection = POLICY.read_connection(environ)

    assert connection.peer_is_unix is is_unix


@pytest.mark.parametrize("key", ["gunicorn.socket", "werkzeug.socket"])
def test_client_of_a_unix_socket_cannot_be_an_address(key: str) -> None:
    """It can bind its own end to a path that reads like a proxy's address."""
    policy = ProxyPolicy(headers=[FOR], proxies=["127.0.0.1", "loopback"])
    unix = ProxyPolicy(headers=[FOR], proxies=["unix"])
    forged: dict[str, Any] = {key: Foreign(socket.AF_UNIX)}

    for peer in ("127.0.0.1", "::1", "10.0.0.1"):
        environ = make_environ({FOR: "203.0.113.7"}, peer=peer, **forged)
        decision = policy.apply(environ)
        assert decision.reason is Reason.PEER_NOT_TRUSTED
        assert (decision.peer, decision.client) == (peer, None)
        assert "HTTP_X_FORWARDED_FOR" not in environ
        again = make_environ({FOR: "203.0.113.7"}, peer=peer, **forged)
        assert unix.apply(again).client == again["REMOTE_ADDR"] == "203.0.113.7"
    assert unix.apply(
        make_environ({FOR: "203.0.113.7"}, peer="", **forged)
    ).peer_trusted


TLS = type("TLS", (Foreign,), {"getpeercert": None})
SCHEMES: list[tuple[dict[str, Any], str, str]] = [
    # gunicorn took https from a header; its socket says the truth.
    ({"gunicorn.socket": Foreign(socket.AF_INET)}, "https", "http"),
    ({"gunicorn.socket": Foreign(socket.AF_INET)}, "http", "http"),
    ({"gunicorn.socket": TLS(socket.AF_INET)}, "https", "https"),
    ({"gunicorn.socket": TLS(socket.AF_INET)}, "http", "https"),
    ({"gunicorn.socket": None}, "https", "https"),
    # uWSGI took whatever a header says; HTTPS is its own.
    ({"uwsgi.version": b"2"}, "https", "http"),
    ({"uwsgi.version": b"2"}, "ftp", "http"),
    ({"uwsgi.version": b"2", "HTTPS": "on"}, "http", "https"),
    ({"uwsgi.version": b"2", "HTTPS": "off"}, "https", "http"),
    # Others are trusted.
    ({"werkzeug.socket": Foreign(socket.AF_INET)}, "https", "https"),
    ({}, "https", "https"),
    ({"HTTPS": "on"}, "http", "http"),
]


@pytest.mark.parametrize(("variables", "given", "scheme"), SCHEMES)
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_scheme_is_the_connections_own(
    variables: dict[str, Any], given: str, scheme: str, peer: str
) -> None:
    """Where no trusted header says another, whoever the peer is (R19)."""
    environ = make_environ(peer=peer, **variables, **{"wsgi.url_scheme": given})

    decision = POLICY.apply(environ)

    assert decision.scheme == environ["wsgi.url_scheme"] == scheme
    assert decision.original.get("wsgi.url_scheme", given) == given


def test_scheme_is_not_looked_at_where_it_is_not_opted_in() -> None:
    """A policy without a scheme header leaves the server's word alone."""
    said: dict[str, Any] = {"uwsgi.version": b"2", "wsgi.url_scheme": "ftp"}
    environ = make_environ({FOR: "203.0.113.7"}, HTTPS="x", **said)

    decision = ProxyPolicy(headers=[FOR], proxies=PROXIES).apply(environ)

    assert (decision.scheme, environ["wsgi.url_scheme"]) == ("ftp", "ftp")
    assert environ["HTTPS"] == "x"


@pytest.mark.parametrize(
    ("header", "before", "after"),
    [
        ("https", {"HTTPS": "off"}, {"HTTPS": "on"}),
        ("https", {"HTTPS": "1"}, {"HTTPS": "1"}),
        ("http", {"HTTPS": "on"}, {"HTTPS": "off"}),
        ("http", {"HTTPS": ""}, {"HTTPS": ""}),
        ("https", {"REQUEST_SCHEME": "http"}, {"REQUEST_SCHEME": "https"}),
        ("https", {"REQUEST_SCHEME": "https"}, {"REQUEST_SCHEME": "https"}),
        ("https", {}, {}),
    ],
)
def test_what_says_the_same_as_the_scheme_is_kept_in_step(
    header: str, before: dict[str, str], after: dict[str, str]
) -> None:
    """Where the server set it, and nowhere else (R16)."""
    environ = make_environ({PROTO: header}, **before)

    decision = POLICY.apply(environ)

    for key in ("HTTPS", "REQUEST_SCHEME"):
        assert environ.get(key) == after.get(key)
        assert decision.original.get(key, before.get(key)) == before.get(key)


@pytest.mark.parametrize(("peer", "https"), [(PROXY, "off"), (STRANGER, "on")])
def test_what_contradicts_the_scheme_stays_in_a_direct_request(
    peer: str, https: str
) -> None:
    """A trusted request says one thing throughout, another what its server says."""
    environ = make_environ(peer=peer, HTTPS="on", REQUEST_SCHEME="http")

    POLICY.apply(environ)

    assert environ["wsgi.url_scheme"] == environ["REQUEST_SCHEME"] == "http"
    assert environ["HTTPS"] == https


@pytest.mark.parametrize(
    ("peer", "options"), [(STRANGER, {}), (PROXY, {"missing": "reject"})]
)
def test_what_repeats_the_scheme_follows_the_connections_own(
    peer: str, options: dict[str, Any]
) -> None:
    """Where no header is read, too: a direct request, and a rejected one."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES, **options)
    said = {"wsgi.url_scheme": "https", "REQUEST_SCHEME": "https"}
    environ = make_environ(peer=peer, **{"uwsgi.version": b"2"}, **said)

    decision = policy.apply(environ)

    assert (decision.rejected is None) is (peer == STRANGER)
    assert environ["wsgi.url_scheme"] == environ["REQUEST_SCHEME"] == "http"
    assert decision.original == said


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        ("203.0.113.7", {}, {"REMOTE_ADDR": "203.0.113.7"}),
        (
            "203.0.113.7",
            {"REMOTE_PORT": "50000", "REMOTE_HOST": "proxy"},
            {"REMOTE_ADDR": "203.0.113.7"},
        ),
        (
            "203.0.113.7:4711",
            {"REMOTE_PORT": "50000", "REMOTE_HOST": ""},
            {"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": "4711"},
        ),
        (
            "203.0.113.7:4711",
            {},
            {"REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": "4711"},
        ),
        (
            PROXY,
            {"REMOTE_PORT": "50000", "REMOTE_HOST": "proxy"},
            {"REMOTE_ADDR": PROXY, "REMOTE_PORT": "50000", "REMOTE_HOST": "proxy"},
        ),
        (
            f"{PROXY}:4711",
            {"REMOTE_PORT": "50000"},
            {"REMOTE_ADDR": PROXY, "REMOTE_PORT": "4711"},
        ),
    ],
)
def test_port_and_name_of_the_peer_go_with_its_address(
    value: str, before: dict[str, str], after: dict[str, str]
) -> None:
    """The client's port is there if it was given, the peer's name never (R10)."""
    environ = make_environ({FOR: value}, **before)

    decision = POLICY.apply(environ)

    for key in ("REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST"):
        assert environ.get(key) == after.get(key)
    for key, old in decision.original.items():
        if key.startswith("REMOTE"):
            assert old == before.get(key, PROXY if key == "REMOTE_ADDR" else None)


ALL = {
    FOR: "6.6.6.6, 203.0.113.7",
    PROTO: "https",
    HOST: "app.example",
    SERVER: "app.example",
    PORT: "443",
    SCRIPT: "/app",
}


def test_every_variable_is_written_and_its_original_kept() -> None:
    """The environ is rewritten as a whole; nothing else in it changes."""
    environ = make_environ({**ALL, "X-Real-IP": "6.6.6.6"}, PATH_INFO="/app/x")
    before = dict(environ)

    decision = POLICY.apply(environ)

    assert environ.pop(DECISION_KEY) is decision
    del before["HTTP_X_REAL_IP"]
    assert environ == {
        **before,
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "app.example",
        "SERVER_NAME": "app.example",
        "SERVER_PORT": "443",
        "SCRIPT_NAME": "/app",
        "HTTP_X_FORWARDED_FOR": "203.0.113.7",
    }
    assert {**environ, **decision.original} == {**before, "HTTP_X_REAL_IP": "6.6.6.6"}


def test_what_is_right_already_is_not_replaced() -> None:
    """Nothing is an original that did not change."""
    environ = make_environ(
        ALL,
        peer=PROXY,
        HTTP_HOST="app.example",
        SERVER_NAME="app.example",
        SERVER_PORT="443",
        SCRIPT_NAME="/app",
        **{"wsgi.url_scheme": "https"},
    )

    assert set(POLICY.apply(environ).original) == {
        "REMOTE_ADDR",
        "HTTP_X_FORWARDED_FOR",
    }


def test_host_is_written_where_there_was_none() -> None:
    """HTTP/1.0 has no host; a trusted header gives one."""
    environ = make_environ({HOST: "app.example"}, HTTP_HOST=None)

    decision = POLICY.apply(environ)

    assert environ["HTTP_HOST"] == "app.example"
    assert decision.original["HTTP_HOST"] is None


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("/app/x", "/x"),
        ("/app", ""),
        ("/application", "/application"),
        ("/x", "/x"),
        (None, None),
    ],
)
def test_mount_point_is_taken_off_the_path_where_that_is_wanted(
    path: str | None, rest: str | None
) -> None:
    """At a segment boundary only; a path that is not there stays so (R15)."""
    strips = ProxyPolicy(headers=[SCRIPT], proxies=PROXIES, strip_mount_point=True)

    for policy, expected in ((strips, rest), (POLICY, path)):
        environ = make_environ({SCRIPT: "/app"}, PATH_INFO=path)
        decision = policy.apply(environ)
        assert environ["SCRIPT_NAME"] == "/app"
        assert environ.get("PATH_INFO") == expected
        assert decision.original.get("PATH_INFO", path) == path


def test_path_is_left_where_no_mount_point_was_trusted() -> None:
    """A stranger's mount point takes nothing off."""
    policy = ProxyPolicy(headers=[SCRIPT], proxies=PROXIES, strip_mount_point=True)
    environ = make_environ({SCRIPT: "/app"}, peer=STRANGER, PATH_INFO="/app/x")

    policy.apply(environ)

    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/app/x")


def test_address_is_written_where_the_server_gave_none() -> None:
    """Some servers have no key at all for the peer of a unix socket."""
    policy = ProxyPolicy(headers=[FOR], proxies=["unix"])
    environ = make_environ({FOR: "203.0.113.7"}, peer=None, SERVER_NAME="/run/x")

    decision = policy.apply(environ)

    assert environ["REMOTE_ADDR"] == "203.0.113.7"
    assert decision.original == {"REMOTE_ADDR": None}
