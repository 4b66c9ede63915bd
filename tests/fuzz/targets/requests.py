"""
Whole requests: an environ, a scope and the pure decision, held against each other.

In:  lines of text: a number for the policy, the peer, then header lines.
Out: an assertion that fails where a surface differs, or what must hold does not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from trustedproxy import Connection, Decision, ProxyPolicy
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.parsing.addresses import parse_hop

_OTHERS: Final = (
    *("X-Forwarded-Proto", "X-Forwarded-SSL", "X-Forwarded-Host", "X-Forwarded-Server"),
    *("X-Forwarded-Port", "X-Script-Name"),
)
_ALL: Final = ("X-Real-IP", "X-Forwarded-For", *_OTHERS)
_NETWORKS: Final = ("10.0.0.0/8", "2001:db8:1::/48")
_KEYWORDS: Final[tuple[dict[str, Any], ...]] = (
    {"headers": _ALL, "proxies": _NETWORKS},
    {"headers": _ALL, "proxies": (*_NETWORKS, "unix"), "strip": "all"},
    {"headers": _ALL, "proxies": "*", "port_in_host": True},
    {"headers": _ALL, "hops": 2, "strip_mount_point": True},
    {"headers": ("Forwarded", *_OTHERS[3:]), "proxies": _NETWORKS},
    {"headers": ("Forwarded",), "proxies": "*"},
    {"headers": ("Forwarded",), "proxies": _NETWORKS, "hops": 1},
    {
        "headers": _ALL,
        "proxies": _NETWORKS,
        "malformed": "reject",
        "missing": "reject",
    },
    {
        "headers": ("CloudFront-Viewer-Address", "CloudFront-Forwarded-Proto"),
        "secret_header": "X-Secret",
        "secrets": ("0123456789abcdef",),
    },
    {"headers": (), "strip": "all"},
    {
        "headers": ("X-Forwarded-For",),
        "proxies": _NETWORKS,
        "fixed_scheme": "https",
        "fixed_mount_point": "/app",
    },
)
POLICIES: Final = [ProxyPolicy(**keywords) for keywords in _KEYWORDS]
_CATEGORIES: Final = {h.name.lower(): set(h.categories) for h in KNOWN_HEADERS}
_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_SHOWN: Final = (
    *("peer", "peer_trusted", "client", "client_known", "client_port", "address"),
    *("scheme", "host", "server", "port", "mount_point", "reason", "winners"),
    *("removed", "rewritten"),
)


def read_request(data: bytes) -> tuple[ProxyPolicy, str, list[tuple[str, str]]]:
    """Read the lines of a request: policy, peer, headers as a server hands them on."""
    first, _, rest = data.decode("latin-1").partition("\n")
    peer, _, rest = rest.partition("\n")
    headers = []
    for line in rest.split("\n"):
        name, colon, value = line.partition(":")
        if colon and name:
            headers.append((name.lower(), value.strip(" \t\r")))
    policy = POLICIES[sum(map(ord, first)) % len(POLICIES)]
    return policy, peer, headers


def make_environ(peer: str, headers: dict[str, str]) -> dict[str, Any]:
    """Make an environ of headers whose lines are joined."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/app/x",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": peer,
        "wsgi.url_scheme": "http",
        **{
            "HTTP_" + name.upper().replace("-", "_"): value
            for name, value in headers.items()
        },
    }


def make_scope(peer: str, headers: list[tuple[str, str]]) -> dict[str, Any]:
    """Make a scope."""
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/app/x",
        "raw_path": b"/app/x",
        "root_path": "",
        "client": (peer, 50000),
        "server": ("127.0.0.1", 8000),
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ],
    }


def show(decision: Decision) -> dict[str, Any]:
    """Show what all surfaces have to agree about."""
    shown = {name: getattr(decision, name) for name in _SHOWN}
    shown["codes"] = [(each.code, each.header) for each in decision.problems]
    shown["rejected"] = decision.rejected and decision.rejected.code
    return shown


def _is_secret(name: str) -> bool:
    return name.replace("_", "-") == "x-secret"


def check_request(data: bytes) -> None:
    """A request is decided alike by all surfaces, and written as it was decided."""
    policy, peer, lines = read_request(data)
    plain = [(name, value) for name, value in lines if _NAME.issuperset(name)]
    joined: dict[str, str] = {}
    for name, value in plain:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    environ, scope = make_environ(peer, joined), make_scope(peer, lines)
    before, untouched = dict(environ), copy.deepcopy(scope)
    # Where a scope's server is a name and a port, nobody is a unix peer.
    is_unix = False

    decided = policy.decide(
        Connection(
            peer, "http", joined.get("host"), "127.0.0.1", "8000", "", "/app/x", is_unix
        ),
        joined,
    )
    of_scope, written = policy.apply_scope(scope)
    assert scope == untouched
    assert show(of_scope) == show(decided)
    if parse_hop(peer) is not None:
        of_environ = policy.apply(environ)
        assert show(of_environ) == show(decided)
        _check_environ(policy, of_environ, environ, before)
    _check_scope(policy, of_scope, written, lines)
    json.dumps(of_scope.as_dict())
    assert policy.explain(dict(before))
    # A name that is no token is shown as it came, as the values of others are.
    others = [peer, *(t for n, v in lines if not _is_secret(n) for t in (n, v))]
    # Escapes end in digits, as a secret may begin.
    if policy.secrets and not any(policy.secrets[0] in repr(value) for value in others):
        assert policy.secrets[0] not in repr(of_scope)


def _check_environ(
    policy: ProxyPolicy,
    decision: Decision,
    environ: dict[str, Any],
    before: dict[str, Any],
) -> None:
    assert environ.pop("trustedproxy.decision") is decision
    if not decision.peer_trusted:
        changed = {key for key in before if environ.get(key) != before[key]}
        assert all(key.startswith("HTTP_") and key not in environ for key in changed)
    # What was replaced is kept, and puts everything back.
    restored = dict(environ)
    for key, value in decision.original.items():
        restored[key] = value
        if value is None:
            del restored[key]
    if policy.secret_header is not None:
        before.pop("HTTP_X_SECRET", None)
    assert restored == before
    again = policy.apply(dict(environ, **{"trustedproxy.decision": decision}))
    assert again is decision


def _check_scope(
    policy: ProxyPolicy,
    decision: Decision,
    written: Mapping[str, Any],
    lines: list[tuple[str, str]],
) -> None:
    assert written["trustedproxy.decision"] is decision
    listed = {category for header in policy.headers for category in header.categories}
    remaining = [name.decode("latin-1") for name, _ in written["headers"]]
    winners = {name.lower() for name in decision.winners.values()}
    for name in remaining:
        # Whatever a framework makes of its name, it is no header of ours.
        alike = name.lower().replace("_", "-")
        categories = _CATEGORIES.get(alike, set())
        if policy.strip == "all" or listed & categories:
            assert not categories or alike in winners, name
        if listed:
            assert (
                alike not in _CATEGORIES or alike == name or not (listed & categories)
            ), name
    for name in winners:
        # One line, or as many as came where it is passed on as it was.
        came = sum(1 for other, _ in lines if other == name)
        assert remaining.count(name) <= came
    assert "x-secret" not in remaining or policy.secret_header is None
