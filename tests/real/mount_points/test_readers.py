"""
Two readers of one answer: ours, which judges it, and the library's, which hands it on.

In:  bytes of all kinds that a backend may send.
Out: whatever passes the first is the same to the second.
"""

from __future__ import annotations

import h11
from hypothesis import example, given
from hypothesis import strategies as st

from trustedproxy.mount_points.heads import BackendError
from trustedproxy.mount_points.wire import AnswerReader

from ...core.mount_points.malformed import EARLY_HINTS, LENGTH, OK

EARLY = EARLY_HINTS + OK
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

FRAGMENTS = (
    *(b"HTTP/1.1 ", b"HTTP/1.0 ", b"200", b"204", b"304", b"103", b" OK", b" "),
    *(b"\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\t", b"\x00", b":"),
    *(b"Content-Length: 5", b"Content-Length:5\t", b"content-length: 3", b"X-A: b"),
    *(b"Transfer-Encoding: chunked", b"transfer-encoding:CHUNKED", b"Connection: x"),
    *(b"5", b"3", b"0", b"a", b";x=y", b"hello", b"abc", b"X-\xe9", b"\xe9"),
)


def read_by_h11(answer: bytes, method: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Let h11 read *answer*: the second reader of every byte that passes."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(answer)
    connection.receive_data(b"")
    status, headers, body = 0, [], b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
            headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in event.headers.raw_items()
            ]
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return status, headers, body


@given(
    fragments=st.lists(st.sampled_from(FRAGMENTS), max_size=12),
    start=st.sampled_from(
        [b"", OK, LENGTH[:-7], CHUNKED[:-2], CHUNKED, EARLY_HINTS + OK]
    ),
    method=st.sampled_from(["GET", "HEAD", "POST"]),
)
@example([b"5", b"\r\n", b"hello", b"\r\n", b"0", b"\r\n\r\n"], CHUNKED, "GET")
@example([b"X-A: b", b"\r\n\r\n", b"hello"], OK, "GET")
def test_two_readers_agree(fragments: list[bytes], start: bytes, method: str) -> None:
    """What passes here is read by another reader as it was read here, to its end."""
    reader = AnswerReader(method)
    try:
        passed = reader.take(start + b"".join(fragments))
    except BackendError:
        return
    if reader.head is None or not (reader._is_over or reader._left is None):
        return

    status, headers, body = read_by_h11(passed, method)

    assert status == reader.head.status
    assert headers == reader.head.headers
    assert len(body) == (reader.head.length or len(body)) or not reader.head.has_body
