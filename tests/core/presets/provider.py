"""
A provider's server over TLS, on the loopback interface, that answers as a test wants.

In:  the bytes of an answer, in blocks, with pauses.
Out: an ``https`` address, and the heads of the requests that came.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import TypeAlias

#: Makes the blocks of an answer; it may wait for the event, which is set at the end.
Answer: TypeAlias = Callable[[Event], Iterable[bytes]]

#: Seconds after which anything here gives up, so that no test hangs.
LIMIT = 20


def respond(body: bytes, status: str = "200 OK", *headers: str) -> Answer:
    """Make an answer of *body*."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    head = "\r\n".join([*lines, "Connection: close", "", ""])
    return lambda ended: [head.encode() + body]


class Listener:
    """A socket that accepts connections in a thread until it is closed."""

    def __init__(self) -> None:
        self.ended = Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(LIMIT)
        self.port = self._socket.getsockname()[1]
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop, and wait for what runs."""
        self.ended.set()
        # A blocked accept() is not ended by closing its socket.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        for thread in self._threads:
            thread.join(LIMIT)
        self._socket.close()

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self.ended.is_set():
                connection.close()
                return
            connection.settimeout(LIMIT)
            thread = Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that does not like the certificate, or that had enough, goes away.
        with connection, suppress(OSError):
            self.serve(connection)


class Provider(Listener):
    """
    A server that publishes a list.

    Attributes:
        answer: What every request gets.

        requests: The heads of the requests that came.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.answer: Answer = respond(b"")
        self.requests: list[bytes] = []
        self._context = context
        super().__init__()

    @property
    def url(self) -> str:
        """Where the list is published."""
        return f"https://127.0.0.1:{self.port}/list"

    def serve(self, connection: socket.socket) -> None:
        """Answer one request."""
        with self._context.wrap_socket(connection, server_side=True) as secure:
            self.requests.append(read_head(secure))
            for block in self.answer(self.ended):
                secure.sendall(block)


class Tunnel(Listener):
    """A forward proxy that knows ``CONNECT`` and nothing else."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        super().__init__()

    @property
    def url(self) -> str:
        """What a variable of the environment says."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Open one tunnel, and carry what comes both ways."""
        method, target, _ = read_head(connection).decode().split(" ", 2)
        assert method == "CONNECT"
        self.targets.append(target)
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), LIMIT) as behind:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = Thread(target=_carry, args=(behind, connection), daemon=True)
            back.start()
            _carry(connection, behind)
            back.join(LIMIT)


def read_head(connection: socket.socket) -> bytes:
    """Read the head of a request."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        block = connection.recv(4096)
        if not block:
            break
        head += block
    return head


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        for block in _blocks(source):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def _blocks(source: socket.socket) -> Iterator[bytes]:
    while block := source.recv(4096):
        yield block
