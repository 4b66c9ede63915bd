"""
Heads and chunks that are none, or that two readers could read differently.

In:  nothing.
Out: tables of bytes as a backend may send them, each under a name.
"""

from __future__ import annotations

from trustedproxy.mount_points.wire import MAX_CHUNK_LINE, MAX_HEAD, MAX_INTERIM

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 5\r\n\r\nhello"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


def with_line(line: bytes) -> bytes:
    """Make a head with one more line."""
    return OK + line + b"\r\n\r\n"


MALFORMED_HEADS = {
    "nothing of HTTP": b"SSH-2.0-OpenSSH",
    "HTTP/0.9": b"<html>",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "a blank line first": b"\r\n" + LENGTH,
    "two blanks in the status line": b"HTTP/1.1  200 OK\r\n\r\n",
    "a tab in the status line": b"HTTP/1.1\t200 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 600": b"HTTP/1.1 600 Odd\r\n\r\n",
    "status 099": b"HTTP/1.1 099 Odd\r\n\r\n",
    "other digits": "HTTP/1.1 \u0662\u0660\u0660 OK\r\n\r\n".encode(),
    "no blank behind the status": b"HTTP/1.1 200OK\r\n\r\n",
    "a NUL in the reason": b"HTTP/1.1 200 O\x00K\r\n\r\n",
    "a CR in the reason": b"HTTP/1.1 200 O\rK\r\n\r\n",
    "LF alone": b"HTTP/1.1 200 OK\nX-A: b\n\n",
    "LF alone at the end": OK + b"X-A: b\r\n\n",
    "LF alone in between": OK + b"X-A: b\nX-C: d\r\n\r\n",
    "two CRs": OK + b"X-A: b\r\r\n\r\n",
    "a CR in a value": with_line(b"X-A: b\rSet-Cookie: c"),
    "a CR before a value": with_line(b"X-A:\rb"),
    "a NUL in a value": with_line(b"X-A: b\x00"),
    "a DEL in a value": with_line(b"X-A: b\x7f"),
    "a vertical tab": with_line(b"X-A:\x0bb"),
    "a folded line": with_line(b"X-A: b\r\n c"),
    "a folded line with a tab": with_line(b"X-A: b\r\n\tX-C: d"),
    "a folded first line": OK + b" X-A: b\r\n\r\n",
    "no colon": with_line(b"X-A"),
    "no name": with_line(b": b"),
    "a blank before the colon": with_line(b"Content-Length : 5"),
    "a tab before the colon": with_line(b"X-A\t: b"),
    "a name that is no token": with_line(b"X(A): b"),
    "a name beyond ASCII": with_line(b"X-\xe9: b"),
    "two lengths": with_line(b"Content-Length: 5\r\nContent-Length: 6"),
    "the same length twice": with_line(b"Content-Length: 5\r\ncontent-length: 5"),
    "a list of lengths": with_line(b"Content-Length: 5, 5"),
    "a signed length": with_line(b"Content-Length: +5"),
    "a negative length": with_line(b"Content-Length: -5"),
    "a length in hexadecimal": with_line(b"Content-Length: 0x5"),
    "a length with an underscore": with_line(b"Content-Length: 1_0"),
    "an empty length": with_line(b"Content-Length:"),
    "a length of many digits": with_line(b"Content-Length: " + b"0" * 19 + b"5"),
    "a length beside chunks": with_line(
        b"Content-Length: 5\r\nTransfer-Encoding: chunked"
    ),
    "two codings": with_line(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
    "a list of codings": with_line(b"Transfer-Encoding: gzip, chunked"),
    "chunked twice": with_line(b"Transfer-Encoding: chunked, chunked"),
    "another coding": with_line(b"Transfer-Encoding: identity"),
    "an empty coding": with_line(b"Transfer-Encoding:"),
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "an interim answer with a length": EARLY_HINTS[:-2] + b"Content-Length: 5\r\n\r\n",
    "an interim answer in chunks": EARLY_HINTS[:-2]
    + b"Transfer-Encoding: chunked\r\n\r\n",
    "too many interim answers": EARLY_HINTS * (MAX_INTERIM + 1),
    "a head that is too long": OK + b"X-A: " + b"b" * MAX_HEAD + b"\r\n\r\n",
    "a head without an end": OK + b"X-A: b\r\n" * (MAX_HEAD // 8),
}
MALFORMED_CHUNKS = {
    "no number": b"hello\r\n",
    "nothing": b"\r\n",
    "a blank before the size": b" 5\r\nhello\r\n",
    "a blank behind the size": b"5 \r\nhello\r\n",
    "a sign": b"+5\r\nhello\r\n",
    "a prefix": b"0x5\r\nhello\r\n",
    "an underscore": b"1_0\r\n",
    "too many digits": b"0" * 16 + b"5\r\nhello\r\n",
    "LF alone": b"5\nhello\r\n",
    "a CR in an extension": b"5;a\rb\r\nhello\r\n",
    "a NUL in an extension": b"5;a\x00\r\nhello\r\n",
    "an extension without an end": b"5;" + b"a" * MAX_CHUNK_LINE,
    "a chunk that is too long": b"5\r\nhello!\r\n",
    "a chunk that ends in LF": b"5\r\nhello\n",
    "a chunk that ends in two CRs": b"5\r\nhello\r\r\n",
    "a trailer that is none": b"0\r\nhello\r\n\r\n",
    "a trailer that ends in LF": b"0\r\nX-T: 1\n\r\n",
    "LF alone at the end": b"0\r\n\n",
    "trailers without an end": b"0\r\n" + b"X-T: 1\r\n" * (MAX_HEAD // 8 + 1),
}
