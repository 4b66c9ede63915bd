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

from .client import FINDERS, Finding, Trust, position_without_list
from .decision import NOTHING, Decision, Outcome, Problem, Reason
from .headers import Category, Form, ProxyHeader
from .parsing.lists import MAX_CHARACTERS
from .parsing.values import BLANKS
from .url_parts import BesideReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: The values of a `Connection` but its path, which decides nothing.
ConnectionValues: TypeAlias = tuple[
    "str | None", str, "str | None", "str | None", "str | None", str
]

# Looking a member up in its class is slow before Python 3.12.
_PEER_NOT_TRUSTED = Reason.PEER_NOT_TRUSTED

#: What a Connection header says without naming a header, the likeliest first: to go
#: through them is sooner done than to hash what came.
PLAIN_CONNECTION = (
    "close",
    "keep-alive",
    None,
    "upgrade",
    "Close",
    "Keep-Alive",
    "Upgrade",
)
_REJECTING = frozenset({"malformed", "too-long"})


def _rank(finding: Finding) -> int:
    """
    Say which of several client headers counts (R5); among equals, the last listed one.

    One that identifies the client beats one that does not, and a well-formed one beats
    a malformed one, which still counts where an address in it was confirmed.
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

        trusts: Whether a peer is trusted; ``None``: every peer is.

        trust: What the policy says about hops.

        secret_header: Name of the header that holds the secret, or ``None``.

        secrets: The secrets, any of which will do.

        strip_all: Whether every known header that is not a winner is removed.

        reject_malformed: Whether a malformed listed header is refused.

        reject_missing: Whether an unknown client is refused.

        port_in_host: Whether the port and the host are merged.

        spell: Header name on the wire → key in the mapping that `decide` is given.

        fixed: Whether what *trusts* says of a peer never changes.
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
        fixed: bool,
    ) -> None:
        known = tuple(known)
        #: Name on the wire → key in the mapping that `decide` is given.
        self.key_of = MappingProxyType(
            {header.name: spell(header.name) for header in known}
        )
        self._known_names = {name.lower(): name for name in self.key_of}
        opted_in = {category for header in headers for category in header.categories}
        #: Whether a header of the scheme is listed.
        self.scheme_opted_in = Category.SCHEME in opted_in
        removable = [
            header
            for header in known
            if strip_all or not opted_in.isdisjoint(header.categories)
        ]
        listed = frozenset(header.name for header in headers)
        #: Keys of the headers that are removed unless they win.
        self.removable = frozenset(self.key_of[h.name] for h in removable)
        self.synonyms = self.removable - {self.key_of[name] for name in listed}
        self.trusts = trusts
        self.trust = trust
        self._reject_malformed = reject_malformed
        self._reject_missing = reject_missing
        self._may_reject = reject_malformed or reject_missing
        #: What is concluded about a request whose peer is not trusted.
        self.not_trusted = Outcome(
            _PEER_NOT_TRUSTED, None, NOTHING, (), None, self.key_of
        )
        self._connection_key = spell("Connection")
        self.secret_key = None if secret_header is None else spell(secret_header)
        self._secrets = tuple(
            secret.encode("utf-8", "surrogatepass") for secret in secrets
        )
        self.client = tuple(
            (self.key_of[header.name], header.name, FINDERS[header.form])
            for header in headers
            if header.category is Category.CLIENT
        )
        self._missing = tuple(
            Problem("missing", name) for _, name, _ in self.client[-1:]
        )
        # Where no list wins the client category, the others are read here (R9).
        self._position = position_without_list(self.trust)
        self._reason_without_header = (
            Reason.HEADER_MISSING if self.client else Reason.NO_CLIENT_HEADER
        )
        beside = tuple(h for h in headers if h.category is not Category.CLIENT)
        forwarded = [h.name for h in headers if h.form is Form.FORWARDED]
        self._beside = BesideReader(
            beside, port_in_host=port_in_host, forwarded="".join(forwarded)
        )
        self._remembered_beside = self._beside.remembered
        self._port_in_host = port_in_host
        self.beside_keys = tuple(self.key_of[header.name] for header in beside)
        self._listed_keys = tuple(self.key_of[header.name] for header in headers)
        self._gated = secret_header is not None or not headers
        #: Whether the shortcuts can be taken (`shortcuts`).
        self.are_ordinary = (
            len(self.client) == 1
            and secret_header is None
            and fixed
            and not (port_in_host or reject_malformed or reject_missing)
        )
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
            The decision; its `kept` is a dictionary of the headers that are to be
            removed or rewritten, by their keys, and is completed by the writer.
        """
        if self._gated:
            if self.secret_key is not None and not self._has_secret(headers):
                return self.direct(connection, headers, Reason.SECRET_MISSING)
            if not self._listed_keys:
                return self.direct(connection, headers, Reason.NO_TRUSTED_HEADERS)
        trusts = self.trusts
        if trusts is not None and not trusts(connection[0]):
            return self.direct(connection, headers, _PEER_NOT_TRUSTED)
        return self._believe(connection, headers)

    def direct(
        self,
        connection: ConnectionValues,
        headers: Mapping[str, Any],
        reason: Reason,
    ) -> Decision:
        """Trust nothing: the connection's own values, and no forwarding header."""
        problems: tuple[Problem, ...] = ()
        if headers.get(self._connection_key) not in PLAIN_CONNECTION:
            problems = self._read_connection(headers[self._connection_key])
        found = self.removable.intersection(headers)
        kept = {key: headers[key] for key in found}
        outcome = self.not_trusted._replace(reason=reason, problems=problems)
        return Decision(connection, None, outcome, kept)

    def _believe(
        self, connection: ConnectionValues, headers: Mapping[str, Any]
    ) -> Decision:
        """Read the headers of a trusted peer."""
        finding, winner, lost, of_client = self._find_client(headers)
        problems = of_client
        said = text = None
        if finding is None:
            position = self._position
            reason = self._reason_without_header
        else:
            _, _, text, position, reason, _, element = finding
            if element is not None:
                said = element[1:]
        texts = tuple([headers.get(key) for key in self.beside_keys])
        own = None
        if self._port_in_host or connection[1] == "ws" or connection[1] == "wss":
            own = connection[1:3]
        about = (position, winner, said, texts, own)
        beside = self._remembered_beside.get(about) or self._beside.read(about)
        rewritten = beside[6]
        if beside[7]:
            lost += tuple([self.key_of[name] for name in beside[7]])
        if beside[8]:
            problems += beside[8]
        if headers.get(self._connection_key) not in PLAIN_CONNECTION:
            problems += self._read_connection(headers[self._connection_key])
        if self._may_reject:
            rejected = self._reject(finding, winner, of_client, problems)
            if rejected is not None:
                return self._refuse(connection, headers, reason, problems, rejected)

        kept = {}
        if lost or not self.synonyms.isdisjoint(headers):
            for key in self.synonyms.intersection(headers).union(lost):
                kept[key] = headers[key]
        if text is not None and winner is not None:
            key = self.key_of[winner]
            if text != headers[key]:
                rewritten = MappingProxyType({**rewritten, winner: text})
        if rewritten:
            for name in rewritten:
                key = self.key_of[name]
                kept[key] = headers[key]
        outcome = Outcome(reason, beside, rewritten, problems, None, self.key_of)
        return Decision(connection, finding, outcome, kept)

    def _refuse(
        self,
        connection: ConnectionValues,
        headers: Mapping[str, Any],
        reason: Reason,
        problems: tuple[Problem, ...],
        rejected: Problem,
    ) -> Decision:
        """Leave the request unrewritten, without its opted-in headers (R10, R14)."""
        # Whoever is refused must find in the log why.
        if rejected not in problems:
            problems += (rejected,)
        direct = self.direct(connection, headers, reason)
        outcome = direct.outcome._replace(problems=problems, rejected=rejected)
        return direct._replace(outcome=outcome)

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
        if not self._listed_keys:
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
        if len(self.client) == 1:
            key, name, find = self.client[0]
            value = headers.get(key)
            finding = None if value is None else find(value, self.trust, None)
            if finding is not None and finding[5] is None and finding[2] is not None:
                # What nearly every request is: one header, well-formed.
                return finding, name, (), ()
        for key, name, find in self.client:
            value = headers.get(key)
            if value is None:
                continue
            finding = find(value, self.trust, None)
            if finding is None:
                # Empty, which is as good as absent.
                lost += (key,)
                continue
            code = finding[5]
            if code is not None:
                problems += (Problem(code, name, value),)
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
        finding: Finding | None,
        winner: str | None,
        of_client: tuple[Problem, ...],
        problems: tuple[Problem, ...],
    ) -> Problem | None:
        """Say for which problem the request is to be refused, if for any."""
        if self._reject_malformed:
            for problem in problems:
                if problem.code in _REJECTING:
                    return problem
        if self._reject_missing and (finding is None or finding.client is None):
            unidentified = Problem("unidentified", winner or self.client[-1][1])
            return of_client[0] if of_client else unidentified
        return None
