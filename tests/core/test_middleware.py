"""
The policy around a whole application, WSGI or ASGI.

In:  an application, a policy, requests.
Out: what the application sees, or a 400 that it never hears of.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from trustedproxy import (
    DECISION_KEY,
    ConfigurationError,
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)
from trustedproxy.decision import REPORT_KEY
from trustedproxy.responses import bad_request

from .making import FOR, PROTO, PROXIES, PROXY, STRANGER, make_environ, make_scope

LISTED = [FOR, PROTO]
PASSES = ProxyPolicy(headers=LISTED, proxies=PROXIES)
REJECTS = ProxyPolicy(headers=LISTED, proxies=PROXIES, malformed="reject")
REPORTS = ProxyPolicy(
    headers=LISTED, proxies=PROXIES, malformed="reject", report_only=True
)
GARBAGE = {FOR: "garbage", PROTO: "https"}
REJECTION = bad_request()


@dataclass(slots=True)
class Answer:
    """What was answered, and what the application saw."""

    seen: dict[str, Any] | None = None
    status: str = ""
    headers: Any = None
    body: bytes = b""


def serve(policy: ProxyPolicy, environ: dict[str, Any]) -> Answer:
    """Serve one request by way of the WSGI middleware."""
    answer = Answer()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer.seen = environ
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        answer.status, answer.headers = status, headers

    middleware = TrustedProxyMiddleware(app, policy)
    answer.body = b"".join(middleware(environ, start_response))
    return answer


#: What a server sent, what an application saw, and how often it received.
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


def no_start(*args: object) -> Any:
    """Start no response: nothing is answered."""
    raise AssertionError(args)


# -- plain classes ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TrustedProxyMiddleware, TrustedProxyASGIMiddleware])
def test_middleware_is_a_plain_class(kind: Any) -> None:
    """It can be inspected, copied and extended; app and policy are attributes."""

    class Extended(kind):  # type: ignore[misc]  # a class by its row
        pass

    middleware = kind(no_start, PASSES)

    assert list(inspect.signature(kind).parameters) == ["app", "policy"]
    assert inspect.signature(middleware) == inspect.signature(middleware.__call__)
    assert inspect.isfunction(kind.__call__)
    for each in (middleware, copy.copy(middleware), Extended(no_start, PASSES)):
        assert (each.app, each.policy) == (no_start, PASSES)


@pytest.mark.parametrize("kind", [TrustedProxyMiddleware, TrustedProxyASGIMiddleware])
def test_middleware_cannot_be_made_of_a_wrong_policy(kind: Any) -> None:
    """Nothing fails later than at start-up because of configuration."""
    with pytest.raises(ConfigurationError):
        kind(None, ProxyPolicy(headers=[FOR], proxies=["10.0.0.0/33"]))


def test_application_and_policy_can_be_replaced() -> None:
    """Whoever wraps the application later is asked for every request."""
    seen: list[str] = []

    def old(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    def new(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append("new")
        return old(environ, start_response)

    middleware = TrustedProxyMiddleware(old, PASSES)
    middleware(make_environ({FOR: "203.0.113.7"}), no_start)
    middleware.app = new
    middleware(make_environ({FOR: "203.0.113.7"}), no_start)
    middleware.policy = ProxyPolicy()
    middleware(make_environ({FOR: "203.0.113.7"}), no_start)

    assert seen == ["203.0.113.7", "new", "203.0.113.7", "new", PROXY]


def test_middleware_can_do_something_before() -> None:
    """A subclass may call what it has inherited."""

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


# -- WSGI ------------------------------------------------------------------------------


def test_application_sees_the_corrected_environ() -> None:
    """The same environ, rewritten in place; the answer is the application's."""
    environ = make_environ({FOR: "203.0.113.7", PROTO: "https"})

    answer = serve(PASSES, environ)

    assert answer.seen is environ
    assert environ["REMOTE_ADDR"] == "203.0.113.7"
    assert environ["wsgi.url_scheme"] == "https"
    assert (answer.status, answer.body) == ("200 OK", b"hello")


def test_rejected_request_never_reaches_the_application() -> None:
    """It is answered 400, which no cache may keep, and left unrewritten."""
    environ = make_environ(GARBAGE)

    answer = serve(REJECTS, environ)

    assert answer.seen is None
    assert answer.status == "400 Bad Request"
    assert dict(answer.headers) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
    }
    assert environ["REMOTE_ADDR"] == PROXY
    assert environ["wsgi.url_scheme"] == "http"
    assert environ[DECISION_KEY].rejected is not None
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"} & set(environ)


@pytest.mark.parametrize(
    ("policy", "peer"), [(REPORTS, PROXY), (REJECTS, STRANGER), (PASSES, PROXY)]
)
def test_request_that_is_not_rejected_passes(policy: ProxyPolicy, peer: str) -> None:
    """Report-only mode rejects nobody, and a stranger is never rejected."""
    environ = make_environ(GARBAGE, peer=peer)
    before = dict(environ)

    answer = serve(policy, environ)

    assert answer.status == "200 OK"
    if policy is REPORTS:
        assert answer.seen is environ
        assert environ == {**before, REPORT_KEY: environ[REPORT_KEY]}


@pytest.mark.parametrize("policy", [PASSES, REJECTS, REPORTS])
@pytest.mark.parametrize("error", [KeyError, TypeError, AttributeError])
def test_error_of_the_application_is_its_own(
    policy: ProxyPolicy, error: type[Exception]
) -> None:
    """It goes to the server, and the application is not called a second time."""
    calls = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        raise error("REMOTE_ADDR")

    middleware = TrustedProxyMiddleware(app, policy)
    for path in ("/1", "/2"):
        with pytest.raises(error, match="REMOTE_ADDR"):
            environ = make_environ({FOR: "203.0.113.7"}, PATH_INFO=path)
            middleware(environ, no_start)

    assert calls == ["/1", "/2"]


# -- ASGI ------------------------------------------------------------------------------


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

    sent, [seen], _ = call(REJECTS, scope)

    assert seen is scope
    assert scope == {"type": "lifespan", "asgi": {}, "state": {}}
    assert sent == []


def test_rejected_http_is_answered_400() -> None:
    """With the same headers and body as in WSGI."""
    sent, seen, received = call(REJECTS, make_scope(lower(GARBAGE)))

    assert (seen, received) == ([], 0)
    assert sent == [
        {
            "type": "http.response.start",
            "status": 400,
            "headers": REJECTION.raw_headers,
        },
        {"type": "http.response.body", "body": REJECTION.body},
    ]


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
def test_rejected_websocket_is_closed_before_it_is_accepted(
    extensions: dict[str, Any] | None,
) -> None:
    """After the connect event, as the specification wants; servers answer 403."""
    scope = make_scope(lower(GARBAGE), kind="websocket", extensions=extensions)

    sent, seen, received = call(REJECTS, scope)

    assert (seen, received) == ([], 1)
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_report_only_rejects_no_scope(kind: str) -> None:
    """It decides and logs, and nothing but its report is new."""
    scope = make_scope(lower(GARBAGE), kind=kind)

    sent, [seen], _ = call(REPORTS, scope)

    assert seen == {**scope, REPORT_KEY: seen[REPORT_KEY]}
    assert sent == []


def test_what_another_policy_has_rejected_stays_rejected() -> None:
    """The first decision stands (R16), also where this policy would let it pass."""
    environ, scope = make_environ(GARBAGE), make_scope(lower(GARBAGE))
    REJECTS.apply(environ)
    _, decided = REJECTS.apply_scope(scope)

    answer = serve(PASSES, environ)
    sent, seen, _ = call(PASSES, dict(decided))

    assert (answer.seen, answer.status) == (None, REJECTION.status_line)
    assert seen == []
    assert sent[0]["status"] == 400
