"""
The compiled policy: from a connection and its headers to a decision.

In:  what the server says by itself, and a mapping that holds the headers.
Out: a `Decision`.  Nothing is rewritten, read from elsewhere, or raised on input.

Headers are looked up by their keys in a WSGI environ, so that an environ is looked into
and never copied; who reads something else spells the names like that.

The order is that of the rules in docs/rules.md: the secret and the peer first (R3),
then the client (R6 to R8, R11), then the URL's parts (R9) and what is removed (R2, R5),
and last whether the request is rejected (R10, R14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from .client import Trust, compile_finder
from .decision import Decision, Problem, Reason, Verdict
from .headers import KNOWN_HEADERS, Category, environ_key
from .layouts import Layouts
from .memo import Memo
from .parsing.lists import MAX_CHARACTERS
from .parsing.values import BLANKS
from .policy_options import HIDDEN
from .url_parts import PART_OF, URLPartsReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .client import Finding
    from .decision import Own, URLParts
    from .headers import ProxyHeader
    from .layouts import Layout
    from .networks import Trusts
    from .parsing.addresses import Said
    from .policy_options import PolicyOptions

#: The header that asks proxies to drop others (RFC 9110 section 7.6.1).
CONNECTION = "Connection"
CONNECTION_KEY = environ_key(CONNECTION)
#: What it says without naming a header.
_PLAIN_CONNECTION = frozenset(
    {None, "close", "keep-alive", "upgrade", "Close", "Keep-Alive", "Upgrade"}
)
# What is longer is not remembered, in characters.
_LONGEST = 512
_REJECTING = frozenset({"malformed", "too-long"})
# Problems of a client header that leave the client unknown.
_LEAVING_UNKNOWN = frozenset({"malformed", "missing", "too-few-elements", "too-long"})
# The layout, where the client stands, what its element of Forwarded says besides, the
# connection's scheme, and the texts of the listed headers.
_DependsOn: TypeAlias = "tuple[Layout, str, Said | None, str, object]"
_PEER_NOT_TRUSTED = Verdict(Reason.PEER_NOT_TRUSTED, peer_trusted=False)
_SECRET_MISSING = Verdict(Reason.SECRET_MISSING, peer_trusted=False)
_REJECTED = {reason: Verdict(reason) for reason in Reason}
_NO_TRUSTED_HEADERS = Verdict(Reason.NO_TRUSTED_HEADERS, peer_trusted=False)


# To call the constructor would take longer than to fill the fields.
_make = Decision.__new__


class Rules:
    """
    A policy, compiled.

    Args:
        options: The policy's options, validated.
    """

    def __init__(self, options: PolicyOptions) -> None:
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
        #: Name on the wire → key, of every header that is known, and ``Connection``.
        self.key_of: dict[str, str] = {
            header.name: header.environ_key for header in self.known
        }
        self.key_of[CONNECTION] = CONNECTION_KEY
        self.secret_key: str | None = None
        if options.secret_header is not None:
            self.secret_key = environ_key(options.secret_header)
        #: Keys of the headers that are removed unless they win (rules R2, R5).
        self.removable: frozenset[str] = frozenset(
            header.environ_key
            for header in self.known
            if options.strip == "all" or not self.opted_in.isdisjoint(header.categories)
        )
        self._secrets = tuple(options.secrets)
        if self._secrets:
            # It takes as long to load as half of the package, and few have secrets.
            from hmac import compare_digest

            self._compare = compare_digest
        #: Whether there is something that matters before the peer's address.
        self._asks_first = bool(self._secrets) or not self.opted_in
        networks = options.networks
        self._trusts: Trusts = _trust_everybody if networks is None else networks.trusts
        #: What is trusted of a chain.
        self.trust: Trust = Trust(
            None if networks is None else networks.contains, options.hops
        )
        self.client_headers: tuple[str, ...] = tuple(
            h.name for h in options.headers if h.category is Category.CLIENT
        )
        #: What is concluded where no client header came.
        reason = (
            Reason.HEADER_MISSING if self.client_headers else Reason.NO_CLIENT_HEADER
        )
        is_counted = options.hops is not None
        position = self.trust.position_without_list
        nobody = Verdict(reason, "", position, is_counted)
        self._nothing_found: Finding = nobody, None, None, None, None
        self._url_parts = URLPartsReader(
            options.headers,
            tuple((header.environ_key, header) for header in self.known),
            fixed,
            self.removable,
            scheme_opted_in=Category.SCHEME in self.opted_in,
            port_in_host=options.port_in_host,
        )
        #: The keys of a mapping → what requests with these have in common.
        self.layouts: Layouts = Layouts(
            tuple(
                (header.environ_key, compile_finder(header, self.trust))
                for header in options.headers
                if header.category is Category.CLIENT
            ),
            self._url_parts,
            self.key_of.values(),
            CONNECTION_KEY,
        )
        #: What the URL's parts depend on → what becomes of them.
        self._remembered: Memo[_DependsOn, URLParts] = Memo()
        self._reject_malformed = options.malformed == "reject"
        self._reject_missing = options.missing == "reject"
        self._rejects = self._reject_malformed or self._reject_missing

    def decide(
        self,
        own: Own,
        is_unix: bool | None,
        layout: Layout,
        headers: Mapping[str, Any],
    ) -> Decision:
        """
        Decide one request.

        Args:
            own: What the server says by itself.

            is_unix: Whether the peer came over a unix socket: see `Connection`.

            layout: Which headers there are.

            headers:
                A mapping in which each of them has its key, with its lines joined by
                commas in order.  But for the secret's, no other key is looked at.
        """
        peer, scheme, _, _, _, _, _ = own
        problems: tuple[Problem, ...] = ()
        # The secret and the peer decide, before any other header is read (rule R3).
        verdict = self._ask_first(headers) if self._asks_first else None
        trusts = self._trusts
        if verdict is None and not trusts(peer, is_unix):
            verdict = _PEER_NOT_TRUSTED
        if verdict is not None:
            address, port, text, parts = peer, None, None, layout.untouched
        else:
            found = None
            for key, find in layout.client:
                value: str | None = headers[key]
                if not value or (finding := find(value, None)) is None:
                    # Empty, which is as good as not there.
                    continue
                verdict, _, _, _, _ = finding
                if verdict.problem is not None:
                    problems += (Problem(verdict.problem, verdict.header, value),)
                # Of several that are there, one counts (rule R5).
                if found is None or _rank(finding) >= _rank(found):
                    found = finding
            if found is None:
                found, problems = self._nothing_found, self._list_missing()
            verdict, address, port, text, said = found
            get_texts = layout.get_texts
            depends_on = layout, verdict.place, said, scheme, get_texts(headers)
            parts = self._remembered.get(depends_on) or self._read_url_parts(
                depends_on, headers, verdict
            )
            if parts.problems:
                problems += parts.problems
            if address is None:
                address = peer
        if layout.names_options and headers[CONNECTION_KEY] not in _PLAIN_CONNECTION:
            problems += self._list_named_in_connection(headers)
        if problems and self._secrets:
            problems = self._hide_secrets(problems)
        decision = _make(Decision)
        decision.own = own
        decision.peer_is_unix = is_unix
        decision.verdict = verdict
        decision.address = address
        decision.client_port = port
        decision.text = text
        decision.url_parts = parts
        decision.problems = problems
        decision.rejected = None
        decision.original = {}
        if self._rejects and verdict.peer_trusted:
            self._reject(decision, layout)
        return decision

    def _read_url_parts(
        self,
        depends_on: _DependsOn,
        headers: Mapping[str, Any],
        verdict: Verdict,
    ) -> URLParts:
        """Say what becomes of the URL's parts, and remember what proxies send again."""
        layout, _, said, scheme, _ = depends_on
        parts = self._url_parts.read(layout.came, headers, verdict, said, scheme)
        # What is malformed no proxy sends again and again; and a problem is a request's
        # own, in which a secret is hidden.
        if not parts.problems and len(repr(depends_on[1:])) <= _LONGEST:
            self._remembered.remember(depends_on, parts)
        return parts

    def _list_missing(self) -> tuple[Problem, ...]:
        """Say that no client header came, where one is listed."""
        if not self.client_headers:
            return ()
        return (Problem("missing", self.client_headers[-1]),)

    def _ask_first(self, headers: Mapping[str, Any]) -> Verdict | None:
        """Say why the peer's address does not matter, or ``None`` where it does."""
        if not self.opted_in:
            # Nothing is trusted by default (rule R1).
            return _NO_TRUSTED_HEADERS
        value = headers.get(self.secret_key or "")
        # Secrets are ASCII; only such texts are compared.
        if value is None or not value.isascii():
            return _SECRET_MISSING
        given = value.strip(BLANKS)
        found = False
        for secret in self._secrets:
            # With every one, in time that gives nothing away about them.
            found |= self._compare(given, secret)
        return None if found else _SECRET_MISSING

    def _list_named_in_connection(
        self, headers: Mapping[str, Any]
    ) -> tuple[Problem, ...]:
        """Say which known headers ``Connection`` asks proxies to drop (R14)."""
        if not self.opted_in:
            return ()
        text = headers[CONNECTION_KEY]
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

    def _reject(self, decision: Decision, layout: Layout) -> None:
        """Reject the request, where its headers are a reason to (rules R10, R14)."""
        problem = self._find_reason(decision.verdict, decision.problems)
        if problem is None:
            return
        # Left as a direct request is, without its opted-in headers.
        decision.verdict = _REJECTED[decision.verdict.reason]
        decision.url_parts = layout.untouched
        decision.address = decision.peer
        decision.client_port = decision.text = None
        decision.rejected = problem
        if problem not in decision.problems:
            # Whoever is rejected must find in the log why.
            decision.problems += (problem,)

    def _find_reason(
        self, verdict: Verdict, problems: tuple[Problem, ...]
    ) -> Problem | None:
        """Find the problem for which a request is rejected, if there is one."""
        if self._reject_malformed:
            for problem in problems:
                if problem.code in _REJECTING:
                    return problem
        if self._reject_missing and not verdict.identifies:
            for problem in problems:
                if (
                    problem.header in self.client_headers
                    and problem.code in _LEAVING_UNKNOWN
                ):
                    return problem
            return Problem("unidentified", verdict.header or self.client_headers[-1])
        return None


def _rank(finding: Finding) -> int:
    """
    Say which of several client headers counts (R5); among equals, the last listed one.

    One that identifies the client beats one that does not, and a well-formed one beats
    a malformed one, which still counts where an address in it was confirmed.
    """
    verdict, address, _, _, _ = finding
    if verdict.identifies:
        return 3
    if verdict.problem is None:
        return 2
    return 1 if address is not None else 0


def _trust_everybody(peer: str | None, is_unix: bool | None = None) -> bool:
    """Trust every peer, as ``"*"`` and a count alone do."""
    return True


def _join_known(listed: tuple[ProxyHeader, ...]) -> tuple[ProxyHeader, ...]:
    """List the known headers, and the user's own, which may take one's place."""
    own = {header.name.lower(): header for header in listed}
    known = [own.pop(header.name.lower(), header) for header in KNOWN_HEADERS]
    return (*known, *own.values())
