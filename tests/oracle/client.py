"""
Send requests over sockets that stay open.

In:  an `Oracle` and a `Request`.
Out: the two environs, as text: what mod_wsgi made of it, and what this project did.
"""

from __future__ import annotations

import json
import ssl
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING

from .apache import Oracle, Port, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from .cases import Request

_SECONDS = 60


class Client:
    """Connections to both sides of an `Oracle`, one a peer and port."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._context = ssl.create_default_context(cafile=str(oracle.certificate))
        self._open: dict[tuple[str, Port], HTTPConnection] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self._open.values():
            connection.close()

    def ask(self, request: Request) -> tuple[dict[str, str], dict[str, str]]:
        """Send *request* to both, and return the environs: theirs, then ours."""
        host = "::1" if ":" in request.peer else "127.0.0.1"
        connections = [
            self._connect(request.peer, ports[host, request.secure])
            for ports in (self._oracle.theirs, self._oracle.ours)
        ]
        for connection in connections:
            connection.putrequest(
                "GET",
                path_of(request.policy) + "/x",
                skip_host=True,
                skip_accept_encoding=True,
            )
            connection.putheader("Host", request.host)
            for name, value in request.headers:
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders()
        theirs, ours = (self._answer(connection) for connection in connections)
        return theirs, ours

    def _connect(self, peer: str, port: Port) -> HTTPConnection:
        connection = self._open.get((peer, port))
        if connection is None:
            if port.secure:
                connection = HTTPSConnection(
                    port.host,
                    port.number,
                    timeout=_SECONDS,
                    source_address=(peer, 0),
                    context=self._context,
                )
            else:
                connection = HTTPConnection(
                    port.host,
                    port.number,
                    timeout=_SECONDS,
                    source_address=(peer, 0),
                )
            self._open[peer, port] = connection
        return connection

    @staticmethod
    def _answer(connection: HTTPConnection) -> dict[str, str]:
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise AssertionError(f"status {response.status}: {body!r}")
        environ: dict[str, str] = json.loads(body)
        return environ


#: The six variables that a trusted header can correct.
VARIABLES = (
    "REMOTE_ADDR",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "wsgi.url_scheme",
    "SCRIPT_NAME",
)


def view(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep of *environ* what is compared: the six variables, and every header."""
    return {
        key: value
        for key, value in environ.items()
        if key in VARIABLES or key.startswith("HTTP_")
    }
