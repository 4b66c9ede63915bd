"""
The middlewares around a whole application: what passes, and the 400.

In:  requests that a policy refuses, and those that it does not.
Out: answers, as a server gets them.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from trustedproxy import (
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)
from trustedproxy.middleware import (
    BAD_REQUEST_BODY,
    BAD_REQUEST_HEADERS,
    BAD_REQUEST_STATUS,
)

from .making import FOR, PROXIES, make_environ, make_scope

POLICY = ProxyPolicy(headers=[FOR], proxies=PROXIES, missing="reject")

# A method, and the body of its 400 (RFC 9110 section 9.3.2).
BODIES = [("GET", BAD_REQUEST_BODY), ("POST", BAD_REQUEST_BODY), ("HEAD", b"")]


@pytest.mark.parametrize(("method", "body"), BODIES)
def test_refusal_has_a_body_but_for_head(method: str, body: bytes) -> None:
    """The head of the answer is the same for every method, its length included."""
    started: list[Any] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("reached")

    def start_response(status: str, headers: Any) -> Any:
        started.append((status, headers))

    app = TrustedProxyMiddleware(application, POLICY)
    answer = app(make_environ(REQUEST_METHOD=method), start_response)

    assert b"".join(answer) == body
    assert started == [(BAD_REQUEST_STATUS, BAD_REQUEST_HEADERS)]


@pytest.mark.parametrize(("method", "body"), BODIES)
def test_refusal_has_a_body_but_for_head_in_asgi(method: str, body: bytes) -> None:
    """The same answer, from a scope."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("reached")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    app = TrustedProxyASGIMiddleware(application, POLICY)
    asyncio.run(app(make_scope(method=method), receive, send))

    assert [message["type"] for message in sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert sent[0]["status"] == 400
    assert dict(sent[0]["headers"])[b"content-length"] == b"12"
    assert sent[1]["body"] == body
