"""The response for the client: what passes, what stays here, what is no response."""

from __future__ import annotations

import pytest

from trustedproxy.mount_points.heads import BackendError
from trustedproxy.mount_points.response_plan import plan_handshake, plan_response

from .planning import respond, send


def test_response_passes() -> None:
    """Status, reason and what is meant for the client pass."""
    head = plan_response(
        send(),
        206,
        "Partial Content",
        [
            ("Content-Range", "bytes 0-1/9"),
            ("content-length", " 2"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
        ],
    )

    assert (head.status, head.reason, head.has_body, head.length) == (
        206,
        "Partial Content",
        True,
        2,
    )
    assert head.headers == [
        ("Content-Range", "bytes 0-1/9"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Length", "2"),
    ]


def test_response_headers_of_one_connection_are_dropped() -> None:
    """Hop-by-hop headers, those that Connection names, and the server's own go."""
    _, _, headers, _, length = respond(
        headers=[
            ("Connection", "keep-alive, X-Hop"),
            ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Trailer", "X-Sum"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "7"),
            ("Upgrade", "h2c"),
            ("Date", "today"),
            ("Server", "backend"),
            ("X-Kept", "1"),
        ]
    )

    assert (headers, length) == ({"X-Kept": "1"}, None)


@pytest.mark.parametrize(
    ("method", "status", "has_body", "said"),
    [
        ("GET", 200, True, "7"),
        ("HEAD", 200, False, "7"),
        ("GET", 204, False, None),
        ("GET", 304, False, None),
        ("GET", 404, True, "7"),
    ],
)
def test_response_body_is_expected(
    method: str, status: int, has_body: bool, said: str | None
) -> None:
    """HEAD, 204 and 304 have no body, and the last two no length."""
    request = send(method=method)

    planned = respond(status, [("Content-Length", "7")], request=request)

    assert (planned[3], planned[2].get("Content-Length")) == (has_body, said)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (200, "Fine", "Fine"),
        (404, "", "Not Found"),
        (404, "Not\nFound", "Not Found"),
        (299, "", "Unknown"),
    ],
)
def test_response_has_a_reason(status: int, reason: str, expected: str) -> None:
    """WSGI wants a reason phrase, and it must not break the line."""
    assert respond(status, reason=reason)[1] == expected


def test_response_header_that_is_folded() -> None:
    """An old folded line becomes one line."""
    assert respond(headers=[("X-Long", "a\r\n  b\n\tc")])[2] == {"X-Long": "a b c"}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (101, []),
        (103, []),
        (600, []),
        (200, [("X-A", "b\r\nSet-Cookie: c")]),
        (200, [("X-A", "\x00")]),
        (200, [("X A", "b")]),
        (200, [("", "b")]),
        (200, [("Transfer-Encoding", "gzip, chunked")]),
        (200, [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")]),
        (200, [("Content-Length", "1"), ("Content-Length", "2")]),
        (200, [("Content-Length", "1, 1")]),
        (200, [("Content-Length", "-1")]),
    ],
)
def test_response_that_is_malformed_is_bad_gateway(
    status: int, headers: list[tuple[str, str]]
) -> None:
    """A head that may be read in two ways is not passed on."""
    with pytest.raises(BackendError) as caught:
        respond(status, headers)

    assert caught.value.status == 502
    assert str(caught.value) == caught.value.why


def test_handshake_keeps_what_is_the_backends() -> None:
    """Cookies pass when a websocket is accepted; what each side makes does not."""
    headers = plan_handshake(
        send(websocket=True),
        [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "x"),
            ("Sec-WebSocket-Protocol", "chat"),
            ("Content-Length", "0"),
            ("Set-Cookie", "a=1; Path=/"),
        ],
    )

    assert headers == [("Set-Cookie", "a=1; Path=/blog/")]
