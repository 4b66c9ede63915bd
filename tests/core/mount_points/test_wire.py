"""
What a backend says, judged by its bytes.

In:  bytes as a backend may send them, in pieces.
Out: what passes, what is no answer, and after what a connection may serve again.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy.mount_points.heads import BackendError, UnaskedError
from trustedproxy.mount_points.wire import (
    AnswerReader,
    check_head,
)

from .malformed import EARLY_HINTS, MALFORMED_CHUNKS, MALFORMED_HEADS, OK

LENGTH = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204\r\n\r\n"
FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


def read(
    pieces: Sequence[bytes], method: str = "GET", *, sends_body: bool = False
) -> tuple[bytes, AnswerReader]:
    """Read an answer that comes in *pieces*."""
    reader = AnswerReader(method, sends_body=sends_body)
    return b"".join(map(reader.take, pieces)), reader


@pytest.mark.parametrize(
    "answer",
    [
        LENGTH,
        CHUNKS,
        NOT_MODIFIED,
        NO_CONTENT,
        OK + b"\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        EARLY_HINTS + LENGTH,
        OK + b"X-Empty:\r\nX-Long: \xe9\t x  \r\nContent-Length: 0\r\n\r\n",
        OK + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n000\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_answer_passes_byte_by_byte(answer: bytes) -> None:
    """Every byte of an answer passes, at whatever byte it is cut in two, or in all."""
    whole, reader = read([answer])
    single, again = read([bytes([byte]) for byte in answer])

    assert whole == single == answer
    assert reader.head == again.head
    assert reader.ended_cleanly == again.ended_cleanly
    for i in range(len(answer)):
        assert read([answer[:i], answer[i:]])[0] == answer


def test_head_is_read() -> None:
    """Status, reason and headers come out as they are, without the blanks around."""
    _, reader = read([b"HTTP/1.1 404  Not\tthere \r\nX-A:  b c \r\nx-a:\xe9\r\n\r\n"])

    head = reader.head
    assert head is not None
    assert (head.status, head.reason) == (404, "Not\tthere")
    assert head.headers == [("X-A", "b c"), ("x-a", "\xe9")]
    assert (head.has_body, head.length) == (True, None)


def test_reader_is_silent_until_something_comes() -> None:
    """One byte is enough to know that the backend has begun to answer."""
    reader = AnswerReader("GET")

    assert reader.is_silent
    reader.take(b"H")
    assert not reader.is_silent


@pytest.mark.parametrize(
    ("method", "sends_body", "answer", "clean"),
    [
        pytest.param("GET", False, LENGTH, True, id="a length"),
        pytest.param("GET", False, CHUNKS, True, id="chunks"),
        pytest.param("GET", False, OK + b"Content-Length: 0\r\n\r\n", True, id="none"),
        pytest.param("GET", False, NOT_MODIFIED, True, id="not modified"),
        pytest.param("GET", False, NO_CONTENT, True, id="no content"),
        pytest.param("POST", True, LENGTH, True, id="a body was sent"),
        pytest.param("GET", False, LENGTH[:-1], False, id="not all of it"),
        pytest.param("GET", False, CHUNKS[:-1], False, id="not all chunks"),
        pytest.param("GET", False, OK + b"\r\nhello", False, id="no end"),
        pytest.param("GET", False, LENGTH + b"\n", False, id="one byte more"),
        pytest.param("GET", False, CHUNKS + FORGED, False, id="an answer more"),
        pytest.param("GET", False, NOT_MODIFIED + b"x", False, id="304 brings more"),
        pytest.param("GET", False, NO_CONTENT + FORGED, False, id="204 brings more"),
        pytest.param("HEAD", False, LENGTH[:-5], False, id="HEAD"),
        pytest.param("HEAD", False, LENGTH, False, id="HEAD with a body"),
        pytest.param("HEAD", False, NO_CONTENT, False, id="HEAD, no content"),
        pytest.param("GET", False, EARLY_HINTS + LENGTH, False, id="an interim one"),
        pytest.param(
            "GET",
            False,
            NOT_MODIFIED[:-2] + b"Content-Length: 9\r\n\r\n",
            False,
            id="304 announces a body",
        ),
        pytest.param(
            "GET",
            False,
            NOT_MODIFIED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n",
            False,
            id="304 announces chunks",
        ),
        pytest.param("GET", True, LENGTH, False, id="GET with a body"),
        pytest.param("DELETE", True, LENGTH, False, id="DELETE with a body"),
        pytest.param("DELETE", False, LENGTH, True, id="DELETE"),
        pytest.param(
            "POST", True, LENGTH.replace(b"200", b"405"), False, id="a body refused"
        ),
        pytest.param(
            "POST", True, LENGTH.replace(b"200", b"301"), False, id="a body redirected"
        ),
        pytest.param("GET", False, LENGTH.replace(b"200", b"404"), True, id="404"),
    ],
)
def test_connection_may_serve_again(
    method: str, sends_body: bool, answer: bytes, clean: bool
) -> None:
    """Only after an exchange that is over, and after which nothing can come."""
    assert read([answer], method, sends_body=sends_body)[1].ended_cleanly is clean


def test_early_answer_is_the_last() -> None:
    """An answer to a request that was not sent to its end ends the connection."""
    reader = AnswerReader("POST", sends_body=True)

    reader.note_sending(has_news=False)
    reader.note_sending(has_news=True)
    reader.take(LENGTH)

    assert not reader.ended_cleanly


def test_answer_before_the_request_is_none() -> None:
    """What comes before anything was sent is no answer, and nothing is sent."""
    with pytest.raises(UnaskedError):
        AnswerReader("GET").note_sending(has_news=True)


@pytest.mark.parametrize("cut", [3, len(LENGTH)])
def test_more_than_the_answer_does_not_pass(cut: int) -> None:
    """What follows the end is dropped, in the same piece and in a later one."""
    everything = LENGTH + FORGED

    passed, reader = read([everything[:cut], everything[cut:]])

    assert passed == LENGTH
    assert not reader.ended_cleanly


@pytest.mark.parametrize("cut", [1, 7, 10**6])
@pytest.mark.parametrize("name", sorted(MALFORMED_HEADS))
def test_head_that_is_none(name: str, cut: int) -> None:
    """A head that two readers could read differently is 502, however it is cut."""
    answer = MALFORMED_HEADS[name]
    pieces = [answer[i : i + cut] for i in range(0, len(answer), cut)]

    with pytest.raises(BackendError) as caught:
        read(pieces)

    assert caught.value.status == 502
    assert str(caught.value) == caught.value.why


@pytest.mark.parametrize("cut", [1, 10**6])
@pytest.mark.parametrize("name", sorted(MALFORMED_CHUNKS))
def test_chunks_that_are_none(name: str, cut: int) -> None:
    """Chunks whose sizes are no plain numbers, or do not fit, are an error."""
    body = MALFORMED_CHUNKS[name]
    pieces = [body[i : i + cut] for i in range(0, len(body), cut)]

    with pytest.raises(BackendError):
        read([OK + b"Transfer-Encoding: chunked\r\n\r\n", *pieces])


def test_nothing_of_a_malformed_head_passes() -> None:
    """A head is held back until it is known to be one."""
    reader = AnswerReader("GET")

    assert reader.take(OK + b"X-A: b\r\n") == b""
    with pytest.raises(BackendError):
        reader.take(b"X-C\r\n\r\n")


def test_head_of_a_library_is_checked_by_the_same_rules() -> None:
    """What another reader has read may be contradictory, too."""
    head, chunked = check_head("GET", 200, " Fine ", [("content-length", "5")])

    assert (head.reason, head.length, chunked) == ("Fine", 5, False)
    with pytest.raises(BackendError):
        check_head("GET", 200, "", [("Content-Length", "5")] * 2)


@given(
    answer=st.sampled_from([LENGTH, CHUNKS, NO_CONTENT, EARLY_HINTS + LENGTH]),
    more=st.sampled_from([b"", FORGED, b"\r\n", b"x", LENGTH]),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_pieces_change_nothing(answer: bytes, more: bytes, cuts: list[int]) -> None:
    """However an answer and what follows it are cut, the answer alone passes."""
    everything = answer + more
    bounds = sorted({0, len(everything), *(cut % len(everything) for cut in cuts)})
    pieces = [everything[i:j] for i, j in zip(bounds, [*bounds[1:], None], strict=True)]

    passed, reader = read(pieces)

    assert passed == answer
    expected = not more and not answer.startswith(EARLY_HINTS)
    assert reader.ended_cleanly is expected
