"""
Read a connection and headers from a scope, write a decision into a new one.

In:  http and websocket scopes as servers make them.
Out: what the policy trusts of them, and the scope to go on with.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from trustedproxy import Decision, Problem, ProxyPolicy, Reason, log
from trustedproxy.asgi import read_connection

from .making import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    PROXIES,
    PROXY,
    SCRIPT,
    SERVER,
    STRANGER,
    make_scope,
    show,
)

LISTED = [FOR, PROTO, HOST, SERVER, PORT, SCRIPT]
POLICY = ProxyPolicy(headers=LISTED, proxies=PROXIES)
UNIX = ProxyPolicy(headers=[FOR], proxies=["unix"])
NO_UNIX = ProxyPolicy(headers=[FOR], proxies=["loopback", "0.0.0.0/0", "::/0"])
FROM = ("x-forwarded-for", "203.0.113.7")


def apply(scope: dict[str, Any], policy: ProxyPolicy = POLICY) -> tuple[Decision, Any]:
    """Apply *policy* twice; the scope given stays as it was, in every depth."""
    before = copy.deepcopy(scope)
    lines = scope.get("headers")
    decision, new = policy.apply_scope(scope)
    again, same = policy.apply_scope(scope)

    assert scope == before
    assert scope.get("headers") is lines
    assert again == decision
    assert same == new
    return decision, new


def lines_of(scope: Mapping[str, Any], *names: str) -> list[tuple[str, str]]:
    """List the lines of a scope but the host's, or those of *names*."""
    lines = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
    return [
        line for line in lines if (line[0] in names if names else line[0] != "host")
    ]


# -- the peer --------------------------------------------------------------------------

UNIX_SCOPES: list[dict[str, Any]] = [
    # uvicorn, gunicorn's own worker, granian, hypercorn and daphne.
    {"client": None, "server": ("/run/app.sock", None)},
    {"client": None, "server": ["/", "t"]},
    {"client": ["", "0"], "server": ["/run/app.sock", "0"]},
    {"client": ["", "0"], "server": ["app.sock", "0"]},
    {"client": None, "server": None},
    {"client": None, "server": ("app.sock", None)},
    {"client": None, "server": ("run/app.sock", 8000)},
    {"client": None, "server": ("@abstract", 1)},
    {"client": None, "server": ("\0abstract", 1)},
    {"client": None, "server": ("./app.sock", 1)},
    # A client that names its own end.
    {"client": ["127.0.0.1", "0"], "server": ["/run/app.sock", "0"]},
    {"client": ["1", "2"], "server": ["/", "t"]},
    {"client": [0, 49], "server": ["/", "t"]},
    {"client": ("127.0.0.1", 50000), "server": ("/run/app.sock", None)},
    {"client": ("127.0.0.1", 50000), "server": ("/run/app.sock", 8000)},
]


@pytest.mark.parametrize("ends", UNIX_SCOPES, ids=str)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_client_of_a_unix_socket_is_a_unix_peer(
    kind: str, ends: dict[str, Any]
) -> None:
    """Whatever it calls itself: it came through the socket (R3)."""
    scope = make_scope([FROM], kind=kind) | ends

    trusted, new = apply(scope, UNIX)
    direct, stripped = apply(scope, NO_UNIX)

    assert trusted.client == new["client"][0] == "203.0.113.7"
    assert (direct.reason, direct.client) == (Reason.PEER_NOT_TRUSTED, None)
    assert lines_of(stripped) == []
    assert stripped["client"] == scope["client"]


@pytest.mark.parametrize(
    "ends",
    [
        {"client": None, "server": ("127.0.0.1", 8000)},
        {"client": None, "server": ("app.example", "8000")},
        {"client": ["", 0], "server": ("127.0.0.1", 8000)},
    ],
    ids=str,
)
def test_missing_client_of_a_tcp_server_is_nobody(ends: dict[str, Any]) -> None:
    """Only where the server is no address can a missing client be a unix peer."""
    scope = make_scope([FROM]) | ends

    decision, new = apply(scope, NO_UNIX)

    assert not decision.peer_trusted and decision.client is None
    assert lines_of(new) == []
    assert not apply(scope, UNIX)[0].peer_trusted


@pytest.mark.parametrize(
    ("server", "name", "trusted"),
    [
        # Nothing is shown: the client's text tells.
        (None, "@x", True),
        ((), "localhost", True),
        (None, "127.0.0.1", False),
        # A name and a port: nobody is a unix peer by a name.
        (("127.0.0.1", 80), "@x", False),
        (("::1", 80), "localhost", False),
        (("app.example", "80"), "0.0.0.0", False),
        (["127.0.0.1", 80], "unix:/run/x", False),
        # A path, which has no port, or reads like none of a host's names.
        (("app.example", None), "127.0.0.1", True),
        (("app.example", 0), "@x", True),
        (("/run/x", 80), "203.0.113.7", True),
    ],
    ids=str,
)
def test_unix_peer_is_one_by_the_server(server: Any, name: str, trusted: bool) -> None:
    """H-10: where the server says how it listens, no client's name counts (R3)."""
    scope = make_scope([FROM], client=(name, 4711)) | {"server": server}

    assert apply(scope, UNIX)[0].peer_trusted is trusted


@pytest.mark.parametrize("port", [50000, "50000"])
def test_client_gets_the_address_and_port_of_a_trusted_header(port: object) -> None:
    """Port 0 where none was given (R10); granian's ports are text."""
    for value, expected in [
        ("203.0.113.7", ("203.0.113.7", 0)),
        ("203.0.113.7:4711", ("203.0.113.7", 4711)),
        (f"{PROXY}:4711", (PROXY, 4711)),
        (PROXY, (PROXY, port)),
        ("unknown", (PROXY, port)),
    ]:
        scope = make_scope([(FOR, value)], client=(PROXY, port))
        decision, new = apply(scope)
        assert new["client"] == expected
        changed = expected != (PROXY, port)
        assert decision.original.get("client") == (scope["client"] if changed else None)


# -- scheme ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "own", "header", "scheme"),
    [
        ("http", "http", "https", "https"),
        ("http", "https", "http", "http"),
        ("http", "https", "ftp", "https"),
        ("http", None, "https", "https"),
        ("http", None, "http", "http"),
        ("http", None, None, "http"),
        ("websocket", "ws", "https", "wss"),
        ("websocket", "ws", "wss", "wss"),
        ("websocket", "wss", "http", "ws"),
        ("websocket", None, "https", "wss"),
        ("websocket", None, None, "ws"),
        ("websocket", "https", None, "wss"),
        ("websocket", "http", "https", "wss"),
    ],
)
def test_scheme_is_said_in_the_words_of_its_kind(
    kind: str, own: str | None, header: str | None, scheme: str
) -> None:
    """http and https, or ws and wss; both defaults are those of the specification."""
    sent = [] if header is None else [(PROTO.lower(), header)]
    scope = make_scope(sent, kind=kind)
    scope.pop("scheme") if own is None else scope.update(scheme=own)

    decision, new = apply(scope)

    assert decision.scheme == new["scheme"] == scheme
    assert decision.original.get("scheme", own) == own


def test_scheme_stays_where_it_is_not_opted_in() -> None:
    """Not even the default is written."""
    scope = make_scope([FROM, (PROTO, "https")])
    del scope["scheme"]

    decision, new = apply(scope, ProxyPolicy(headers=[FOR], proxies=PROXIES))

    assert decision.client == "203.0.113.7"
    assert "scheme" not in new


# -- headers ---------------------------------------------------------------------------


def test_headers_name_is_compared_without_case() -> None:
    """In every spelling, and again when a name was met before."""
    for name in ("x-forwarded-for", "X-Forwarded-FOR", "X-FORWARDED-FOR"):
        assert apply(make_scope([(name, "203.0.113.7")]))[0].client == "203.0.113.7"


#: Underscore variants, and names that are no tokens (H-16).
VARIANTS = [
    "x_forwarded_for",
    "X_Forwarded_For",
    "x-forwarded_for",
    "x-forwarded-for\x85",
    "x-forwarded-for ",
    "x_real_ip",
    "X-Real_IP\t",
    "x-forwarded-\xdfl",
    "x-forwarded-f\xf6r",
    "\x00x-forwarded-for",
    "",
]


@pytest.mark.parametrize("variant", VARIANTS, ids=ascii)
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_underscore_variant_is_never_read_and_always_removed(
    peer: str, variant: str
) -> None:
    """An application that joins it with the real one would be deceived (R18)."""
    for sent in ([(variant, "6.6.6.6")], [FROM, (variant, "6.6.6.6")]):
        decision, new = apply(make_scope(sent, peer=peer))

        assert not lines_of(new, variant)
        assert decision.client != "6.6.6.6"
        if peer == PROXY and len(sent) == 2:
            assert decision.client == "203.0.113.7"
            assert lines_of(new) == [FROM]


def test_name_of_another_category_passes_if_it_is_a_token() -> None:
    """As the header does that it resembles; no name that is none ever does."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    sent = [FROM, ("x_forwarded_host", "a"), ("x-\xdf", "b"), ("a b", "c")]

    decision, new = apply(make_scope(sent), policy)

    assert lines_of(new) == sent[:2]
    assert decision.original["x-\xdf"] == "b"


def test_names_that_were_met_decide_nothing() -> None:
    """However many there were, long ones too, each is what it is."""
    policy = ProxyPolicy(headers=LISTED, proxies=PROXIES)
    for number in range(3000):
        lines = [
            (f"X-{number}-{'a' * (number % 90)}", "1"),
            FROM,
            (f"x y {number}", "1"),
        ]
        decision, new = policy.apply_scope(make_scope(lines))
        assert decision.client == "203.0.113.7"
        assert lines_of(new) == lines[:2]


def test_lines_of_a_header_are_one_list_in_order() -> None:
    """Repeated lines are joined, and one line remains in the first one's place."""
    scope = make_scope(
        [
            ("accept", "*/*"),
            (FOR, "6.6.6.6"),
            ("x-other", "1"),
            ("x-forwarded-for", "203.0.113.7, 10.0.0.9"),
            ("X-FORWARDED-FOR", "10.0.0.8"),
        ]
    )

    decision, new = apply(scope)

    assert decision.client == "203.0.113.7"
    assert lines_of(new) == [
        ("accept", "*/*"),
        (FOR, "203.0.113.7, 10.0.0.9,10.0.0.8".replace("9,", "9, ")),
        ("x-other", "1"),
    ]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], [("host", "a.example")]),
        ([("host", "one")], [("host", "a.example")]),
        ([("host", "one"), ("host", "two")], [("host", "a.example")]),
        ([("Host", "one"), ("x", "1"), ("HOST", "2")], [("Host", "a.example")]),
    ],
)
def test_host_takes_the_place_of_every_line_of_it(
    sent: Iterable[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    """A second host line of a client cannot stay beside a trusted one."""
    scope = make_scope([*sent, (HOST, "a.example")], host=None)

    decision, new = apply(scope)

    assert lines_of(new, "host", "Host", "HOST") == expected
    assert decision.original["host"] == (
        ",".join(v for k, v in sent if k != "x") or None
    )


def test_several_host_lines_stay_where_no_header_names_another() -> None:
    """They are the server's business, and no host that would be trusted."""
    decision, new = apply(make_scope([FROM, ("host", "two")]))

    assert decision.host == "backend.internal,two"
    assert lines_of(new, "host") == [("host", "backend.internal"), ("host", "two")]


def test_new_scope_has_a_list_of_its_own() -> None:
    """uvicorn appends trailer fields to the list it gave; ours it cannot reach."""
    for peer, sent in [
        (PROXY, [FROM]),
        (PROXY, []),
        (STRANGER, [FROM]),
        (STRANGER, []),
    ]:
        scope = make_scope(sent, peer=peer)
        _, new = POLICY.apply_scope(scope)
        length = len(new["headers"])

        scope["headers"].append((b"x-forwarded-for", b"6.6.6.6"))

        assert new["headers"] is not scope["headers"]
        assert len(new["headers"]) == length


def test_what_belongs_to_the_server_is_shared() -> None:
    """The lifespan's state and extensions are the same objects."""
    state: dict[str, Any] = {"pool": object()}
    extensions: dict[str, Any] = {"http.response.push": {}}
    scope = make_scope([FROM], state=state, extensions=extensions)

    _, new = POLICY.apply_scope(scope)

    assert new["state"] is state
    assert new["extensions"] is extensions


def test_header_lines_may_be_lists() -> None:
    """daphne's are, and hypercorn's client is."""
    scope = make_scope([FROM, (HOST, "a.example")], client=[PROXY, 50000])
    scope["headers"] = [list(line) for line in scope["headers"]]

    decision, new = apply(scope)

    assert decision.client == "203.0.113.7"
    assert (b"host", b"a.example") in list(map(tuple, new["headers"]))


def test_value_keeps_its_bytes() -> None:
    """What is rewritten is written as it was read, latin-1 both ways."""
    value = 'for=203.0.113.7;x="\xe4\xff", for=10.0.0.8'
    policy = ProxyPolicy(headers=[FORWARDED], proxies=PROXIES)

    _, new = apply(make_scope([(FORWARDED, f"for=6.6.6.6, {value}")]), policy)

    assert lines_of(new) == [(FORWARDED, value)]


def test_secret_is_removed_from_every_scope() -> None:
    """From a trusted one, a stranger's, and one with the wrong secret."""
    policy = ProxyPolicy(
        headers=[FOR],
        proxies=PROXIES,
        secret_header="X-Proof",
        secrets=["hush-hush-hush-hush"],
    )

    for peer, secret, trusted in [
        (PROXY, "hush-hush-hush-hush", True),
        (PROXY, "wrong", False),
        (STRANGER, "hush-hush-hush-hush", False),
    ]:
        lines = [("X-PROOF", secret), ("x-other", "1"), ("x_proof", secret)]
        scope = make_scope(lines, peer=peer)
        decision, new = apply(scope, policy)
        assert decision.peer_trusted is trusted
        assert lines_of(new) == [("x-other", "1")]
        assert "hush-hush-hush-hush" not in repr(decision)


# -- server and mount point ------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "sent", "server"),
    [
        (("127.0.0.1", 8000), {SERVER: "a.example"}, ("a.example", 8000)),
        (("127.0.0.1", 8000), {PORT: "443"}, ("127.0.0.1", 443)),
        (("127.0.0.1", 8000), {SERVER: "a", PORT: "443"}, ("a", 443)),
        (("127.0.0.1", 8000), {HOST: "a.example:8443"}, ("127.0.0.1", 8000)),
        (None, {SERVER: "a.example"}, ("a.example", None)),
        (None, {PORT: "443"}, ("backend.internal", 443)),
        (None, {PORT: "443", HOST: "a.example:8443"}, ("a.example", 443)),
        (("/run/app.sock", None), {PORT: "443"}, ("/run/app.sock", 443)),
        (("/run/app.sock", None), {SERVER: "a.example"}, ("a.example", None)),
    ],
    ids=str,
)
def test_only_the_part_of_the_server_that_was_named_is_replaced(
    own: tuple[str, int | None] | None,
    sent: dict[str, str],
    server: tuple[str, int | None],
) -> None:
    """Where there was none, the host gives the name that is missing."""
    policy = ProxyPolicy(headers=LISTED, proxies=[*PROXIES, "unix"])
    scope = make_scope(sent.items())
    scope["server"] = own

    decision, new = apply(scope, policy)

    assert new["server"] == server
    assert decision.original.get("server", server) in (own, server)


@pytest.mark.parametrize(("host", "name"), [(None, ""), ("not/a host", "")])
def test_server_has_no_name_where_nobody_gives_one(host: str | None, name: str) -> None:
    """A host that is none names nobody."""
    scope = make_scope([(PORT, "443")], host=host)
    scope["server"] = None

    _, new = apply(scope, ProxyPolicy(headers=[PORT], proxies=[*PROXIES, "unix"]))

    assert new["server"] == (name, 443)


def mount(
    path: str,
    *,
    own: str = "",
    raw: bytes | None = b"",
    header: str = "/app",
    strip: bool = False,
) -> tuple[Any, Any, Any]:
    """Return root path, path and raw path of a scope below a forwarded mount point."""
    policy = ProxyPolicy(headers=[SCRIPT], proxies=PROXIES, strip_mount_point=strip)
    scope = make_scope([(SCRIPT, header)], path=path, root_path=own)
    scope["raw_path"] = path.encode() if raw == b"" else raw
    decision, new = apply(scope, policy)
    for key in ("path", "raw_path", "root_path"):
        assert decision.original.get(key, new[key]) == scope[key]
    return new["root_path"], new["path"], new["raw_path"]


def test_path_moves_from_the_servers_mount_point_to_the_forwarded_one() -> None:
    """ASGI's path contains the root path; the raw path is the same, encoded (R15)."""
    for path, own, moved in [
        ("/x", "", "/app/x"),
        ("/", "", "/app/"),
        ("", "", "/app"),
        ("/own/x", "/own", "/app/x"),
        ("/own/x", "/own/", "/app/x"),
        ("/own", "/own", "/app"),
        ("/owner/x", "/own", "/app/owner/x"),
        ("/x", "/own", "/app/x"),
        ("/app/x", "", "/app/app/x"),
    ]:
        assert mount(path, own=own) == ("/app", moved, moved.encode())


def test_raw_path_stays_encoded_as_it_came() -> None:
    """Only its front is replaced; one that is not there is not made up."""
    assert mount("/a/b", raw=b"/a%2Fb") == ("/app", "/app/a/b", b"/app/a%2Fb")
    assert mount("/ö/x", own="/ö", raw=b"/%C3%B6/x") == ("/app", "/app/x", b"/app/x")
    assert mount("/\xe4", raw=b"/%E4") == ("/app", "/app/\xe4", b"/app/%E4")
    assert mount("/x", raw=None) == ("/app", "/app/x", None)


def test_raw_path_loses_the_servers_mount_point_however_it_is_encoded() -> None:
    """What the path loses, the raw path loses, and nothing else does."""
    for path, own, raw, moved in [
        ("/own/x", "/own", b"/%6Fwn/x", b"/app/x"),
        ("/own/x", "/own", b"/o%77n", b"/app"),
        ("/a b/c/x", "/a b/c", b"/a%20b/%63/x", b"/app/x"),
        ("/x", "/own", b"/own/x", b"/app/own/x"),
        ("/own/x", "/own", b"/own%2Fx", b"/app/own%2Fx"),
    ]:
        assert mount(path, own=own, raw=raw)[2] == moved
    for raw in (b"/%61pp/x", b"/app/x"):
        assert mount("/app/x", raw=raw, strip=True) == ("/app", "/app/x", raw)


def test_final_slash_of_the_servers_mount_point_is_none_of_it() -> None:
    """Servers keep one that their option has; the path below begins behind it."""
    connection = read_connection(
        make_scope([], path="/own/x", root_path="/own/"), host=None
    )

    assert (connection.mount_point, connection.path) == ("/own", "/x")


@pytest.mark.parametrize("key", ["headers", "root_path", "client", "server"])
def test_scope_may_leave_out_what_it_may(key: str) -> None:
    """A key that is not there, or ``None``, is as good as one that says nothing."""
    policies = [UNIX, NO_UNIX, ProxyPolicy(headers=[SCRIPT], proxies="*")]
    for policy in policies:
        for peer in (PROXY, STRANGER):
            scope = make_scope([(SCRIPT, "/app")], peer=peer)
            without = {name: value for name, value in scope.items() if name != key}

            decision, new = policy.apply_scope(without)
            other, _ = policy.apply_scope(without | {key: None})

            assert show(decision) == show(other)
            assert new["headers"] is not scope["headers"]


def test_empty_mount_point_takes_the_servers_own_away() -> None:
    """An empty header is the empty mount point."""
    assert mount("/own/x", own="/own", header="") == ("", "/x", b"/x")
    assert mount("/x", header="/") == ("", "/x", b"/x")


def test_path_that_begins_with_the_mount_point_stays_where_that_is_wanted() -> None:
    """For proxies that leave it in; at a segment boundary only (R15)."""
    for path, own, moved in [
        ("/app/x", "", "/app/x"),
        ("/app", "", "/app"),
        ("/application", "", "/app/application"),
        ("/x", "", "/app/x"),
        ("/own/app/x", "/own", "/app/x"),
    ]:
        assert mount(path, own=own, strip=True) == ("/app", moved, moved.encode())


# -- what is logged --------------------------------------------------------------------


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """List what was logged during the test so far."""
    log.forget()
    caplog.set_level(logging.WARNING, logger="trustedproxy")
    return lambda: [record.getMessage() for record in caplog.records]


REWRITTEN: list[tuple[tuple[str, Any], str, str, bool]] = [
    # A port of 0, or the connection's own port in the chain, is a server's work.
    (("203.0.113.7", 0), FOR, "203.0.113.7", True),
    (("203.0.113.7", 0), FORWARDED, "for=203.0.113.7", True),
    (("203.0.113.7", 4711), FOR, "198.51.100.1, 203.0.113.7:4711", True),
    (("2001:db8::7", 4711), FOR, "[2001:db8::7]:4711", True),
    (("2001:db8::7", 4711), FORWARDED, 'for="[2001:db8::7]:4711"', True),
    # An ordinary connection is not suspected, whatever its headers claim.
    (("203.0.113.7", 4711), FOR, "203.0.113.7", False),
    (("203.0.113.7", 4711), FOR, "198.51.100.1:4711", False),
    (("203.0.113.7", 4711), FORWARDED, "for=203.0.113.7", False),
    (("203.0.113.7", 0), "X-Unknown", "203.0.113.7", False),
    (("10.0.0.5", 4711), FOR, "203.0.113.7:4711", False),
    (("", 0), FOR, "203.0.113.7", False),
]


@pytest.mark.parametrize(("client", "name", "chain", "rewritten"), REWRITTEN)
def test_client_that_a_server_rewrote_is_logged_once(
    client: tuple[str, Any],
    name: str,
    chain: str,
    rewritten: bool,
    messages: Callable[[], list[str]],
) -> None:
    """Port 0 beside a chain is what uvicorn and others leave, or its port (R16)."""
    for _ in range(3):
        POLICY.apply_scope(make_scope([(name.lower(), chain)], client=client))

    hints = [text for text in messages() if "already rewritten the client" in text]
    assert len(hints) == rewritten
    assert all("--no-proxy-headers" in text for text in hints)


def test_problems_of_a_scope_are_logged(messages: Callable[[], list[str]]) -> None:
    """As those of an environ are, also from a peer that comes often."""
    policy = ProxyPolicy(headers=LISTED, proxies=PROXIES)
    decision, _ = policy.apply_scope(make_scope([(FOR, "garbage")]))
    bare, *_ = [policy.apply_scope(make_scope())[0] for _ in range(3)]

    assert decision.problems == (Problem("malformed", FOR, "garbage"),)
    assert bare.problems == (Problem("missing", FOR),)
    first, second = messages()
    assert "(malformed)" in first and "'garbage'" in first and f"'{PROXY}'" in first
    assert "(missing)" in second


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_decision_says_what_the_server_says_where_no_header_does(
    kind: str, peer: str
) -> None:
    """Root path, host, server and port are the connection's own."""
    scope = make_scope([FROM], kind=kind, peer=peer, root_path="/own", path="/own/x")

    decision, new = apply(scope)

    assert decision.mount_point == new["root_path"] == "/own"
    assert (decision.host, decision.server, decision.port) == (
        "backend.internal",
        "127.0.0.1",
        "8000",
    )
    assert new["path"] == "/own/x"
