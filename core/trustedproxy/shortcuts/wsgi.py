"""
The short way through a WSGI environ.

In:  rules compiled for environs, and the long way.
Out: `compile_call`.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from ..decision import NOTHING, Decision
from ..memo import Memo
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
from .parties import compile_believes, compile_find, compile_give_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._types import Environ, Result
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

_new = tuple.__new__
_read_connection = itemgetter(*CONNECTION_KEYS)

#: What is written for a believed request, and what is said of it.
_Recipe: TypeAlias = "tuple[dict[str, Any], Outcome]"
#: A peer's last believed request without headers, whose decision is given again, so
#: many times: the server's own values there, in their order, what Connection said, keys
#: that must not be there, and the decision.
_Bare: TypeAlias = (
    "tuple[str, str, str, str, str, str | None, frozenset[str], Iterator[Decision]]"
)


def compile_call(
    rules: Rules,
    networks: TrustedNetworks | None,
    apply_slowly: Callable[[Environ], Decision],
    app: Callable[[Environ, Any], Result],
    answer: Callable[[Decision, Environ, Any], Result],
) -> Callable[[Environ, Any], Result]:
    """
    Compile the short way for *rules*, up to the application.

    Args:
        rules: Compiled for WSGI; they must be ordinary.

        networks: What the rules trust; ``None``: every peer.

        apply_slowly: The long way: an environ → its decision, written.

        app: Called at the end of the short way, where nothing is ever refused.

        answer: Called with the decision of the long way.

    Returns:
        A function of an environ, and of what *app* and *answer* take besides.
    """
    beginnings = ("",) if networks is None else networks.list_beginnings()
    believed: Memo[str, _Bare | None] = Memo()
    recall = believed.get
    believes = compile_believes(rules, believed)
    give_again = compile_give_again()
    find = compile_find(rules, networks)
    (client_key, *_), *_ = rules.client
    # What the outcome depends on, besides where the client stands in its list.
    about_keys = ("wsgi.url_scheme", *rules.beside_keys)
    read_about = itemgetter(*about_keys)
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
        scheme = environ.get("wsgi.url_scheme")
        is_bare = rules.removable.isdisjoint(environ)
        decision = apply_slowly(environ)
        # A peer with another name there has come through a unix socket, and another
        # scheme is the socket's own.
        if found != new or decision.connection[:2] != (peer, scheme):
            return decision
        if key is not None:
            recipe = _make_recipe(decision)
            if recipe is not None:
                recipes.remember(key, recipe)
        elif is_bare and decision.believed and not decision.kept:
            absent = (rules.removable | _SPECIAL_IF_BELIEVED) - usual
            values = _read_plain(environ)
            if values is not None:
                if values[-1] is None:
                    absent |= {_CONNECTION}
                again = give_again(peer, decision)
                believed.remember(peer, (*values, absent, again))
        return decision

    def call(environ: Environ, start_response: Any) -> Result:
        proxy = decision = None
        try:
            peer = environ["REMOTE_ADDR"]
            if client_key not in environ and (bare := recall(peer)) is not None:
                scheme, host, server, port, mount_point, said, absent, again = bare
                # Read one by one, which is sooner done here than all at once.
                if (
                    environ["wsgi.url_scheme"] == scheme
                    and environ["HTTP_HOST"] == host
                    and environ["SERVER_NAME"] == server
                    and environ["SERVER_PORT"] == port
                    and environ["SCRIPT_NAME"] == mount_point
                    and (said is None or environ[_CONNECTION] == said)
                    and absent.isdisjoint(environ)
                    and not (usual and shows_more(environ))
                ):
                    # Once, if it was not given often enough: else the long way.
                    for decision in again:
                        environ[DECISION_KEY] = decision
                        break
            elif peer.startswith(beginnings) and (peer in believed or believes(peer)):
                proxy = peer
            elif _CONNECTION not in environ or environ[_CONNECTION] in PLAIN_CONNECTION:
                # Looked for before `usual`, which another thread may make larger.
                found = in_direct.intersection(environ)
                if found.isdisjoint(_SPECIAL) and not (usual and shows_more(environ)):
                    connection = _read_connection(environ)
                    kept = found, [*map(environ.pop, found)]
                    decision = _new(Decision, (connection, None, direct, kept))
                    environ[DECISION_KEY] = decision
        except (KeyError, AttributeError, TypeError):
            # A variable is not there, or is no text.
            decision = None
        if decision is None:
            return call_on(environ, start_response, proxy)
        return app(environ, start_response)

    def call_on(environ: Environ, start_response: Any, proxy: str | None) -> Result:
        """
        Go on where the headers are believed, or where the long way has to be taken.

        Args:
            environ: The environ.

            start_response: What *app* and *answer* take besides.

            proxy: The peer whose headers are believed, or ``None``.
        """
        nonlocal recent
        key = decision = None
        try:
            finding = None if proxy is None else find(environ[client_key])
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
                    and (
                        _CONNECTION not in environ
                        or environ[_CONNECTION] in PLAIN_CONNECTION
                    )
                    and in_believed.isdisjoint(environ)
                    and not (usual and shows_more(environ))
                ):
                    connection = _read_connection(environ)
                    writes, outcome = recipe
                    kept: Any = NOTHING
                    # First what would raise if this were no dictionary.
                    environ |= writes
                    if usual or hop[1] is not None:
                        write_address(environ, kept := {}, hop, proxy)
                    else:
                        environ["REMOTE_ADDR"] = hop[0]
                    decision = _new(Decision, (connection, finding, outcome, kept))
                    environ[DECISION_KEY] = decision
        except (KeyError, AttributeError, TypeError):
            decision = None
        if decision is None:
            return answer(learn(environ, key), environ, start_response)
        return app(environ, start_response)

    return call


def _make_recipe(decision: Decision) -> _Recipe | None:
    """Make a recipe of what the long way wrote, if nothing was odd, cut or removed."""
    beside = decision.beside
    if beside is None or decision.problems or decision.rewritten or decision.removed:
        return None
    said = zip(CONNECTION_KEYS[1:], beside[:5], strict=True)
    writes = {key: value for key, value in said if value is not None}
    return writes, decision.outcome._replace(variables=CONNECTION_KEYS)


def _read_plain(
    environ: Environ,
) -> tuple[str, str, str, str, str, str | None] | None:
    """Read the server's own values and ``Connection``, if they are worth to keep."""
    values: list[Any] = [environ.get(key) for key in CONNECTION_KEYS[1:]]
    said: Any = environ.get(_CONNECTION)
    if (
        said not in PLAIN_CONNECTION
        or not all(isinstance(value, str) for value in values)
        or max(map(len, values)) > MAX_HOST_CHARACTERS
    ):
        return None
    scheme, host, server, port, mount_point = values
    return scheme, host, server, port, mount_point, said
