"""
What is known of one request after the trusted headers were applied.

In:  an environ or a scope, with the decision in it.
Out: `RequestFacts`, which `rules` decides by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..decision import DECISION_KEY
from ..headers import KNOWN_HEADERS, Category, environ_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._types import Environ, Scope
    from ..decision import Decision

_SECURE = frozenset({"https", "wss"})

#: Names by which a proxy may say the scheme.
SCHEME_HEADERS = tuple(
    header.name for header in KNOWN_HEADERS if Category.SCHEME in header.categories
)
_SCHEME_KEYS = tuple((name, environ_key(name)) for name in SCHEME_HEADERS)
_SCHEME_NAMES = {name.lower().encode("ascii"): name for name in SCHEME_HEADERS}

# Where servers keep the request target as it was sent (docs/servers.md).
_RAW_TARGETS = ("RAW_URI", "REQUEST_URI")


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """
    What is known of one request, after the trusted headers were applied.

    Attributes:
        scheme: The scheme of the client's connection: https and wss are secure.

        method: The method, as it came.

        host: The ``Host`` header, or the host that a framework made of it.

        peer: The other end of the connection, as the server reported it.

        mount_point: The mount point, percent-encoding undone.

        path: The path below the mount point, percent-encoding undone.

        raw_path: The path as it was sent, or ``None`` where the server keeps none.

        query: The query as it was sent; ``None`` where there is none.

        decided: Whether a policy was applied to the request.

        peer_trusted: Whether that policy trusted the peer.

        forwarded: Whether a trusted header was used for anything.

        scheme_header: Name of the trusted header that said the scheme.

        ignored_header: Name of a scheme header that was sent and not trusted.

        websocket: Whether it is the handshake of a websocket.

        host_refused: Whether the framework refuses the host.

        source: The environ or the scope, for a policy that only looks on (report_only).
    """

    scheme: str
    method: str = "GET"
    host: str | None = None
    peer: str | None = None
    mount_point: bytes = b""
    path: bytes = b"/"
    raw_path: bytes | None = None
    query: bytes | None = None
    decided: bool = False
    peer_trusted: bool = False
    forwarded: bool = False
    scheme_header: str | None = None
    ignored_header: str | None = None
    websocket: bool = False
    host_refused: bool = False
    source: Environ | Scope | None = field(default=None, repr=False, compare=False)

    @property
    def secure(self) -> bool:
        """Whether the client's connection is HTTPS."""
        return is_secure(self.scheme)


def is_secure(scheme: object) -> bool:
    """Say whether *scheme* is https or wss, in any case."""
    return isinstance(scheme, str) and scheme.lower() in _SECURE


def read_environ(environ: Environ) -> RequestFacts:
    """Read the facts of a WSGI request, after a policy was applied to *environ*."""
    decision: Decision | None = environ.get(DECISION_KEY)
    raw_path, query = None, None
    for key in _RAW_TARGETS:
        if raw := environ.get(key):
            raw_path, mark, after = _encode(raw).partition(b"?")
            query = after if mark else None
            break
    sent = [name for name, key in _SCHEME_KEYS if key in environ]
    return _make_facts(
        environ,
        decision,
        sent,
        scheme=environ.get("wsgi.url_scheme", "http"),
        method=environ.get("REQUEST_METHOD", "GET"),
        host=environ.get("HTTP_HOST"),
        peer=environ.get("REMOTE_ADDR"),
        mount_point=_encode(environ.get("SCRIPT_NAME", "")),
        path=_encode(environ.get("PATH_INFO", "")),
        raw_path=raw_path,
        query=query or _encode(environ.get("QUERY_STRING", "")) or query,
    )


def read_scope(scope: Scope) -> RequestFacts:
    """Read the facts of an ASGI connection (http or websocket)."""
    websocket = scope["type"] == "websocket"
    sent = [
        _SCHEME_NAMES[name.lower()]
        for name, _ in scope.get("headers", ())
        if name.lower() in _SCHEME_NAMES
    ]
    path = scope.get("path", "/").encode("utf-8", "surrogatepass")
    mount_point = scope.get("root_path", "").encode("utf-8", "surrogatepass")
    mount_point = mount_point.rstrip(b"/")
    # The path contains the mount point, unless the server leaves that to the proxy.
    below = path.removeprefix(mount_point)
    if below == b"" or below.startswith(b"/"):
        path = below
    raw = scope.get("raw_path")
    client = scope.get("client")
    return _make_facts(
        scope,
        scope.get(DECISION_KEY),
        sent,
        scheme=scope.get("scheme", "ws" if websocket else "http"),
        method=scope.get("method", "GET"),
        host=read_host(scope),
        peer=client[0] if client else None,
        mount_point=mount_point,
        path=path,
        raw_path=raw.partition(b"?")[0] if raw else None,
        query=scope.get("query_string") or None,
        websocket=websocket,
    )


def read_host(scope: Scope) -> str | None:
    """Read the ``Host`` header; several lines make a text that is no host."""
    hosts = [
        value.decode("latin-1")
        for name, value in scope.get("headers", ())
        if name.lower() == b"host"
    ]
    return ",".join(hosts) if hosts else None


def _make_facts(
    source: Environ | Scope,
    decision: Decision | None,
    sent: Sequence[str],
    *,
    scheme: str,
    method: str,
    host: str | None,
    peer: str | None,
    mount_point: bytes,
    path: bytes,
    raw_path: bytes | None,
    query: bytes | None,
    websocket: bool = False,
) -> RequestFacts:
    if decision is not None:
        peer = decision.peer
        sent = [name for name in decision.removed if name in SCHEME_HEADERS]
    return RequestFacts(
        scheme=scheme,
        method=method,
        host=host,
        peer=peer,
        mount_point=mount_point,
        path=path,
        raw_path=raw_path,
        query=query,
        decided=decision is not None,
        peer_trusted=decision is not None and decision.peer_trusted,
        forwarded=decision is not None and bool(decision.winners),
        scheme_header=decision.winners.get(Category.SCHEME) if decision else None,
        ignored_header=sent[0] if sent else None,
        websocket=websocket,
        source=source,
    )


def _encode(text: str) -> bytes:
    """Take the bytes out of a WSGI text (PEP 3333); a broken server's stay readable."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
