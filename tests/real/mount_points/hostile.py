"""
A backend that says too much, too late, too little, in pieces, and to whom it likes.

In:  requests whose path says which number they have, and how they are to be answered:
     ``/7/chunks``.
Out: answers that carry the request's number, and whatever else the way brings.

It reads and writes bytes, and knows no rules of HTTP that it would have to keep.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from .backend import PATIENCE

#: What no client may ever see.
EVIL = b"evil"
#: A whole answer that nobody asked for.
FORGED = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Number: evil\r\n"
    b"Set-Cookie: evil=1\r\n\r\nevil"
)
# A moment: short beside a request, long beside a piece.
_MOMENT = 0.001

_REQUEST_LINE = re.compile(
    rb"([A-Z]+) (?:/base)?/([0-9]+)/([a-z0-9-]+)[^ ]* HTTP/1.1\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n", re.IGNORECASE)


class HungUpError(Exception):
    """The front closed the connection."""


@dataclass(slots=True)
class Talk:
    """One connection, and the request on it that is to be answered."""

    socket: socket.socket
    backend: HostileBackend
    number: int = 0
    request: bytes = b""
    received: bytes = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def head(self, status: str = "200 OK", *lines: str) -> bytes:
        """Make a head that carries the request's number."""
        own = [f"HTTP/1.1 {status}", f"X-Number: {self.number}", *lines]
        return ("\r\n".join(own) + "\r\n\r\n").encode("latin-1")

    @property
    def body(self) -> bytes:
        """The body of an honest answer."""
        return b"answer to %d" % self.number

    @property
    def answer(self) -> bytes:
        """An honest answer."""
        return self.head("200 OK", f"Content-Length: {len(self.body)}") + self.body

    @property
    def chunks(self) -> bytes:
        """An honest answer in chunks, with all that chunks may have."""
        half = len(self.body) // 2
        parts = (self.body[:half], self.body[half:])
        body = b"".join(b"%X;a=b\r\n%b\r\n" % (len(part), part) for part in parts)
        head = self.head("200 OK", "Transfer-Encoding: chunked")
        return head + body + b"0\r\nX-Trailer: 1\r\n\r\n"

    def send_pieces(self, data: bytes, more: bytes = b"") -> None:
        """Send in two pieces, *data* cut at another byte for every request."""
        cut = self.number % len(data)
        self.send(data[:cut])
        # The other side has its turn.
        time.sleep(0)
        self.send(data[cut:] + more)

    def read_until(self, end: bytes) -> bytes:
        """Read up to and with *end*."""
        while end not in self.received:
            self.read_more()
        head, _, self.received = self.received.partition(end)
        return head + end

    def read_body(self) -> None:
        """Read the body of the request, as an honest backend does."""
        head = self.request
        length = _LENGTH.search(head)
        if b"\r\ntransfer-encoding: chunked\r\n" in head.lower():
            while self.read_until(b"\r\n") != b"0\r\n":
                self.read_until(b"\r\n")
            self.read_until(b"\r\n")
        elif length is not None:
            size = int(length[1])
            while len(self.received) < size:
                self.read_more()
            self.received = self.received[size:]

    def read_more(self) -> None:
        """Read what is there."""
        data = self.socket.recv(65536)
        if not data:
            raise HungUpError
        self.received += data


def _send_late(talk: Talk, answer: bytes, late: bytes) -> None:
    talk.send(answer)
    time.sleep(_MOMENT)
    # The front may have closed the connection, which is what it should do.
    with suppress(OSError):
        talk.send(late)


def _close_after(talk: Talk, data: bytes) -> None:
    talk.send(data)
    raise HungUpError


#: How an honest backend answers; the connection may serve again.
HONEST: dict[str, Callable[[Talk], None]] = {
    "length": lambda talk: talk.send(talk.answer),
    "chunks": lambda talk: talk.send(talk.chunks),
    "pieces": lambda talk: talk.send_pieces(talk.answer),
    "chunk-pieces": lambda talk: talk.send_pieces(talk.chunks),
    "empty": lambda talk: talk.send(talk.head("200 OK", "Content-Length: 0")),
    "no-content": lambda talk: talk.send(talk.head("204 No Content")),
    "not-modified": lambda talk: talk.send_pieces(talk.head("304 Not Modified")),
    "not-found": lambda talk: talk.send(talk.answer.replace(b"200 OK", b"404 No", 1)),
}
#: How one answers that has lost count, or never meant well.
HOSTILE: dict[str, Callable[[Talk], None]] = {
    "more": lambda talk: talk.send(talk.answer + FORGED),
    "more-pieces": lambda talk: talk.send_pieces(talk.answer, FORGED),
    "more-after-chunks": lambda talk: talk.send_pieces(talk.chunks, FORGED),
    "one-byte-more": lambda talk: talk.send(talk.answer + b"\n"),
    "more-after-nothing": lambda talk: talk.send(talk.head("204 No") + FORGED),
    "more-after-not-modified": lambda talk: talk.send(talk.head("304 No") + FORGED),
    "not-modified-with-a-body": lambda talk: _send_late(
        talk, talk.head("304 No", f"Content-Length: {len(FORGED)}"), FORGED
    ),
    "not-modified-in-chunks": lambda talk: _send_late(
        talk, talk.head("304 No", "Transfer-Encoding: chunked"), FORGED
    ),
    "no-content-with-a-body": lambda talk: _send_late(
        talk, talk.head("204 No", f"Content-Length: {len(FORGED)}"), FORGED
    ),
    "interim": lambda talk: _send_late(
        talk, b"HTTP/1.1 103 Early Hints\r\n\r\n" + talk.answer, FORGED
    ),
    "interim-with-a-body": lambda talk: talk.send(
        b"HTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\n" + talk.answer + FORGED
    ),
    "two-lengths": lambda talk: talk.send(
        talk.head("200 OK", "Content-Length: 4", f"Content-Length: {len(FORGED)}")
        + FORGED
    ),
    "both-framings": lambda talk: talk.send(
        talk.head("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked")
        + b"0\r\n\r\n"
        + FORGED
    ),
    "bare-line-feeds": lambda talk: talk.send(talk.answer.replace(b"\r\n", b"\n")),
    "bare-return": lambda talk: talk.send(
        talk.head("200 OK", "X-A: b\rSet-Cookie: evil=1", "Content-Length: 0")
    ),
    "folded": lambda talk: talk.send(
        talk.head("200 OK", "X-A: b", " Set-Cookie: evil=1", "Content-Length: 0")
    ),
    "odd-chunk": lambda talk: talk.send(
        talk.chunks.replace(b"\r\n0\r\n", b"\r\n-0\r\n")
    ),
    "silence": lambda talk: _close_after(talk, b""),
    "half-a-head": lambda talk: _close_after(talk, talk.answer[:20]),
    "half-a-body": lambda talk: _close_after(talk, talk.answer[:-3]),
    "half-the-chunks": lambda talk: _close_after(talk, talk.chunks[:-9]),
    "until-the-end": lambda talk: _close_after(talk, talk.head() + talk.body),
}
#: What comes to a HEAD: an honest backend sends the head alone.
TO_HEAD: dict[str, Callable[[Talk], None]] = {
    "head": lambda talk: talk.send(talk.head("200 OK", "Content-Length: 9")),
    "head-with-a-body": lambda talk: talk.send(
        talk.head("200 OK", f"Content-Length: {len(FORGED)}") + FORGED
    ),
    "head-and-late-a-body": lambda talk: _send_late(
        talk, talk.head("200 OK", f"Content-Length: {len(FORGED)}"), FORGED
    ),
}
#: What is said without a look at the body of the request, which is the next one then.
UNREAD: dict[str, Callable[[Talk], None]] = {
    "unread": lambda talk: talk.send(talk.answer),
    "unread-redirect": lambda talk: talk.send(
        talk.answer.replace(b"200 OK", b"301 Moved Permanently", 1)
    ),
    "unread-refusal": lambda talk: talk.send(
        talk.answer.replace(b"200 OK", b"405 Method Not Allowed", 1)
    ),
    "smuggled": lambda talk: talk.send(FORGED),
}
WAYS = {**HONEST, **HOSTILE, **TO_HEAD, **UNREAD}


@dataclass(slots=True)
class HostileBackend:
    """A running backend that is hostile."""

    url: str
    tls: ssl.SSLContext | None = None
    #: Further ways to answer, for one test.
    ways: dict[str, Callable[[Talk], None]] = field(default_factory=dict)
    connections: int = 0
    #: The targets of all requests.
    targets: list[bytes] = field(default_factory=list)
    #: Requests that were not the first one on their connection.
    reused: int = 0
    #: Connections that are open, as far as this side knows.
    open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, sock: socket.socket) -> None:
        """Serve one connection until either side ends it."""
        with self._lock:
            self.connections += 1
            self.open.add(sock)
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Talk(sock, self)
        try:
            if self.tls is not None:
                talk.socket = self.tls.wrap_socket(sock, server_side=True)
            self._answer_all(talk)
        except (HungUpError, OSError):
            return
        finally:
            talk.socket.close()
            with self._lock:
                self.open.discard(sock)

    def _answer_all(self, talk: Talk) -> None:
        served = 0
        while True:
            talk.request = talk.read_until(b"\r\n\r\n")
            self.targets.append(talk.request.split(b" ")[1])
            request = _REQUEST_LINE.match(talk.request)
            if request is None:
                # What is left of a body that nobody read.
                raise HungUpError
            with self._lock:
                self.reused += served > 0
            served += 1
            talk.number, way = int(request[2]), request[3].decode()
            if way not in UNREAD:
                talk.read_body()
            self.ways.get(way, WAYS.get(way, HONEST["length"]))(talk)


@contextmanager
def run_hostile_backend(
    tls: ssl.SSLContext | None = None,
) -> Iterator[HostileBackend]:
    """Run a hostile backend on a free port of 127.0.0.1, or over TLS."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        scheme = "http" if tls is None else "https"
        port = listening.getsockname()[1]
        backend = HostileBackend(f"{scheme}://127.0.0.1:{port}", tls)

        def accept() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(
                    target=backend.serve, args=(sock,), daemon=True
                ).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield backend
        finally:
            # Closing alone does not wake who waits for a connection.
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            accepting.join(PATIENCE)
            for sock in list(backend.open):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
