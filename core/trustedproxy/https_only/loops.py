"""
Why a request that came over HTTPS may look plain, so that its redirect never ends.

In:  the facts of a request that is answered over plain HTTP.
Out: a record in the log that names the cause and what to type, or none.

The first cause that holds is logged.  What is wrong with the scheme headers is for
`advice` to say; what is known here alone is what redirects, what is exempt, and how
often.  A plain client, and a proxy that says http of some requests and https of others,
are no loops.  A framework that redirects by itself gets into the same loops, so that
what redirects has a name here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..advice.scheme import (
    REMEDY,
    describe_missing_scheme,
    describe_overwritten_scheme,
)
from ..decision import Decision, Reason
from ..log import logger, shorten, warn
from ..memo import Memo
from ..networks import is_own_peer
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

    def go_on(self, text: str) -> Cause:
        """Make the same cause with *text* behind its own."""
        return replace(self, text=self.text + text)


@dataclass(frozen=True, slots=True)
class Redirect:
    """
    What redirects to HTTPS: these rules, or a framework's own.

    Attributes:
        name: As records name it.

        code: What the codes of records begin with.

        name_exemption: Says of a request how its path is exempted.
    """

    name: str
    code: str
    name_exemption: Callable[[RequestFacts], str]

    def find_cause(self, facts: RequestFacts) -> Cause | None:
        """Find why a request that was redirected may have been sent over HTTPS."""
        if facts.peer_trusted:
            return self._explain_trusted_peer(facts)
        header = facts.ignored_header
        if header is None:
            return None
        if facts.reason is None:
            met = f"{self.name} met plain HTTP with the header {header}"
            return _explain_no_policy(Cause(f"{self.code}-undecided", met, header))
        met = f"{self.name} met plain HTTP from the peer {shorten(facts.peer)}"
        return _explain_untrusted_peer(
            Cause(f"{self.code}-peer-not-trusted", met, header), facts, facts.reason
        )

    def _explain_trusted_peer(self, facts: RequestFacts) -> Cause | None:
        if facts.scheme_header is not None or facts.rejected:
            return None
        met = f"{self.name} met plain HTTP from the trusted proxy {shorten(facts.peer)}"
        loop = Cause(f"{self.code}-loop", met)
        if facts.scheme_stated:
            return _explain_stated(loop)
        if not facts.signs:
            return _explain_no_header(loop, self.name_exemption(facts))
        advice = describe_missing_scheme(
            facts.peer, facts.reason, facts.scheme_sent, facts.scheme_silent
        )
        if advice is None:
            return None
        return replace(loop, header=advice.header).go_on(_IF_HTTPS + advice.text)


# What a header says may be a client's invention, a websocket is refused, and in
# report-only mode nothing is redirected: so a record says "if", and what would be.
_FOR_EVER = "browsers would be redirected for ever"
_IF_HTTPS = f". If it came over HTTPS, {_FOR_EVER}: "


def _explain_stated(loop: Cause) -> Cause:
    """The policy itself states that trusted peers speak http."""
    return loop.go_on(
        ", for which TRUSTED_PROXY_FIXED_SCHEME states http. If clients reach that "
        f"proxy over HTTPS, {_FOR_EVER}: if over HTTPS alone, state 'https'; if over "
        "both, state nothing, let it set X-Forwarded-Proto, and add that to "
        "TRUSTED_PROXY_HEADERS."
    )


def _explain_no_header(loop: Cause, exemption: str) -> Cause:
    """A trusted peer speaks for itself, or says nothing of whom it speaks for."""
    return loop.go_on(
        ", without any forwarding header. If that is a health check of the proxy's "
        f"own, exempt its path{exemption}. If that proxy ends TLS, {_FOR_EVER}: "
        f"{REMEDY}"
    )


_SCHEME_HEADER = "the scheme header that it sets whatever a client sent"
# Why a scheme header of a peer that is not trusted does not count, and what to change.
# Whether an entry may be added for this very peer is for the record about it to say,
# which knows more: that it may be a client's.  But that record is written once a
# process, and where nothing listed came, never.
_WHY = {
    Reason.PEER_NOT_TRUSTED: (
        "TRUSTED_PROXIES does not list that peer",
        f"TRUSTED_PROXIES has to list that proxy, and TRUSTED_PROXY_HEADERS "
        f"{_SCHEME_HEADER}",
    ),
    Reason.SECRET_MISSING: (
        "the request did not carry the secret",
        f"that proxy has to send the secret, and TRUSTED_PROXY_HEADERS to list "
        f"{_SCHEME_HEADER}",
    ),
    Reason.NO_TRUSTED_HEADERS: (
        "TRUSTED_PROXY_HEADERS is empty",
        f"add {_SCHEME_HEADER} to TRUSTED_PROXY_HEADERS, and that proxy to "
        "TRUSTED_PROXIES",
    ),
}


def _explain_untrusted_peer(
    untrusted: Cause, facts: RequestFacts, reason: Reason
) -> Cause:
    """A scheme header came from a peer that is not trusted, and does not count."""
    # A peer from elsewhere is probably a forger, and no proxy (rule R17).
    own = is_own_peer(facts.peer, facts.peer_is_unix)
    level = logging.WARNING if own else logging.DEBUG
    why, remedy = _WHY[reason]
    return replace(untrusted, level=level).go_on(
        f", whose {untrusted.header} does not count, since {why}. If your own proxy "
        f"sent this, {_FOR_EVER}: {remedy}."
    )


def _explain_no_policy(undecided: Cause) -> Cause:
    """A scheme header came, and nothing has looked at it."""
    return undecided.go_on(
        f", and no policy was applied before. If a proxy ends TLS, {_FOR_EVER}: put "
        "the trusted proxy middleware around what redirects, and the header into "
        "TRUSTED_PROXY_HEADERS."
    )


class RedirectLog:
    """
    Logs why the redirects of a site may never end.

    What is kept here decides nothing; it is bounded, and a race may cost a count.
    """

    def __init__(self, redirect: Redirect) -> None:
        self._redirect = redirect
        #: Trusted peers that say http in every redirect, and https in no request.
        self._redirects: Memo[str | None, int] = Memo()
        self._secure: Memo[str | None, bool] = Memo()

    def note_secure(self, decision: Decision | None) -> None:
        """Note that a request was secure: its peer says https of some requests."""
        if decision is None or not decision.peer_trusted:
            return
        if decision.peer not in self._secure:
            self._secure.remember(decision.peer, True)

    def log_refusal(self, facts: RequestFacts) -> None:
        """Log why a plain request may be secure, at most once a minute for a peer."""
        _log(self._redirect.find_cause(facts), facts.peer)

    def log_redirect(self, facts: RequestFacts) -> None:
        """The same, for a request that was redirected and may come again."""
        self.log_refusal(facts)
        peer, header = facts.peer, facts.scheme_header
        if facts.peer_trusted and header is not None and peer not in self._secure:
            _log(self._explain_http(facts, header), peer)

    def _explain_http(self, facts: RequestFacts, header: str) -> Cause | None:
        """Explain why a peer may say http of what came over HTTPS, if that shows."""
        name, peer = self._redirect.name, facts.peer
        overwritten = Cause(f"{self._redirect.code}-overwritten", name, header)
        advice = describe_overwritten_scheme(header, facts.scheme_sent)
        if advice is not None:
            return overwritten.go_on(
                f" met plain HTTP from the trusted proxy {shorten(peer)}{_IF_HTTPS}"
                f"{advice.text}"
            )
        count = self._redirects.get(peer, 0) + 1
        self._redirects.remember(peer, min(count, MANY + 1))
        # Said once: at the last of these that a peer gets.
        if count != MANY:
            return None
        return overwritten.go_on(
            f" met plain HTTP in {MANY} requests of the trusted proxy {shorten(peer)}, "
            f"whose {header} said http each time, and https never. If browsers are "
            "redirected for ever, a proxy further outside ends TLS and this one "
            f"overwrites its {header}: let it pass the header on (nginx: "
            "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto), or trust "
            "another header that the outer one sets."
        )


def _log(cause: Cause | None, peer: str | None) -> None:
    if cause is None:
        return
    if cause.level == logging.WARNING:
        warn(cause.code, peer, "%s", cause.text, header=cause.header)
    else:
        extra = {"code": cause.code, "header": cause.header, "peer": peer}
        logger.log(cause.level, "trustedproxy: %s", cause.text, extra=extra)
