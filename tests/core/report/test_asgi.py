"""
The page in ASGI: mounted, and around a whole application.

In:  scopes and events.
Out: what a server gets.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from trustedproxy.report import MemoryUses, Page
from trustedproxy.report.visits import MOST_BYTES

from .making import PATH, SECRET, make_page, make_scope, make_settings


def ask(
    app: Any, scope: dict[str, Any], *parts: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Ask an application, with a body in parts."""
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    events.append({"type": "http.request"})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    headers = {n.decode(): v.decode() for n, v in sent[0].get("headers", ())}
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0].get("status", 0), headers, body


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body, as an application that is there by itself."""
    body, more = b"", scope["type"] == "http"
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"application:" + body})


def test_page_is_mounted() -> None:
    """It is a whole application; a form comes in as many parts as it likes."""
    page = make_page()
    token = page.make_token().encode()

    assert ask(page.asgi, make_scope())[0] == 403
    post = make_scope(method="POST")
    status, headers, _ = ask(page.asgi, post, b"tok", b"en=" + token)
    assert status == 303
    cookie = headers["set-cookie"].partition(";")[0].encode()
    status, _, body = ask(page.asgi, make_scope((b"cookie", cookie)))
    assert status == 200
    assert b"203.0.113.7" in body


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("lifespan", []), ("websocket", [{"type": "websocket.close", "code": 1008}])],
)
def test_mounted_page_answers_requests_alone(
    kind: str, expected: list[dict[str, Any]]
) -> None:
    """A server that asks for anything else gets no response of HTTP."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def serve() -> None:
        await make_page().asgi(make_scope(type=kind), receive, send)

    asyncio.run(serve())

    assert sent == expected


def test_other_requests_are_the_applications() -> None:
    """Another path, another type, and the page's own without what opens it."""
    app = make_page().wrap_asgi(inner)
    old = (b"cookie", b"trustedproxy_page=old")

    assert ask(app, make_scope(path="/"))[2] == b"application:"
    assert ask(app, make_scope())[2] == b"application:"
    assert ask(app, make_scope(old))[2] == b"application:"
    assert ask(app, make_scope(type="websocket"))[2] == b"application:"
    assert ask(app, {"type": "lifespan"})[2] == b"application:"


def test_page_is_found_below_whatever_stands_in_front() -> None:
    """As in WSGI."""
    app = make_page().wrap_asgi(inner)
    scope = make_scope(path=f"/app{PATH}", query_string=b"token")

    assert b"Open the page" in ask(app, scope)[2]


def test_page_at_a_path_outside_of_ascii_is_found() -> None:
    """ASGI has characters."""
    page = Page(make_settings(), secret=SECRET, uses=MemoryUses(), path="/ü/")
    scope = make_scope(path="/ü/", query_string=b"token")

    assert b"Open the page" in ask(page.wrap_asgi(inner), scope)[2]


@pytest.mark.parametrize("size", [3, MOST_BYTES + 1])
def test_body_of_a_request_that_goes_on_is_not_lost(size: int) -> None:
    """Every event that was read is given again, and then the rest."""
    app = make_page().wrap_asgi(inner)
    scope = make_scope((b"cookie", b"trustedproxy_page=old"), method="POST")

    answered = ask(app, scope, b"a" * size, b"b", b"c")[2]

    assert answered == b"application:" + b"a" * size + b"bc"


def test_mistake_in_the_page_leaves_the_application_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the application answers, body and all."""
    page = make_page()
    monkeypatch.setattr(page, "answer_early", lambda visit: 1 / 0)
    app = page.wrap_asgi(inner)
    scope = make_scope(method="POST", query_string=b"token")

    assert ask(app, scope, b"a=b")[2] == b"application:a=b"
    assert "the page failed" in caplog.text
