"""
The application behind the front ends, on the most gullible server there is.

In:  a policy.
Out: a running server: its page for those who have a token, and else a page with the
     links, the cookie and the redirect that applications have.

`wsgiref` folds names with underscores into the others and joins their values, as some
servers do, so that a variant which a front end lets through is seen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from trustedproxy import ProxyPolicy, Settings, TrustedProxyMiddleware
from trustedproxy.framework import Framework
from trustedproxy.report import MemoryUses, Page, TokenKind

SECRET = "a secret of these tests, and of nobody else"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # A front end may open many connections at once.
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without asking DNS for the machine's name."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A server, its port, and what makes tokens for its page."""

    port: int
    page: Page

    def make_token(self) -> str:
        """Make a token for one run."""
        return self.page.make_token(TokenKind.PROBE)


def show(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer as an application does that knows where it is."""
    scheme, host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")
    if re.sub(r":[0-9]+$", "", host) not in HOSTS:
        start_response("400 Bad Request", [("Content-Length", "0")])
        return [b""]
    mount_point = environ["SCRIPT_NAME"]
    secure = "; Secure" if scheme == "https" else ""
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Set-Cookie", f"session=1; Path={mount_point or '/'}{secure}"),
    ]
    body = (
        f'<a href="{scheme}://{host}{mount_point}/there">there</a> '
        f"<p>You are {environ['REMOTE_ADDR']}.</p>"
    ).encode()
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


HOSTS = ("www.example.com", "127.0.0.1", "localhost")


@contextmanager
def serve(policy: ProxyPolicy) -> Iterator[Behind]:
    """Serve the application under *policy*, until the end."""
    page = Page(
        Settings(policy),
        secret=SECRET,
        uses=MemoryUses(),
        framework=Framework(name="The application", allowed_hosts=HOSTS),
    )
    server = _Server(("127.0.0.1", 0), _Handler)
    server.set_app(page.wrap_wsgi(TrustedProxyMiddleware(show, policy)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Behind(server.server_port, page)
    finally:
        server.shutdown()
        server.server_close()
