"""The response for the client: what passes, and what stays here."""

from __future__ import annotations

import pytest

from trustedproxy.mount_points.heads import ResponseHead
from trustedproxy.mount_points.response_plan import plan_handshake

from .planning import respond, send


def test_response_passes() -> None:
    """Status, reason and what is meant for the client pass."""
    head = respond(
        206,
        [
            ("Content-Range", "bytes 0-1/9"),
            ("content-length", "2"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
        ],
        reason="Partial Content",
        length=2,
    )

    assert head == ResponseHead(
        206,
        "Partial Content",
        [
            ("Content-Range", "bytes 0-1/9"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Content-Length", "2"),
        ],
        has_body=True,
        length=2,
    )


def test_response_headers_of_one_connection_are_dropped() -> None:
    """Hop-by-hop headers, those that Connection names, and the server's own go."""
    head = respond(
        headers=[
            ("Connection", "keep-alive, X-Hop"),
            ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Trailer", "X-Sum"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("Date", "today"),
            ("Server", "backend"),
            ("Status", "500 not this one"),
            ("X-Kept", "1"),
        ]
    )

    assert head.headers == [("X-Kept", "1")]


@pytest.mark.parametrize(
    "name",
    [
        "X-Accel-Redirect",
        "x-accel-expires",
        "X-Accel-Limit-Rate",
        "X-Sendfile",
        "X-SENDFILE-TEMPORARY",
        "X-Sendfile2",
        "X-LIGHTTPD-send-file",
        "X-LiteSpeed-Location",
        "X-Reproxy-URL",
    ],
)
def test_response_header_that_orders_the_front_is_dropped(name: str) -> None:
    """A backend has no say in which file or page a server in front gives out."""
    assert respond(headers=[(name, "/private"), ("X-Kept", "1")]).headers == [
        ("X-Kept", "1")
    ]


def test_response_may_ask_for_a_stream() -> None:
    """That a stream is not held back on its way orders nothing but that."""
    headers = [("X-Accel-Buffering", "no")]

    assert respond(headers=headers).headers == headers


@pytest.mark.parametrize(
    ("status", "kept"), [(200, False), (201, True), (202, True), (302, True)]
)
def test_location_of_a_page_that_is_there_is_dropped(status: int, kept: bool) -> None:
    """With 200 it means nothing to clients, and is an order to some servers."""
    headers = respond(status, [("Location", "/x")]).headers

    assert headers == ([("Location", "/blog/x")] if kept else [])


@pytest.mark.parametrize(
    ("method", "status", "said"),
    [
        ("GET", 200, "7"),
        ("HEAD", 200, "7"),
        ("GET", 204, None),
        ("GET", 304, None),
        ("GET", 404, "7"),
    ],
)
def test_response_says_its_length(method: str, status: int, said: str | None) -> None:
    """HEAD says the length of a body that does not come; 204 and 304 say none."""
    head = respond(status, request=send(method=method), length=7)

    assert dict(head.headers).get("Content-Length") == said


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (404, "No such page", "No such page"),
        (404, "", "Not Found"),
        (299, "", "Unknown"),
        (200, "Rejected", "OK"),
    ],
)
def test_response_has_a_reason(status: int, reason: str, expected: str) -> None:
    """WSGI wants a reason phrase; with 200, no other one than the usual."""
    assert respond(status, reason=reason).reason == expected


def test_handshake_keeps_what_is_the_backends() -> None:
    """Cookies pass when a websocket is accepted; what each side makes does not."""
    head = ResponseHead(
        200,
        "",
        [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "x"),
            ("Sec-WebSocket-Protocol", "chat"),
            ("Content-Length", "0"),
            ("Set-Cookie", "a=1; Path=/"),
        ],
        has_body=True,
        length=0,
    )

    headers = plan_handshake(send(websocket=True), head)

    assert headers == [("Set-Cookie", "a=1; Path=/blog/")]
