"""
Scopes that a server has rewritten by itself before the policy sees them.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ProxyPolicy, log

POLICY = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"], proxies=["10.0.0.0/8"]
)


@pytest.fixture(autouse=True)
def _forget_what_was_told() -> None:
    """Let each test be the first of its process."""
    log.forget()


def make_scope(client: tuple[str, Any], chain: str, name: str) -> dict[str, Any]:
    """Make a scope whose client and chain of addresses are these."""
    return {
        "type": "http",
        "scheme": "http",
        "path": "/",
        "headers": [(b"host", b"app.example"), (name.encode(), chain.encode())],
        "client": client,
        "server": ("10.0.0.1", 8000),
    }


def count_notices(caplog: pytest.LogCaptureFixture) -> int:
    """Count what was told about a client that was rewritten."""
    return sum(
        "already rewritten the client" in record.getMessage()
        for record in caplog.records
    )


@pytest.mark.parametrize(
    ("client", "chain", "name"),
    [
        (("203.0.113.7", 0), "203.0.113.7", "x-forwarded-for"),
        (("203.0.113.7", 0), "for=203.0.113.7", "forwarded"),
        (("203.0.113.7", 4711), "198.51.100.1, 203.0.113.7:4711", "x-forwarded-for"),
        (("2001:db8::7", 4711), "[2001:db8::7]:4711", "x-forwarded-for"),
        (("2001:db8::7", 4711), 'for="[2001:db8::7]:4711"', "forwarded"),
    ],
)
def test_client_that_stands_in_the_chain_is_told_once(
    caplog: pytest.LogCaptureFixture, client: tuple[str, Any], chain: str, name: str
) -> None:
    """A port of 0, or the connection's own port in the chain, is a server's work."""
    scope = make_scope(client, chain, name)
    decisions = [POLICY.apply_scope(scope)[0] for _ in range(2)]

    assert [decision.peer_trusted for decision in decisions] == [False, False]
    assert count_notices(caplog) == 1


@pytest.mark.parametrize(
    ("client", "chain", "name"),
    [
        (("203.0.113.7", 4711), "203.0.113.7", "x-forwarded-for"),
        (("203.0.113.7", 4711), "198.51.100.1:4711", "x-forwarded-for"),
        (("203.0.113.7", 4711), "for=203.0.113.7", "forwarded"),
        (("203.0.113.7", 0), "203.0.113.7", "x-unknown"),
        (("10.0.0.5", 4711), "203.0.113.7:4711", "x-forwarded-for"),
        (("", 0), "203.0.113.7", "x-forwarded-for"),
    ],
)
def test_client_of_the_connection_is_not_told(
    caplog: pytest.LogCaptureFixture, client: tuple[str, Any], chain: str, name: str
) -> None:
    """An ordinary connection is not suspected, whatever its headers claim."""
    POLICY.apply_scope(make_scope(client, chain, name))

    assert count_notices(caplog) == 0
