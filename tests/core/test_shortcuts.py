"""
The short way and the long way, held against each other.

In:  requests as servers, proxies and forgers make them, several in a row, so that what
was remembered of one is used for the next.
Out: the same environ or scope, and a decision that says the same.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count, product
from pathlib import Path
from socket import AF_INET, AF_UNIX
from types import FrameType
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustedproxy import Category, Form, ProxyHeader, ProxyPolicy, memo, notices
from trustedproxy import policy as policy_module
from trustedproxy.memo import Memo
from trustedproxy.shortcuts import parties
from trustedproxy.shortcuts import wsgi as wsgi_way
from trustedproxy.wsgi import DECISION_KEY, PROXY_FIX_KEY

from .making import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    PROXIES,
    PROXY,
    REAL,
    SCRIPT,
    SERVER,
    STRANGER,
    key_of,
    make_environ,
    make_scope,
    show,
)

bounded: Final = settings(
    max_examples=120,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

OTHERS: Final = [PROTO, HOST, SERVER, PORT, SCRIPT]
_SECRET: Final = {"secret_header": "X-Proxy-Secret", "secrets": ["hush"]}
LONG_NAME: Final = "X-" + "Long-" * 15 + "Client"


def _own(name: str) -> ProxyHeader:
    return ProxyHeader(name, Category.CLIENT, Form.ADDRESS)


#: Ordinary policies, then those that take the long way always.
ORDINARY: Final[tuple[dict[str, Any], ...]] = (
    {"headers": [FOR], "proxies": PROXIES},
    {"headers": [FOR, PROTO], "proxies": [*PROXIES, "unix"]},
    {"headers": [FOR, PROTO, HOST], "proxies": PROXIES},
    {"headers": [FOR, *OTHERS], "proxies": PROXIES},
    {"headers": [FOR, PROTO], "proxies": PROXIES, "strip": "all"},
    {"headers": [FOR, PROTO], "proxies": PROXIES, "hops": 2},
    {"headers": [FOR, PROTO, "X-Forwarded-SSL"]},
    {"headers": [REAL, PROTO], "proxies": PROXIES},
    {"headers": ["CloudFront-Viewer-Address", "CloudFront-Forwarded-Proto"]},
    {"headers": [FORWARDED], "proxies": PROXIES},
    {"headers": [FORWARDED, PORT], "proxies": PROXIES, "hops": 1},
    {"headers": [FORWARDED]},
    {"headers": [_own(LONG_NAME), PROTO], "proxies": PROXIES},
)
SPECIAL: Final[tuple[dict[str, Any], ...]] = (
    {"headers": []},
    {"headers": [], "strip": "all"},
    {"headers": [PROTO, HOST], "proxies": PROXIES},
    {"headers": [REAL, FOR, PROTO], "proxies": PROXIES},
    {"headers": [FOR, PROTO], "proxies": PROXIES, **_SECRET},
    {"headers": [FOR, HOST, PORT], "proxies": PROXIES, "port_in_host": True},
    {"headers": [FOR, SCRIPT], "proxies": PROXIES, "strip_mount_point": True},
    {"headers": [FOR, PROTO], "proxies": PROXIES, "malformed": "reject"},
    {"headers": [FOR, PROTO], "proxies": PROXIES, "missing": "reject"},
    {"headers": [FOR, PROTO], "proxies": PROXIES, "shadow": True},
)
POLICIES: Final = [ProxyPolicy(**keywords) for keywords in (*ORDINARY, *SPECIAL)]


@dataclass(frozen=True, slots=True)
class Socket:
    """What a server shows of its socket."""

    family: int


@dataclass(frozen=True, slots=True)
class TLSSocket(Socket):
    """The same, speaking TLS."""

    def getpeercert(self) -> None:
        """Be there: that is how TLS is told."""


PEERS: Final = st.sampled_from(
    [
        PROXY,
        PROXY,
        PROXY,
        "10.9.9.9",
        "::ffff:10.0.0.1",
        "2001:db8:1::1",
        STRANGER,
        STRANGER,
        "2001:db8:7::7",
        "fe80::1%eth0",
        "",
        "unix:",
        "localhost",
        "/run/app.sock",
        "unknown",
    ]
)
ADDRESSES: Final = st.sampled_from(
    [
        "203.0.113.7",
        "203.0.113.8",
        "203.0.113.7:4711",
        "2001:db8:7::7",
        "2001:DB8:7::7",
        "[2001:db8:7::7]:4711",
        PROXY,
        "10.0.0.1:50000",
        "10.0.0.8",
        "::ffff:203.0.113.7",
        "unknown",
        "_hidden",
        "garbage",
        "",
        " 203.0.113.7",
    ]
)
LISTS: Final = st.lists(ADDRESSES, min_size=1, max_size=3).map(", ".join)
FORWARDEDS: Final = st.lists(
    st.sampled_from(
        [
            "for=203.0.113.7",
            "for=203.0.113.7;proto=https",
            "for=203.0.113.8;proto=http;host=app.example",
            "for=203.0.113.8;proto=https;host=other.example",
            'for="[2001:db8:7::7]:4711";proto=https',
            "for=10.0.0.8;proto=https",
            "for=unknown;proto=https",
            "for=203.0.113.7;proto=ftp",
            "proto=https",
            'for="',
            "",
        ]
    ),
    min_size=1,
    max_size=2,
).map(", ".join)
VALUES: Final[dict[str, st.SearchStrategy[str]]] = {
    FOR: LISTS,
    FORWARDED: FORWARDEDS,
    REAL: ADDRESSES,
    LONG_NAME: ADDRESSES,
    "CloudFront-Viewer-Address": ADDRESSES,
    "CloudFront-Forwarded-Proto": st.sampled_from(["http", "https"]),
    PROTO: st.sampled_from(["https", "http", "HTTPS", "wss", "http, https", "x", ""]),
    "X-Forwarded-SSL": st.sampled_from(["on", "off", "maybe"]),
    HOST: st.sampled_from(
        ["app.example", "app.example:8443", "backend.internal", "a/b", "a, b", ""]
    ),
    SERVER: st.sampled_from(["app.example", "127.0.0.1", "a:1", ""]),
    PORT: st.sampled_from(["443", "8000", "8443", "0", "443, 80", ""]),
    SCRIPT: st.sampled_from(["/app", "/app/", "/", "", "//evil", "/mounted"]),
    "X-Client-IP": ADDRESSES,
    "X-Forwarded-Prefix": st.just("/forged"),
    "X-Original-URL": st.just("/forged"),
    "X-Proxy-Secret": st.sampled_from(["hush", "wrong"]),
    "Connection": st.sampled_from(["close", "keep-alive", f"close, {FOR}", "te"]),
    "Accept": st.just("*/*"),
}


def _send(policy: ProxyPolicy) -> st.SearchStrategy[dict[str, str]]:
    """Draw headers: what *policy* lists, most of the time, and seldom others."""
    listed = {h.name: VALUES[h.name] for h in policy.headers if h.name in VALUES}
    return st.one_of(
        st.fixed_dictionaries(listed),
        st.fixed_dictionaries({}, optional=listed),
        st.fixed_dictionaries({}, optional=VALUES),
        st.just({}),
    )


def _one_of_these(
    values: dict[str, st.SearchStrategy[Any]],
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw one key and its value."""
    return st.one_of(
        *(st.fixed_dictionaries({key: values[key]}) for key in sorted(values))
    )


#: What servers and other middlewares set besides, or leave out (None).
VARIABLES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "gunicorn.socket": st.sampled_from(
        [Socket(AF_INET), Socket(AF_UNIX), TLSSocket(AF_INET), TLSSocket(AF_UNIX), None]
    ),
    "werkzeug.socket": st.sampled_from([Socket(AF_INET), Socket(AF_UNIX)]),
    "uwsgi.version": st.just(b"2.0.31"),
    "HTTPS": st.sampled_from(["on", "off", "1", ""]),
    "REQUEST_SCHEME": st.sampled_from(["http", "https"]),
    "REMOTE_PORT": st.sampled_from(["50000", "4711"]),
    "REMOTE_HOST": st.sampled_from(["", "proxy.internal"]),
    "SCRIPT_NAME": st.sampled_from(["", "/mounted", None]),
    "SERVER_PORT": st.sampled_from(["8000", "443", None]),
    "HTTP_HOST": st.sampled_from(["other.internal", "app.example", None]),
    "wsgi.url_scheme": st.sampled_from(["http", "https", None]),
    PROXY_FIX_KEY: st.just({}),
    "PATH_INFO": st.sampled_from(["/app/x", "/mounted/x"]),
}
PEER: Final = {"REMOTE_ADDR": st.one_of(PEERS, st.none())}
CHANGES: Final = st.lists(
    _one_of_these(
        {
            **VARIABLES,
            **PEER,
            **{key_of(name): value for name, value in VALUES.items()},
        }
    ),
    max_size=2,
)


def _draw_environ(policy: ProxyPolicy) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda headers, variables: make_environ(headers, **variables),
        _send(policy),
        st.one_of(
            st.just({}),
            st.fixed_dictionaries(PEER),
            _one_of_these({**VARIABLES, **PEER}),
            st.fixed_dictionaries({}, optional={**VARIABLES, **PEER}),
        ),
    )


TWINS: Final[dict[str, st.SearchStrategy[str]]] = {
    "x_forwarded_for": ADDRESSES,
    "X-Forwarded_Proto": st.just("https"),
    "X-FORWARDED-FOR": ADDRESSES,
    "x-forwarded-for\x85": ADDRESSES,
    "x_forwarded_prefix" + " " * 60: st.just("/forged"),
    "host": st.just("second.internal"),
}


def _make_lines(
    headers: dict[str, str], twins: dict[str, str]
) -> list[tuple[str, str]]:
    lower = {name.lower(): value for name, value in headers.items()}
    return [*lower.items(), *twins.items()]


CLIENTS: Final = st.one_of(
    PEERS.map(lambda peer: (peer, 50000)),
    st.sampled_from(
        [
            (PROXY, 0),
            (PROXY, "50000"),
            [PROXY, 4711],
            (PROXY, 4711),
            (STRANGER, 80),
            ("", "0"),
            None,
        ]
    ),
)
PARTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "kind": st.sampled_from(["http", "websocket"]),
    "client": CLIENTS,
    "server": st.sampled_from(
        [
            ("127.0.0.1", 8000),
            ["127.0.0.1", 8001],
            ("127.0.0.1", "8000"),
            ("/run/app.sock", None),
            ("/run/app.sock", 0),
            ("/run/app.sock", 8000),
            ("/", "t"),
            None,
        ]
    ),
    "scheme": st.sampled_from(["http", "https", None]),
    "root_path": st.sampled_from(["", "/mounted", None]),
    "host": st.sampled_from(["other.internal", "app.example", None]),
    "state": st.just({}),
}


def _draw_scope(policy: ProxyPolicy) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda headers, twins, parts: make_scope(_make_lines(headers, twins), **parts),
        _send(policy),
        st.one_of(st.just({}), st.just({}), _one_of_these(TWINS)),
        st.one_of(
            st.just({}),
            _one_of_these(PARTS),
            st.fixed_dictionaries({}, optional=PARTS),
        ),
    )


def _with_policy(
    draw: Callable[[ProxyPolicy], st.SearchStrategy[dict[str, Any]]],
) -> st.SearchStrategy[tuple[ProxyPolicy, dict[str, Any]]]:
    return st.one_of(*(st.tuples(st.just(policy), draw(policy)) for policy in POLICIES))


@bounded
@given(_with_policy(_draw_environ), CHANGES)
def test_short_way_of_an_environ_is_the_long_way(
    drawn: tuple[ProxyPolicy, dict[str, Any]], changes: list[dict[str, Any]]
) -> None:
    """Whatever a request is, and whichever came before, both ways do the same."""
    policy, first = drawn
    for change in ({}, {}, *changes, {}):
        environ = {k: v for k, v in {**first, **change}.items() if v is not None}
        expected_environ = dict(environ)
        expected = policy._apply_slowly(expected_environ)

        decision = policy.apply(environ)

        assert show(decision) == show(expected)
        if policy.shadow:
            assert environ == expected_environ
        else:
            assert environ.pop(DECISION_KEY) is decision
            assert expected_environ.pop(DECISION_KEY) is expected
            assert environ == expected_environ


#: What a request can differ in from the one before it; `None`: it is not there.
DIFFERENCES: Final[tuple[tuple[str, tuple[Any, ...]], ...]] = (
    ("REMOTE_ADDR", (PROXY, "10.9.9.9", STRANGER, "", None)),
    ("wsgi.url_scheme", ("https", None)),
    ("HTTP_HOST", ("other.internal", "h" * 256, b"backend.internal", None)),
    ("SERVER_NAME", ("other.internal", None)),
    ("SERVER_PORT", ("8443", 8000, None)),
    ("SCRIPT_NAME", ("/mounted", None)),
    ("HTTP_CONNECTION", (f"close, {FOR}", PROTO, "close", "upgrade", None)),
    ("HTTPS", ("on", "off")),
    ("REQUEST_SCHEME", ("http", "https")),
    ("REMOTE_PORT", ("50000",)),
    ("REMOTE_HOST", ("proxy.internal",)),
    ("gunicorn.socket", (Socket(AF_INET), Socket(AF_UNIX), TLSSocket(AF_INET))),
    ("werkzeug.socket", (Socket(AF_INET), Socket(AF_UNIX))),
    ("uwsgi.version", (b"2.0.31",)),
    (PROXY_FIX_KEY, ({},)),
    (key_of(FOR), ("203.0.113.8", "203.0.113.7:4711", "garbage", "", None)),
    (key_of(FORWARDED), ("for=203.0.113.8;proto=http;host=b.example", "x", None)),
    (key_of(PROTO), ("http", "ftp", "http, https", "", None)),
    (key_of(HOST), ("other.example", "a/b", None)),
    (key_of(SCRIPT), ("/other", None)),
    (key_of("X-Forwarded-SSL"), ("on",)),
    (key_of(REAL), ("203.0.113.66",)),
    (key_of("X-Original-URL"), ("/forged",)),
)
SENT: Final = {
    FOR: "203.0.113.7",
    FORWARDED: "for=203.0.113.7;proto=https;host=app.example",
    PROTO: "https",
    HOST: "app.example",
    SCRIPT: "/app",
}


#: Ordinary policies that differ in more than a header's name.
DIFFERING: Final = (*ORDINARY[:6], *ORDINARY[9:11])
#: A stranger whose address begins as a proxy's does.
NEIGHBOUR: Final = "2001:db8:7::7"


def _in_every_order(first: dict[str, Any], others: list[dict[str, Any]]) -> Any:
    """Let *first* be learned before *others*, or after them."""
    return (
        (first, first, *others, first, *others, first),
        (*others, first, first, *others, first),
    )


@pytest.mark.parametrize("peer", [PROXY, STRANGER, NEIGHBOUR])
@pytest.mark.parametrize("sends", [False, True], ids=["bare", "headers"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"HTTP_CONNECTION": "close"},
        {"gunicorn.socket": Socket(AF_INET), "REMOTE_PORT": "4711"},
        {"gunicorn.socket": Socket(AF_INET), "wsgi.url_scheme": "https"},
    ],
    ids=["plain", "closes", "gunicorn", "gunicorn-told-https"],
)
def test_one_difference_from_another_environ_is_enough(
    variables: dict[str, Any], sends: bool, peer: str
) -> None:
    """What was learned of a request is not used for one that only looks like it."""
    for keywords in DIFFERING:
        listed = {n: v for n, v in SENT.items() if sends and n in keywords["headers"]}
        first = make_environ(listed, peer=peer, **variables)
        for key, values in DIFFERENCES:
            others = [{**first, key: value} for value in values]
            for order in _in_every_order(first, others):
                policy = ProxyPolicy(**keywords)
                for other in order:
                    environ = {k: v for k, v in other.items() if v is not None}
                    expected_environ = dict(environ)
                    expected = policy._apply_slowly(expected_environ)

                    decision = policy.apply(environ)

                    assert show(decision) == show(expected), (keywords, key)
                    del environ[DECISION_KEY], expected_environ[DECISION_KEY]
                    assert environ == expected_environ, (keywords, key)


#: The same for scopes; a name in bytes is a header's.
SCOPE_DIFFERENCES: Final[tuple[tuple[str | bytes, tuple[Any, ...]], ...]] = (
    ("type", ("websocket",)),
    ("client", ((PROXY, 4711), (PROXY, 0), (STRANGER, 50000), (NEIGHBOUR, 1), None)),
    ("scheme", ("https", None)),
    ("server", (("127.0.0.1", 8443), ("a.internal", 8000), ("/run/app.sock", None))),
    ("root_path", ("/mounted", None)),
    (b"host", (b"other.internal", b"h" * 256, None)),
    (b"connection", (b"close, x-forwarded-for", b"close", None)),
    (b"x-forwarded-for", (b"203.0.113.8", b"203.0.113.7:4711", b"garbage", None)),
    (b"forwarded", (b"for=203.0.113.8;proto=http;host=b.example", b"x", None)),
    (b"x-forwarded-proto", (b"http", b"ftp", b"http, https", None)),
    (b"x-forwarded-host", (b"other.example", b"a/b", None)),
    (b"x-script-name", (b"/other", None)),
    (b"x-real-ip", (b"203.0.113.66",)),
    (b"x_forwarded_proto", (b"https",)),
    (b"x-original-url", (b"/forged",)),
)


def _change(scope: dict[str, Any], key: str | bytes, value: Any) -> dict[str, Any]:
    """Change what *scope* says at *key*; ``None``: nothing."""
    if isinstance(key, str):
        scope = {**scope, key: value}
        return {key: value for key, value in scope.items() if value is not None}
    lines = {**dict(scope["headers"]), key: value}
    lines = {name: value for name, value in lines.items() if value is not None}
    return {**scope, "headers": [*lines.items()]}


@pytest.mark.parametrize("peer", [PROXY, STRANGER, NEIGHBOUR])
@pytest.mark.parametrize("sends", [False, True], ids=["bare", "headers"])
@pytest.mark.parametrize("more", [[], [("connection", "close")]], ids=str)
def test_one_difference_from_another_scope_is_enough(
    more: list[tuple[str, str]], sends: bool, peer: str
) -> None:
    """The same for ASGI."""
    for keywords in DIFFERING:
        listed = [
            (name.lower(), value)
            for name, value in SENT.items()
            if sends and name in keywords["headers"]
        ]
        first = make_scope([*more, *listed], peer=peer)
        for key, values in SCOPE_DIFFERENCES:
            others = [_change(first, key, value) for value in values]
            for order in _in_every_order(first, others):
                policy = ProxyPolicy(**keywords)
                for scope in order:
                    expected, expected_scope = policy._apply_to_scope_slowly(scope)

                    decision, new = policy.apply_scope(scope)

                    assert show(decision) == show(expected), (keywords, key)
                    del new[DECISION_KEY], expected_scope[DECISION_KEY]
                    assert new == expected_scope, (keywords, key)


@bounded
@given(
    _with_policy(_draw_scope),
    st.lists(_one_of_these({**TWINS, **VALUES}), max_size=2),
)
def test_short_way_of_a_scope_is_the_long_way(
    drawn: tuple[ProxyPolicy, dict[str, Any]], changes: list[dict[str, str]]
) -> None:
    """The same for ASGI; the scope that is given stays as it is."""
    policy, first = drawn
    for change in ({}, {}, *changes, {}):
        more = [(k.lower().encode("latin-1"), v.encode()) for k, v in change.items()]
        scope = {**first, "headers": [*first["headers"], *more]}
        given_scope = copy.deepcopy(scope)
        expected, expected_scope = policy._apply_to_scope_slowly(scope)
        assert scope == given_scope

        decision, new = policy.apply_scope(scope)

        assert scope == given_scope
        assert show(decision) == show(expected)
        if policy.shadow:
            assert new is scope is expected_scope
        else:
            assert new["headers"] is not scope["headers"]
            assert new.pop(DECISION_KEY) is decision
            assert expected_scope.pop(DECISION_KEY) is expected
            assert new == expected_scope


def memos_of(function: Callable[..., Any]) -> dict[str, Memo[Any, Any]]:
    """Find what the short way remembers, memo by memo."""
    memos: dict[str, Memo[Any, Any]] = {}
    inside = inspect.getclosurevars(function).nonlocals
    while inside:
        functions = [f for f in inside.values() if inspect.isfunction(f)]
        memos |= {n: m for n, m in inside.items() if isinstance(m, Memo)}
        inside = {}
        for nested in functions:
            inside |= inspect.getclosurevars(nested).nonlocals
    return memos


@pytest.fixture
def small_memos(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let every memo of the short way be full soon."""
    most = 4
    monkeypatch.setattr(memo, "_MOST", most)
    return most


def test_ordinary_policies_have_a_short_way() -> None:
    """Only what makes every request a special one takes the long way always."""
    for number, policy in enumerate(POLICIES):
        is_short = policy.apply_to_scope != policy._apply_to_scope_slowly

        assert is_short is (number < len(ORDINARY))
        assert is_short is bool(memos_of(policy._apply))


def test_memos_of_environs_are_bounded(small_memos: int) -> None:
    """However many hosts and hops there are, some are remembered, and all are right."""
    policy = ProxyPolicy(headers=[FOR, HOST], proxies=PROXIES)
    hosts = [(number, f"h{number}.example") for number in range(3 * small_memos)]

    for number, host in [*hosts, *hosts]:
        peer, chain = f"10.0.1.{number}", f"203.0.113.7, 10.0.2.{number}"
        believed = make_environ({FOR: chain, HOST: host}, REMOTE_ADDR=peer)
        bare = make_environ(HTTP_HOST=host, REMOTE_ADDR=peer)

        decision = policy.apply(believed)
        assert (decision.client, decision.host) == ("203.0.113.7", host)
        assert policy.apply(bare).host == bare["HTTP_HOST"] == host
        memos = memos_of(policy._apply)
        assert memos.keys() == {"recipes", "believed", "times"}
        assert all(0 < len(known) <= small_memos for known in memos.values())


def test_memos_of_scopes_are_bounded(small_memos: int) -> None:
    """The same for scopes, whose names come from the wire as well."""
    policy = ProxyPolicy(headers=[FOR, HOST], proxies=PROXIES)
    hosts = [(number, f"h{number}.example") for number in range(3 * small_memos)]

    for number, host in [*hosts, *hosts]:
        ends: dict[str, Any] = {"server": (host, 8000), "peer": f"10.0.1.{number}"}
        chain = f"203.0.113.7, 10.0.2.{number}"
        sent = [(FOR.lower(), chain), (HOST.lower(), host)]
        believed = make_scope(sent, **ends)
        bare = make_scope([(f"x-{host}", "1")], host=host, **ends)

        for _ in range(2):
            decision, new = policy.apply_scope(believed)
            assert (decision.client, decision.host) == ("203.0.113.7", host)
            assert (b"host", host.encode()) in new["headers"]
            assert policy.apply_scope(bare)[0].host == host
        memos = memos_of(policy.apply_to_scope)
        assert memos.keys() == {
            "recipes",
            "believed",
            "times",
            "shapes",
            "tcp_servers",
        }
        assert all(0 < len(known) <= small_memos for known in memos.values())


def test_what_a_client_can_make_long_is_not_remembered() -> None:
    """Neither a host that goes nowhere, nor names of headers."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    host = "h" * 256

    for _ in range(3):
        decision = policy.apply(make_environ({FOR: "203.0.113.7"}, HTTP_HOST=host))
        bare = policy.apply(make_environ(HTTP_HOST=host))
        in_scope, _ = policy.apply_scope(make_scope([(FOR, "203.0.113.7")], host=host))
        bare_in_scope, _ = policy.apply_scope(make_scope(host=host))
        for more in (
            [("x-" + "n" * 2048, "1")],
            [(f"x-{number}", "1") for number in range(500)],
            [("connection", "z" * 60_000)],
            [("connection", "z" * 60_000), (FOR.lower(), "203.0.113.7")],
        ):
            assert policy.apply_scope(make_scope(more))[0].host == "backend.internal"
            for long in ("server", "root_path"):
                path = "/" + "p" * 1000
                ends: dict[str, Any] = {
                    long: path if long == "root_path" else (path[1:], 80)
                }
                policy.apply_scope(make_scope(more[1:], **ends))
        policy.apply(make_environ(SCRIPT_NAME="/" + "p" * 1000))
        policy.apply(make_environ({"Connection": "z" * 60_000}))

        for said in (decision, bare, in_scope, bare_in_scope):
            assert said.host == host
        assert (decision.client, in_scope.client) == ("203.0.113.7", "203.0.113.7")
    keys = repr(
        [
            memos_of(function)[name]
            for function in (policy._apply, policy.apply_to_scope)
            for name in ("recipes", "believed")
        ]
    )
    assert not any(text in keys for text in (host, "z" * 1000, "p" * 1000))
    memos = memos_of(policy.apply_to_scope)
    assert max(sum(map(len, names)) for names in memos["shapes"]) <= 2048
    assert max(map(len, memos["shapes"])) <= 64
    assert max(len(name) for name, _ in memos["tcp_servers"]) <= 255


def test_missing_header_is_told_again_after_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the proxy sends the same request again and again (R17)."""
    now = 1000.0
    monkeypatch.setattr(notices, "monotonic", lambda: now)
    monkeypatch.setattr(parties, "QUIET_REQUESTS", 4)
    environ_policy, scope_policy = (
        ProxyPolicy(headers=[FOR], proxies=PROXIES) for _ in range(2)
    )
    sends: list[Callable[[], Any]] = [
        lambda: environ_policy.apply(make_environ()),
        lambda: scope_policy.apply_scope(make_scope())[0],
    ]
    for send in sends:
        notices.forget()
        for expected in (1, 1, 2, 2, 3):
            decisions = [send() for _ in range(5)]

            assert all(said == decisions[0] for said in decisions)
            assert decisions[0].problems
            messages = [record.getMessage() for record in caplog.records]
            assert len(messages) == expected
            assert "(missing)" in messages[-1]
            now += notices.INTERVAL / 2
        caplog.clear()


@pytest.mark.parametrize("surface", ["environ", "scope"])
def test_missing_header_is_told_again_to_whoever_asks_seldom(
    surface: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A health check every ten seconds is told within minutes, and hours later too."""
    now = 1000.0
    monkeypatch.setattr(notices, "monotonic", lambda: now)
    notices.forget()
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    told = []
    for number in range(4 * 3600 // 10):
        if surface == "environ":
            policy.apply(make_environ())
        else:
            policy.apply_scope(make_scope())
        if caplog.records:
            told.append(10 * number)
            caplog.clear()
        now += 10

    assert told[0] == 0
    assert told[1] <= 3 * 60
    assert told[-1] >= 2 * 3600
    assert 6 <= len(told) <= 12


def test_clock_is_asked_seldom_where_requests_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of ten thousand equal requests, a few take the long way."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    asked = []
    monkeypatch.setattr(
        policy_module,
        "tell_problems",
        lambda problems, peer: asked.append((problems[0].code, peer)),
    )
    for _ in range(10_000):
        policy.apply(make_environ())

    assert set(asked) == {("missing", PROXY)}
    assert 10 <= len(asked) <= 30


@pytest.mark.parametrize("peer", [STRANGER, PROXY])
def test_request_with_many_names_loses_what_it_has_to_lose(peer: str) -> None:
    """Also where there are more names than are remembered."""
    policy = ProxyPolicy(headers=[FOR, HOST], proxies=PROXIES)
    others = [(f"x-name-{number:030}", "1") for number in range(64)]
    forwarding = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-host", "a.example")]
    # Once as it is, so that there is something to remember; then with the names.
    policy.apply_scope(make_scope(forwarding, peer=peer))

    decision, new = policy.apply_scope(make_scope([*forwarding, *others], peer=peer))

    left = dict(new["headers"])
    if peer == PROXY:
        assert (decision.client, decision.host) == ("203.0.113.7", "a.example")
        assert left[b"host"] == b"a.example"
    else:
        assert (decision.client, decision.host) == (STRANGER, "backend.internal")
        assert not {b"x-forwarded-for", b"x-forwarded-host"} & set(left)
    assert len(left) == 1 + len(others) + (2 if peer == PROXY else 0)


@pytest.mark.parametrize("peer", [STRANGER, PROXY])
@pytest.mark.parametrize("shadow", [False, True])
def test_headers_that_can_be_read_only_once_are_not_lost(
    peer: str, shadow: bool
) -> None:
    """The specification asks for an iterable, which need not be a list."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, shadow=shadow)
    sent = [(FOR.lower(), "203.0.113.7"), ("accept", "*/*")]

    for _ in range(2):
        scope = make_scope(sent, peer=peer)
        expected, written = policy.apply_scope(dict(scope))

        decision, new = policy.apply_scope({**scope, "headers": iter(scope["headers"])})

        assert show(decision) == show(expected)
        assert new["headers"] == written["headers"]


def test_recipe_is_not_taken_from_another_policy() -> None:
    """A request that was decided before teaches the second policy nothing."""
    first = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    second = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES)
    headers = {FOR: PROXY, PROTO: "https"}
    environ = make_environ(headers)
    first.apply(environ)

    assert second.apply(environ).scheme == "http"
    assert second.apply(make_environ(headers)).scheme == "https"


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
@pytest.mark.parametrize("sent", [{}, {FOR: "203.0.113.7"}], ids=str)
def test_decision_of_another_policy_stands(sent: dict[str, str], peer: str) -> None:
    """Whatever the second policy has learned, it does nothing (R16)."""
    first = ProxyPolicy(headers=[PROTO], proxies=PROXIES)
    second = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    lines = [(name.lower(), value) for name, value in sent.items()]
    for _ in range(3):
        second.apply(make_environ(sent, peer=peer))
        second.apply_scope(make_scope(lines, peer=peer))
    environ = make_environ(sent, peer=peer)
    decision = first.apply(environ)
    decided = dict(environ)
    in_scope, scope = first.apply_scope(make_scope(lines, peer=peer))

    assert second.apply(environ) is decision
    assert environ == decided
    again, same = second.apply_scope(scope)
    assert again is in_scope
    assert same is scope


def test_other_threads_make_no_request_an_ordinary_one() -> None:
    """What is learned of the server meanwhile is seen by a request under way."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES)
    shown: dict[str, Any] = {"gunicorn.socket": Socket(AF_INET)}
    forged: dict[str, Any] = {
        "REMOTE_ADDR": STRANGER,
        "wsgi.url_scheme": "https",
        **shown,
    }
    environ = make_environ({PROTO: "https"}, **forged)

    def trace(frame: FrameType, event: str, _: object) -> Any:
        name, line = frame.f_code.co_filename, frame.f_lineno
        if Path(name) != Path(wsgi_way.__file__) or frame.f_code.co_name != "call":
            return None
        if event == "line" and "in_direct" in linecache.getline(name, line):
            sys.settrace(None)
            policy.apply(make_environ(**shown))
            return None
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        decision = policy.apply(environ)
    finally:
        sys.settrace(before)

    # gunicorn took it from the header; the socket knows better (R19).
    assert environ["wsgi.url_scheme"] == decision.scheme == "http"


def _interrupt(
    number: int, come_in: Callable[[], None], came_in: list[int]
) -> Callable[..., Any]:
    """Trace the short way of an environ, and come in before its line of *number*."""
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if Path(frame.f_code.co_filename) != Path(wsgi_way.__file__):
            return None
        if event == "line":
            lines += 1
            if lines == number:
                sys.settrace(None)
                came_in.append(number)
                come_in()
                return None
        return trace

    return trace


def test_other_threads_may_come_in_at_every_line() -> None:
    """Whatever they make the short way learn, each request is decided as it is."""
    shown: dict[str, Any] = {"gunicorn.socket": Socket(AF_INET)}
    https: dict[str, Any] = {**shown, "wsgi.url_scheme": "https"}
    unix: dict[str, Any] = {"gunicorn.socket": Socket(AF_UNIX)}
    believed = {FOR: "203.0.113.7", PROTO: "https"}
    requests = [
        make_environ(),
        make_environ(**shown, REMOTE_PORT="50000"),
        make_environ(believed, **shown, REMOTE_PORT="50000"),
        make_environ({**believed, REAL: "203.0.113.66"}),
        make_environ({PROTO: "https"}, peer=STRANGER, **https),
        make_environ(believed, peer=STRANGER),
        make_environ(believed, **unix),
    ]

    def ask(policy: ProxyPolicy, request: dict[str, Any]) -> None:
        environ, expected_environ = dict(request), dict(request)
        expected = policy._apply_slowly(expected_environ)
        assert show(policy.apply(environ)) == show(expected)
        del environ[DECISION_KEY], expected_environ[DECISION_KEY]
        assert environ == expected_environ

    before = sys.gettrace()
    for first, other in product(requests, repeat=2):
        for number in count(1):
            policy = ProxyPolicy(**ORDINARY[1])
            came_in: list[int] = []
            come_in = partial(ask, policy, other)
            sys.settrace(_interrupt(number, come_in, came_in))
            try:
                ask(policy, first)
            finally:
                sys.settrace(before)

            for request in requests:
                ask(policy, request)
            if not came_in:
                assert number > 1
                break


def test_stranger_who_came_first_is_not_believed() -> None:
    """Who makes the short way learn what its server sets is no proxy for that."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES)
    shown: dict[str, Any] = {"gunicorn.socket": Socket(AF_INET)}
    policy.apply(make_environ(peer=NEIGHBOUR, **shown))

    for peer in (PROXY, PROXY, NEIGHBOUR):
        environ = make_environ({FOR: "203.0.113.7", PROTO: "https"}, peer=peer, **shown)
        decision = policy.apply(environ)

    assert (decision.believed, decision.client) == (False, NEIGHBOUR)
    assert environ["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize("sent", [{}, {FOR: "203.0.113.7"}], ids=str)
def test_peer_that_is_none_is_a_unix_socket(sent: dict[str, str]) -> None:
    """A server may say so instead of saying nothing."""
    policy = ProxyPolicy(headers=[FOR], proxies=["unix"])
    for _ in range(3):
        environ = make_environ(sent) | {"REMOTE_ADDR": None}

        decision = policy.apply(environ)

        assert decision.believed
        assert environ["REMOTE_ADDR"] == decision.client == sent.get(FOR)


def test_client_that_is_the_peer_itself_stays_as_it_is() -> None:
    """A hop count may end at the proxy's own address."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES, hops=1)
    sent = {FOR: PROXY, PROTO: "https"}
    for _ in range(4):
        scope = make_scope([(name.lower(), value) for name, value in sent.items()])
        decision, new = policy.apply_scope(scope)
        environ = make_environ(sent)

        assert new["client"] == scope["client"]
        assert decision.original == {"scheme": "http"}
        assert policy.apply(environ).original == {"wsgi.url_scheme": "http"}
        assert environ["REMOTE_ADDR"] == PROXY


@pytest.mark.parametrize("host", [None, 7])
def test_host_that_is_no_text_is_left_alone(host: object) -> None:
    """PEP 3333 forbids it, and nothing is raised all the same."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    for _ in range(2):
        environ = make_environ() | {"HTTP_HOST": host}

        assert policy.apply(environ).host == environ["HTTP_HOST"] == host


def test_lines_that_are_lists_are_not_remembered() -> None:
    """What an application writes into its own line says nothing of later requests."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    def send(host: str) -> tuple[str | None, list[list[bytes]]]:
        scope = make_scope(host=host)
        scope["headers"] = [list(line) for line in scope["headers"]]
        decision, new = policy.apply_scope(scope)
        return decision.host, new["headers"]

    for _ in range(2):
        send("a.example")
    _, lines = send("b.example")
    lines[0][1] = b"a.example"

    assert send("a.example") == ("a.example", [[b"host", b"a.example"]])


def test_scheme_of_a_socket_is_not_taken_for_another_requests() -> None:
    """What is decided by a server's socket is said of no request without one."""
    policy = ProxyPolicy(headers=[FORWARDED], proxies=PROXIES)
    sent = {FORWARDED: "for=203.0.113.5;proto=https"}
    shown: dict[str, Any] = {"gunicorn.socket": Socket(AF_INET)}
    policy.apply(make_environ(**shown))
    policy.apply(make_environ(sent, **shown, **{"wsgi.url_scheme": "ws"}))

    decision = policy.apply(make_environ(sent, **{"wsgi.url_scheme": "ws"}))

    assert decision.scheme == "wss"


@pytest.mark.parametrize("peer", [STRANGER, PROXY])
def test_lines_that_are_lists_stay_lists(peer: str) -> None:
    """The specification knows only iterables of two."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    for _ in range(3):
        scope = make_scope([(FOR.lower(), "203.0.113.7")], peer=peer)
        scope["headers"] = [list(line) for line in scope["headers"]]

        _, new = policy.apply_scope(scope)

        kept = scope["headers"] if peer == PROXY else scope["headers"][:1]
        assert new["headers"] == kept


def test_element_of_forwarded_is_not_taken_from_another_request() -> None:
    """Scheme and host of Forwarded are those of this request, in every order."""
    policy = ProxyPolicy(headers=[FORWARDED], proxies=PROXIES)
    for scheme, host in [("https", "a.example"), ("http", "b.example")] * 2:
        value = f"for=203.0.113.7;proto={scheme};host={host}"

        decision = policy.apply(make_environ({FORWARDED: value}))
        in_scope, _ = policy.apply_scope(make_scope([(FORWARDED.lower(), value)]))

        assert (decision.scheme, decision.host) == (scheme, host)
        assert (in_scope.scheme, in_scope.host) == (scheme, host)


@pytest.mark.parametrize("peer", [STRANGER, PROXY])
def test_header_with_a_long_name_is_read_and_removed_as_others_are(peer: str) -> None:
    """A name that is too long to remember is not forgotten either."""
    policy = ProxyPolicy(headers=[_own(LONG_NAME), HOST], proxies=PROXIES)
    sent = [(LONG_NAME.lower(), "203.0.113.7"), ("x-forwarded-host", "a.example")]

    for _ in range(2):
        decision, new = policy.apply_scope(make_scope(sent, peer=peer))

        names = [name.decode() for name, _ in new["headers"]]
        if peer == PROXY:
            assert (decision.client, decision.host) == ("203.0.113.7", "a.example")
            assert names == ["host", *(name for name, _ in sent)]
        else:
            assert decision.client == STRANGER
            assert names == ["host"]


@pytest.mark.parametrize(
    "ends",
    [
        {"server": ("127.0.0.1", 0)},
        {"server": ("/run/app.sock", 8000)},
        {"client": [0, 49]},
        {"client": (None, 50000)},
        {"client": (b"10.0.0.1", 50000)},
        {"client": ("", 50000)},
    ],
    ids=str,
)
@pytest.mark.parametrize("listed", [[FOR], [FOR, PROTO]], ids=str)
def test_scope_with_odd_ends_goes_the_long_way(
    listed: list[str], ends: dict[str, Any]
) -> None:
    """Whatever stands for the client or the server, after a request like most."""
    for headers in ([], [(FOR.lower(), "203.0.113.7")]):
        policy = ProxyPolicy(headers=listed, proxies=[*PROXIES, "loopback", "unix"])
        policy.apply_scope(make_scope(headers))

        decision, _ = policy.apply_scope(make_scope(headers) | ends)

        expected, _ = policy._apply_to_scope_slowly(make_scope(headers) | ends)
        assert show(decision) == show(expected)
