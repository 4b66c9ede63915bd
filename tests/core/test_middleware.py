"""
The policy around a whole application, WSGI or ASGI.

In:  an application, a policy, requests.
Out: what the application sees, or a 400 that it never hears of.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from trustedproxy import (
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
    log,
)
from trustedproxy.responses import bad_request
from trustedproxy.wsgi import DECISION_KEY

from .making import FOR, PROTO, PROXIES, PROXY, STRANGER, make_environ, make_scope

LISTED = [FOR, PROTO]
PASSES = ProxyPolicy(headers=LISTED, proxies=PROXIES)
REFUSES = ProxyPolicy(headers=LISTED, proxies=PROXIES, malformed="reject")
SHADOWS = ProxyPolicy(
    headers=LISTED, proxies=PROXIES, malformed="reject", report_only=True
)
GARBAGE = {FOR: "garbage", PROTO: "https"}


def serve(policy: ProxyPolicy, environ: dict[str, Any]) -> dict[str, Any]:
    """Serve one request; tell what the application saw, and what was answered."""
    told: dict[str, Any] = {"seen": None}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        told["seen"] = environ
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        told["status"], told["headers"] = status, headers

    told["body"] = b"".join(
        TrustedProxyMiddleware(app, policy)(environ, start_response)
    )
    return told


def test_application_sees_the_corrected_environ() -> None:
    """The same environ, rewritten in place; the answer is the application's."""
    environ = make_environ({FOR: "203.0.113.7", PROTO: "https"})

    told = serve(PASSES, environ)

    assert told["seen"] is environ
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (
        "203.0.113.7",
        "https",
    )
    assert (told["status"], told["body"]) == ("200 OK", b"hello")


def test_refused_request_never_reaches_the_application() -> None:
    """It is answered 400, which no cache may keep, and left unrewritten."""
    environ = make_environ(GARBAGE)

    told = serve(REFUSES, environ)

    assert told["seen"] is None
    assert told["status"] == "400 Bad Request"
    assert dict(told["headers"]) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(told["body"])),
        "Cache-Control": "no-store",
    }
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (PROXY, "http")
    assert environ[DECISION_KEY].rejected is not None
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"} & set(environ)


@pytest.mark.parametrize(
    ("policy", "peer"), [(SHADOWS, PROXY), (REFUSES, STRANGER), (PASSES, PROXY)]
)
def test_request_that_is_not_refused_passes(policy: ProxyPolicy, peer: str) -> None:
    """Shadow refuses nobody, and no stranger is refused for what it sends."""
    environ = make_environ(GARBAGE, peer=peer)
    before = dict(environ)

    told = serve(policy, environ)

    assert told["status"] == "200 OK"
    if policy is SHADOWS:
        assert told["seen"] == before


def no_start(*args: object) -> Any:
    """Start no response: nothing is answered."""
    raise AssertionError(args)


@pytest.mark.parametrize("policy", [PASSES, REFUSES, SHADOWS])
@pytest.mark.parametrize(
    ("sent", "peer"),
    [
        ({}, PROXY),
        ({FOR: "203.0.113.7"}, PROXY),
        ({}, STRANGER),
        ({FOR: "203.0.113.7"}, STRANGER),
        ({"Connection": FOR}, PROXY),
    ],
    ids=str,
)
@pytest.mark.parametrize("error", [KeyError, TypeError, AttributeError])
def test_error_of_the_application_is_its_own(
    policy: ProxyPolicy, sent: dict[str, str], peer: str, error: type[Exception]
) -> None:
    """It goes to the server, and the application is not called a second time."""
    calls = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        raise error("REMOTE_ADDR")

    middleware = TrustedProxyMiddleware(app, policy)
    for path in ("/1", "/2", "/3"):
        with pytest.raises(error, match="REMOTE_ADDR"):
            middleware(make_environ(sent, peer=peer, PATH_INFO=path), no_start)

    assert calls == ["/1", "/2", "/3"]


@pytest.mark.parametrize("policy", [PASSES, REFUSES])
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_application_can_be_replaced(policy: ProxyPolicy, peer: str) -> None:
    """Whoever wraps it later is asked for every request, whichever way that takes."""
    seen: list[str] = []

    def old(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append("old")
        return []

    def new(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append("new")
        return old(environ, start_response)

    middleware = TrustedProxyMiddleware(old, policy)
    copied = copy.copy(middleware)
    middleware.app = new

    for sent in ({}, {FOR: "203.0.113.7"}, {FOR: "203.0.113.7"}, {}):
        for called, expected in ((middleware, ["new", "old"]), (copied, ["old"])):
            seen.clear()
            called(make_environ(sent, peer=peer), no_start)
            assert seen == expected
    assert (middleware.app, copied.app) == (new, old)


def test_policy_stays() -> None:
    """What is compiled for one policy cannot pretend to be for another."""
    middleware = TrustedProxyMiddleware(no_start, PASSES)

    with pytest.raises(AttributeError):
        middleware.policy = REFUSES  # type: ignore[misc]

    assert middleware.policy is PASSES


def test_middleware_can_be_extended() -> None:
    """A subclass may do something before, and call what it has inherited."""

    class Counted(TrustedProxyMiddleware):
        count = 0

        def __call__(
            self, environ: dict[str, Any], start_response: Any
        ) -> Iterable[bytes]:
            self.count += 1
            return super().__call__(environ, start_response)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [environ["REMOTE_ADDR"].encode()]

    counted = Counted(app, PASSES)

    assert [*counted(make_environ({FOR: "203.0.113.7"}), no_start)] == [b"203.0.113.7"]
    assert counted.count == 1
    assert (counted.app, counted.policy) == (app, PASSES)


#: What a server sent, and what an application saw.
Heard = tuple[list[dict[str, Any]], list[Any], int]


def call(policy: ProxyPolicy, scope: dict[str, Any]) -> Heard:
    """Call the ASGI middleware; count how often it received."""
    sent: list[dict[str, Any]] = []
    seen: list[Any] = []
    received = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(TrustedProxyASGIMiddleware(app, policy)(scope, receive, send))
    return sent, seen, received


def lower(headers: dict[str, str]) -> list[tuple[str, str]]:
    """Write *headers* as a scope has them."""
    return [(name.lower(), value) for name, value in headers.items()]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_application_sees_the_corrected_scope(kind: str) -> None:
    """A scope of its own; the one that the server gave is not changed."""
    scope = make_scope(lower({FOR: "203.0.113.7"}), kind=kind)

    sent, [seen], received = call(PASSES, scope)

    assert (sent, received) == ([], 0)
    assert seen["client"] == ("203.0.113.7", 0)
    assert scope["client"] == (PROXY, 50000)
    assert DECISION_KEY in seen and DECISION_KEY not in scope


def test_lifespan_is_not_touched() -> None:
    """It has no request in it: the same object goes on."""
    scope: dict[str, Any] = {"type": "lifespan", "asgi": {}, "state": {}}

    sent, [seen], _ = call(REFUSES, scope)

    assert seen is scope
    assert scope == {"type": "lifespan", "asgi": {}, "state": {}}
    assert sent == []


REFUSAL = bad_request()


def test_refused_http_is_answered_400() -> None:
    """With the same headers and body as in WSGI."""
    sent, seen, received = call(REFUSES, make_scope(lower(GARBAGE)))

    assert seen == []
    assert received == 0
    assert sent == [
        {"type": "http.response.start", "status": 400, "headers": REFUSAL.raw_headers},
        {"type": "http.response.body", "body": REFUSAL.body},
    ]


def test_what_another_policy_has_refused_stays_refused() -> None:
    """The first decision stands (R16), also where this policy would let it pass."""
    environ, scope = make_environ(GARBAGE), make_scope(lower(GARBAGE))
    REFUSES.apply(environ)
    _, decided = REFUSES.apply_scope(scope)

    told = serve(PASSES, environ)
    sent, seen, _ = call(PASSES, dict(decided))

    assert (told["seen"], told["status"]) == (None, REFUSAL.status_line)
    assert seen == []
    assert sent[0]["status"] == 400


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
def test_refused_websocket_is_closed_before_it_is_accepted(
    extensions: dict[str, Any] | None,
) -> None:
    """After the connect event, as the specification wants; servers answer 403."""
    scope = make_scope(lower(GARBAGE), kind="websocket", extensions=extensions)

    sent, seen, received = call(REFUSES, scope)

    assert seen == []
    assert received == 1
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_refused_websocket_is_answered_400_where_the_server_can() -> None:
    """Servers with the extension for it get the whole answer."""
    scope = make_scope(
        lower(GARBAGE),
        kind="websocket",
        extensions={"websocket.http.response": {}},
    )

    sent, seen, received = call(REFUSES, scope)

    assert seen == []
    assert received == 1
    assert sent == [
        {
            "type": "websocket.http.response.start",
            "status": 400,
            "headers": REFUSAL.raw_headers,
        },
        {"type": "websocket.http.response.body", "body": REFUSAL.body},
    ]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_shadow_refuses_no_scope(kind: str) -> None:
    """It decides and tells, and the given scope goes on."""
    scope = make_scope(lower(GARBAGE), kind=kind)

    sent, [seen], _ = call(SHADOWS, scope)

    assert seen is scope
    assert sent == []


@pytest.mark.parametrize("make", [TrustedProxyMiddleware, TrustedProxyASGIMiddleware])
def test_middleware_tells_at_start_that_every_peer_is_believed(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, before any request, with what to set instead (R4)."""
    caplog.set_level(logging.WARNING, logger="trustedproxy")
    log.forget()

    for _ in range(2):
        make(None, ProxyPolicy(headers=LISTED))

    [message] = [record.getMessage() for record in caplog.records]
    assert message.startswith("TRUSTED_PROXIES is not set")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_refusal_of_head_has_no_body(method: str) -> None:
    """The head of the answer is the same, its length too (RFC 9110 section 9.3.2)."""
    body = b"" if method == "HEAD" else REFUSAL.body

    told = serve(REFUSES, make_environ(GARBAGE, REQUEST_METHOD=method))
    sent, _, _ = call(REFUSES, make_scope(lower(GARBAGE), method=method))

    assert (told["status"], told["headers"]) == (
        REFUSAL.status_line,
        list(REFUSAL.headers),
    )
    assert told["body"] == body
    assert sent[0]["headers"] == REFUSAL.raw_headers
    assert sent[1] == {"type": "http.response.body", "body": body}
