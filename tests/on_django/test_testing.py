"""
Django's asynchronous test clients as requests from behind a proxy.

In:  requests that `trustedproxy.testing` describes.
Out: what a view sees of them, and what a request of the factory holds.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings

from django_trustedproxy.conf import get_settings
from django_trustedproxy.testing import ProxiedAsyncClient, ProxiedAsyncRequestFactory
from trustedproxy import ProxyPolicy
from trustedproxy.testing import ProxiedRequest, direct, from_proxy

CLIENT = "203.0.113.7"


def ask(proxied: ProxiedRequest, **options: Any) -> Any:
    """Ask the asynchronous view what it saw."""

    async def get() -> Any:
        response = await ProxiedAsyncClient(proxied).get("/async-facts/", **options)
        return response.json()

    return asyncio.run(get())


def test_client_comes_through_the_proxy() -> None:
    """Peer, client, scheme, host and mount point are those that were asked for."""
    policy = get_settings().policy

    seen = ask(
        from_proxy(
            policy, client=CLIENT, scheme="https", host="shop.example", mount_point="/s"
        )
    )

    assert seen["meta"]["REMOTE_ADDR"] == CLIENT
    assert seen["absolute"] == "https://shop.example/s/async-facts/"


def test_client_that_is_direct_forges_in_vain() -> None:
    """Its address is its own."""
    seen = ask(direct(CLIENT, x_forwarded_for="127.0.0.1"))

    assert seen["meta"]["REMOTE_ADDR"] == CLIENT


def test_headers_of_a_call_are_sent_besides() -> None:
    """But none of them replaces what the proxy says."""
    proxied = from_proxy(get_settings().policy, client=CLIENT)

    seen = ask(proxied, headers={"X-Forwarded-For": "127.0.0.1", "X-Mark": "mine"})

    assert seen["meta"]["REMOTE_ADDR"] == CLIENT
    assert seen["headers"]["X-Mark"] == "mine"


@override_settings(TRUSTED_PROXIES=["unix"])
def test_client_comes_over_a_unix_socket() -> None:
    """The server's own socket is in the scope."""
    seen = ask(from_proxy(get_settings().policy, client=CLIENT))

    assert seen["meta"]["REMOTE_ADDR"] == CLIENT


@pytest.mark.parametrize("host", [None, "shop.example"])
def test_factory_makes_the_request_of_a_proxy(host: str | None) -> None:
    """Its scope has the peer, and one host."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="10.0.0.7")
    proxied = from_proxy(policy, client=CLIENT, host=host)

    request = ProxiedAsyncRequestFactory(proxied).get("/page")

    decision, _ = policy.apply_scope(dict(request.scope))
    assert decision.client == CLIENT
    assert request.get_host() == (host or "testserver")
