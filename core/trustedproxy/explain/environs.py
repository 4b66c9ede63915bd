"""
The environ of a request that is explained, for those who are asked with one.

In:  a `Request`.
Out: its own environ, copied; or a complete one, as a server would make it (PEP 3333),
     and in it what becomes of a scope.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ..asgi import ScopeSurface
from ..headers import environ_key

if TYPE_CHECKING:
    from ..decision import Decision
    from ..policy import ProxyPolicy
    from .records import Request


_TARGET = "REQUEST_URI"


def make_environ(request: Request) -> dict[str, Any]:
    """Make the environ of *request*; one that it was read from is copied."""
    if request.environ is not None:
        return dict(request.environ)
    connection = request.connection
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query or "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        # A server would have joined two that differ in underscores, or dropped one.
        if "_" not in name:
            environ[environ_key(name)] = value
    if request.raw_path is not None:
        environ[_TARGET] = _join_target(request, request.raw_path)
    said = {
        "REMOTE_ADDR": connection.peer,
        "wsgi.url_scheme": connection.scheme,
        "HTTP_HOST": connection.host,
        "SERVER_NAME": connection.server,
        "SERVER_PORT": None if connection.port is None else str(connection.port),
        "SCRIPT_NAME": connection.mount_point,
        "PATH_INFO": connection.path,
    }
    return environ | {key: value for key, value in said.items() if value is not None}


def _join_target(request: Request, raw_path: str) -> str:
    mark = "" if request.query is None else "?"
    return f"{raw_path}{mark}{request.query or ''}"


def rewrite_raw_path(
    request: Request, policy: ProxyPolicy, decision: Decision, environ: dict[str, Any]
) -> None:
    """
    Write into *environ* what becomes of a scope's raw path, which moves with the path.

    A WSGI server's target stays as it was sent.
    """
    if request.scope is None or request.raw_path is None:
        return
    surface = ScopeSurface(
        policy.rules, strip_path=policy.strip_mount_point, from_left=False
    )
    # Secrets are masked in the raw path of the request, and not in the scope's.
    raw_path = request.raw_path.encode("latin-1")
    scope = {**request.scope, "headers": (), "raw_path": raw_path}
    written = surface.write(scope, {}, replace(decision, original={}))
    environ[_TARGET] = _join_target(request, written["raw_path"].decode("latin-1"))
