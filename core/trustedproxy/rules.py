"""
The compiled policy: from a connection and its headers to a decision.

In:  what the server says by itself, and a mapping that holds the headers.
Out: a `Decision`.  Nothing is rewritten, read from elsewhere, or raised on input.

A surface hands over its own mapping: the rules are compiled for its way of spelling
header names, so that a WSGI environ is looked into and never copied.

The order is that of the rules in docs/rules.md: the secret and the peer first (R3),
then the client (R6 to R8, R11), then the URL's parts (R9) and what is removed (R2, R5),
and last whether the request is rejected (R10, R14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client import Trust, compile_finder
from .decision import NO_URL_PARTS, Decision, Finding, Problem, Reason, Verdict
from .headers import KNOWN_HEADERS, Category
from .parsing.lists import MAX_CHARACTERS
from .parsing.values import BLANKS
from .policy_options import HIDDEN
from .url_parts import PART_OF, URLPartsReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .decision import Connection
    from .headers import ProxyHeader
    from .policy_options import PolicyOptions

#: The header that asks proxies to drop others (RFC 9110 section 7.6.1).
CONNECTION = "Connection"
#: What it says without naming a header.
_PLAIN_CONNECTION = frozenset(
    {None, "close", "keep-alive", "upgrade", "Close", "Keep-Alive", "Upgrade"}
)
_REJECTING = frozenset({"malformed", "too-long"})
_PEER_NOT_TRUSTED = Verdict(Reason.PEER_NOT_TRUSTED)
_SECRET_MISSING = Verdict(Reason.SECRET_MISSING)
_NO_TRUSTED_HEADERS = Verdict(Reason.NO_TRUSTED_HEADERS)


class Rules:
    """
    A policy, compiled for one way of spelling header names.

    Records that every request needs are made by position: by name it would cost as
    much as all the rest.

    Args:
        options: The policy's options, validated.

        spell: Header name on the wire → key in the mapping that `decide` is given.
    """

    def __init__(self, options: PolicyOptions, spell: Callable[[str], str]) -> None:
        #: Every header that is known, the custom ones among them.
        self.known: tuple[ProxyHeader, ...] = _join_known(options.headers)
        fixed = {PART_OF[each]: value for each, value in options.fixed.items()}
        #: The categories whose headers are corrected or removed (rule R2).
        self.opted_in: frozenset[Category] = (
            frozenset(
                category for header in options.headers for category in header.categories
            )
            | options.fixed.keys()
        )
        #: Name on the wire → key; what is read, and what is removed.
        self.key_of: dict[str, str] = {
            header.name: spell(header.name) for header in self.known
        }
        self.key_of[CONNECTION] = self._connection_key = spell(CONNECTION)
        self.secret_key: str | None = None
        if options.secret_header is not None:
            self.secret_key = spell(options.secret_header)
        #: Keys of the headers that are removed unless they win (rules R2, R5).
        self.removable: frozenset[str] = frozenset(
            self.key_of[header.name]
            for header in self.known
            if options.strip == "all" or not self.opted_in.isdisjoint(header.categories)
        )
        #: Keys of the headers that may name a mount point, listed or not.
        self.mount_point_keys: frozenset[str] = frozenset(
            self.key_of[header.name]
            for header in self.known
            if header.category is Category.MOUNT_POINT
        )
        self._known_keys = frozenset(self.key_of[header.name] for header in self.known)
        self._secrets = tuple(options.secrets)
        if self._secrets:
            # It takes as long to load as half of the package, and few have secrets.
            from hmac import compare_digest

            self._compare = compare_digest
        networks = options.networks
        #: `networks.TrustedNetworks.trusts`; ``None`` where every peer is trusted.
        self._trusts = None if networks is None else networks.trusts
        #: What is trusted of a chain.
        self.trust: Trust = Trust(
            None if networks is None else networks.contains, options.hops
        )
        #: Key of a client header → what `client.compile_finder` chose to read it.
        self._client = tuple(
            (self.key_of[header.name], compile_finder(header, self.trust))
            for header in options.headers
            if header.category is Category.CLIENT
        )
        self.client_headers: tuple[str, ...] = tuple(
            h.name for h in options.headers if h.category is Category.CLIENT
        )
        #: What is concluded where no client header came.
        reason = Reason.HEADER_MISSING if self._client else Reason.NO_CLIENT_HEADER
        is_counted = options.hops is not None
        position = self.trust.position_without_list
        self._nobody = Verdict(reason, "", position, is_counted)
        #: Whether URL parts may be said even where no header came (R15, R21).
        self._says_always = bool(fixed) or options.port_in_host
        self._url_parts = URLPartsReader(
            options.headers,
            fixed,
            self.key_of,
            self.removable,
            port_in_host=options.port_in_host,
        )
        self._reject_malformed = options.malformed == "reject"
        self._reject_missing = options.missing == "reject"
        self._rejects = self._reject_malformed or self._reject_missing
        self._keyed = tuple((self.key_of[h.name], h) for h in self.known)

    def decide(self, connection: Connection, headers: Mapping[str, Any]) -> Decision:
        """
        Decide one request.

        Args:
            connection: What the server says by itself.

            headers:
                A mapping in which each header that is there has its key, as the surface
                spells it, with its lines joined by commas in order. Other keys are not
                looked at.
        """
        if not self.opted_in:
            return self._decide_direct(connection, headers, _NO_TRUSTED_HEADERS)
        if self.secret_key is not None and not self._has_secret(headers):
            return self._decide_direct(connection, headers, _SECRET_MISSING)
        # The peer decides, before any header is read (rule R3).
        trusts = self._trusts
        if trusts is not None and not trusts(connection.peer, connection.peer_is_unix):
            return self._decide_direct(connection, headers, _PEER_NOT_TRUSTED)
        finding, problems = self._find_client(headers)
        came = self._known_keys.intersection(headers)
        parts = NO_URL_PARTS
        gone = came
        if came or self._says_always:
            parts = self._url_parts.read(headers, finding, connection)
            # The winner stays, its synonyms go (rule R5).
            gone = came - parts.remaining
            if parts.problems:
                problems += parts.problems
        if headers.get(self._connection_key) not in _PLAIN_CONNECTION:
            problems += self._list_named_in_connection(headers)
        if problems and self._secrets:
            problems = self._hide_secrets(problems)
        if self._rejects:
            rejected = self._reject(finding, problems)
            if rejected is not None:
                return self._decide_rejected(
                    connection, headers, finding, problems, rejected
                )
        return Decision(
            connection,
            True,
            finding,
            parts,
            came,
            gone,
            self._keyed,
            problems,
            None,
            {},
        )

    def _decide_direct(
        self, connection: Connection, headers: Mapping[str, Any], verdict: Verdict
    ) -> Decision:
        """Trust nothing: the connection's own values, and no forwarding header."""
        problems: tuple[Problem, ...] = ()
        if headers.get(self._connection_key) not in _PLAIN_CONNECTION:
            problems = self._hide_secrets(self._list_named_in_connection(headers))
        came = self._known_keys.intersection(headers)
        return Decision(
            connection,
            False,
            Finding(verdict),
            NO_URL_PARTS,
            came,
            came & self.removable,
            self._keyed,
            problems,
            None,
            {},
        )

    def _decide_rejected(
        self,
        connection: Connection,
        headers: Mapping[str, Any],
        finding: Finding,
        problems: tuple[Problem, ...],
        rejected: Problem,
    ) -> Decision:
        """Leave the request unrewritten, without its opted-in headers (R10, R14)."""
        decision = self._decide_direct(connection, headers, Verdict(finding.reason))
        decision.peer_trusted = True
        # Whoever is rejected must find in the log why.
        decision.problems = problems if rejected in problems else (*problems, rejected)
        decision.rejected = rejected
        return decision

    def _has_secret(self, headers: Mapping[str, Any]) -> bool:
        """Compare with every secret, in time that gives nothing away about them."""
        value = headers.get(self.secret_key or "")
        # Secrets are ASCII; only such texts are compared.
        if value is None or not value.isascii():
            return False
        given = value.strip(BLANKS)
        found = False
        for secret in self._secrets:
            found |= self._compare(given, secret)
        return found

    def _list_named_in_connection(
        self, headers: Mapping[str, Any]
    ) -> tuple[Problem, ...]:
        """Say which known headers ``Connection`` asks proxies to drop (R14)."""
        if not self.opted_in:
            return ()
        text = headers[self._connection_key]
        options = text[-MAX_CHARACTERS:].lower().replace("_", "-").split(",")
        known = {name.lower(): name for name in self.key_of if name != CONNECTION}
        names = dict.fromkeys(
            name
            for option in options
            if (name := known.get(option.strip(BLANKS))) is not None
        )
        return tuple(Problem("named-in-connection", name, text) for name in names)

    def _hide_secrets(self, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        """Take the secrets out of what was found: it is logged and shown (R17)."""
        for problem in problems:
            # The longest first: one may be the beginning of another.
            for secret in sorted(self._secrets, key=len, reverse=True):
                problem.value = problem.value.replace(secret, HIDDEN)
        return problems

    def _find_client(
        self, headers: Mapping[str, Any]
    ) -> tuple[Finding, tuple[Problem, ...]]:
        """
        Read the listed client headers that are there (R14); which one counts is R5.
        """
        best: Finding | None = None
        problems: tuple[Problem, ...] = ()
        for key, find in self._client:
            value = headers.get(key)
            finding = None if value is None else find(value, None)
            if finding is None:
                # Not there, or empty, which is as good.
                continue
            verdict = finding.verdict
            if verdict.problem is not None:
                problems += (Problem(verdict.problem, verdict.header, str(value)),)
            if best is None or _rank(finding) >= _rank(best):
                best = finding
        if best is not None:
            return best, problems
        if self._client:
            problems = (Problem("missing", self.client_headers[-1]),)
        return Finding(self._nobody), problems

    def _reject(
        self, finding: Finding, problems: tuple[Problem, ...]
    ) -> Problem | None:
        """Say for which problem the request is to be rejected, if any (R10, R14)."""
        if self._reject_malformed:
            for problem in problems:
                if problem.code in _REJECTING:
                    return problem
        if self._reject_missing and finding.client is None:
            for problem in problems:
                if problem.header in self.client_headers and problem.code in _NOBODY:
                    return problem
            return Problem("unidentified", finding.header or self.client_headers[-1])
        return None


#: Problems of a client header that leave the client unknown.
_NOBODY = frozenset({"malformed", "missing", "too-few-elements", "too-long"})


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
    return 1 if finding.confirmed is not None else 0


def _join_known(listed: tuple[ProxyHeader, ...]) -> tuple[ProxyHeader, ...]:
    """List the known headers, and the user's own, which may take one's place."""
    own = {header.name.lower(): header for header in listed}
    known = [own.pop(header.name.lower(), header) for header in KNOWN_HEADERS]
    return (*known, *own.values())
