"""
The short way through a WSGI environ.

In:  rules compiled for environs, and the long way.
Out: `compile_apply`.
"""

from __future__ import annotations

from operator import itemgetter
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from ..decision import NOTHING, Decision
from ..memo import Memo
from ..notices import INTERVAL
from ..rules import PLAIN_CONNECTION
from ..values import MAX_HOST_CHARACTERS
from ..wsgi import (
    CONNECTION_KEYS,
    DECISION_KEY,
    PROXY_FIX_KEY,
    SOCKET_KEY,
    is_plain,
    write_address,
)
from .parties import compile_believes, compile_find

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._types import Environ
    from ..decision import Outcome
    from ..networks import TrustedNetworks
    from ..rules import Rules

# Keys of servers and middlewares that make a request a special one: of any, and of
# one that is rewritten.
_SPECIAL = frozenset(
    {DECISION_KEY, PROXY_FIX_KEY, SOCKET_KEY, "uwsgi.version", "werkzeug.socket"}
)
_SPECIAL_IF_BELIEVED = _SPECIAL | {"HTTPS", "REQUEST_SCHEME"}
# Where a server sets them, every request has them, and the short way deals with them.
_USUAL = frozenset({SOCKET_KEY, "REMOTE_HOST", "REMOTE_PORT"})

_CONNECTION = "HTTP_CONNECTION"
_OWN_KEYS = CONNECTION_KEYS[1:]

_new = tuple.__new__

_Read: TypeAlias = "Callable[[Environ], tuple[Any, ...]]"
#: What is written for a believed request, and what is said of it.
_Recipe: TypeAlias = "tuple[dict[str, Any], Outcome]"
#: A peer's last believed request without headers, whose decision is given again: what
#: reads the values that it was made of, the values, keys that must not be there, the
#: decision, and when its problem is told again.
_Bare: TypeAlias = "tuple[_Read, tuple[Any, ...], frozenset[str], Decision, float]"

# With the header Connection, as most requests have it, and without.
_read_with = itemgetter(*_OWN_KEYS, _CONNECTION)
_read_without = itemgetter(*_OWN_KEYS)


def compile_apply(
    rules: Rules,
    networks: TrustedNetworks | None,
    apply_slowly: Callable[[Environ], Decision],
) -> Callable[[Environ], Decision]:
    """
    Compile the short way for *rules*.

    Args:
        rules: Compiled for WSGI.

        networks: What the rules trust; ``None``: every peer.

        apply_slowly: The long way: an environ → its decision, written.

    Returns:
        The short way, or *apply_slowly* itself where the rules have something that
        makes every request a special one.
    """
    if not rules.are_ordinary:
        return apply_slowly
    beginnings = ("",) if networks is None else networks.list_beginnings()
    believed: Memo[str, _Bare | None] = Memo()
    believes = compile_believes(rules, believed)
    find = compile_find(rules, networks)
    (client_key, *_), *_ = rules.client
    # What the outcome depends on, besides where the client stands in its list.
    about_keys = ("wsgi.url_scheme", *rules.beside_keys)
    read_about = itemgetter(*about_keys)
    read_connection = itemgetter(*CONNECTION_KEYS)
    recipes: Memo[Any, _Recipe] = Memo()
    # The likeliest one, which is cheaper to compare than to look up.
    recent: tuple[Any, _Recipe | None] = (None, None)
    direct = rules.not_trusted
    # The usual keys that this server was seen to set, and what makes a request a
    # special one under it: looked for together with the headers that are removed.
    usual: frozenset[str] = frozenset()
    in_direct = rules.removable | _SPECIAL
    in_believed = rules.synonyms | _SPECIAL_IF_BELIEVED | _USUAL

    def shows_more(environ: Environ) -> bool:
        """Say whether the server's socket says more than the environ does."""
        socket = environ.get(SOCKET_KEY)
        return socket is not None and not is_plain(socket, environ)

    def learn(environ: Environ, key: Any) -> Decision:
        """
        Take the long way, and learn from it if the request is not a special one.

        Args:
            environ: The environ.

            key: Where a recipe for what is written would be looked up, or ``None``.
        """
        nonlocal usual, in_direct, in_believed
        found = in_believed.intersection(environ)
        new = found & _USUAL
        if new:
            usual |= new
            in_direct -= usual
            in_believed -= usual
        peer: Any = environ.get("REMOTE_ADDR")
        is_bare = rules.removable.isdisjoint(environ)
        read = _read_with if _CONNECTION in environ else _read_without
        decision = apply_slowly(environ)
        # A peer with another name here has come through a unix socket.
        if found != new or decision.connection[0] != peer:
            return decision
        if key is not None:
            recipe = _make_recipe(decision)
            if recipe is not None:
                recipes.remember(key, recipe)
        elif is_bare and decision.believed:
            absent = (rules.removable | _SPECIAL_IF_BELIEVED) - usual
            if read is _read_without:
                absent |= {_CONNECTION}
            bare = _make_bare(environ, decision, read, absent)
            if bare is not None:
                believed.remember(peer, bare)
        return decision

    def apply(environ: Environ) -> Decision:
        nonlocal recent
        key = None
        try:
            peer = environ["REMOTE_ADDR"]
            if client_key not in environ:
                bare = believed.get(peer)
                if bare is not None:
                    read, values, absent, decision, quiet_until = bare
                    if (
                        read(environ) == values
                        and absent.isdisjoint(environ)
                        and monotonic() < quiet_until
                        and not (usual and shows_more(environ))
                    ):
                        environ[DECISION_KEY] = decision
                        return decision
            if peer.startswith(beginnings) and (peer in believed or believes(peer)):
                finding = find(environ[client_key])
                if finding is not None:
                    try:
                        key = read_about(environ)
                    except KeyError:
                        # Of the listed headers, some are not there.
                        key = tuple(map(environ.get, about_keys))
                    hop, _, _, position, _, _, element = finding
                    if position != 1 or element is not None:
                        # What the client's element of Forwarded says decides as well.
                        key = position, element and element[1:], key
                    recent_key, recipe = recent
                    if key != recent_key:
                        recipe = recipes.get(key)
                        if recipe is not None:
                            recent = key, recipe
                    if (
                        recipe is not None
                        and environ.get(_CONNECTION) in PLAIN_CONNECTION
                        and in_believed.isdisjoint(environ)
                        and not (usual and shows_more(environ))
                    ):
                        connection = read_connection(environ)
                        writes, outcome = recipe
                        kept: Any = NOTHING
                        # First what would raise if this were no dictionary.
                        environ |= writes
                        if usual or hop[1] is not None:
                            write_address(environ, kept := {}, hop, peer)
                        else:
                            environ["REMOTE_ADDR"] = hop[0]
                        decision = _new(Decision, (connection, finding, outcome, kept))
                        environ[DECISION_KEY] = decision
                        return decision
            elif environ.get(_CONNECTION) in PLAIN_CONNECTION:
                # Looked for before `usual`, which another thread may make larger.
                found = in_direct.intersection(environ)
                if found.isdisjoint(_SPECIAL) and not (usual and shows_more(environ)):
                    connection = read_connection(environ)
                    kept = found, [*map(environ.pop, found)]
                    decision = _new(Decision, (connection, None, direct, kept))
                    environ[DECISION_KEY] = decision
                    return decision
        except (KeyError, AttributeError, TypeError):
            # A variable is not there, or is no text.
            pass
        return learn(environ, key)

    return apply


def _make_recipe(decision: Decision) -> _Recipe | None:
    """Make a recipe of what the long way wrote, if nothing was odd, cut or removed."""
    beside = decision.beside
    if beside is None or decision.problems or decision.rewritten or decision.removed:
        return None
    said = zip(_OWN_KEYS, beside[:5], strict=True)
    writes = {key: value for key, value in said if value is not None}
    return writes, decision.outcome._replace(variables=CONNECTION_KEYS)


def _make_bare(
    environ: Environ,
    decision: Decision,
    read: _Read,
    absent: frozenset[str],
) -> _Bare | None:
    """Remember a believed request without headers, if what it says is plain."""
    try:
        values = read(environ)
    except KeyError:
        return None
    if (
        decision.kept
        or environ.get(_CONNECTION) not in PLAIN_CONNECTION
        or not all(isinstance(value, str) for value in values)
        or max(map(len, values)) > MAX_HOST_CHARACTERS
    ):
        return None
    again = decision._replace(kept=NOTHING)
    return read, values, absent, again, monotonic() + INTERVAL
