"""
A backend that answers HEAD as it answers GET: with a body, as applications may.

In:  any request; ``/upload`` is a file that looks like a response.
Out: `wsgi`.
"""

from __future__ import annotations

from typing import Any

UPLOAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: evil=1\r\n\r\nevil"


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with the path, or with the file that somebody uploaded."""
    path = environ["PATH_INFO"]
    body = UPLOAD if path == "/upload" else path.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
