"""
Test clients of frameworks, as docs/asgi.md says how they name their peer.
"""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
from quart import Quart
from starlette.applications import Starlette

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

with warnings.catch_warnings():
    # Its newest release asks for a successor of httpx that is not out everywhere.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PAGE = (Path(__file__).parents[3] / "docs" / "asgi.md").read_text(encoding="utf-8")
POLICY = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"])
PROXY = ("10.0.0.1", 50000)
SENT = {"X-Forwarded-For": "203.0.113.7"}


class Witness:
    """An ASGI application that keeps the last decision."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.decision: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.decision = scope["trustedproxy.decision"]
        await self.app(scope, receive, send)


def say(decision: Any) -> tuple[str | None, str | None]:
    """Give the peer and the client of *decision*."""
    return decision.peer, decision.client


def test_client_of_starlette_names_its_peer() -> None:
    """Without an address it is called testclient, which is no proxy."""
    witness = Witness(Starlette())
    app = TrustedProxyASGIMiddleware(witness, POLICY)

    TestClient(app).get("/", headers=SENT)
    assert say(witness.decision) == ("testclient", None)

    TestClient(app, client=PROXY).get("/", headers=SENT)
    assert say(witness.decision) == (PROXY[0], "203.0.113.7")


@pytest.mark.parametrize(
    ("base", "client", "expected"),
    [
        ("http://testserver:8000", PROXY, (PROXY[0], "203.0.113.7")),
        ("http://testserver:8000", ("127.0.0.1", 123), ("127.0.0.1", "127.0.0.1")),
        ("http://testserver", PROXY, (PROXY[0], None)),
        ("http://testserver:80", PROXY, (PROXY[0], None)),
    ],
)
def test_client_of_httpx_needs_a_port(
    base: str, client: tuple[str, int], expected: tuple[str, str | None]
) -> None:
    """A server without a port is written as the path of a unix socket is."""
    witness = Witness(Starlette())
    app = TrustedProxyASGIMiddleware(witness, POLICY)

    async def ask() -> None:
        transport = httpx.ASGITransport(app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url=base) as session:
            await session.get("/", headers=SENT)

    asyncio.run(ask())
    assert say(witness.decision) == expected


def test_client_of_quart_gets_its_scope() -> None:
    """Its own scope has neither a client nor a server, as on a unix socket."""
    app = Quart(__name__)
    witness = Witness(app.asgi_app)
    # Quart's own way of wrapping: an attribute over a method, which types forbid.
    app.asgi_app = TrustedProxyASGIMiddleware(witness, POLICY)  # type: ignore[assignment,method-assign]  # wraps a method

    async def ask(**more: Any) -> None:
        await app.test_client().get("/", headers=SENT, **more)

    asyncio.run(ask())
    assert say(witness.decision) == (None, None)
    asyncio.run(ask(scope_base={"client": PROXY, "server": ("localhost", 80)}))
    assert say(witness.decision) == (PROXY[0], "203.0.113.7")


@pytest.mark.parametrize(
    "words",
    [
        'TestClient(app, client=("10.0.0.1", 50000))',
        'ASGITransport(app, client=("10.0.0.1", 50000))',
        '"client": ("10.0.0.1", 50000), "server": ("localhost", 80)',
        'base_url="http://testserver:8000"',
    ],
)
def test_page_says_what_was_tried(words: str) -> None:
    """The calls above are those of the page."""
    assert words in PAGE
