"""
Judge what a backend says by its bytes (RFC 9112), and say when an exchange is over.

In:  the method of a request; the bytes that come after it, in any pieces.
Out: the same bytes, as far as they belong to the answer; the head of that answer; and
     whether it ended so that the connection may carry another exchange.

A library's reader may be lenient, and two lenient readers differ.  So nothing reaches
one that is not plain here: lines end in CRLF, nothing is folded, the body has one
length or is in chunks.  Anything else is a `BackendError`.  Both clients read every
byte through an `AnswerReader`.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..parsing.grammar import TOKEN
from .header_lines import LENGTH, NOT_IN_VALUE
from .heads import BackendError, ResponseHead, UnaskedError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The longest head in bytes, and the longest trailers.
MAX_HEAD = 64 * 1024
#: How many interim answers (103 Early Hints) may come before the final one.
MAX_INTERIM = 8
#: The longest line with the size of a chunk, in bytes.
MAX_CHUNK_LINE = 4096

# RFC 9112 section 4: status-line, of the versions that a client of HTTP/1.1 may meet;
# the blank behind the code is left out by many.
_STATUS_LINE = re.compile(
    r"HTTP/(?P<version>1\.[01]) (?P<status>[1-5][0-9]{2})"
    r"(?: (?P<reason>[\t\x20-\x7e\x80-\xff]*))?"
)
_VERSION = b"HTTP/1."
# RFC 9112 section 7.1: chunk-size [ chunk-ext ] CRLF; no more than 64 bits.
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
# The end of a head as the most lenient reader sees it.
_BLANK_LINE = re.compile(rb"\n\r?\n")
_NAME = re.compile(TOKEN)

#: Answers with no body, whatever their head says (RFC 9112 section 6.3).
WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
# RFC 9110 section 9.3: a body means nothing with these.
_BODILESS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS"})


class AnswerReader:
    """
    Reads the answer to one request.

    Args:
        method: The method of the request.

        sends_body: Whether the request has a body.

    Attributes:
        head: The head of the final answer, once it has come.

        is_silent: Whether nothing at all has come yet.
    """

    def __init__(self, method: str, *, sends_body: bool = False) -> None:
        self.head: ResponseHead | None = None
        self.is_silent: bool = True
        self._method = method
        self._sends_body = sends_body
        # What came of a head, or of a line between chunks, and is not complete.
        self._held = bytearray()
        self._interim = 0
        # How much of the body, or of its chunk, is still to come: no end is in sight
        # where it is `None`.
        self._left: int | None = 0
        self._chunked = False
        self._read_line = self._read_size
        self._trailers = 0
        self._is_asked = False
        self._is_over = False
        # A body of an answer to HEAD may come late.  A body that went with a method
        # that is not meant to have one, few backends read: what is left of it there
        # is their next request.
        self._is_clean = not (method == "HEAD" or (sends_body and method in _BODILESS))

    def note_sending(self, *, has_news: bool) -> None:
        """
        Note that a part of the request is about to be sent.

        Args:
            has_news: Whether anything has come from the backend already, or its end.

        Raises:
            UnaskedError: It has, and this is the first part.
        """
        if has_news and not self._is_asked:
            raise UnaskedError(HTTPStatus.BAD_GATEWAY, "it spoke before it was asked")
        self._is_asked = True
        # An answer to a request that was not sent to its end says nothing of the rest.
        self._is_clean &= not has_news

    @property
    def ended_cleanly(self) -> bool:
        """
        Whether another exchange may follow, by what has passed.

        The answer is over, nothing came beyond its end, and nothing was announced that
        might still come. Whether anything waits to be read, only the socket knows.
        """
        return self._is_over and self._is_clean

    def take(self, data: bytes) -> bytes:
        """
        Judge *data*, which has just come.

        Returns:
            What is known to belong to the answer: a head is held back until it is
            complete, and what follows the answer's end is dropped.

        Raises:
            BackendError: This is no answer, or one that readers may differ about.
        """
        self.is_silent = False
        heads = b""
        while self.head is None:
            head, data = self._split_head(data)
            if not head:
                return heads
            heads += head
            self._read_head(head.decode("latin-1"))
        end = self._read_body(data)
        if end < len(data):
            self._is_clean = False
        return heads + data[:end]

    def _split_head(self, data: bytes) -> tuple[bytes, bytes]:
        """Split a whole head from what follows; empty where it is not whole yet."""
        held = self._held
        # A blank line may have begun in what came before.
        searched = max(0, len(held) - 2)
        held += data
        blank_line = _BLANK_LINE.search(held, searched)
        end = len(held) if blank_line is None else blank_line.end()
        if end > MAX_HEAD:
            raise _fault("the head is too long")
        if not held.startswith(_VERSION[: len(held)]):
            raise _fault("this is no answer of HTTP/1")
        if blank_line is None:
            return b"", b""
        head, rest = bytes(held[:end]), bytes(held[end:])
        held.clear()
        return head, rest

    def _read_head(self, text: str) -> None:
        lines = text.removesuffix("\r\n\r\n").split("\r\n")
        status_line = _STATUS_LINE.fullmatch(lines[0])
        if status_line is None or not text.endswith("\r\n\r\n"):
            raise _fault("the status line is malformed")
        status = int(status_line["status"])
        head, chunked = check_head(
            self._method,
            status,
            status_line["reason"] or "",
            [_split_field(line) for line in lines[1:]],
            version=status_line["version"],
        )
        if status < HTTPStatus.OK:
            self._is_clean = False
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise _fault("the final answer does not come")
            return
        self.head = head
        self._chunked = chunked
        if self._sends_body and status >= HTTPStatus.MULTIPLE_CHOICES:
            # Refusals and redirects are often said without a look at the body.
            self._is_clean = False
        if head.has_body:
            # Without a length or chunks, the end of the connection ends the body.
            self._left = 0 if chunked else head.length
            self._is_over = head.length == 0
        else:
            self._is_over = True
            # What is announced may come nevertheless, and late.
            self._is_clean &= not (chunked or head.length)

    def _read_body(self, data: bytes) -> int:
        """Say how many bytes at the front of *data* belong to the body."""
        if self._is_over:
            return 0
        if self._chunked:
            return self._read_chunks(data)
        if self._left is None:
            return len(data)
        count = min(self._left, len(data))
        self._left -= count
        self._is_over = not self._left
        return count

    def _read_chunks(self, data: bytes) -> int:
        at = 0
        while at < len(data) and not self._is_over:
            if self._left:
                count = min(self._left, len(data) - at)
                self._left -= count
                at += count
                continue
            end = data.find(b"\n", at) + 1
            self._held += data[at : end or len(data)]
            at = end or len(data)
            if len(self._held) > MAX_CHUNK_LINE:
                raise _fault("a line between the chunks is too long")
            if end:
                line = bytes(self._held)
                self._held.clear()
                self._read_line(line)
        return at

    def _read_size(self, line: bytes) -> None:
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise _fault("the size of a chunk is malformed")
        self._left = int(size[1], 16)
        self._read_line = self._read_end_of_chunk if self._left else self._read_trailer

    def _read_end_of_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            raise _fault("a chunk does not end where it should")
        self._read_line = self._read_size

    def _read_trailer(self, line: bytes) -> None:
        self._trailers += len(line)
        if self._trailers > MAX_HEAD:
            raise _fault("the trailers are too long")
        if line == b"\r\n":
            self._is_over = True
        else:
            text = line.decode("latin-1")
            _split_field(text.removesuffix("\r\n"))


def _fault(why: str) -> BackendError:
    return BackendError(HTTPStatus.BAD_GATEWAY, why)


def _split_field(line: str) -> tuple[str, str]:
    """Split a header line (RFC 9112 section 5), which is not folded."""
    name, colon, value = line.partition(":")
    if not colon or not _NAME.fullmatch(name) or NOT_IN_VALUE.search(value):
        raise _fault(f"the header line {line[:80]!r} is malformed")
    return name, value.strip(" \t")


def check_head(
    method: str,
    status: int,
    reason: str,
    headers: Sequence[tuple[str, str]],
    *,
    version: str = "1.1",
) -> tuple[ResponseHead, bool]:
    """
    Check what a head says about the body (RFC 9112 section 6.3), strictly.

    Args:
        method: The method of the request.

        status: The status code.

        reason: The reason phrase.

        headers: Names and values, one pair a line.

        version: ``1.0`` or ``1.1``.

    Returns:
        The head, and whether it says that the body is in chunks.

    Raises:
        BackendError: Readers may differ about the body.
    """
    codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    chunked = [coding.lower() for coding in codings] == ["chunked"]
    if codings and not (chunked and version == "1.1"):
        raise _fault(f"the transfer coding is {codings!r}")
    if len(lengths) > 1 or not all(map(LENGTH.fullmatch, lengths)):
        raise _fault(f"the length is {lengths!r}")
    if codings and lengths:
        raise _fault("the body has two lengths")
    if status < HTTPStatus.OK and (
        codings or lengths or status == HTTPStatus.SWITCHING_PROTOCOLS
    ):
        raise _fault(f"the status is {status}, which nobody asked for")
    head = ResponseHead(
        status=status,
        reason=reason.strip(" \t"),
        headers=list(headers),
        has_body=method != "HEAD" and status not in WITHOUT_BODY,
        length=int(lengths[0]) if lengths else None,
    )
    return head, chunked
