"""
The short way for what nearly every request is.

In:  compiled rules, and the long way: read, decide, write.
Out: a function that does the same, sooner where a request is an ordinary one.

No rule stands here.  A believed request differs from the one before it in its client
alone, so what the rules once decided about everything else is remembered and written
again; who the client is, they find each time.  A direct request loses its forwarding
headers.  Whatever is out of the ordinary takes the long way, and a test holds the two
against each other.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .asgi import is_unix_server, read_name
from .decision import NOTHING, Decision, Reason, make_direct
from .notices import tell_problems
from .rules import PLAIN_CONNECTION
from .values import MAX_HOST_CHARACTERS
from .wsgi import (
    CONNECTION_KEYS,
    DECISION_KEY,
    PROXY_FIX_KEY,
    is_plain,
    write_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import Environ, Scope
    from .beside import Beside
    from .rules import ConnectionValues, Rules

# A memo that fills up is emptied.
_MOST_REMEMBERED = 1024

_LONGEST_NAME = 64
# What is written into a scope besides the client.
_VARIABLES = frozenset({"scheme", "host", "server"})
_PLAIN_CONNECTION = frozenset(
    text.encode() if text else None for text in PLAIN_CONNECTION
)

_new = tuple.__new__
_PEER_NOT_TRUSTED = Reason.PEER_NOT_TRUSTED
# Keys that only some servers and middlewares set.
_SPECIAL = frozenset(
    {
        DECISION_KEY,
        PROXY_FIX_KEY,
        "HTTPS",
        "REQUEST_SCHEME",
        "uwsgi.version",
        "werkzeug.socket",
    }
)
_read_connection = itemgetter(*CONNECTION_KEYS)


class _Recipe(NamedTuple):
    """What is written for a request, whoever its client is."""

    connection: ConnectionValues
    beside: Beside
    writes: dict[str, Any]
    original: dict[str, Any]


def compile_apply(
    rules: Rules, apply_slowly: Callable[[Environ], Decision]
) -> Callable[[Environ], Decision]:
    """
    Compile the short way for *rules*.

    Args:
        rules: Compiled for WSGI.

        apply_slowly: The long way: an environ → its decision, written.

    Returns:
        The short way, or *apply_slowly* itself where the rules have something that
        makes every request a special one.
    """
    if not rules.are_ordinary:
        return apply_slowly
    trusts, trust, keys = rules.trusts, rules.trust, rules.key_of
    (client_key, _, find), *_ = rules.client
    # What makes a request a special one is looked for together with the headers.
    removable = rules.removable
    watched = removable | _SPECIAL
    watched_besides = rules.synonyms | _SPECIAL
    read_all = itemgetter(*CONNECTION_KEYS, *rules.beside_keys)
    recipes: dict[Any, _Recipe] = {}
    bare: dict[Any, Decision] = {}

    def remember(key: Any, connection: Any, decision: Decision) -> None:
        """Remember what was written, if nothing but the client was special."""
        recipe = _make_recipe(connection, decision)
        if recipe is not None:
            if len(recipes) >= _MOST_REMEMBERED:
                recipes.clear()
            recipes[key] = recipe

    def decide_bare(connection: Any) -> Decision:
        """Decide a believed request without headers: they are few, and the same."""
        decision = rules.decide(connection, NOTHING)._replace(original=NOTHING)
        if is_short(connection):
            if len(bare) >= _MOST_REMEMBERED:
                bare.clear()
            bare[connection] = decision
        return decision

    def apply(environ: Environ) -> Decision:
        get = environ.get
        socket = get("gunicorn.socket")
        if (socket is not None and not is_plain(socket, environ)) or (
            get("HTTP_CONNECTION") not in PLAIN_CONNECTION
        ):
            return apply_slowly(environ)
        try:
            if trusts is not None and not trusts(environ["REMOTE_ADDR"]):
                connection = _read_connection(environ)
                if (
                    DECISION_KEY in environ
                    or "uwsgi.version" in environ
                    or "werkzeug.socket" in environ
                    or PROXY_FIX_KEY in environ
                    or "HTTPS" in environ
                    or "REQUEST_SCHEME" in environ
                ):
                    return apply_slowly(environ)
                original: dict[str, Any] = {}
                for name in removable.intersection(environ):
                    original[name] = environ.pop(name)
                decision = make_direct(connection, _PEER_NOT_TRUSTED, original, keys)
                environ[DECISION_KEY] = decision
                return decision

            value = get(client_key)
            if value is None:
                connection = _read_connection(environ)
                if not watched.isdisjoint(environ):
                    return apply_slowly(environ)
                decision = bare.get(connection) or decide_bare(connection)
                # That the client header is missing is a problem always.
                tell_problems(decision[5], connection[0])
                environ[DECISION_KEY] = decision
                return decision

            finding = find(value, trust, None)
            if finding is None or (hop := finding[0]) is None or finding[2] != value:
                return apply_slowly(environ)
            about = read_all(environ)
        except KeyError:
            return apply_slowly(environ)
        # What the client's element of Forwarded says besides decides as well.
        element = finding[6]
        key = finding[3], None if element is None else element[1:], about
        recipe = recipes.get(key)
        if recipe is None or not watched_besides.isdisjoint(environ):
            # A request that was decided before may have been so by another policy.
            decided_here = DECISION_KEY not in environ
            decision = apply_slowly(environ)
            if decided_here:
                remember(key, about[:6], decision)
            return decision
        connection, beside, writes, before = recipe
        original = before.copy()
        write_address(environ, original, hop, connection[0])
        environ.update(writes)
        decision = _new(
            Decision,
            (
                connection,
                finding[4],
                finding,
                beside,
                NOTHING,
                (),
                None,
                original,
                keys,
            ),
        )
        environ[DECISION_KEY] = decision
        return decision

    return apply


def is_short(connection: Any) -> bool:
    """Say whether the host, which a client writes, is short enough to remember."""
    return len(connection[2] or "") <= MAX_HOST_CHARACTERS


def _make_recipe(connection: Any, decision: Decision) -> _Recipe | None:
    beside = decision.beside
    if (
        beside is None
        or not is_short(connection)
        or decision.connection != connection
        or decision.problems
        or decision.rewritten
        or decision.removed
    ):
        return None
    says = dict(zip(CONNECTION_KEYS[1:], beside[:5], strict=True))
    writes = {key: says[key] for key in says if key in decision.original}
    original = {key: decision.original[key] for key in writes}
    return _Recipe(connection, beside, writes, original)


class _ScopeRecipe(NamedTuple):
    """What is written into a scope, whoever its client is."""

    connection: ConnectionValues
    beside: Beside
    writes: dict[str, Any]
    host: bytes | None
    original: dict[str, Any]


def compile_apply_scope(
    rules: Rules,
    wanted: frozenset[str],
    apply_slowly: Callable[[Scope], tuple[Decision, Scope]],
) -> Callable[[Scope], tuple[Decision, Scope]]:
    """
    Compile the short way for ASGI, as `compile_apply` does for WSGI.

    Args:
        rules: Compiled for the names on the wire.

        wanted: The keys of the headers that are read, as `asgi.wanted_keys` says.

        apply_slowly: The long way: a scope → its decision and the new scope.
    """
    if not rules.are_ordinary:
        return apply_slowly
    trusts, trust, keys = rules.trusts, rules.trust, rules.key_of
    (client_key, _, find), *_ = rules.client
    recipes: dict[Any, _ScopeRecipe] = {}
    bare: dict[Any, Decision] = {}
    # Names on the wire → the key that is wanted, or nothing; few, and come again.
    kinds: dict[bytes, str] = {}

    def learn(name: bytes) -> str:
        key = read_name(name)
        kind = key if key in wanted else ""
        if len(kinds) >= _MOST_REMEMBERED:
            kinds.clear()
        if len(name) <= _LONGEST_NAME:
            kinds[name] = kind
        return kind

    # Names of servers that are no path of a unix socket.
    plain_servers: set[str] = set()

    def is_plain_server(server: Any) -> bool:
        if is_unix_server(server) or not isinstance(server[0], str):
            return False
        if len(plain_servers) >= _MOST_REMEMBERED:
            plain_servers.clear()
        plain_servers.add(server[0])
        return True

    def apply_scope(scope: Scope) -> tuple[Decision, Scope]:
        client, server = scope.get("client"), scope.get("server")
        if (
            DECISION_KEY in scope
            or scope["type"] != "http"
            or not client
            or not server
            or client[0].__class__ is not str
            or not client[0]
            or not client[1]
            or server[1].__class__ is not int
            or not server[1]
            or "scheme" not in scope
            or (server[0] not in plain_servers and not is_plain_server(server))
        ):
            return apply_slowly(scope)
        lines: Any = scope.get("headers") or ()
        found: dict[str, bytes] = {}
        for name, value in lines:
            kind = kinds.get(name)
            if kind is None:
                kind = learn(name)
            if kind:
                if kind in found:
                    return apply_slowly(scope)
                found[kind] = value
        if found.pop("connection", None) not in _PLAIN_CONNECTION:
            return apply_slowly(scope)
        peer = client[0]
        host = found.pop("host", None)
        about = (
            peer,
            scope["scheme"],
            host,
            server[0],
            server[1],
            scope.get("root_path") or "",
        )
        if trusts is not None and not trusts(peer):
            original: dict[str, Any] = {}
            if found:
                for key in found:
                    if key.startswith("_"):
                        return apply_slowly(scope)
                    value = original[key] = found[key].decode("latin-1")
                    # A chain with the connection's own port: its server has read it.
                    if f":{client[1]}" in value:
                        return apply_slowly(scope)
                lines = [line for line in lines if kinds.get(line[0]) not in found]
                if len(lines) + len(found) != len(scope["headers"]):
                    # A name was too long to remember, or the memo was emptied.
                    return apply_slowly(scope)
            connection = _decode(about)
            decision = make_direct(connection, _PEER_NOT_TRUSTED, original, keys)
        elif not found:
            known = bare.get(about)
            if known is None:
                known = rules.decide(_decode(about), NOTHING)._replace(original=NOTHING)
                if is_short(about):
                    if len(bare) >= _MOST_REMEMBERED:
                        bare.clear()
                    bare[about] = known
            decision = known
            # That the client header is missing is a problem always.
            tell_problems(decision[5], peer)
        else:
            raw = found.pop(client_key, None)
            finding = None if raw is None else find(raw.decode("latin-1"), trust, None)
            if (
                raw is None
                or finding is None
                or (hop := finding[0]) is None
                or finding[2] != raw.decode("latin-1")
            ):
                return apply_slowly(scope)
            # What the client's element of Forwarded says besides decides as well.
            element = finding[6]
            said = None if element is None else element[1:]
            recipe_key = (finding[3], said, about, *found.items())
            recipe = recipes.get(recipe_key)
            if recipe is None:
                decision, new = apply_slowly(scope)
                made = _make_scope_recipe(about, decision, new)
                if made is not None:
                    if len(recipes) >= _MOST_REMEMBERED:
                        recipes.clear()
                    recipes[recipe_key] = made
                return decision, new
            connection, beside, writes, new_host, before = recipe
            address, port, _ = hop
            original = before.copy()
            new = dict(scope)
            new.update(writes)
            if (address != peer or port is not None) and client != (address, port or 0):
                original["client"] = client
                new["client"] = (address, port or 0)
            lines = list(lines)
            if new_host is not None:
                for i, line in enumerate(lines):
                    if kinds.get(line[0]) == "host":
                        lines[i] = (line[0], new_host)
                        break
                else:
                    return apply_slowly(scope)
            new["headers"] = lines
            decision = new[DECISION_KEY] = _new(
                Decision,
                (
                    connection,
                    finding[4],
                    finding,
                    beside,
                    NOTHING,
                    (),
                    None,
                    original,
                    keys,
                ),
            )
            return decision, new
        new = dict(scope)
        new["headers"] = list(lines)
        new[DECISION_KEY] = decision
        return decision, new

    return apply_scope


def _decode(about: Any) -> ConnectionValues:
    peer, scheme, host, server, port, root_path = about
    text = None if host is None else host.decode("latin-1")
    return peer, scheme, text, server, str(port), root_path


def _make_scope_recipe(
    about: Any, decision: Decision, new: Scope
) -> _ScopeRecipe | None:
    beside, connection = decision.beside, _decode(about)
    if (
        beside is None
        or beside.mount_point is not None
        or decision.connection != connection
        or decision.problems
        or decision.rewritten
        or decision.removed
        or about[2] is None
        or not is_short(about)
    ):
        return None
    original = {k: v for k, v in decision.original.items() if k != "client"}
    if not _VARIABLES.issuperset(original):
        # A header was removed, were it only a twin.
        return None
    writes = {key: new[key] for key in original if key != "host"}
    host = decision.host
    changed = host is not None and "host" in original
    return _ScopeRecipe(
        connection,
        beside,
        writes,
        host.encode("latin-1") if changed and host is not None else None,
        original,
    )
