"""
Send a request through Django's own handlers, without a server.

In:  a peer, headers, a path, as a server would report them.
Out: the response: status, headers, body.

Headers are pairs in the order of the wire; a WSGI environ gets repeated ones joined,
as PEP 3333 has it, and a scope gets them as they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

Headers: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]

PEER = "10.0.0.9"
STRANGER = "192.0.2.66"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its headers in order, its body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def get(self, name: str) -> str | None:
        """Return the first header *name*, or ``None``."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    @property
    def facts(self) -> Any:
        """The body, read as JSON."""
        assert self.status == 200, (self.status, self.body)
        return json.loads(self.body)

    @property
    def cookies(self) -> dict[str, str]:
        """Name → value of the cookies that it sets."""
        lines = (v for k, v in self.headers if k.lower() == "set-cookie")
        pairs = (line.partition(";")[0].partition("=") for line in lines)
        return {name: value for name, _, value in pairs}


def _pairs(headers: Headers, host: str | None) -> list[tuple[str, str]]:
    pairs = [] if host is None else [("Host", host)]
    pairs += headers.items() if isinstance(headers, Mapping) else headers
    return pairs


def make_environ(
    path: str = "/facts/",
    *,
    peer: str = PEER,
    headers: Headers = (),
    host: str | None = "app.example",
    scheme: str = "http",
    method: str = "GET",
    body: bytes = b"",
    mount_point: str = "",
    port: str = "8000",
    **variables: Any,
) -> dict[str, Any]:
    """Make the environ that a WSGI server makes of such a request."""
    raw, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": mount_point,
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "backend.internal",
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "REMOTE_PORT": "40000",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in _pairs(headers, host):
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ | variables


def make_scope(
    path: str = "/facts/",
    *,
    peer: str | None = PEER,
    headers: Headers = (),
    host: str | None = "app.example",
    scheme: str = "http",
    method: str = "GET",
    body: bytes = b"",
    mount_point: str = "",
    port: str = "8000",
    **variables: Any,
) -> dict[str, Any]:
    """Make the scope that an ASGI server makes of such a request."""
    raw, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": mount_point + unquote_to_bytes(raw).decode(),
        "raw_path": (mount_point + raw).encode(),
        "query_string": query.encode(),
        "root_path": mount_point,
        "headers": [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in _pairs(headers, host)
        ],
        "client": None if peer is None else (peer, 40000),
        "server": ("backend.internal", int(port)),
    }
    if body:
        scope["headers"].append((b"content-length", str(len(body)).encode()))
    return scope | variables


def call_wsgi(application: Callable[..., Iterable[bytes]], environ: Any) -> Answer:
    """Call a WSGI application as a server does, its iterable closed at the end."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda data: None

    iterable = application(environ, start_response)
    try:
        body = b"".join(iterable)
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Answer(int(status.split()[0]), tuple(headers), body)


async def call_asgi(application: Any, scope: Any, body: bytes = b"") -> Answer:
    """Call an ASGI application as a server does."""
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    gone = asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start, *parts = sent
    return Answer(
        start["status"],
        tuple((k.decode(), v.decode("latin-1")) for k, v in start["headers"]),
        b"".join(part.get("body", b"") for part in parts),
    )


def ask_wsgi(path: str = "/facts/", **request: Any) -> Answer:
    """Send one request through Django's WSGI handler."""
    environ = make_environ(path, **request)
    # Servers have a thread for it, in which Django may leave its script prefix.
    return copy_context().run(call_wsgi, WSGIHandler(), environ)


def ask_asgi(path: str = "/facts/", **request: Any) -> Answer:
    """Send one request through Django's ASGI handler."""
    scope = make_scope(path, **request)
    return asyncio.run(call_asgi(ASGIHandler(), scope, request.get("body", b"")))


ASKERS = (ask_wsgi, ask_asgi)


def read_log(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what this project has logged."""
    return [r.getMessage() for r in caplog.records if r.name == "trustedproxy"]
