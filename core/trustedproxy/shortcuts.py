"""
The short way for what nearly every WSGI request is.

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

from .decision import NOTHING, Decision, Reason, make_direct
from .notices import tell_problems
from .rules import PLAIN_CONNECTION
from .wsgi import (
    CONNECTION_KEYS,
    DECISION_KEY,
    PROXY_FIX_KEY,
    is_plain,
    write_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import Environ
    from .beside import Beside
    from .rules import ConnectionValues, Rules

# A memo that fills up is emptied.
_MOST_REMEMBERED = 1024

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
    watched = rules.removable | _SPECIAL
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
                found = watched.intersection(environ)
                if found and not found.isdisjoint(_SPECIAL):
                    return apply_slowly(environ)
                original = {}
                for key in found:
                    original[key] = environ.pop(key)
                decision = make_direct(connection, _PEER_NOT_TRUSTED, original, keys)
                environ[DECISION_KEY] = decision
                return decision

            value = get(client_key)
            if value is None:
                connection = _read_connection(environ)
                if not watched.isdisjoint(environ):
                    return apply_slowly(environ)
                decision = bare.get(connection) or decide_bare(connection)
                if decision[5]:
                    tell_problems(decision[5], connection[0])
                environ[DECISION_KEY] = decision
                return decision

            finding = find(value, trust, None)
            if finding is None or finding[0] is None or finding[2] != value:
                return apply_slowly(environ)
            about = read_all(environ)
        except KeyError:
            return apply_slowly(environ)
        recipe = recipes.get((finding[3], about))
        if recipe is None or not watched_besides.isdisjoint(environ):
            decision = apply_slowly(environ)
            remember((finding[3], about), about[:6], decision)
            return decision
        connection, beside, writes, before = recipe
        original = before.copy()
        write_address(environ, original, finding[0], connection[0])
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


def _make_recipe(connection: Any, decision: Decision) -> _Recipe | None:
    beside = decision.beside
    if (
        beside is None
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
