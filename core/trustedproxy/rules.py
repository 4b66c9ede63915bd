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

from .beside import BesideReader
from .decision import Decision, Problem, Reason
from .headers import Category, ProxyHeader
from .lists import MAX_CHARACTERS
from .networks import read_peer
from .values import BLANKS, WEBSOCKET_SCHEMES, merge_port
from .walk import FINDERS, Finding, Trust, position_without_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .networks import Peer

#: A `Connection`, or a plain tuple of the same seven values.
ConnectionValues: TypeAlias = tuple[
    "str | None", str, "str | None", "str | None", "str | None", str, str
]

_new = tuple.__new__
_NOTHING: Mapping[Any, str] = MappingProxyType({})

# Looking a member up in its class is slow before Python 3.12.
_PEER_NOT_TRUSTED = Reason.PEER_NOT_TRUSTED

#: What a Connection header says without naming a header.
_PLAIN_CONNECTION = frozenset(
    {None, "close", "keep-alive", "upgrade", "Close", "Keep-Alive", "Upgrade"}
)
_REJECTING = frozenset({"malformed", "too-long"})
# A memo that fills up is emptied.
_MOST_REMEMBERED = 1024


def _rank(finding: Finding) -> int:
    """
    Say which of several client headers counts (R5); among equals, the last listed one.

    One that identifies the client beats one that does not, and a well-formed one beats
    a malformed one, which still counts where an address in it was vouched for.
    """
    if finding.client is not None:
        return 3
    if finding.problem is None:
        return 2
    return 1 if finding.vouched is not None else 0


class Rules:
    """
    A policy, compiled for one way of spelling header names.

    Args:
        headers: The trusted headers, in the policy's order.

        known: Every header that is known, the user's own among them.

        meet: Whether a peer is believed, and its address; ``None``: every peer is.

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
        meet: Callable[[str | None], Peer] | None,
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
        self._meet = meet
        self._trust = trust
        self._reject_malformed = reject_malformed
        self._reject_missing = reject_missing
        self._may_reject = reject_malformed or reject_missing
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
        self._missing = tuple(
            Problem("missing", name) for _, name, _ in self._client[-1:]
        )
        # Where no list wins the client category, the others are read here (R9).
        self._position = position_without_list(self._trust)
        self._reason_without_header = (
            Reason.HEADER_MISSING if self._client else Reason.NO_CLIENT_HEADER
        )
        beside = tuple(h for h in headers if h.category is not Category.CLIENT)
        self._beside = BesideReader(beside)
        self._beside_keys = tuple(self.key_of[header.name] for header in beside)
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
        if self._meet is not None:
            believed, own_address = self._meet(peer)
            if not believed:
                reason = _PEER_NOT_TRUSTED
                return self._direct(connection, headers, reason, own_address)

        finding, winner, lost, problems = self._find_client(headers)
        client, address, client_port = None, peer, None
        if finding is not None:
            found, vouched, text, position, reason, _, element = finding
            if vouched is not None:
                address, client_port, _ = vouched
                if found is not None:
                    client = address
        else:
            text, position, element = None, self._position, None
            reason = self._reason_without_header

        said = None if element is None else element[1:]
        texts = tuple(map(headers.get, self._beside_keys))
        key = (position, winner, said, texts)
        beside = self._beside.remembered.get(key) or self._beside.read(key)
        (
            new_scheme,
            new_host,
            new_server,
            new_port,
            new_mount_point,
            winners,
            rewritten,
            names_lost,
            more_problems,
        ) = beside
        if new_scheme is None:
            new_scheme = scheme
        elif scheme == "ws" or scheme == "wss":
            new_scheme = WEBSOCKET_SCHEMES[new_scheme]
        if new_host is None:
            new_host = host
        if self._port_in_host and new_host is not None:
            new_host = merge_port(new_host, new_scheme, new_port)

        connection_value = headers.get(self._connection_key)
        if connection_value not in _PLAIN_CONNECTION:
            problems += self._read_connection(connection_value)
        if more_problems:
            problems += more_problems
        rejected = None
        if self._may_reject and (client is None or problems):
            rejected = self._reject(client, winner, problems)
        if rejected is not None:
            # Whoever is refused must find in the log why.
            if rejected not in problems:
                problems += (rejected,)
            return self._refuse(connection, headers, reason, problems, rejected)

        original: dict[str, Any] = {}
        removed: tuple[str, ...] = ()
        if names_lost:
            lost += tuple([self.key_of[name] for name in names_lost])
        if lost or not self._synonyms.isdisjoint(headers):
            keys = self._synonyms.intersection(headers).union(lost)
            removed = self._remove(keys, headers, original)
        if text is not None and winner is not None:
            key_of_winner = self.key_of[winner]
            if text != headers[key_of_winner]:
                rewritten = {**rewritten, winner: text}
        if rewritten:
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
                new_scheme,
                new_host,
                server if new_server is None else new_server,
                port if new_port is None else new_port,
                mount_point if new_mount_point is None else new_mount_point,
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
        address: str | None = None,
    ) -> Decision:
        """Believe nothing: the connection's own values, and no forwarding header."""
        peer, scheme, host, server, port, mount_point, _ = connection
        problems: tuple[Problem, ...] = ()
        connection_value = headers.get(self._connection_key)
        if connection_value not in _PLAIN_CONNECTION:
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
                address or read_peer(peer)[0],
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

    def _read_connection(self, value: object) -> tuple[Problem, ...]:
        """Tell which known headers ``Connection`` asks proxies to drop (R14)."""
        if not self._listed:
            return ()
        text = str(value)
        options = text[-MAX_CHARACTERS:].lower().replace("_", "-").split(",")
        names = dict.fromkeys(
            name
            for option in options
            if (name := self._known_names.get(option.strip(BLANKS))) is not None
        )
        return tuple(Problem("named-in-connection", name, text) for name in names)

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
            if finding[5] is not None:
                problems += (Problem(finding[5], name, value),)
            rank = _rank(finding)
            if rank < best_rank:
                lost += (key,)
                continue
            if winner is not None:
                lost += (self.key_of[winner],)
            best, best_rank, winner = finding, rank, name
            if finding[2] is None:
                # It names nobody, so that nothing of it is kept.
                lost += (key,)
                winner = None
        if best is None:
            problems += self._missing
        return best, winner, lost, problems

    def _reject(
        self,
        client: str | None,
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
