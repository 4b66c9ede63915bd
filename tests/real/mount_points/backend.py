"""
A backend in a thread, which remembers what it was asked and can be made to misbehave.

In:  routes: path → a function that answers.
Out: `Backend`, with its URL, what it saw, and how many connections it accepted.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

Headers = Sequence[tuple[str, str]]
Route = Callable[["Handler"], None]

#: Bytes of a body that are kept, to look at.
KEPT = 4096

#: Seconds that anything waits for another thread or process: long, since it costs
#: nothing where all is well, and a busy machine pauses for seconds.
PATIENCE = 60.0


@dataclass(slots=True)
class Seen:
    """One request as the backend saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    framing: str | None = None
    length: int = 0
    crc: int = 0
    body: bytes = b""
    complete: bool = False

    @property
    def named(self) -> dict[str, str]:
        """The headers by their names in lower case."""
        return {name.lower(): value for name, value in self.headers}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    owner: Backend
    seen: Seen

    def setup(self) -> None:
        connection: socket.socket = self.request
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()
        self.owner.connections += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def answer(self) -> None:
        """Remember the request, and answer it by its route."""
        self.seen = Seen(self.command, self.path, list(self.headers.items()))
        self.owner.requests.append(self.seen)
        route = self.owner.routes.get(self.path.partition("?")[0], echo)
        if route not in self.owner.unread:
            self.read_body()
        route(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def read_body(self) -> None:
        """Read the body of the request, whatever its framing."""
        for block in self._blocks():
            self.seen.length += len(block)
            self.seen.crc = zlib.crc32(block, self.seen.crc)
            self.seen.body = (self.seen.body + block)[:KEPT]
        self.seen.complete = True

    def _blocks(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.seen.framing = "chunked"
            while size := int(self.rfile.readline() or b"-1", 16):
                if size < 0:
                    raise ConnectionResetError("the body broke off")
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        elif (length := self.headers.get("Content-Length")) is not None:
            self.seen.framing = "length"
            left = int(length)
            while left:
                block = self.rfile.read(min(left, 65536))
                if not block:
                    raise ConnectionResetError("the body broke off")
                left -= len(block)
                yield block

    def respond(
        self, status: int = 200, headers: Headers = (), body: bytes | None = b""
    ) -> None:
        """Send a head, and a body of a known length; ``None`` sends no length."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(body)

    def send_raw(self, text: bytes) -> None:
        """Send bytes as they are."""
        self.wfile.write(text)

    def abort(self, *, reset: bool = True) -> None:
        """Break the connection off: by RST, or only by FIN."""
        self.close_connection = True
        if reset:
            option = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        self.wfile.flush()
        self.connection.close()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            # The test broke the connection on purpose.
            return


def be_slow(handler: Handler) -> None:
    """Do not answer before the test has seen what it wants to see."""
    handler.owner.released.wait(PATIENCE)


def echo(handler: Handler) -> None:
    """Answer with what was seen."""
    seen = handler.seen
    body = json.dumps(
        {
            "method": seen.method,
            "target": seen.target,
            "headers": seen.headers,
            "framing": seen.framing,
            "length": seen.length,
            "crc": seen.crc,
            "body": seen.body.decode("latin-1"),
        }
    ).encode("ascii")
    handler.respond(headers=[("Content-Type", "application/json")], body=body)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: Backend

    def shutdown_request(self, request: Any) -> None:
        """End a connection, and count that."""
        super().shutdown_request(request)
        self.owner.closed += 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is what many tests are about."""


class _UnixServer(_Server):
    address_family = socket.AF_UNIX


@dataclass(slots=True)
class Backend:
    """A running backend."""

    url: str
    routes: dict[str, Route] = field(default_factory=dict)
    #: Routes that do not read the body of their requests, or do it themselves.
    unread: set[Route] = field(default_factory=set)
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0
    #: Connections that ended, at whichever side.
    closed: int = 0
    #: Set when slow routes may go on: at the latest when the backend ends.
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Seen:
        """The latest request."""
        return self.requests[-1]

    def clear(self) -> None:
        """Forget routes and requests."""
        self.routes.clear()
        self.unread.clear()
        self.requests.clear()
        self.connections = self.closed = 0
        self.released.clear()


@contextmanager
def run_backend(
    socket_path: Path | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Backend]:
    """Run a backend on a free port of 127.0.0.1, over TLS, or on a unix socket."""

    class OwnHandler(Handler):
        pass

    if socket_path is None:
        server = _Server(("127.0.0.1", 0), OwnHandler)
        url = f"http://127.0.0.1:{server.server_address[1]}"
    else:
        server = _UnixServer(str(socket_path), OwnHandler)  # type: ignore[arg-type]  # a path in place of host and port
        url = f"unix:{socket_path}|http://backend"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        url = url.replace("http:", "https:")
    backend = OwnHandler.owner = server.owner = Backend(url)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        backend.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
