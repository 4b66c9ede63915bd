"""
Read a connection and headers from an ASGI scope, write a decision into a new one.

In:  an http or websocket scope as any server made it, and the compiled rules.
Out: the decision, and a scope of its own; the one given is never changed (rule R18).

Header names are compared without case.  A name that equals a known one only after
``_`` → ``-``, or without stray bytes at its ends, is a twin: it is never read, and it
is removed where the known one would be.

Source: the ASGI specification, "HTTP & WebSocket ASGI Message Format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from .headers import Category
from .log import tell_once
from .memo import Memo
from .parsing.values import WEBSOCKET_SCHEMES, split_host, strip_mount_point
from .wsgi import DECISION_KEY

if TYPE_CHECKING:
    from ._types import Scope
    from .decision import Decision
    from .rules import ConnectionValues, Rules

# What a connection without a peer is called where its server is not a unix socket: no
# list of networks has it (rule R3).
_UNKNOWN_PEER = "unknown"
_PATH_BEGINNINGS = ("@", "\0", ".")
# What servers say instead of the port that a path has not.
_NO_PORTS = (None, 0, "0")

#: What a server that rewrites the client by itself reads, and leaves where it was.
CHAINS = frozenset({"x-forwarded-for", "forwarded"})

# Names on the wire come again.
_keys: Memo[bytes, str] = Memo()


def wire_key(name: str) -> str:
    """Spell the header *name* as the rules look it up in a scope's headers."""
    return name.lower()


def read_name(name: bytes) -> str:
    """
    Read a header's *name*: its key, or for a twin the key behind an underscore.

    A twin's key can never be that of a header which is read, and `twin_of` gives the
    one that it resembles.
    """
    key = _keys.get(name)
    if key is None:
        lower = name.decode("latin-1").lower()
        plain = lower.replace("_", "-").strip("\x00\t\r\n\x0b\x0c \x85\xa0")
        key = lower if plain == lower else f"_{plain}"
        if len(name) <= 64:
            _keys.remember(name, key)
    return key


def is_unix_server(server: Any) -> bool:
    """Say whether the scope's *server* is the path of a unix socket."""
    if not server:
        return False
    name = str(server[0])
    return server[1] in _NO_PORTS or name.startswith(_PATH_BEGINNINGS) or "/" in name


def read_connection(scope: Scope, host: str | None) -> ConnectionValues:
    """Read what the server says by itself: a `Connection` but for its path."""
    client, server = scope.get("client"), scope.get("server")
    name = str(client[0]) if client else ""
    if server is not None and is_unix_server(server):
        # Whatever the client calls itself, it came through the socket.
        peer = f"unix:{name}" if name else ""
    elif name:
        peer = name
    else:
        peer = "" if server is None else _UNKNOWN_PEER
    scheme: str
    if scope["type"] == "websocket":
        scheme = scope.get("scheme", "ws")
        scheme = WEBSOCKET_SCHEMES.get(scheme, scheme)
    else:
        scheme = scope.get("scheme", "http")
    port = server[1] if server else None
    return (
        peer,
        scheme,
        host,
        str(server[0]) if server else None,
        None if port is None else str(port),
        scope.get("root_path") or "",
    )


def wanted_keys(rules: Rules) -> frozenset[str]:
    """List the keys that are read from a scope's headers, twins' keys included."""
    twins = {f"_{key}" for key in rules.removable}
    return rules.read | rules.removable | twins | {"host"}


def decide(
    scope: Scope, rules: Rules, wanted: frozenset[str]
) -> tuple[Decision, dict[str, str]]:
    """
    Decide the request of *scope*.

    Args:
        scope: The scope.

        rules: The rules, compiled for `wire_key`.

        wanted: Their `wanted_keys`.

    Returns:
        The decision, and the headers that are there: key → lines joined by commas.
    """
    headers: dict[str, str] = {}
    for name, value in scope.get("headers") or ():
        key = _keys.get(name) or read_name(name)
        if key in wanted:
            text = value.decode("latin-1")
            headers[key] = f"{headers[key]},{text}" if key in headers else text
    client = scope.get("client")
    if client and client[0] and is_rewritten(client, headers):
        tell_once("rewritten-client", _REWRITTEN_BY_SERVER)
    connection = read_connection(scope, headers.get("host"))
    return rules.decide(connection, headers), headers


def is_rewritten(client: Any, headers: dict[str, str]) -> bool:
    """
    Say whether a server has taken the scope's *client* from a chain by itself.

    Its port is 0 then, or the chain has it too: no connection's own port is there.
    """
    host, port = client[0], client[1]
    return any(
        port == 0 or f"{host}:{port}" in chain or f"[{host}]:{port}" in chain
        for chain in map(headers.get, CHAINS)
        if chain is not None
    )


def write(
    scope: Scope,
    headers: dict[str, str],
    decision: Decision,
    rules: Rules,
    *,
    strip_path: bool,
) -> Scope:
    """
    Make the scope that *decision* leads to, and complete what *decision* has kept.

    Args:
        scope: The scope that was decided.

        headers: The headers that are there, as `decide` gave them.

        decision: What was decided.

        rules: The rules that decided it.

        strip_path: Whether the path may have the mount point in front already.
    """
    original = cast("dict[str, Any]", decision.kept)
    new = dict(scope)
    changes: dict[str, bytes | None] = dict.fromkeys(original)
    for name, text in decision.rewritten.items():
        changes[rules.key_of[name]] = text.encode("latin-1")
    if rules.secret_key is not None:
        changes[rules.secret_key] = None
    for key in headers:
        if key.startswith("_"):
            changes[key] = None
            original[key[1:].replace("-", "_")] = headers[key]
    if decision.host is not None and decision.host != headers.get("host"):
        changes["host"] = decision.host.encode("latin-1")
        original["host"] = headers.get("host")
    new["headers"] = _rewrite(scope.get("headers") or (), changes)

    _write_client(new, original, decision)
    if rules.scheme_opted_in and decision.scheme != scope.get("scheme"):
        _replace(new, original, "scheme", decision.scheme)
    winners = decision.winners
    if Category.SERVER in winners or Category.PORT in winners:
        _write_server(new, original, decision)
    if Category.MOUNT_POINT in winners:
        _write_mount_point(new, original, decision, strip_path=strip_path)
    new[DECISION_KEY] = decision
    return new


def _rewrite(lines: Any, changes: dict[str, bytes | None]) -> list[tuple[bytes, bytes]]:
    """Make a new list of header lines; a new value takes its first line's place."""
    if not changes:
        return list(lines)
    rest = dict(changes)
    new: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, _ = line
        key = _keys.get(name) or read_name(name)
        if key not in changes:
            new.append(line)
        elif (text := rest.pop(key, None)) is not None:
            new.append((name, text))
    # A host that a trusted header names where the request had none.
    host = rest.get("host")
    if host is not None:
        new.append((b"host", host))
    return new


def _write_client(new: Scope, original: dict[str, Any], decision: Decision) -> None:
    if decision.address != decision.peer or decision.client_port is not None:
        client = (decision.address, decision.client_port or 0)
        _replace(new, original, "client", client)


def _write_server(new: Scope, original: dict[str, Any], decision: Decision) -> None:
    """Replace only the part of the server that a trusted header named."""
    name, port = new.get("server") or (None, None)
    if Category.SERVER in decision.winners:
        name = decision.server
    elif name is None:
        split = split_host(decision.host or "")
        name = split[0] if split else ""
    if Category.PORT in decision.winners:
        port = int(decision.port or 0)
    _replace(new, original, "server", (name, port))


def _write_mount_point(
    new: Scope, original: dict[str, Any], decision: Decision, *, strip_path: bool
) -> None:
    """
    Move the path from the server's own mount point below the new one (rule R15).

    ASGI's ``path`` contains ``root_path``, and ``raw_path`` is the same, encoded.
    """
    mount_point, path = decision.mount_point, new["path"]
    own = (new.get("root_path") or "").rstrip("/")
    rest = strip_mount_point(path, own)
    has_it = strip_path and strip_mount_point(rest, mount_point) != rest
    front = "" if has_it else mount_point
    _replace(new, original, "root_path", mount_point)
    _replace(new, original, "path", front + rest)
    raw = new.get("raw_path")
    if raw is not None:
        # Any character may be encoded, so that as many segments are compared.
        text = raw.decode("latin-1")
        head = "/".join(text.split("/")[: own.count("/") + 1])
        if rest != path and unquote(head) == own:
            text = text[len(head) :]
        _replace(new, original, "raw_path", (front + text).encode("latin-1"))


def _replace(new: Scope, original: dict[str, Any], key: str, value: object) -> None:
    if new.get(key) != value:
        original[key] = new.get(key)
        new[key] = value


_REWRITTEN_BY_SERVER = (
    "the server or another middleware has already rewritten the client, from headers "
    "of its own choice, and the peer is lost. Switch that off: uvicorn "
    "--no-proxy-headers, gunicorn's uvicorn worker --forwarded-allow-ips '', daphne "
    "without --proxy-headers, no Hypercorn ProxyFixMiddleware, no Granian "
    "wrap_asgi_with_proxy_headers, no ProxyHeadersMiddleware; trustedproxy does their "
    "work."
)
