"""
Read a connection and headers from an ASGI scope, write a decision into a new one.

In:  an http or websocket scope as any server made it.
Out: what `rules` decides by; a scope of its own, since the one given is never changed
     (rule R18).

Header names are compared without case.  One that equals a known name only after ``_`` →
``-`` is an underscore variant: it is never read, and it is removed where the known one
would be (rules R18, R20).  So is a name that is no token, by every policy that removes
anything: what a framework makes of it, nobody knows.

Source: the ASGI specification, "HTTP & WebSocket ASGI Message Format".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .decision import Connection
from .headers import Category, environ_key
from .parsing.grammar import TOKEN
from .parsing.lists import MAX_CHARACTERS
from .parsing.values import WEBSOCKET_SCHEMES, split_host, strip_mount_point
from .request_target import split_scope_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ._types import Scope
    from .decision import Decision, Own
    from .rules import Rules

#: The key of the host.
HOST = environ_key("Host")
_PATH_BEGINNINGS = ("@", "\0", ".")
# What servers say instead of the port that a path has not.
_NO_PORTS = (None, 0, "0")
_TOKEN = re.compile(TOKEN.encode("ascii"))

#: In place of a name: the line is removed, whatever it says.
DROPPED = ""
# Names on the wire come again; longer ones, and more of them, are an attacker's.
_LONGEST_NAME = 64
_MOST_NAMES = 1024


class HeaderKeys(dict[bytes, "str | None"]):
    """
    A name on the wire → the key of the header, as in an environ.

    Gives `DROPPED` for a line that goes in any case, and ``None`` for a header that is
    not known.  What was looked up is remembered, within bounds.

    Args:
        read: Name in lower case → key, of the headers that are read.

        removable: Keys of those whose underscore variants are removed.

        drops_others: Whether names that are no tokens are removed.
    """

    def __init__(
        self,
        read: Mapping[str, str],
        removable: Collection[str],
        *,
        drops_others: bool,
    ) -> None:
        super().__init__()
        self._read = {name.encode("ascii"): key for name, key in read.items()}
        self._removable = {name for name, key in self._read.items() if key in removable}
        self._drops_others = drops_others

    def __missing__(self, wire: bytes) -> str | None:
        name = self._look_up(wire.lower())
        if len(wire) <= _LONGEST_NAME:
            if len(self) >= _MOST_NAMES:
                self.clear()
            self[wire] = name
        return name

    def _look_up(self, lower: bytes) -> str | None:
        if lower in self._read:
            return self._read[lower]
        if lower.replace(b"_", b"-") in self._removable:
            return DROPPED
        if self._drops_others and not _TOKEN.fullmatch(lower):
            return DROPPED
        return None


class ScopeSurface:
    """
    Scopes, for one policy.

    Args:
        rules: The compiled policy.

        strip_path: Whether the path may have the mount point in front already.

        from_left: Whether lists are read from the left, as where every peer is trusted.
    """

    def __init__(self, rules: Rules, *, strip_path: bool, from_left: bool) -> None:
        secret = frozenset(filter(None, [rules.secret_key]))
        keys = {*rules.key_of.values(), HOST, *secret}
        removable = rules.removable | secret
        # Key of a header that is read → its name in lower case.
        self._name_of = {key: spell_name(key) for key in keys}
        #: Name of a header that is read, in lower case → its key.
        self.key_of: dict[str, str] = {n: key for key, n in self._name_of.items()}
        self._keys = HeaderKeys(self.key_of, removable, drops_others=bool(removable))
        self._secret_key = rules.secret_key
        self._secret_name = self._name_of.get(rules.secret_key or "")
        self._scheme_opted_in = Category.SCHEME in rules.opted_in
        self._strip_path = strip_path
        self._from_left = from_left

    def read(self, scope: Scope) -> tuple[Own, bool | None, dict[str, str]]:
        """
        Read what the server says by itself, and the headers that are there.

        Returns:
            The fields of `Connection`; and the headers that are read, by their keys.
        """
        keys = self._keys
        headers: dict[str, str] = {}
        repeated: dict[str, list[str]] = {}
        for wire, value in scope.get("headers") or ():
            key = keys[wire]
            if key is None:
                continue
            text = value.decode("latin-1") if key else ""
            if key in headers:
                repeated.setdefault(key, [headers[key]]).append(text)
            else:
                headers[key] = text
        for key, lines in repeated.items():
            headers[key] = self._join(lines)
        return *_read_own(scope, headers.get(HOST)), headers

    def _join(self, lines: list[str]) -> str:
        """Join lines of one header, and no more of them than is read (R13)."""
        ordered = lines if self._from_left else lines[::-1]
        length = 0
        for count, line in enumerate(ordered, 1):
            length += len(line) + 1
            if length > MAX_CHARACTERS + 1:
                ordered = ordered[:count]
                break
        return ",".join(ordered if self._from_left else ordered[::-1])

    def write(self, scope: Scope, headers: dict[str, str], decision: Decision) -> Scope:
        """
        Make the scope that *decision* leads to.

        Args:
            scope: The scope that was read.

            headers: The headers that were read there.

            decision: What was decided; its ``original`` is filled.

        Returns:
            The new scope.
        """
        original = decision.original
        new = dict(scope)
        peer, scheme, _, _, _, _, _ = decision.own
        said = dict(decision.url_parts.said)
        lines = scope.get("headers") or ()
        changes = self._list_changes(headers, decision)
        if changes or DROPPED in headers:
            new["headers"] = self._rewrite(lines, headers, changes, original)
        else:
            new["headers"] = list(lines)
        if decision.address != peer or decision.client_port is not None:
            client = (decision.address, decision.client_port or 0)
            _replace(new, original, "client", client)
        if self._scheme_opted_in:
            _replace(new, original, "scheme", said.get("scheme", scheme))
        if "server" in said or "port" in said:
            _write_server(new, original, decision, said)
        if "mount_point" in said:
            self._write_mount_point(new, original, said["mount_point"])
        return new

    def remove_secret(self, scope: Scope) -> Scope:
        """Make a scope that differs in the secret alone, which nobody is to see."""
        if self._secret_key is None:
            return dict(scope)
        lines = [
            line for line in scope.get("headers") or () if not self._is_secret(line[0])
        ]
        return {**scope, "headers": lines}

    def _is_secret(self, wire: bytes) -> bool:
        name = wire.decode("latin-1").lower().replace("_", "-")
        return name == self._secret_name

    def _list_changes(
        self, headers: dict[str, str], decision: Decision
    ) -> dict[str, str | None]:
        """List what becomes of headers: key → the new value, ``None`` for none."""
        parts = decision.url_parts
        changes: dict[str, str | None] = dict.fromkeys(parts.gone)
        for key, text in parts.variables:
            if key in self._name_of and headers.get(key) != text:
                changes[key] = text
        if decision.text is not None:
            changes[self.key_of[decision.verdict.header.lower()]] = decision.text
        if self._secret_key is not None:
            changes[self._secret_key] = None
        return changes

    def _rewrite(
        self,
        lines: Iterable[Any],
        headers: dict[str, str],
        changes: dict[str, str | None],
        original: dict[str, Any],
    ) -> list[tuple[bytes, bytes]]:
        """Make a new list of header lines; a new value takes its first line's place."""
        keys = self._keys
        values = {key: text for key, text in changes.items() if text is not None}
        dropped: dict[str, list[str]] = {}
        new: list[tuple[bytes, bytes]] = []
        for line in lines:
            key = keys[line[0]]
            if key is None or (key and key not in changes):
                new.append(line)
            elif key in values:
                new.append((line[0], values.pop(key).encode("latin-1")))
            elif not key:
                name = line[0].decode("latin-1").lower()
                dropped.setdefault(name, []).append(line[1].decode("latin-1"))
        for key in changes:
            # Nobody is to see the secret, not even here.
            if key in headers and key != self._secret_key:
                original[self._name_of[key]] = headers[key]
        if HOST in values:
            # A host that was said where the request had none.
            new.append((b"host", values[HOST].encode("latin-1")))
            original[self._name_of[HOST]] = None
        for name, texts in dropped.items():
            if name.replace("_", "-") != self._secret_name:
                original[name] = self._join(texts)
        return new

    def _write_mount_point(
        self, new: Scope, original: dict[str, Any], mount_point: str
    ) -> None:
        """
        Move the path from the server's own mount point below the new one (rule R15).

        ASGI's ``path`` contains ``root_path``; ``raw_path`` is the same, encoded.
        """
        path = new["path"]
        own, rest = split_scope_path(new)
        has_it = self._strip_path and strip_mount_point(rest, mount_point) != rest
        front = "" if has_it else mount_point
        _replace(new, original, "root_path", mount_point)
        _replace(new, original, "path", front + rest)
        raw = new.get("raw_path")
        if raw is not None:
            text = raw.decode("latin-1")
            if rest != path:
                # Any character may be encoded, so that as many segments are compared.
                head = "/".join(text.split("/")[: own.count("/") + 1])
                if unquote(head) == own:
                    text = text[len(head) :]
            _replace(new, original, "raw_path", (front + text).encode("latin-1"))


def spell_name(key: str) -> str:
    """Spell the header with this key in an environ as it is on the wire of ASGI."""
    return key.removeprefix("HTTP_").replace("_", "-").lower()


def read_connection(scope: Scope, host: str | None) -> Connection:
    """Read what the server says by itself."""
    own, peer_is_unix = _read_own(scope, host)
    return Connection(*own, peer_is_unix)


def _read_own(scope: Scope, host: str | None) -> tuple[Own, bool | None]:
    client, server = scope.get("client"), scope.get("server")
    peer = str(client[0]) if client and client[0] is not None else None
    scheme: str
    if scope["type"] == "websocket":
        scheme = scope.get("scheme", "ws")
        scheme = WEBSOCKET_SCHEMES.get(scheme, scheme)
    else:
        scheme = scope.get("scheme", "http")
    name, port = server if server else (None, None)
    mount_point, path = "", scope.get("path", "/")
    if scope.get("root_path"):
        mount_point, path = split_scope_path(scope)
    own = (
        peer,
        scheme,
        host,
        None if name is None else str(name),
        None if port is None else str(port),
        mount_point,
        path,
    )
    return own, _is_unix(peer, name, port)


def _is_unix(peer: str | None, server: Any, port: Any) -> bool | None:
    """
    Say whether the connection came over a unix socket, as the scope's server shows.

    Where it is a path, whatever the client calls itself came through it; where it is a
    name and a port, nobody did.
    """
    if server is None:
        return True if not peer else None
    name = str(server)
    return port in _NO_PORTS or name.startswith(_PATH_BEGINNINGS) or "/" in name


def _write_server(
    new: Scope, original: dict[str, Any], decision: Decision, said: dict[str, str]
) -> None:
    """Replace only the part of the server that was said (rule R18)."""
    name, port = new.get("server") or (None, None)
    if "server" in said:
        name = said["server"]
    elif name is None:
        split = split_host(decision.host or "")
        name = split[0] if split else ""
    if "port" in said:
        port = int(said["port"])
    _replace(new, original, "server", (name, port))


def _replace(new: Scope, original: dict[str, Any], key: str, value: object) -> None:
    if new.get(key) != value:
        original[key] = new.get(key)
        new[key] = value


#: What a server that rewrites the client by itself reads, and leaves where it was.
CHAINS = (environ_key("X-Forwarded-For"), environ_key("Forwarded"))


def is_rewritten(scope: Scope, chains: Iterable[str | None]) -> bool:
    """
    Say whether a server has taken the scope's client from a chain by itself (R16).

    Its port is 0 then, or the chain has it too: no connection's own port is there.

    Args:
        scope: The scope.

        chains: Values of the `CHAINS`, ``None`` for one that did not come.
    """
    client = scope.get("client")
    if not client or not client[0]:
        return False
    host, port = str(client[0]), client[1]
    for chain in chains:
        if chain is None:
            continue
        if port == 0:
            return True
        if host in chain and (f"{host}:{port}" in chain or f"[{host}]:{port}" in chain):
            return True
    return False
