"""
Why a request that came over HTTPS may look plain, so that its redirect never ends.

In:  the facts of a request that is answered over plain HTTP.
Out: a record in the log that names the cause and what to type, or none.

Each cause is a function; the first that holds is logged.  A plain client, and a proxy
that says http of some requests and https of others, are no loops.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..decision import Reason
from ..log import logger, shorten, warn
from ..memo import Memo
from ..networks import OWN_NETWORKS, UNIX
from ..parsing.addresses import spell_peer
from .exemptions import Exemptions
from .facts import RequestFacts

#: So many redirects of a peer that says http, and never https, are a loop (rule R17).
MANY = 20


@dataclass(frozen=True, slots=True)
class Cause:
    """
    Why browsers may be redirected for ever.

    Attributes:
        code: Stable, for filters.

        text: What was seen, and what to type.

        header: The header that it is about, or ``None``.

        level: The level of the record.
    """

    code: str
    text: str
    header: str | None = None
    level: int = logging.WARNING


def find_cause(facts: RequestFacts, exemptions: Exemptions) -> Cause | None:
    """
    Find why a plain request may have been sent over HTTPS.

    Args:
        facts: The request.

        exemptions: What is exempt; the request is not.
    """
    if facts.peer_trusted:
        if facts.scheme_header is not None:
            return None
        if facts.scheme_stated:
            return _explain_stated(facts)
        if not facts.signs:
            return _explain_no_header(facts, exemptions)
        return _explain_no_scheme(facts)
    header = facts.ignored_header
    if header is None:
        return None
    explain = _explain_no_policy if facts.reason is None else _explain_stranger
    return explain(facts, header)


_LOOP = "If that proxy ends TLS, browsers are redirected for ever: "


def _explain_stated(facts: RequestFacts) -> Cause:
    """The policy itself states that trusted peers speak http."""
    return Cause(
        "https-only-loop",
        "HTTPS only met plain HTTP from the trusted proxy "
        f"{shorten(facts.peer)}, for which TRUSTED_PROXY_FIXED_SCHEME states http. If "
        "clients reach that proxy over HTTPS alone, they are redirected for ever: "
        "state 'https'. If over both, state nothing, let it set X-Forwarded-Proto, and "
        "add that to TRUSTED_PROXY_HEADERS.",
    )


def _explain_no_header(facts: RequestFacts, exemptions: Exemptions) -> Cause:
    """A trusted peer speaks for itself, or says nothing of whom it speaks for."""
    path = shorten((facts.path or b"/").decode("utf-8", "replace"))
    near = exemptions.find_near(facts.mount_point, facts.path)
    other = "" if near is None else f" ({near!r} is exempt, and is another path)"
    return Cause(
        "https-only-loop",
        "HTTPS only met plain HTTP from the trusted proxy "
        f"{shorten(facts.peer)}, without any forwarding header. If that is a health "
        f"check of the proxy's own, exempt its path{other}: TRUSTED_PROXY_HTTPS_EXEMPT "
        f"= [..., {path}]. {_LOOP}let it set X-Forwarded-Proto, and add that to "
        "TRUSTED_PROXY_HEADERS.",
    )


def _explain_no_scheme(facts: RequestFacts) -> Cause:
    """A trusted peer speaks for another, and no trusted header says the scheme."""
    header = facts.ignored_header
    came = f"HTTPS only met plain HTTP from the trusted proxy {shorten(facts.peer)}"
    if header is None:
        why = (
            f"which sent no scheme header. {_LOOP}let it set X-Forwarded-Proto, and "
            "add that to TRUSTED_PROXY_HEADERS. If it cannot set one, and no client "
            "reaches it over plain HTTP: TRUSTED_PROXY_FIXED_SCHEME = 'https'."
        )
    elif header in facts.malformed:
        why = (
            f"whose {header} says neither http nor https. {_LOOP}let it say one of them"
            "."
        )
    else:
        why = (
            f"whose {header} is not in TRUSTED_PROXY_HEADERS. {_LOOP}add {header!r}, "
            "if that proxy sets it whatever a client sent."
        )
    return Cause("https-only-loop", f"{came}, {why}", header)


def _explain_stranger(facts: RequestFacts, header: str) -> Cause:
    """A scheme header came from a peer that is not trusted, and was removed."""
    came = (
        f"HTTPS only met plain HTTP from the peer {shorten(facts.peer)}, whose "
        f"{header} does not count. If that is your own proxy, browsers are redirected "
        "for ever: "
    )
    if facts.reason is Reason.SECRET_MISSING:
        remedy = "let it set TRUSTED_PROXY_SECRET_HEADER to one of the secrets."
    elif facts.reason is Reason.NO_TRUSTED_HEADERS:
        remedy = f"add {header!r} to TRUSTED_PROXY_HEADERS."
    else:
        entry = repr(_spell(facts.peer) or UNIX)
        if facts.peer_is_unix:
            entry = repr(UNIX)
        remedy = f"add {entry}, or its network, to TRUSTED_PROXIES."
    # A peer from elsewhere is probably a forger, and no proxy (rule R17).
    own = OWN_NETWORKS.trusts(facts.peer, facts.peer_is_unix)
    level = logging.WARNING if own else logging.DEBUG
    return Cause("https-only-stranger", came + remedy, header, level)


def _spell(peer: str | None) -> str:
    """Spell a *peer* as an entry of the list, where no zone is written."""
    return (spell_peer(peer) or "").partition("%")[0]


def _explain_no_policy(facts: RequestFacts, header: str) -> Cause:
    """A scheme header came, and nothing has looked at it."""
    return Cause(
        "https-only-undecided",
        f"HTTPS only met plain HTTP with the header {header}, and no policy was "
        "applied before. If a proxy ends TLS, browsers are redirected for ever: put "
        "the trusted proxy middleware around this one, and the header into "
        "TRUSTED_PROXY_HEADERS.",
        header,
    )


class SchemeWatch:
    """
    Which trusted peers say http in every redirect, and https in no request.

    What is kept here decides nothing; it is bounded, and a race may cost a count.
    """

    def __init__(self) -> None:
        self._redirects: Memo[str | None, int] = Memo()
        self._secure: Memo[str | None, bool] = Memo()

    def note_secure(self, peer: str | None) -> None:
        """Remember that *peer* says https of some requests."""
        if peer not in self._secure:
            self._secure.remember(peer, True)

    def count_redirect(self, facts: RequestFacts) -> Cause | None:
        """Count a redirect; at the last of `MANY` that a peer got, give the cause."""
        peer, header = facts.peer, facts.scheme_header
        if not facts.peer_trusted or header is None or peer in self._secure:
            return None
        count = self._redirects.get(peer, 0) + 1
        self._redirects.remember(peer, min(count, MANY + 1))
        if count != MANY:
            return None
        return Cause(
            "https-only-overwritten",
            f"HTTPS only has redirected {MANY} requests of the trusted proxy "
            f"{shorten(peer)}, whose {header} said http each time, and https never. If "
            "browsers are redirected for ever, a proxy further outside ends TLS and "
            f"this one overwrites its {header}: let it pass the header on (nginx: "
            "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto), or trust "
            "another header that the outer one sets.",
            header,
        )


def log_cause(cause: Cause | None, peer: str | None) -> None:
    """Log a *cause*, at most once a minute for a peer."""
    if cause is None:
        return
    if cause.level == logging.WARNING:
        warn(cause.code, peer, "%s", cause.text, header=cause.header)
    else:
        extra = {"code": cause.code, "header": cause.header, "peer": peer}
        logger.log(cause.level, "trustedproxy: %s", cause.text, extra=extra)
