"""
The compiled policy: from a connection and its headers to a decision.

In:  what the server says by itself, and a mapping of header keys to values.
Out: a `Decision`.  Nothing is rewritten, read from elsewhere, or raised on input.

A surface hands over its own mapping: the rules are compiled for its way of spelling
header names (`spell`), so that a WSGI environ is looked into and never copied.  What
else the mapping holds is not looked at.

The order is the order of the rules in the design: the secret and the peer first (R3),
then the client (R6 to R8, R11), then the other categories beside it (R9), then what is
removed (R2, R5) and whether the request is refused (R10, R14).
"""

from __future__ import annotations

import hmac
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from .addresses import parse_packed, spell
from .decision import Decision, Problem, Reason
from .headers import Category, ProxyHeader
from .lists import MAX_CHARACTERS, choose_element
from .networks import is_unix_peer
from .values import (
    BLANKS,
    MAX_HOST_CHARACTERS,
    PARSERS,
    WEBSOCKET_SCHEMES,
    merge_port,
    parse_host,
    parse_scheme,
)
from .walk import FINDERS, Finding, Trust, position_without_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: A `Connection`, or a plain tuple of the same seven values.
ConnectionValues: TypeAlias = tuple[
    "str | None", str, "str | None", "str | None", "str | None", str, str
]

_new = tuple.__new__
_NOTHING: Mapping[Any, str] = MappingProxyType({})

#: What a Connection header says without naming a header.
_PLAIN_CONNECTION = frozenset(
    {"close", "keep-alive", "upgrade", "Close", "Keep-Alive", "Upgrade"}
)
_REJECTING = frozenset({"malformed", "too-long"})
_FORWARDED = "Forwarded"

# Outcomes and sets of names come again; a memo that fills up is emptied.
_MOST_REMEMBERED = 1024

# What the categories beside the client's depend on: the client's position, the
# winner's name, its element of Forwarded, the connection's own values, and the values
# of the listed headers; and the outcome: the five values, winners, rewritten headers,
# keys of those that lost, problems.
_BesideKey: TypeAlias = tuple[Any, ...]
_Beside: TypeAlias = tuple[
    tuple[Any, ...],
    "Mapping[Category, str]",
    "Mapping[str, str]",
    tuple[str, ...],
    tuple[Problem, ...],
]


def choose_value(
    text: str,
    position: int | None,
    category: Category,
    parse: Callable[[str], str | None],
) -> tuple[str, str | None, str | None]:
    """
    Choose and read one value of a header beside the client's (rules R9 and R10).

    Returns:
        The element that counts as it came, its value or ``None``, and the code of the
        problem where there is one.
    """
    there, element = choose_element(text, position)
    if not there:
        # An empty header is the empty mount point, and absent elsewhere; one of
        # commas alone is absent everywhere.
        empty = category is Category.MOUNT_POINT and not text.strip(BLANKS)
        return "", "" if empty else None, None
    if element is None:
        return "", None, "too-long"
    value = parse(element)
    return element, value, "malformed" if value is None else None


def read_peer(peer: str | None) -> tuple[str | None, bytes | None]:
    """
    Read the peer as a client: canonical text and packed address, or twice ``None``.

    The zone of a link-local peer stays in its text and is not part of its address.
    """
    if is_unix_peer(peer) or peer is None:
        return None, None
    bare, percent, zone = peer.partition("%")
    packed = parse_packed(bare)
    if packed is None:
        return None, None
    return spell(packed) + percent + zone, packed


class Rules:
    """
    A policy, compiled for one way of spelling header names.

    Args:
        headers: The trusted headers, in the policy's order.

        known: Every header that is known, the user's own among them.

        trusts: Whether a peer is believed; ``None``: every peer is.

        trust: What the policy says about hops.

        secret_header: Name of the header that holds the secret, or ``None``.

        secrets: The secrets, any of which will do.

        strip_all: Whether every known header that is not a winner is removed.

        reject_malformed: Whether a malformed listed header is refused.

        reject_missing: Whether an unknown client is refused.

        port_in_host: Whether the port and the host are merged.

        spell: Header name on the wire → key in the mapping that `decide` is given.
    """

    def __init__(
        self,
        *,
        headers: tuple[ProxyHeader, ...],
        known: Iterable[ProxyHeader],
        trusts: Callable[[str | None], bool] | None,
        trust: Trust,
        secret_header: str | None,
        secrets: tuple[str, ...],
        strip_all: bool,
        reject_malformed: bool,
        reject_missing: bool,
        port_in_host: bool,
        spell: Callable[[str], str],
    ) -> None:
        known = tuple(known)
        #: Name on the wire → key in the mapping that `decide` is given.
        self.key_of = {header.name: spell(header.name) for header in known}
        self._name_of = {key: name for name, key in self.key_of.items()}
        self._known_names = {name.lower(): name for name in self.key_of}
        opted_in = {category for header in headers for category in header.categories}
        self.scheme_opted_in = Category.SCHEME in opted_in
        removable = [
            header
            for header in known
            if strip_all or not opted_in.isdisjoint(header.categories)
        ]
        listed = frozenset(header.name for header in headers)
        #: Keys of the headers that are removed unless they win.
        self.removable = frozenset(self.key_of[h.name] for h in removable)
        self._synonyms = self.removable - {self.key_of[name] for name in listed}
        self._listed = bool(headers)
        self._trusts = trusts
        self._trust = trust
        self._reject_malformed = reject_malformed
        self._reject_missing = reject_missing
        self._port_in_host = port_in_host
        self._connection_key = spell("Connection")
        self.secret_key = None if secret_header is None else spell(secret_header)
        self._secrets = tuple(
            secret.encode("utf-8", "surrogatepass") for secret in secrets
        )
        self._client = tuple(
            (self.key_of[header.name], header.name, FINDERS[header.form])
            for header in headers
            if header.category is Category.CLIENT
        )
        # Where no list wins the client category, the others are read here (R9).
        self._position = position_without_list(self._trust)
        self._reason_without_header = (
            Reason.HEADER_MISSING if self._client else Reason.NO_CLIENT_HEADER
        )
        self._singles = tuple(
            (header.category, header.name, PARSERS[header.form])
            for header in headers
            if header.category is not Category.CLIENT
        )
        self._single_keys = tuple(self.key_of[name] for _, name, _ in self._singles)
        #: Keys that are looked up, besides those that are only removed.
        self.read = frozenset(
            key
            for key in (
                self._connection_key,
                self.secret_key,
                *(self.key_of[name] for name in listed),
            )
            if key is not None
        )
        self._remembered: dict[_BesideKey, _Beside] = {}
        self._names: dict[frozenset[str], tuple[str, ...]] = {}

    def decide(
        self, connection: ConnectionValues, headers: Mapping[str, Any]
    ) -> Decision:
        """
        Decide one request.

        Args:
            connection: What the server says by itself.

            headers:
                Key of a header → its value, lines joined by commas; keys as `spell`
                spells them.  Other keys are not looked at.

        Returns:
            The decision; its `original` holds the headers that are to be removed or
            rewritten, by their keys, and is completed by the writer.
        """
        peer, scheme, host, server, port, mount_point, _ = connection
        if self.secret_key is not None and not self._has_secret(headers):
            return self._direct(connection, headers, Reason.SECRET_MISSING)
        if not self._listed:
            return self._direct(connection, headers, Reason.NO_TRUSTED_HEADERS)
        if self._trusts is not None and not self._trusts(peer):
            return self._direct(connection, headers, Reason.PEER_NOT_TRUSTED)

        finding, winner, lost, problems = self._find_client(headers)
        client, address, client_port = None, peer, None
        if finding is not None:
            _, vouched, text, position, reason, _, element = finding
            if vouched is not None:
                address, client_port, _ = vouched
                if finding[0] is not None:
                    client = address
        else:
            text, position, element = None, self._position, None
            reason = self._reason_without_header

        key = (
            position,
            winner,
            element,
            scheme,
            host,
            server,
            port,
            mount_point,
            *[headers.get(key) for key in self._single_keys],
        )
        beside = self._remembered.get(key)
        if beside is None:
            beside = self._read_beside(key)
        values, winners, rewritten, also_lost, more_problems = beside

        connection_value = headers.get(self._connection_key)
        if connection_value is not None and connection_value not in _PLAIN_CONNECTION:
            problems += self._read_connection(connection_value)
        problems += more_problems
        if client is None or problems:
            rejected = self._reject(client, reason, winner, problems)
            if rejected is not None:
                return self._refuse(connection, headers, reason, problems, rejected)

        original: dict[str, Any] = {}
        removed: tuple[str, ...] = ()
        lost += also_lost
        if lost or not self._synonyms.isdisjoint(headers):
            keys = self._synonyms.intersection(headers).union(lost)
            removed = self._remove(keys, headers, original)
        if winner is not None and text is not None:
            before = headers[self.key_of[winner]]
            if text is not before and text != before:
                rewritten = {**rewritten, winner: text}
        for name in rewritten:
            original[self.key_of[name]] = headers[self.key_of[name]]
        return _new(
            Decision,
            (
                peer,
                True,
                client,
                address,
                client_port,
                *values,
                reason,
                winners,
                removed,
                rewritten,
                problems,
                None,
                original,
            ),
        )

    def _direct(
        self,
        connection: ConnectionValues,
        headers: Mapping[str, Any],
        reason: Reason,
    ) -> Decision:
        """Believe nothing: the connection's own values, and no forwarding header."""
        peer, scheme, host, server, port, mount_point, _ = connection
        problems: tuple[Problem, ...] = ()
        connection_value = headers.get(self._connection_key)
        if connection_value is not None and connection_value not in _PLAIN_CONNECTION:
            problems = self._read_connection(connection_value)
        original: dict[str, Any] = {}
        removed: tuple[str, ...] = ()
        keys = self.removable.intersection(headers)
        if keys:
            removed = self._remove(keys, headers, original)
        return _new(
            Decision,
            (
                peer,
                False,
                read_peer(peer)[0],
                peer,
                None,
                scheme,
                host,
                server,
                port,
                mount_point,
                reason,
                _NOTHING,
                removed,
                _NOTHING,
                problems,
                None,
                original,
            ),
        )

    def _refuse(
        self,
        connection: ConnectionValues,
        headers: Mapping[str, Any],
        reason: Reason,
        problems: tuple[Problem, ...],
        rejected: Problem,
    ) -> Decision:
        """Leave the request unrewritten, without its opted-in headers (R10, R14)."""
        return self._direct(connection, headers, reason)._replace(
            believed=True, client=None, problems=problems, rejected=rejected
        )

    def _has_secret(self, headers: Mapping[str, Any]) -> bool:
        """Compare with every secret, in time that tells nothing about them."""
        value = headers.get(self.secret_key or "")
        if value is None:
            return False
        given = str(value).strip(BLANKS).encode("utf-8", "surrogatepass")
        found = False
        for secret in self._secrets:
            found |= hmac.compare_digest(given, secret)
        return found

    def _read_connection(self, value: str) -> tuple[Problem, ...]:
        """Tell which known headers ``Connection`` asks proxies to drop (R14)."""
        if not self._listed or not isinstance(value, str):
            return ()
        options = value[-MAX_CHARACTERS:].lower().replace("_", "-").split(",")
        names = dict.fromkeys(
            name
            for option in options
            if (name := self._known_names.get(option.strip(BLANKS))) is not None
        )
        return tuple(Problem("named-in-connection", name, value) for name in names)

    def _find_client(
        self, headers: Mapping[str, Any]
    ) -> tuple[Finding | None, str | None, tuple[str, ...], tuple[Problem, ...]]:
        """
        Read the listed client headers that are there.

        Returns:
            The finding that counts, the name of its header where something of the
            header is kept, the keys of those that lost, and what was wrong.
        """
        best: Finding | None = None
        best_rank = -1
        winner: str | None = None
        lost: tuple[str, ...] = ()
        problems: tuple[Problem, ...] = ()
        for key, name, find in self._client:
            value = headers.get(key)
            if value is None:
                continue
            finding = find(value, self._trust, None)
            if finding is None:
                # Empty, which is as good as absent.
                lost += (key,)
                continue
            client, vouched, text, _, _, problem, _ = finding
            if problem is not None:
                problems += (Problem(problem, name, value),)
            # One that identifies the client beats one that does not; among equals,
            # the last in the policy's order wins (R5).
            rank = (
                3
                if client is not None
                else 2
                if problem is None
                else vouched is not None
            )
            if rank < best_rank:
                lost += (key,)
                continue
            if winner is not None:
                lost += (self.key_of[winner],)
            best, best_rank, winner = finding, rank, name
            if text is None:
                lost += (key,)
                winner = None
        if best is None and self._client:
            problems += (Problem("missing", self._client[-1][1]),)
        return best, winner, lost, problems

    def _read_beside(self, key: _BesideKey) -> _Beside:
        """
        Read the categories beside the client's: scheme, host, server, port, mount.

        All that they depend on is in *key*.  Hosts and proxies come again where
        clients do not, so well-formed outcomes are remembered.
        """
        position, winner, element, scheme, host, server, port, mount_point, *texts = key
        values: dict[Category, str | None] = {
            Category.SCHEME: scheme,
            Category.HOST: host,
            Category.SERVER: server,
            Category.PORT: port,
            Category.MOUNT_POINT: mount_point,
        }
        winners: dict[Category, str] = {}
        if winner is not None:
            winners[Category.CLIENT] = winner
        rewritten: dict[str, str] = {}
        lost: list[str] = []
        problems: list[Problem] = []
        parse: Callable[[str], str | None]
        if element is not None:
            # RFC 7239 sections 5.3 and 5.4, from the client's own element (R12).
            for category, text, parse in (
                (Category.SCHEME, element.proto, parse_scheme),
                (Category.HOST, element.host, parse_host),
            ):
                if text is None:
                    continue
                value = parse(text)
                if value is None:
                    problems.append(Problem("malformed", _FORWARDED, text))
                else:
                    winners[category], values[category] = _FORWARDED, value
        for (category, name, parse), text in zip(self._singles, texts, strict=True):
            if text is None:
                continue
            chosen, value, problem = choose_value(text, position, category, parse)
            if problem is not None:
                problems.append(Problem(problem, name, text))
            if value is None:
                lost.append(self.key_of[name])
                continue
            if category in winners:
                loser = winners[category]
                lost.append(self.key_of[loser])
                rewritten.pop(loser, None)
            winners[category], values[category] = name, value
            if chosen != text:
                rewritten[name] = chosen
        scheme = str(values[Category.SCHEME])
        if key[3] in ("ws", "wss") and Category.SCHEME in winners:
            scheme = values[Category.SCHEME] = WEBSOCKET_SCHEMES[scheme]
        host = values[Category.HOST]
        if self._port_in_host and host is not None:
            trusted = values[Category.PORT] if Category.PORT in winners else None
            values[Category.HOST] = merge_port(host, scheme, trusted)
        beside: _Beside = (
            tuple(values.values()),
            MappingProxyType(winners),
            MappingProxyType(rewritten),
            tuple(lost),
            tuple(problems),
        )
        if not problems and not rewritten and len(host or "") <= MAX_HOST_CHARACTERS:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = beside
        return beside

    def _reject(
        self,
        client: str | None,
        reason: Reason,
        winner: str | None,
        problems: tuple[Problem, ...],
    ) -> Problem | None:
        """Say for which problem the request is to be refused, if for any."""
        if self._reject_malformed:
            for problem in problems:
                if problem.code in _REJECTING:
                    return problem
        if self._reject_missing and client is None:
            for problem in problems:
                if problem.code != "named-in-connection":
                    return problem
            return Problem("unidentified", winner or self._client[-1][1])
        return None

    def _remove(
        self,
        keys: frozenset[str],
        headers: Mapping[str, Any],
        original: dict[str, Any],
    ) -> tuple[str, ...]:
        """Note what the headers *keys* held; say their names in the table's order."""
        for key in keys:
            original[key] = headers[key]
        names = self._names.get(keys)
        if names is None:
            order = list(self._name_of)
            names = tuple(self._name_of[k] for k in sorted(keys, key=order.index))
            if len(self._names) >= _MOST_REMEMBERED:
                self._names.clear()
            self._names[keys] = names
        return names
