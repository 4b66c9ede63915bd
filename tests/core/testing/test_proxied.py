"""
Requests from behind a proxy, decided by the policy that they were made for.

In:  policies of every kind, and what a test asks for.
Out: the decision says exactly that, through environs and scopes alike.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from trustedproxy import Category, Form, ProxyHeader, ProxyPolicy
from trustedproxy.testing import ProxiedRequest, assert_decision, direct, from_proxy

from ..making import make_environ, make_scope

CLIENT: Final = "198.51.100.23"

POLICIES: Final[dict[str, dict[str, Any]]] = {
    "a list": {"headers": "X-Forwarded-For X-Forwarded-Proto", "proxies": "loopback"},
    "one address": {"headers": "X-Real-IP X-Forwarded-SSL", "proxies": ["10.0.0.7"]},
    "IPv6": {"headers": "X-Forwarded-For X-Scheme", "proxies": ["2001:db8:1::/48"]},
    "a unix socket": {"headers": "X-Forwarded-For X-Scheme", "proxies": "unix"},
    "every peer": {"headers": "X-Forwarded-For X-Forwarded-Proto", "proxies": "*"},
    "a count": {"headers": "X-Forwarded-For X-Forwarded-Proto", "hops": 3},
    "Forwarded": {"headers": "Forwarded", "proxies": "private"},
    "Forwarded and a count": {"headers": "Forwarded", "hops": 2},
    "a secret": {
        "headers": "X-Forwarded-For X-Forwarded-Proto",
        "secret_header": "X-Proxy-Secret",
        "secrets": ["correct-horse-battery-staple"],
    },
    "CloudFront": {
        "headers": "CloudFront-Viewer-Address CloudFront-Forwarded-Proto",
        "proxies": "*",
    },
    "Cloudflare": {"headers": "CF-Connecting-IP CF-Visitor", "proxies": "*"},
    "two synonyms": {
        "headers": "X-Real-IP X-Forwarded-For X-Forwarded-Proto",
        "proxies": "private",
    },
    "a custom header": {
        "headers": [
            ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS),
            "X-Forwarded-Proto",
        ],
        "proxies": "private",
    },
}


def apply(policy: ProxyPolicy, request: ProxiedRequest) -> list[Any]:
    """Apply *policy* to *request* as an environ and as a scope."""
    environ = {**make_environ(), **request.environ}
    scope = {**make_scope(list(request.headers.items())), **request.scope}
    return [policy.apply(environ), policy.apply_scope(scope)[0]]


@pytest.mark.parametrize("name", POLICIES)
def test_request_comes_through_the_proxies(name: str) -> None:
    """The client and the scheme are those that the test asked for."""
    policy = ProxyPolicy(**POLICIES[name])
    request = from_proxy(policy, client=CLIENT, scheme="https")

    decisions = apply(policy, request)

    for decision in decisions:
        assert_decision(
            decision, client=CLIENT, scheme="https", peer_trusted=True, problems=()
        )


@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::9"])
@pytest.mark.parametrize("headers", ["Forwarded", "X-Forwarded-For X-Forwarded-Host"])
def test_host_is_said_by_the_header_that_is_listed(client: str, headers: str) -> None:
    """The host and the client's address of either version arrive."""
    policy = ProxyPolicy(headers=headers, proxies="loopback")
    request = from_proxy(policy, client=client, host="www.example.com:8443")

    decisions = apply(policy, request)

    for decision in decisions:
        assert_decision(decision, client=client, host="www.example.com:8443")


def test_host_is_the_clients_own_where_no_header_says_it() -> None:
    """Most proxies pass the Host header on as it is."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")

    request = from_proxy(policy, host="www.example.com")

    assert request.environ["HTTP_HOST"] == "www.example.com"


def test_port_and_mount_point_are_said() -> None:
    """What is listed can be asked for."""
    policy = ProxyPolicy(
        headers="X-Forwarded-For X-Forwarded-Port X-Forwarded-Prefix",
        proxies="loopback",
    )
    request = from_proxy(policy, port=8443, mount_point="/app")

    decisions = apply(policy, request)

    for decision in decisions:
        assert_decision(decision, port="8443", mount_point="/app")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"scheme": "http"}, "'scheme'"),
        ({"port": 443}, "'port'"),
        ({"mount_point": "/app"}, "'mount point'"),
    ],
)
def test_what_no_header_says_cannot_be_asked_for(
    asked: dict[str, Any], named: str
) -> None:
    """A test would not see what it asks for, so it is told."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")

    with pytest.raises(ValueError, match=named):
        from_proxy(policy, **asked)


def test_client_that_no_header_says_cannot_be_asked_for() -> None:
    """Where none is asked for, none is needed."""
    policy = ProxyPolicy(headers="X-Forwarded-Proto", proxies="loopback")

    with pytest.raises(ValueError, match="'client'"):
        from_proxy(policy, client=CLIENT)
    assert from_proxy(policy).headers == {"X-Forwarded-Proto": "https"}


def test_client_is_there_where_none_is_asked_for() -> None:
    """A request comes from somebody."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")

    assert from_proxy(policy).headers == {"X-Forwarded-For": "203.0.113.7"}


def test_unix_socket_has_no_address_for_a_test_client() -> None:
    """It would be a direct request, and the error says what to take instead."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="unix")

    with pytest.raises(ValueError, match="keys of `scope`"):
        _ = from_proxy(policy).client


def test_nobody_comes_from_a_proxy_where_nobody_is_trusted() -> None:
    """An empty list has no peer to choose."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies=[])

    with pytest.raises(ValueError, match="trusts nobody"):
        from_proxy(policy)


def test_peer_can_be_named() -> None:
    """A test may come from a certain proxy, or from one that is none."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    request = from_proxy(policy, peer="198.51.100.1")

    decisions = apply(policy, request)

    for decision in decisions:
        assert_decision(decision, peer_trusted=False, client="198.51.100.1")


def test_direct_request_carries_forged_headers() -> None:
    """Whatever it says, its client is its peer."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    request = direct("198.51.100.66", x_forwarded_for="127.0.0.1")

    decisions = apply(policy, request)

    assert request.headers == {"X-Forwarded-For": "127.0.0.1"}
    assert request.client == ("198.51.100.66", 50000)
    for decision in decisions:
        assert_decision(decision, client="198.51.100.66", removed=("X-Forwarded-For",))
