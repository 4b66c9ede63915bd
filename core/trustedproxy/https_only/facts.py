"""
What is known of one request after the trusted headers were applied.

In:  an environ or a scope, with the decision in it.
Out: `RequestFacts`, which `rules` decides by.

Where a policy in report-only mode alone has met the request, the environ and the scope
are as they came, and what the decision would have made of them is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from .._types import Environ, Scope
from ..asgi import read_connection, spell_name
from ..decision import DECISION_KEY, REPORT_KEY, Decision, Reason
from ..headers import KNOWN_HEADERS, Category, ProxyHeader, environ_key
from ..parsing.values import BLANKS
from ..request_target import read_raw_target, split_scope_path
from ..wsgi import shows_unix
from .signs import list_signs, says_scheme

# What every policy knows, where none was applied.
_KNOWN = tuple((header.name, header) for header in KNOWN_HEADERS)
_SECURE = frozenset({"https", "wss"})
# Problems of a header of which nothing is used.
_SILENT = frozenset({"malformed", "too-long"})


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

        reason: Why the client is who it is; ``None`` where no policy was applied.

        peer_trusted: Whether that policy trusted the peer.

        scheme_header: Name of the trusted header that said the scheme.

        scheme_stated: Whether the policy itself states the scheme.

        known: Every header that is known, the policy's own among them, with its key.

        scheme_sent:
            Headers that came from a trusted peer and may say the scheme, with their
            values, whether they count or not.

        scheme_silent: Names of the trusted headers that came and say no scheme.

        rejected: Whether the policy answers 400, or would.

        signs: Names of the headers that say that the peer has passed the request on.

        websocket: Whether it is the handshake of a websocket.

        host_refused: Whether the framework refuses the host.

        report_only:
            Whether policies that change nothing are all that has met the request, so
            that nothing else may change it.

        peer_is_unix:
            Whether the peer came over a unix socket, where the server shows it;
            ``None`` where only the peer's text can show it.
    """

    scheme: str
    method: str = "GET"
    host: str | None = None
    peer: str | None = None
    mount_point: bytes = b""
    path: bytes = b"/"
    raw_path: bytes | None = None
    query: bytes | None = None
    reason: Reason | None = None
    peer_trusted: bool = False
    scheme_header: str | None = None
    scheme_stated: bool = False
    known: tuple[tuple[str, ProxyHeader], ...] = _KNOWN
    scheme_sent: tuple[tuple[ProxyHeader, str], ...] = ()
    scheme_silent: frozenset[str] = frozenset()
    rejected: bool = False
    signs: tuple[str, ...] = ()
    websocket: bool = False
    host_refused: bool = False
    report_only: bool = False
    peer_is_unix: bool | None = None

    @property
    def secure(self) -> bool:
        """Whether the client's connection is HTTPS."""
        return is_secure(self.scheme)

    @property
    def ignored_header(self) -> str | None:
        """Name of a scheme header that came and was not used."""
        signs = frozenset(self.signs)
        others = {
            header.name
            for _, header in self.known
            if header.name in signs and says_scheme(header)
        }
        others.discard(self.scheme_header or "")
        return next((name for name in self.signs if name in others), None)


def is_secure(scheme: object) -> bool:
    """Say whether *scheme* is https or wss, in any case."""
    return isinstance(scheme, str) and scheme.lower() in _SECURE


def find_report(source: Environ | Scope) -> Decision | None:
    """
    Find what would have been decided, where nothing was.

    A report beside a decision is somebody's trial, and counts for nothing (rule R16).
    """
    report: Decision | None = source.get(REPORT_KEY)
    return None if DECISION_KEY in source else report


def read_environ(environ: Environ) -> RequestFacts:
    """Read the facts of a WSGI request, after a policy was applied to *environ*."""
    raw_path, query = None, None
    target = read_raw_target(environ)
    if target is not None:
        raw_path, mark, after = _encode(target).partition(b"?")
        query = after if mark else None
    facts = RequestFacts(
        scheme=environ.get("wsgi.url_scheme", "http"),
        method=environ.get("REQUEST_METHOD", "GET"),
        host=environ.get("HTTP_HOST"),
        peer=environ.get("REMOTE_ADDR"),
        peer_is_unix=shows_unix(environ),
        mount_point=_encode(environ.get("SCRIPT_NAME", "")),
        path=_encode(environ.get("PATH_INFO", "")),
        raw_path=raw_path,
        query=query or _encode(environ.get("QUERY_STRING", "")) or query,
    )
    names = (key[5:] for key in environ if key.startswith("HTTP_"))
    connection = environ.get("HTTP_CONNECTION", "")
    return _add_decision(
        facts,
        environ,
        names,
        connection,
        lambda name: environ.get(environ_key(name), ""),
    )


def read_scope(scope: Scope) -> RequestFacts:
    """Read the facts of an ASGI connection (http or websocket)."""
    websocket = scope["type"] == "websocket"
    mount_point, path = split_scope_path(scope)
    raw = scope.get("raw_path")
    connection = read_connection(scope, read_host(scope))
    facts = RequestFacts(
        scheme=scope.get("scheme", "ws" if websocket else "http"),
        method=scope.get("method", "GET"),
        host=connection.host,
        peer=connection.peer,
        peer_is_unix=connection.peer_is_unix,
        mount_point=mount_point.encode("utf-8", "surrogatepass"),
        path=path.encode("utf-8", "surrogatepass"),
        raw_path=raw.partition(b"?")[0] if raw else None,
        query=scope.get("query_string") or None,
        websocket=websocket,
    )
    lines: dict[str, list[bytes]] = {}
    for name, value in scope.get("headers", ()):
        lines.setdefault(name.decode("latin-1").lower(), []).append(value)

    def read(name: str) -> str:
        return b",".join(lines.get(name.lower(), ())).decode("latin-1")

    return _add_decision(facts, scope, lines, read("connection"), read)


def read_host(scope: Scope) -> str | None:
    """Read the ``Host`` header; several lines make a text that is no host."""
    return _join(scope, b"host")


def _join(scope: Scope, wanted: bytes) -> str | None:
    """Join the lines of a header by commas; ``None`` where it is not there."""
    values = [
        value.decode("latin-1")
        for name, value in scope.get("headers", ())
        if name.lower() == wanted
    ]
    return ",".join(values) if values else None


def _add_decision(
    facts: RequestFacts,
    source: Environ | Scope,
    names: Iterable[str],
    connection: str,
    read: Callable[[str], Any],
) -> RequestFacts:
    """Add what was decided, or in report-only mode what would have been."""
    report = find_report(source)
    decision: Decision | None = source.get(DECISION_KEY, report)
    signs = list_signs(names, connection, decision)
    if decision is None:
        return replace(facts, signs=signs)
    if report is not None:
        facts = replace(
            facts, scheme=decision.scheme, host=decision.host, report_only=True
        )
    scheme_header = decision.winners.get(Category.SCHEME)
    return replace(
        facts,
        peer=decision.peer,
        peer_is_unix=decision.peer_is_unix,
        reason=decision.reason,
        peer_trusted=decision.peer_trusted,
        scheme_header=scheme_header,
        scheme_stated=decision.url_parts.says_scheme and scheme_header is None,
        known=decision.known,
        scheme_sent=_list_scheme_headers(decision, read),
        scheme_silent=_list_silent(decision),
        rejected=decision.rejected is not None,
        signs=signs,
    )


def _list_scheme_headers(
    decision: Decision, read: Callable[[str], Any]
) -> tuple[tuple[ProxyHeader, str], ...]:
    """List the scheme headers that came with a value, those that were removed too."""
    if not decision.peer_trusted:
        return ()
    before, came = decision.original, decision.came
    sent = []
    for key, header in decision.known:
        if key in came and says_scheme(header):
            # By the key in an environ, or by the name in a scope.
            at = next((at for at in (key, spell_name(key)) if at in before), None)
            value = read(header.name) if at is None else before[at]
            sent.append((header, str(value)))
    return tuple(pair for pair in sent if pair[1].strip(BLANKS + ","))


def _list_silent(decision: Decision) -> frozenset[str]:
    """
    List the listed headers that say no scheme, where no other one did.

    What a policy lists, the decision says of these alone: a listed header that has a
    value, and gives none, is a problem; or it is `Forwarded`, without ``proto``.
    """
    silent = {
        problem.header for problem in decision.problems if problem.code in _SILENT
    }
    return frozenset({*silent, decision.verdict.header})


def _encode(text: str) -> bytes:
    """Take the bytes out of a WSGI text (PEP 3333); a broken server's stay readable."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
