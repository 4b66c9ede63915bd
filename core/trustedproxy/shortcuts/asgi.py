"""
The short way through an ASGI scope.

In:  rules compiled for the names on the wire, and the long way.
Out: `compile_apply_scope`.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..asgi import CHAINS, is_unix_server, read_name
from ..decision import Decision
from ..memo import Memo
from ..rules import PLAIN_CONNECTION
from ..values import MAX_HOST_CHARACTERS
from ..wsgi import DECISION_KEY
from .parties import compile_believes, compile_find, compile_give_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .._types import Scope
    from ..decision import Outcome
    from ..networks import TrustedNetworks
    from ..rules import Rules

Lines: TypeAlias = "list[tuple[bytes, bytes]]"

# Names of one request, and bytes of them, at most that are remembered.
_MOST_NAMES = 64
_LONGEST_NAMES = 2048
_PLAIN_CONNECTION = tuple(text and text.encode() for text in PLAIN_CONNECTION)

_new = tuple.__new__
_read_name_of_line = itemgetter(0)


class _Shape(NamedTuple):
    """
    Where the headers stand in requests that send the same ones in the same order.

    Attributes:
        client: The place of the client header, or ``None``.

        host: The place of ``Host``, or ``None``.

        connection: The place of ``Connection``, or ``None``.

        read_deciding: Reads the other lines that the decision depends on.

        has_no_synonym: Whether nothing is there that a believed peer's request loses.

        removed: Key and place of what is removed if the peer is not believed.

        read_rest: Reads the other lines.

        chains: The places of what a server could have read by itself.
    """

    client: int | None
    host: int | None
    connection: int | None
    read_deciding: Callable[[Lines], tuple[Any, ...]]
    has_no_synonym: bool
    removed: tuple[tuple[str, int], ...]
    read_rest: Callable[[Lines], Iterable[tuple[bytes, bytes]]]
    chains: tuple[int, ...]


#: What is written into a believed scope, and what is said of it: the connection's
#: values but the peer, the scope's new values, a new host, the values before, and what
#: was concluded.
_Recipe: TypeAlias = (
    "tuple[tuple[Any, ...], dict[str, Any], bytes | None, dict[str, Any], Outcome]"
)
#: What a peer's last believed scope without headers says, and its decision, which is
#: given again, so many times.
_Bare: TypeAlias = "tuple[tuple[Any, ...], Iterator[Decision]]"


def compile_apply_scope(
    rules: Rules,
    networks: TrustedNetworks | None,
    wanted: frozenset[str],
    apply_slowly: Callable[[Scope], tuple[Decision, Scope]],
) -> Callable[[Scope], tuple[Decision, Scope]]:
    """
    Compile the short way for ASGI, as `compile_call` does for WSGI.

    Args:
        rules: Compiled for the names on the wire; they must be ordinary.

        networks: What the rules trust; ``None``: every peer.

        wanted: The keys of the headers that are read, as `asgi.wanted_keys` says.

        apply_slowly: The long way: a scope → its decision and the new scope.
    """
    beginnings = ("",) if networks is None else networks.list_beginnings()
    believed: Memo[str, _Bare | None] = Memo()
    believes = compile_believes(rules, believed)
    give_again = compile_give_again()
    find = compile_find(rules, networks)
    recipes: Memo[Any, _Recipe] = Memo()
    # The likeliest one, which is cheaper to compare than to look up.
    recent: tuple[Any, _Recipe | None] = (None, None)
    direct = rules.not_trusted
    shapes: Memo[tuple[bytes, ...], tuple[Any, ...]] = Memo()
    # Names and ports of servers that are no path of a unix socket.
    tcp_servers: Memo[Any, None] = Memo()

    def is_tcp(server: Any) -> bool:
        """Say whether *server* is a name and a port, and remember it."""
        name, port = server
        tcp = (
            isinstance(name, str)
            and len(name) <= MAX_HOST_CHARACTERS
            and port.__class__ is int
            and port != 0
            and not is_unix_server(server)
        )
        if tcp:
            tcp_servers.remember(server, None)
        return tcp

    def learn_shape(names: tuple[bytes, ...]) -> None:
        """Find where the headers stand that come in this order, if they are few."""
        if len(names) <= _MOST_NAMES and sum(map(len, names)) <= _LONGEST_NAMES:
            shape = _make_shape(names, rules, wanted)
            if shape is not None:
                shapes.remember(names, tuple(shape))

    def learn(scope: Scope, peer: Any, says: Any, key: Any) -> tuple[Decision, Scope]:
        """
        Take the long way, and learn from it if the request is not a special one.

        Args:
            scope: The scope.

            peer: The peer.

            says: What the scope says besides, or ``None`` for a special one.

            key: Where a recipe would be looked up; ``None``: there are no headers.
        """
        decision, new = apply_slowly(scope)
        if says is None:
            return decision, new
        headers = dict(scope["headers"])
        host, connection = headers.get(b"host"), headers.get(b"connection")
        values = _spell(says, host)
        # A peer with another name there has come through a unix socket.
        is_same = decision.connection == (peer, *values)
        is_short = len(host or b"") <= MAX_HOST_CHARACTERS >= len(values[4])
        if not (is_same and is_short and connection in _PLAIN_CONNECTION):
            return decision, new
        if key is not None:
            recipe = _make_recipe(values, decision, new)
            if recipe is not None:
                recipes.remember(key, recipe)
        else:
            # Lines that are lists may be changed by whoever has them now.
            *about, lines = says
            says = (*about, tuple(map(tuple, lines)))
            believed.remember(peer, (says, give_again(peer, decision)))
        return decision, new

    def apply_scope(scope: Scope) -> tuple[Decision, Scope]:
        nonlocal recent
        peer: Any = None
        says: Any = None
        key: Any = None
        try:
            lines, server = scope["headers"], scope["server"]
            shape = None
            # Another iterable may be one that can be gone through only once.
            if lines.__class__ is list:
                names = tuple(map(_read_name_of_line, lines))
                shape = shapes.get(names)
                if shape is None:
                    learn_shape(names)
            peer, port = scope["client"]
            if (
                shape is not None
                and scope["type"] == "http"
                and port
                and peer
                and peer.__class__ is str
                and (server in tcp_servers or is_tcp(server))
                and DECISION_KEY not in scope
            ):
                (
                    client,
                    host,
                    connection,
                    read_deciding,
                    has_no_synonym,
                    removed,
                    read_rest,
                    chains,
                ) = shape
                about = (
                    scope["scheme"],
                    server,
                    scope.get("root_path"),
                    read_deciding(lines),
                )
                if not (
                    peer.startswith(beginnings) and (peer in believed or believes(peer))
                ):
                    # A chain with the connection's own port: its server has read it.
                    own = f":{port}".encode()
                    if (
                        connection is None or lines[connection][1] in _PLAIN_CONNECTION
                    ) and not any(own in lines[place][1] for place in chains):
                        values = _spell(about, None if host is None else lines[host][1])
                        kept: Any = {
                            name: lines[place][1].decode("latin-1")
                            for name, place in removed
                        }
                        new = dict(scope)
                        new["headers"] = [*read_rest(lines)]
                        decision = _new(Decision, ((peer, *values), None, direct, kept))
                        new[DECISION_KEY] = decision
                        return decision, new
                elif client is not None:
                    text = lines[client][1].decode("latin-1")
                    finding = find(text)
                    if finding is not None and has_no_synonym:
                        says = key = about
                        hop, _, _, position, _, _, element = finding
                        if position != 1 or element is not None:
                            key = position, element and element[1:], key
                        recent_key, recipe = recent
                        if key != recent_key:
                            recipe = recipes.get(key)
                            if recipe is not None:
                                recent = key, recipe
                        # A port in the chain may tell that the server has read it.
                        if (
                            recipe is not None
                            and hop[1] is None
                            and (position == 1 or f":{port}" not in text)
                        ):
                            values, writes, new_host, kept, outcome = recipe
                            new = dict(scope)
                            new["headers"] = lines = list(lines)
                            if new_host is not None:
                                lines[host] = b"host", new_host
                            new |= writes
                            kept = dict(kept)
                            if hop[0] != peer:
                                new["client"] = hop[0], 0
                                kept["client"] = scope["client"]
                            decision = _new(
                                Decision, ((peer, *values), finding, outcome, kept)
                            )
                            new[DECISION_KEY] = decision
                            return decision, new
                elif not removed:
                    says = about
                    bare = believed.get(peer)
                    if bare is not None and bare[0] == about:
                        for decision in bare[1]:
                            new = dict(scope)
                            new["headers"] = list(lines)
                            new[DECISION_KEY] = decision
                            return decision, new
        except (KeyError, AttributeError, TypeError, ValueError):
            # Something is not there, or is not what the specification says.
            says = None
        return learn(scope, peer, says, key)

    return apply_scope


def _spell(about: Any, host: bytes | None) -> tuple[Any, ...]:
    """Spell what a scope says as a `Connection` does, without the peer and the path."""
    scheme, (name, port), root_path, _ = about
    text = None if host is None else host.decode("latin-1")
    return scheme, text, name, str(port), root_path or ""


def _make_shape(
    names: tuple[bytes, ...], rules: Rules, wanted: frozenset[str]
) -> _Shape | None:
    """Find where everything stands; ``None`` for twins, and for what comes twice."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        key = read_name(name)
        if key in wanted:
            if key in places or key.encode("latin-1") != name:
                return None
            places[key] = place
    about = [
        places[key]
        for key in ("host", "connection", *rules.beside_keys)
        if key in places
    ]
    removed = {key: places[key] for key in places if key in rules.removable}
    rest = set(range(len(names))).difference(removed.values())
    return _Shape(
        places.get(rules.client[0][0]),
        places.get("host"),
        places.get("connection"),
        _compile_read(about),
        rules.synonyms.isdisjoint(places),
        tuple(removed.items()),
        _compile_read(sorted(rest)),
        tuple(places[key] for key in CHAINS if key in places),
    )


def _compile_read(places: list[int]) -> Callable[[Lines], tuple[Any, ...]]:
    """Compile what reads the lines at *places*."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda lines: tuple([lines[place] for place in places])


def _make_recipe(
    values: tuple[Any, ...], decision: Decision, new: Scope
) -> _Recipe | None:
    """
    Make a recipe of what the long way wrote.

    There is none where something was odd, cut or removed; nor for a mount point, which
    moves the path of every request, nor for a host that has no line to stand in.
    """
    beside = decision.beside
    if (
        beside is None
        or beside.mount_point is not None
        or decision.problems
        or decision.rewritten
        or decision.removed
        or values[1] is None
    ):
        return None
    original = {k: v for k, v in decision.original.items() if k != "client"}
    writes = {key: new[key] for key in original if key != "host"}
    host = decision.host if "host" in original else None
    raw = None if host is None else host.encode("latin-1")
    return values, writes, raw, original, decision.outcome
