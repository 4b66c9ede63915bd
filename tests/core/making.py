"""
Requests as servers hand them over, for the tests of the core.

In:  a peer, headers by their names on the wire, and whatever else differs.
Out: an environ or a scope of a plain request to ``backend.internal``; a decision as a
mapping that can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trustedproxy import Decision

#: Peers: a proxy of `PROXIES`, and a stranger.
PROXY: Final = "10.0.0.1"
STRANGER: Final = "198.51.100.7"
PROXIES: Final = ("10.0.0.0/8", "2001:db8:1::/48")

FOR: Final = "X-Forwarded-For"
REAL: Final = "X-Real-IP"
PROTO: Final = "X-Forwarded-Proto"
HOST: Final = "X-Forwarded-Host"
SERVER: Final = "X-Forwarded-Server"
PORT: Final = "X-Forwarded-Port"
SCRIPT: Final = "X-Script-Name"
FORWARDED: Final = "Forwarded"

#: What a decision says to everybody.
ATTRIBUTES: Final = (
    "peer",
    "peer_trusted",
    "client",
    "client_known",
    "client_port",
    "address",
    "scheme",
    "host",
    "server",
    "port",
    "mount_point",
    "reason",
    "winners",
    "removed",
    "rewritten",
    "problems",
    "rejected",
    "original",
)


def name_settings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Name settings by the arguments that they are, and leave out what is ``None``."""
    return {
        f"TRUSTED_PROX{'IES' if name == 'proxies' else f'Y_{name.upper()}'}": value
        for name, value in arguments.items()
        if value is not None
    }


def key_of(name: str) -> str:
    """Spell the header *name* as servers do in an environ."""
    return "HTTP_" + name.upper().replace("-", "_")


def make_environ(
    headers: dict[str, str] | None = None,
    /,
    *,
    peer: str | None = PROXY,
    **variables: Any,
) -> dict[str, Any]:
    """Make an environ; a variable that is ``None`` is not there."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/x",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": peer,
        "HTTP_HOST": "backend.internal",
        "wsgi.url_scheme": "http",
        **variables,
    }
    for name, value in (headers or {}).items():
        environ[key_of(name)] = value
    return {key: value for key, value in environ.items() if value is not None}


def make_scope(
    headers: Iterable[tuple[str, str]] = (),
    /,
    *,
    kind: str = "http",
    peer: str = PROXY,
    host: str | None = "backend.internal",
    **more: Any,
) -> dict[str, Any]:
    """Make a scope; a key that is ``None`` in *more* is not there."""
    lines = [] if host is None else [("host", host)]
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": "/x",
        "raw_path": b"/x",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in (*lines, *headers)
        ],
        "client": (peer, 50000),
        "server": ("127.0.0.1", 8000),
        **more,
    }
    return {key: value for key, value in scope.items() if value is not None}


def show(decision: Decision) -> dict[str, Any]:
    """Show everything that *decision* says."""
    return {name: getattr(decision, name) for name in ATTRIBUTES}
