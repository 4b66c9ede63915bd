"""What the client asked for, as far as a policy confirms it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import Connection, ProxyPolicy
from trustedproxy.mount_points.client_side import describe_client_side
from trustedproxy.mount_points.heads import ClientSide

from .planning import PEER


def describe(
    headers: Mapping[str, str] | None = None,
    *,
    trusted: Sequence[str] = ("X-Forwarded-For",),
    proxies: Sequence[str] | str | None = ("10.0.0.0/8",),
    hops: int | None = None,
    fixed_port: int | None = None,
    **connection: Any,
) -> ClientSide:
    """Describe the client's side as a policy on it would leave it."""
    policy = ProxyPolicy(
        headers=list(trusted), proxies=proxies, hops=hops, fixed_port=fixed_port
    )
    before = Connection(**{"peer": PEER, "host": "app.example", **connection})
    decision = policy.decide(before, headers or {})
    after = replace(
        before,
        scheme=decision.scheme,
        host=decision.host,
        server=decision.server,
        port=decision.port,
        mount_point=decision.mount_point,
    )
    left = {
        name: text
        for name, text in (headers or {}).items()
        if name not in decision.removed
    }
    left.update(decision.rewritten)
    return describe_client_side(decision, after, left.get("X-Forwarded-For"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, "10.0.0.9", id="nothing confirmed: the peer"),
        pytest.param(
            {"headers": {"X-Forwarded-For": "203.0.113.7"}},
            "203.0.113.7, 10.0.0.9",
            id="appended to the client",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.8"}},
            "203.0.113.7, 10.0.0.8, 10.0.0.9",
            id="what nobody confirms is gone",
        ),
        pytest.param(
            {
                "headers": {
                    "X-Forwarded-For": "203.0.113.7:4711,[2001:db8::1]:80, 10.0.0.8"
                },
                "proxies": ["10.0.0.0/8", "2001:db8::/32"],
            },
            "203.0.113.7, 2001:db8::1, 10.0.0.8, 10.0.0.9",
            id="ports and brackets are taken off",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": ", 203.0.113.7, what"}, "proxies": "*"},
            "203.0.113.7, what, 10.0.0.9",
            id="every peer trusted: the list as it is",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": "203.0.113.7"}, "peer": "198.51.100.1"},
            "198.51.100.1",
            id="a direct request: the peer alone",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": "garbage"}},
            "10.0.0.9",
            id="an unknown client: the peer alone",
        ),
        pytest.param(
            {"headers": {"X-Real-IP": "203.0.113.7"}, "trusted": ["X-Real-IP"]},
            "203.0.113.7, 10.0.0.9",
            id="another header names the client",
        ),
        pytest.param(
            {"headers": {"X-Real-IP": "10.0.0.9"}, "trusted": ["X-Real-IP"]},
            "10.0.0.9",
            id="the peer is the client",
        ),
        pytest.param(
            {"headers": {"Forwarded": "for=203.0.113.7"}, "trusted": ["Forwarded"]},
            "203.0.113.7, 10.0.0.9",
            id="RFC 7239 names the client",
        ),
        pytest.param(
            {
                "headers": {"X-Forwarded-For": "203.0.113.7"},
                "trusted": ["X-Forwarded-Host"],
            },
            "10.0.0.9",
            id="the list is not trusted",
        ),
        pytest.param(
            {
                "peer": "",
                "proxies": ["unix"],
                "headers": {"X-Forwarded-For": "203.0.113.7"},
            },
            "203.0.113.7",
            id="a peer without an address is not appended",
        ),
        pytest.param({"peer": ""}, "unknown", id="nobody is known"),
        pytest.param(
            {"peer": "127.0.0.1", "peer_is_unix": True},
            "unknown",
            id="a unix peer that calls itself an address",
        ),
        pytest.param({"peer": None}, "unknown", id="no peer is reported"),
        pytest.param({"peer": "fe80::1%eth0"}, "fe80::1", id="a zone is left out"),
        pytest.param({"peer": "::ffff:10.0.0.9"}, "10.0.0.9", id="a mapped peer"),
    ],
)
def test_forwarded_for_is_what_is_confirmed(
    options: dict[str, Any], expected: str
) -> None:
    """The peer is appended to what the policy confirms, and else stands alone."""
    assert describe(**options).forwarded_for == expected


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        pytest.param({}, ("http", "app.example", "80"), id="the scheme's usual port"),
        pytest.param(
            {"scheme": "https", "port": "8000"},
            ("https", "app.example", "443"),
            id="not the port that is listened on",
        ),
        pytest.param(
            {"host": "app.example:81"},
            ("http", "app.example:81", "81"),
            id="the host's",
        ),
        pytest.param({"scheme": "wss"}, ("https", "app.example", "443"), id="wss"),
        pytest.param({"scheme": "junk"}, ("http", "app.example", "80"), id="no scheme"),
        pytest.param({"host": "a/b"}, ("http", "", "80"), id="no host"),
        pytest.param({"host": "a, b"}, ("http", "", "80"), id="two hosts"),
        pytest.param({"host": ""}, ("http", "", "80"), id="nothing at all"),
        pytest.param(
            {"host": None, "server": "s.example", "port": "80"},
            ("http", "s.example", "80"),
            id="HTTP/1.0 without a host",
        ),
        pytest.param(
            {"host": None, "server": "s.example", "port": "8000"},
            ("http", "s.example:8000", "8000"),
            id="HTTP/1.0 on another port",
        ),
        pytest.param(
            {"host": None, "server": "s.example"},
            ("http", "s.example", "80"),
            id="a server without a port",
        ),
    ],
)
def test_client_side_is_what_the_client_asked_for(
    connection: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """Scheme, host and port are the client's, as far as anybody can tell."""
    client = describe(**connection)

    assert (client.scheme, client.host, client.port) == expected


def test_client_side_has_the_trusted_port() -> None:
    """A port that a trusted header names comes first."""
    client = describe(
        {"X-Forwarded-Port": "444"}, trusted=["X-Forwarded-Port"], host="app.example:81"
    )

    assert client.port == "444"


@pytest.mark.parametrize(("peer", "expected"), [(PEER, "8443"), ("198.51.100.1", "80")])
def test_client_side_has_the_stated_port(peer: str, expected: str) -> None:
    """A port that the operator states is that of requests of trusted peers."""
    assert describe(peer=peer, port="8443", fixed_port=8443).port == expected


@pytest.mark.parametrize(
    ("server", "expected"),
    [("s.example", "s.example"), ("/run/x.sock", None), (None, None)],
)
def test_client_side_has_a_server_that_is_a_host(
    server: str | None, expected: str | None
) -> None:
    """The path of a socket is no server."""
    assert describe(server=server).server == expected


def test_client_side_without_a_decision() -> None:
    """Where a policy only reports, nobody is confirmed."""
    client = describe_client_side(
        None, Connection(peer=PEER, host="a.example", mount_point="/outer/"), "1.1.1.1"
    )

    assert client == ClientSide("10.0.0.9", "http", "a.example", None, "80", "/outer")
