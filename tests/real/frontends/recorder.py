"""
A server that says what it was sent, and trusts nothing.

In:  requests on a TCP port and on a unix socket.
Out: each answered with its own lines as JSON; a websocket with them as its first
     message.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..servers.processes import Address

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 section 4.2.2 puts behind the key."""
SENT_BY_THE_SERVER = "max-age=1"
"""An HSTS policy of the application's own."""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while first := self.rfile.readline():
            lines = list(self._read_lines())
            body = json.dumps({"line": first.decode("latin-1").strip(), "lines": lines})
            headers = {name.lower(): value for name, value in lines}
            if headers.get("upgrade", "").lower() == "websocket":
                self._open_websocket(headers["sec-websocket-key"], body.encode())
                return
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Strict-Transport-Security: %s\r\n"
                b"Content-Length: %d\r\n\r\n"
                % (SENT_BY_THE_SERVER.encode(), len(body.encode()))
                + body.encode()
            )

    def _read_lines(self) -> Iterator[tuple[str, str]]:
        while (line := self.rfile.readline().decode("latin-1").strip("\r\n")) != "":
            name, _, value = line.partition(":")
            yield name, value.strip(" \t")

    def _open_websocket(self, key: str, message: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + _WEBSOCKET).digest())
        head = b"\x81\x7e" + struct.pack("!H", len(message))
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
            % accept
            + head
            + message
        )
        self.rfile.read(1)


class _TCPServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def record(folder: Path) -> Iterator[tuple[Address, str]]:
    """Answer on a TCP port and on a socket in *folder*, until the end."""
    socket = str(folder / "recorder.sock")
    with (
        _TCPServer(("127.0.0.1", 0), _Handler) as tcp,
        _UnixServer(socket, _Handler) as unix,
    ):
        # Front ends run as other users.
        os.chmod(socket, 0o666)
        for server in (tcp, unix):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield ("127.0.0.1", tcp.server_address[1]), socket
        finally:
            tcp.shutdown()
            unix.shutdown()
