"""
Start a server that has no command line of its own, or not for what is needed.

Usage: ``python -m provingground.run SERVER HOST:PORT`` or ``… SERVER /path/of.sock``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from .wsgi import application


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def serve_wsgiref(address: str) -> None:
    """Serve with the standard library's server."""
    server: WSGIServer = make_server(*_split(address), application)
    server.serve_forever()


def serve_werkzeug(address: str) -> None:
    """Serve with Werkzeug's development server, as ``flask run`` does."""
    from werkzeug.serving import run_simple

    if address.startswith("/"):
        run_simple(f"unix://{address}", 0, application)
    else:
        run_simple(*_split(address), application, threaded=True)


def serve_bjoern(address: str) -> None:
    """Serve with bjoern."""
    bjoern: Any = importlib.import_module("bjoern")
    if address.startswith("/"):
        bjoern.run(application, f"unix:{address}")
    else:
        bjoern.run(application, *_split(address))


def serve_cheroot(address: str, *, drop_underscores: bool = True) -> None:
    """Serve with cheroot and the header reader that docs/servers.md recommends."""
    wsgi: Any = importlib.import_module("cheroot.wsgi")
    reading: Any = importlib.import_module("cheroot.server")

    class DroppingUnderscores(reading.HeaderReader):  # type: ignore[misc]  # the package has no types
        """Read header lines, and leave those with an underscore in the name out."""

        def _allow_header(self, key_name: bytes) -> bool:
            return b"_" not in key_name and bool(super()._allow_header(key_name))

    class Request(reading.HTTPRequest):  # type: ignore[misc]  # the package has no types
        """A request that reads its header lines with the reader above."""

        header_reader = DroppingUnderscores()

    class Connection(reading.HTTPConnection):  # type: ignore[misc]  # the package has no types
        """A connection of such requests."""

        RequestHandlerClass = Request

    where = address if address.startswith("/") else _split(address)
    server = wsgi.Server(where, application, numthreads=4)
    if drop_underscores:
        server.ConnectionClass = Connection
    server.start()


def serve_plain_cheroot(address: str) -> None:
    """Serve with cheroot as it comes."""
    serve_cheroot(address, drop_underscores=False)


SERVERS: Mapping[str, Callable[[str], None]] = {
    "wsgiref": serve_wsgiref,
    "werkzeug": serve_werkzeug,
    "bjoern": serve_bjoern,
    "cheroot": serve_cheroot,
    "cheroot-plain": serve_plain_cheroot,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](sys.argv[2])
