"""
The short responses: what they say, and how they are sent in WSGI and in ASGI.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from trustedproxy.responses import (
    REDIRECT_STATUSES,
    Answer,
    bad_request,
    redirect,
    refuse,
    refuse_websocket,
    send_asgi,
    send_wsgi,
)


def send(answer: Answer, **scope: Any) -> tuple[list[Any], int]:
    """Send *answer* to a scope: the messages sent, and how many were received."""
    sent: list[Any] = []
    received: list[int] = []

    async def receive() -> dict[str, Any]:
        received.append(1)
        return {"type": "websocket.connect"}

    async def keep(message: Any) -> None:
        sent.append(message)

    asyncio.run(send_asgi(answer, scope, receive, keep))
    return sent, len(received)


def test_refusal_names_its_status_and_why() -> None:
    """A page of one line of plain text, which no cache may keep."""
    answer = refuse(403, "Websockets are reached over wss only.")

    assert answer.status_line == "403 Forbidden"
    assert answer.body == b"Forbidden. Websockets are reached over wss only.\n"
    assert answer.headers == (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", "49"),
        ("Cache-Control", "no-store"),
    )


def test_refusal_has_the_further_headers() -> None:
    """A refusal after which nothing more is read can close the connection."""
    answer = refuse(400, "The body has two lengths.", ("Connection", "close"))

    assert dict(answer.headers)["Connection"] == "close"
    assert dict(answer.headers)["Cache-Control"] == "no-store"


def test_bad_request_says_nothing_but_that() -> None:
    """Whoever forges headers is not told which one was looked at."""
    answer = bad_request()

    assert (answer.status_line, answer.body) == ("400 Bad Request", b"Bad Request\n")
    assert dict(answer.headers)["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "get", ""])
def test_redirect_keeps_the_method(method: str, status: int) -> None:
    """Only 307 and 308 do, so that all but GET and HEAD get one of these."""
    answer = redirect(method, "https://shop.example/a?b", status)

    keeps = method not in ("GET", "HEAD")
    assert answer.status == (REDIRECT_STATUSES[status] if keeps else status)
    assert not keeps or answer.status in (307, 308)
    assert dict(answer.headers)["Location"] == "https://shop.example/a?b"


def test_redirect_says_a_sentence() -> None:
    """For the few who see the page of a redirect, with its length."""
    answer = redirect("GET", "/", sentence="This site is reached over HTTPS only.")

    assert answer.status == 301
    assert answer.body == b"This site is reached over HTTPS only.\n"
    assert dict(answer.headers)["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_answer_to_head_has_no_body(method: str) -> None:
    """The head is the same, its length too (RFC 9110 section 9.3.2)."""
    answer = bad_request()
    told: list[Any] = []

    def start_response(*words: Any) -> Any:
        told.extend(words)

    body = send_wsgi(answer, {"REQUEST_METHOD": method}, start_response)
    [start, end], received = send(answer, type="http", method=method)

    expected = b"" if method == "HEAD" else b"Bad Request\n"
    assert told == ["400 Bad Request", list(answer.headers)]
    assert list(body) == [expected]
    assert start == {
        "type": "http.response.start",
        "status": 400,
        "headers": [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"12"),
            (b"cache-control", b"no-store"),
        ],
    }
    assert end == {"type": "http.response.body", "body": expected}
    assert received == 0


def test_answer_gives_a_list_of_headers_of_its_own() -> None:
    """A server or a middleware outside may add to the list that it is given."""
    answer = bad_request()
    given: list[Any] = []

    def start_response(status: str, headers: Any) -> Any:
        given.append(headers)

    send_wsgi(answer, {}, start_response)
    given[0].append(("X-Added", "1"))

    assert ("X-Added", "1") not in answer.headers


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
def test_websocket_is_closed_before_it_is_accepted(extensions: Any) -> None:
    """After the connect event, as the specification wants; servers answer 403."""
    sent, received = send(bad_request(), type="websocket", extensions=extensions)

    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert received == 1


def test_websocket_gets_the_whole_answer_where_the_server_can() -> None:
    """Servers with the extension for it send status, headers and body."""
    answer = bad_request()

    sent, received = send(
        answer, type="websocket", extensions={"websocket.http.response": {}}
    )

    assert sent == [
        {
            "type": "websocket.http.response.start",
            "status": 400,
            "headers": answer.raw_headers,
        },
        {"type": "websocket.http.response.body", "body": answer.body},
    ]
    assert received == 1


def test_websocket_is_refused_after_its_connect_event() -> None:
    """Whoever has received the event already sends the answer alone."""
    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(refuse_websocket(bad_request(), {"type": "websocket"}, keep))

    assert sent == ["websocket.close"]


def test_answer_passes_on_bytes_outside_of_ascii() -> None:
    """What a backend said in a header goes through as it came."""
    answer = Answer(401, (("WWW-Authenticate", 'Basic realm="caf\xe9"'),))

    assert answer.raw_headers == [(b"www-authenticate", b'Basic realm="caf\xe9"')]
    assert answer.status_line == "401 Unauthorized"
