"""
What must hold for every request, whatever it says.

In:  texts that look like headers, and texts that look like nothing.
Out: properties of `ProxyPolicy`, bounded in number and without a clock.
"""

from __future__ import annotations

import ipaddress
import json
import random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustedproxy import Connection, Decision, ProxyPolicy, Reason
from trustedproxy.headers import KNOWN_HEADERS

from .cases.case import CATEGORIES, FORWARDED, SECRET, SECRET_HEADER, canonical
from .core.making import make_environ, make_scope

bounded: Final = settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

NETWORKS: Final = ("10.0.0.0/8", "2001:db8:1::/48")
TRUSTED: Final = [ipaddress.ip_network(text) for text in NETWORKS]

# Addresses of ours, of others, and what is none.
ELEMENTS: Final = st.sampled_from(
    [
        "10.0.0.8",
        "10.255.0.1:4711",
        "2001:db8:1::8",
        "[2001:db8:1::8]:443",
        "::ffff:10.0.0.9",
        "203.0.113.7",
        "203.0.113.7:4711",
        "2001:db8:7::7",
        "[2001:db8:7::7]",
        "unknown",
        "_hidden",
        "garbage",
        "010.8.8.8",
        "",
        '"',
        "\\",
        "0.0.0.0",
    ]
)
ANYTHING: Final = st.text(max_size=40)
#: What goes through a server: no line ends it.
LEFT: Final = st.one_of(
    ANYTHING,
    st.lists(ELEMENTS, max_size=4).map(", ".join),
    st.sampled_from(['for="', "\\"]),
)
LISTS: Final = st.lists(st.one_of(ELEMENTS, ANYTHING), max_size=6).map(",".join)

#: Elements of Forwarded as a proxy writes them.
WRITTEN: Final = st.sampled_from(
    [
        "for=10.0.0.8",
        'for="[2001:db8:1::8]:443";proto=http',
        "for=203.0.113.7;proto=https;host=app.example",
        'for="203.0.113.7:4711";ext="a,b"',
        'for=203.0.113.7;ext="a\\"b"',
        "for=unknown;proto=https",
        "for=_hidden",
    ]
)
VALUES: Final = st.one_of(
    LISTS,
    st.lists(st.one_of(WRITTEN, ANYTHING), max_size=5).map(", ".join),
    st.sampled_from(["https", "http", "on", "app.example:8443", "443", "/app", ""]),
    ANYTHING,
)
NAMES: Final = st.sampled_from(
    [*(header.name for header in KNOWN_HEADERS), "Connection", SECRET_HEADER, "Accept"]
)
HEADERS: Final = st.dictionaries(NAMES, VALUES, max_size=8)
PEERS: Final = st.one_of(
    st.sampled_from(
        ["10.0.0.1", "::ffff:10.0.0.1", "198.51.100.7", "fe80::1%eth0", ""]
    ),
    st.none(),
    ANYTHING,
)

CLIENTS: Final = ["X-Real-IP", "X-Forwarded-For"]
OTHERS: Final = [
    "X-Forwarded-Proto",
    "X-Forwarded-SSL",
    "X-Forwarded-Host",
    "X-Forwarded-Server",
    "X-Forwarded-Port",
    "X-Script-Name",
]
#: What is stated.
FACTS: Final[dict[str, Any]] = {
    "fixed_scheme": "https",
    "fixed_host": "stated.example",
    "fixed_port": "8443",
    "fixed_mount_point": "/dev",
}
_SECRET: Final = {"secret_header": SECRET_HEADER, "secrets": [SECRET]}
_KEYWORDS: Final[tuple[dict[str, Any], ...]] = (
    {"headers": []},
    {"headers": [], "strip": "all"},
    {"headers": [*CLIENTS, *OTHERS], "proxies": NETWORKS},
    {"headers": [*CLIENTS, *OTHERS], "proxies": NETWORKS, "strip": "all"},
    {"headers": [*CLIENTS, *OTHERS], "proxies": [*NETWORKS, "unix"], **_SECRET},
    {"headers": [*CLIENTS, *OTHERS], "proxies": "*", "port_in_host": True},
    {"headers": [*CLIENTS, *OTHERS], "hops": 2},
    {"headers": [FORWARDED, *OTHERS[3:]], "proxies": NETWORKS},
    {"headers": [FORWARDED, *OTHERS[3:]], "proxies": "*"},
    {"headers": [FORWARDED], "proxies": NETWORKS, "hops": 1},
    {"headers": CLIENTS, "proxies": NETWORKS, **FACTS, "strip_mount_point": True},
    {
        "headers": [*CLIENTS, *OTHERS],
        "proxies": NETWORKS,
        "malformed": "reject",
        "missing": "reject",
    },
)
POLICIES: Final = [ProxyPolicy(**keywords) for keywords in _KEYWORDS]
WALKS: Final = ProxyPolicy(headers=["X-Forwarded-For"], proxies=NETWORKS)
WALKS_FORWARDED: Final = ProxyPolicy(headers=[FORWARDED], proxies=NETWORKS)


def connect(peer: str | None = "10.0.0.1") -> Connection:
    """Make a connection of a plain request."""
    return Connection(peer, "http", "backend.internal", "127.0.0.1", "8000", "", "/x")


def is_ours(address: str) -> bool:
    """Say whether *address* is one of the trusted proxies'."""
    return any(ipaddress.ip_address(address) in network for network in TRUSTED)


@bounded
@given(st.sampled_from(POLICIES), PEERS, HEADERS)
def test_decide_never_raises_and_agrees_with_itself(
    policy: ProxyPolicy, peer: str | None, headers: dict[str, str]
) -> None:
    """Any text is decided, twice alike, and what was given is not changed."""
    before = dict(headers)

    decision = policy.decide(connect(peer), headers)

    assert isinstance(decision, Decision)
    assert headers == before
    assert policy.decide(connect(peer), headers) == decision
    assert decision.client is None or canonical(decision.client) is not None
    assert decision.scheme in ("http", "https")
    assert json.loads(json.dumps(decision.as_dict())) == decision.as_dict()


@bounded
@given(st.sampled_from([WALKS, WALKS_FORWARDED]), VALUES)
def test_client_is_not_ours_unless_all_are(policy: ProxyPolicy, value: str) -> None:
    """A walk's client is a trusted proxy only where the reason says that all are."""
    decision = policy.decide(connect(), {policy.headers[0].name: value})

    if decision.client is not None:
        is_farthest = decision.reason is Reason.ALL_HOPS_TRUSTED
        assert is_ours(decision.client) == is_farthest


@bounded
@given(st.sampled_from(POLICIES[2:5]), HEADERS)
def test_direct_request_is_not_changed_by_its_headers(
    policy: ProxyPolicy, headers: dict[str, str]
) -> None:
    """Whatever a stranger sends, the connection's own values remain."""
    connection = connect("198.51.100.7")
    nothing = policy.decide(connection, {})

    decision = policy.decide(connection, headers)

    assert not decision.peer_trusted
    assert (decision.client, decision.address) == ("198.51.100.7", "198.51.100.7")
    assert _fields(decision) == _fields(nothing) == _fields(connection)
    assert not decision.winners and not decision.rewritten


@bounded
@given(LEFT, st.lists(ELEMENTS.filter(bool), min_size=1, max_size=4))
def test_left_changes_nothing_on_the_right(left: str, appended: list[str]) -> None:
    """What stands left of an untrusted hop has no influence at all (R6)."""
    right = ", ".join(["203.0.113.9", *appended])
    alone = WALKS.decide(connect(), {"X-Forwarded-For": right})

    decision = WALKS.decide(connect(), {"X-Forwarded-For": f"{left}, {right}"})

    assert _outcome(decision, "X-Forwarded-For", f"{left}, {right}") == _outcome(
        alone, "X-Forwarded-For", right
    )


@bounded
@given(LEFT, st.lists(WRITTEN, min_size=1, max_size=4))
def test_left_changes_nothing_on_the_right_of_forwarded(
    left: str, appended: list[str]
) -> None:
    """No quote and no escape of a client reaches what our proxies append (R12)."""
    right = ", ".join(["for=203.0.113.9;proto=https", *appended])
    alone = WALKS_FORWARDED.decide(connect(), {FORWARDED: right})

    decision = WALKS_FORWARDED.decide(connect(), {FORWARDED: f"{left}, {right}"})

    assert _outcome(decision, FORWARDED, f"{left}, {right}") == _outcome(
        alone, FORWARDED, right
    )


def _fields(said: Decision | Connection) -> tuple[object, ...]:
    return (said.scheme, said.host, said.server, said.port, said.mount_point)


def _outcome(decision: Decision, name: str, value: str) -> dict[str, Any]:
    """Everything that an application or an operator would see, but the raw value."""
    held = decision.rewritten.get(name, None if name in decision.removed else value)
    return {
        "fields": _fields(decision),
        "client": (decision.client, decision.client_port, decision.address),
        "reason": decision.reason,
        "winners": dict(decision.winners),
        "removed": decision.removed,
        "held": held,
        "codes": [problem.code for problem in decision.problems],
        "rejected": decision.rejected,
    }


@bounded
@given(HEADERS)
def test_trusted_header_that_stays_names_nobody_forged(headers: dict[str, str]) -> None:
    """What remains of a list begins at the address that was decided, or is gone."""
    policy = POLICIES[2]

    decision = policy.decide(connect(), headers)

    assert decision.peer_trusted
    left = {
        name: decision.rewritten.get(name, value)
        for name, value in headers.items()
        if name not in decision.removed
    }
    for name, value in left.items():
        categories = CATEGORIES.get(name.lower(), ())
        if "client" in categories:
            first = value.split(",")[0].strip(" \t")
            assert decision.winners.get("client") == name  # type: ignore[call-overload]  # a text is looked up as its category is
            assert decision.address is not None
            assert ipaddress.ip_address(decision.address) == _read(first)
        elif categories and categories != ("other",):
            assert name in decision.winners.values()


def _read(element: str) -> Any:
    """Read an element that was accepted, in a few lines of the standard library."""
    host = element
    if element.startswith("["):
        host = element[1:].partition("]")[0]
    elif element.count(":") == 1:
        host = element.partition(":")[0]
    address = ipaddress.ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address


@bounded
@given(st.sampled_from(POLICIES), PEERS, HEADERS)
def test_secret_is_never_shown(
    policy: ProxyPolicy, peer: str | None, headers: dict[str, str]
) -> None:
    """Whoever sends the secret, it is in no decision."""
    decision = policy.decide(connect(peer), {**headers, SECRET_HEADER: SECRET})

    assert SECRET not in repr(decision)


#: What a server can hand over: latin-1, and no header twice.
SERVED: Final = st.dictionaries(
    NAMES, VALUES.filter(lambda text: text.isascii()), max_size=8
)


@bounded
@given(st.sampled_from(POLICIES), PEERS, SERVED)
def test_apply_rewrites_as_a_whole(
    policy: ProxyPolicy, peer: str | None, headers: dict[str, str]
) -> None:
    """The environ says what is decided, and the originals put it back as it was."""
    environ = make_environ(headers, peer=peer, REMOTE_PORT="50000")
    before = dict(environ)

    decision = policy.apply(environ)

    assert _fields(decision) == (
        environ["wsgi.url_scheme"],
        environ["HTTP_HOST"],
        environ["SERVER_NAME"],
        environ["SERVER_PORT"],
        environ["SCRIPT_NAME"],
    )
    assert decision.address == environ.get("REMOTE_ADDR")
    restored = {k: v for k, v in environ.items() if k != "trustedproxy.decision"}
    for key, value in decision.original.items():
        restored[key] = value
        if value is None:
            del restored[key]
    secret = "HTTP_" + SECRET_HEADER.upper().replace("-", "_")
    if policy.secret_header:
        before.pop(secret, None)
    assert restored == before


@bounded
@given(st.sampled_from(POLICIES), st.sampled_from(["10.0.0.1", "198.51.100.7"]), SERVED)
def test_surfaces_agree(
    policy: ProxyPolicy, peer: str, headers: dict[str, str]
) -> None:
    """Pure, in an environ, in a scope: one request is decided in one way (R18)."""
    lines = [(name.lower(), value) for name, value in headers.items()]

    pure = policy.decide(connect(peer), headers)
    environ = policy.apply(make_environ(headers, peer=peer))
    scope, new = policy.apply_scope(make_scope(lines, peer=peer))

    for decision in (environ, scope):
        assert {**decision.as_dict(), "original": {}} == pure.as_dict()
    assert new["client"][0] == pure.address
    assert (new["scheme"], new["root_path"]) == (pure.scheme, pure.mount_point)


@bounded
@given(SERVED)
def test_stated_facts_hold_for_every_request_of_a_proxy(
    headers: dict[str, str],
) -> None:
    """Whatever headers say, and for no stranger (R21)."""
    policy = ProxyPolicy(headers=CLIENTS, proxies=NETWORKS, **FACTS)

    trusted = policy.decide(connect(), headers)
    direct = policy.decide(connect("198.51.100.7"), headers)

    scheme, host, _, port, mount_point = _fields(trusted)
    assert (scheme, host, port, mount_point) == tuple(FACTS.values())
    assert _fields(direct) == _fields(connect())


@bounded
@given(st.sampled_from(_KEYWORDS), PEERS, SERVED)
def test_report_only_changes_nothing(
    keywords: dict[str, Any], peer: str | None, headers: dict[str, str]
) -> None:
    """But that the secret goes and the report comes, whatever the request says."""
    policy = ProxyPolicy(**keywords, report_only=True)
    environ = make_environ(headers, peer=peer)
    before = dict(environ)

    report = policy.apply(environ)

    if policy.secret_header:
        before.pop("HTTP_" + SECRET_HEADER.upper().replace("-", "_"), None)
    assert environ == {**before, "trustedproxy.report": report}


#: What may change from one request to the next: a key of the environ, and its values;
#: ``None`` where it is not there.  Proxies send the same things again and again.
CHOICES: Final[dict[str, list[str | None]]] = {
    "REMOTE_ADDR": ["10.0.0.1", "10.0.0.2", "198.51.100.7", "", None],
    "REMOTE_PORT": ["50001", None],
    "REMOTE_HOST": ["proxy.internal", None],
    "wsgi.url_scheme": ["http", "https"],
    "HTTPS": ["on", "off", None],
    "REQUEST_SCHEME": ["http", "https", None],
    "HTTP_HOST": ["a.example", "a.example:443", "b.example:80", None],
    "SERVER_NAME": ["127.0.0.1", "backend.internal"],
    "SERVER_PORT": ["443", "80"],
    "SCRIPT_NAME": ["", "/m", "/app"],
    "PATH_INFO": ["/", "/app/x", "/app", ""],
    "HTTP_X_FORWARDED_FOR": [
        "203.0.113.7",
        "203.0.113.7:4711",
        "1.1.1.1, 203.0.113.7",
        "203.0.113.7, 10.0.0.8",
        "1.1.1.1, 203.0.113.7, 10.0.0.8",
        "10.0.0.8",
        "unknown",
        "garbage, 10.0.0.8",
        None,
    ],
    "HTTP_X_REAL_IP": ["203.0.113.9", "10.0.0.9", "garbage", None],
    "HTTP_FORWARDED": [
        "for=203.0.113.7;proto=https",
        "for=203.0.113.8;proto=https",
        "for=203.0.113.7;proto=http;host=app.example",
        "for=203.0.113.7, for=10.0.0.8;proto=https",
        "for=unknown;proto=https",
        None,
    ],
    "HTTP_X_FORWARDED_PROTO": ["https", "http", "https, http", "x", None],
    "HTTP_X_FORWARDED_SSL": ["on", "off", None],
    "HTTP_X_FORWARDED_HOST": ["app.example", "app.example:8443", None],
    "HTTP_X_FORWARDED_SERVER": ["edge.example", None],
    "HTTP_X_FORWARDED_PORT": ["443", "8443", "0", None],
    "HTTP_X_SCRIPT_NAME": ["/app", "/app/", "", "//x", None],
    "HTTP_X_HOST": ["forged.example", None],
    "HTTP_CONNECTION": ["close", "close, X-Real-IP", None],
    "HTTP_X_PROXY_SECRET": [SECRET, "wrong", None],
    "uwsgi.version": ["2.0.31", None],
}
#: An ordinary request of a proxy, from which the others differ in a key or two.
BASE: Final[dict[str, str | None]] = {
    "REMOTE_ADDR": "10.0.0.1",
    "REMOTE_PORT": "50000",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "a.example",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "80",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/x",
    "HTTP_X_FORWARDED_FOR": "203.0.113.7",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_FORWARDED": "for=203.0.113.7;proto=https",
}
#: So many different ones; each comes twice.
REQUESTS: Final = 100

#: Policies that have something to remember.
MEMORIES: Final = [
    {**keywords, "strip_mount_point": strip, "port_in_host": port}
    for keywords in (
        {"headers": ["X-Forwarded-For", *OTHERS], "proxies": NETWORKS},
        {"headers": ["X-Forwarded-For"], "proxies": NETWORKS, "strip": "all"},
        {"headers": ["X-Forwarded-For", *OTHERS], "proxies": "*"},
        {"headers": ["X-Forwarded-For", *OTHERS], "hops": 1},
        {"headers": ["X-Real-IP", *OTHERS], "proxies": NETWORKS},
        {"headers": [FORWARDED, *OTHERS[3:]], "proxies": NETWORKS},
        {
            "headers": ["X-Forwarded-For", "X-Real-IP", *OTHERS],
            "proxies": NETWORKS,
            "malformed": "reject",
            "missing": "reject",
        },
        {
            "headers": ["X-Forwarded-For", "X-Forwarded-Port"],
            "proxies": NETWORKS,
            "fixed_scheme": "https",
            "secret_header": "X-Proxy-Secret",
            "secrets": [SECRET],
        },
    )
    for strip, port in ((False, False), (True, True))
]


def differ(
    base: dict[Any, Any], choices: dict[Any, list[Any]], chance: random.Random
) -> dict[Any, Any]:
    """Change a few keys of *base*, most often none or one."""
    keys = chance.sample(sorted(choices), chance.choice((0, 1, 1, 1, 2, 3)))
    return base | {key: chance.choice(choices[key]) for key in keys}


@pytest.mark.parametrize("keywords", MEMORIES, ids=str)
def test_earlier_requests_change_nothing(keywords: dict[str, Any]) -> None:
    """What a policy remembers of earlier requests is never seen in a later one."""
    chance = random.Random(repr(keywords))
    shared = ProxyPolicy(**keywords)

    for _ in range(REQUESTS):
        request = differ(BASE, CHOICES, chance)
        given = {key: value for key, value in request.items() if value is not None}
        alone: dict[str, Any] = dict(given)
        expected = ProxyPolicy(**keywords).apply(alone)
        # Headers by their names, and of the connection the peer alone.
        named = {
            key[5:].replace("_", "-"): value
            for key, value in given.items()
            if key.startswith("HTTP_")
        }
        asked = given.get("REMOTE_ADDR", ""), named
        assert shared.decide(*asked) == ProxyPolicy(**keywords).decide(*asked)
        for _ in range(2):
            environ: dict[str, Any] = dict(given)
            assert shared.apply(environ) == expected
            assert environ == alone


#: The same for a scope: the headers in it, and its other keys.
_HEADERS: Final[dict[str, list[str | None]]] = {
    key[5:].lower().replace("_", "-"): values
    for key, values in CHOICES.items()
    if key.startswith("HTTP_")
}
_SCOPE: Final[dict[str, list[Any]]] = {
    "client": [("10.0.0.1", 1), ("10.0.0.2", 2), ("198.51.100.7", 1), None],
    "scheme": ["http", "https", "ws", "wss"],
    "server": [("127.0.0.1", 80), ("127.0.0.1", 443), ("/run/app.sock", None), None],
    "root_path": ["", "/m", "/app"],
    "path": ["/", "/app/x", "/app", "/m/x"],
}
SCOPE_CHOICES: Final[dict[tuple[str, str], list[Any]]] = {
    (kind, key): values
    for kind, choices in (("header", _HEADERS), ("scope", _SCOPE))
    for key, values in choices.items()
}
SCOPE_BASE: Final[dict[tuple[str, str], Any]] = {
    ("header", "host"): "a.example",
    ("header", "x-forwarded-for"): "203.0.113.7",
    ("header", "x-forwarded-proto"): "https",
    ("header", "forwarded"): "for=203.0.113.7;proto=https",
}


def scope_of(request: dict[tuple[str, str], Any]) -> dict[str, Any]:
    """Make a scope of the changes that are in *request*."""
    scope: dict[str, Any] = {
        "type": "http",
        "scheme": "http",
        "path": "/x",
        "root_path": "",
        "client": ("10.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        **{key: value for (kind, key), value in request.items() if kind == "scope"},
    }
    if scope["scheme"] in ("ws", "wss"):
        scope["type"] = "websocket"
    scope["raw_path"] = scope["path"].encode()
    scope["headers"] = [
        (key.encode(), value.encode())
        for (kind, key), value in request.items()
        if kind == "header" and value is not None
    ]
    return scope


@pytest.mark.parametrize("keywords", MEMORIES, ids=str)
def test_earlier_scopes_change_nothing(keywords: dict[str, Any]) -> None:
    """What a policy remembers of earlier scopes is never seen in a later one."""
    chance = random.Random(repr(keywords))
    shared = ProxyPolicy(**keywords)

    for _ in range(REQUESTS):
        scope = scope_of(differ(SCOPE_BASE, SCOPE_CHOICES, chance))
        before = {**scope, "headers": list(scope["headers"])}
        expected, written = ProxyPolicy(**keywords).apply_scope(scope)
        for _ in range(2):
            assert shared.apply_scope(scope) == (expected, written)
            assert scope == before
