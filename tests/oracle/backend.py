"""
A backend for proxy mount points: it says what it was asked.

In:  requests.
Out: the path and the headers as JSON; redirects for paths that end in their names.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        # Names in lower case: neither side promises another one.
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        body = json.dumps({"path": self.path, "headers": headers}).encode()
        own = f"http://{self.headers['Host']}"
        location = {
            "to-own-url": f"{own}/y",
            "to-path": "/y",
            "to-elsewhere": "http://elsewhere.example/y",
        }.get(self.path.rpartition("/")[2])
        self.send_response(302 if location else 200)
        if location:
            self.send_header("Location", location)
        self.send_header("X-Application", "backend")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def start_backend() -> Iterator[str]:
    """Serve until the block ends; give the backend's URL without a final slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
