"""
The page in Starlette: mounted, and around the whole application.

In:  requests through httpx, in this process.
Out: the page for holders of a token, and the application's own answers.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from trustedproxy import read_settings
from trustedproxy.report import MemoryUses, Page

SETTINGS = read_settings(
    {
        "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
        "TRUSTED_PROXIES": ["10.0.0.0/8"],
        "TRUSTED_PROXY_HTTPS_ONLY": True,
    }
)
FORWARDED = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "https"}


def make_page() -> Page:
    """Make a page of its own for each test."""
    return Page(SETTINGS, secret="a secret of these tests", uses=MemoryUses())


async def client_address(request: Request) -> PlainTextResponse:
    """Answer as the application."""
    assert request.client is not None
    return PlainTextResponse(request.client.host)


def ask(
    app: Any, *steps: tuple[str, str, dict[str, Any]], scheme: str = "http"
) -> list[httpx.Response]:
    """Send requests one after the other, as a browser that keeps cookies."""

    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("10.0.0.5", 4711))
        async with httpx.AsyncClient(
            transport=transport, base_url=f"{scheme}://shop.example:8000"
        ) as client:
            return [await client.request(*step[:2], **step[2]) for step in steps]

    return asyncio.run(send())


def test_page_is_mounted() -> None:
    """It shows the request as it came, though the policy has rewritten it."""
    page = make_page()
    routes = [Route("/", client_address), Mount("/trustedproxy", page.asgi)]
    app = SETTINGS.wrap_asgi(Starlette(routes=routes))
    form = {"data": {"token": page.make_token()}, "headers": FORWARDED}

    own, exchanged, shown = ask(
        app,
        ("GET", "/", {"headers": FORWARDED}),
        ("POST", "/trustedproxy/", form),
        ("GET", "/trustedproxy/", {"headers": FORWARDED}),
        scheme="https",
    )

    assert own.text == "203.0.113.7"
    assert exchanged.status_code == 303
    assert shown.status_code == 200
    for text in ("6.6.6.6", "cut off", "10.0.0.5", "trusted proxy"):
        assert text in shown.text


def test_page_opens_where_everything_is_redirected() -> None:
    """Around the application it is answered before HTTPS only."""
    page = make_page()
    routes = [Route("/", client_address)]
    app = page.wrap_asgi(SETTINGS.wrap_asgi(Starlette(routes=routes)))

    own, closed, exchanged, shown = ask(
        app,
        ("GET", "/", {}),
        ("GET", "/trustedproxy/", {}),
        ("POST", "/trustedproxy/?token", {"data": {"token": page.make_token()}}),
        ("GET", "/trustedproxy/", {}),
    )

    assert (own.status_code, closed.status_code) == (301, 301)
    assert exchanged.status_code == 303
    assert shown.status_code == 200
    assert "HTTPS only" in shown.text
