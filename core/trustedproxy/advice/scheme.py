"""
Mistakes that make an https request look like http: the commonest complaint.

In:  a `Situation`.
Out: `Advice`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..headers import Category, Form
from ..log import shorten
from ..parsing.values import BLANKS, PARSERS
from ..setting_lines import spell_headers, write_line
from .situation import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..headers import ProxyHeader
    from .situation import Situation

FIXED = "TRUSTED_PROXY_FIXED_SCHEME"
_USUAL = "X-Forwarded-Proto"


def is_plain(situation: Situation) -> bool:
    """Say whether a trusted peer's request ends up with http."""
    return situation.is_read and situation.decision.scheme in ("http", "ws")


def advise_missing_scheme(situation: Situation) -> Iterator[Advice]:
    """Nothing that counts says the scheme, so that it is the last connection's."""
    decision = situation.decision
    if not is_plain(situation) or Category.SCHEME in decision.winners:
        return
    if situation.policy.fixed_scheme is not None:
        return
    sent = situation.list_sent(Category.SCHEME)
    unlisted = [header for header in sent if not situation.is_listed(header)]
    if unlisted and says_https(situation, unlisted[0]):
        yield _describe_unlisted(situation, unlisted[0])
    elif any(situation.is_listed(header) for header in sent):
        yield _describe_malformed(situation, sent)
    elif not situation.headers and situation.https_only:
        yield from _describe_health_check(situation)
    elif situation.headers or situation.https_only:
        yield _describe_missing(situation)


def says_https(situation: Situation, header: ProxyHeader) -> bool:
    """Say whether *header* holds https, wherever it stands."""
    value = situation.headers[header.name]
    if header.form is Form.FORWARDED:
        return "proto=https" in value.lower()
    parse = PARSERS[header.form]
    whole = [value] if header.form is Form.CF_VISITOR else value.split(",")
    return any(parse(element.strip(BLANKS)) == "https" for element in whole)


_PLAIN = "If clients reach that proxy over https, they are taken for plain http: "


def _describe_unlisted(situation: Situation, header: ProxyHeader) -> Advice:
    return Advice(
        "scheme-header-not-listed",
        header.name,
        f"the trusted peer {shorten(situation.decision.peer)} sent {header.name}: "
        f"{shorten(situation.headers[header.name])}, which is not used, because "
        f"TRUSTED_PROXY_HEADERS does not list it. If your proxy sets it whatever a "
        f"client sent, list it.",
        situation.write_headers(header, in_place_of=Category.SCHEME),
    )


def _describe_malformed(situation: Situation, sent: list[ProxyHeader]) -> Advice:
    header = next(h for h in sent if situation.is_listed(h))
    return Advice(
        "scheme-header-malformed",
        header.name,
        f"{header.name}: {shorten(situation.headers[header.name])} says neither http "
        f"nor https. {_PLAIN}let it say one of the two.",
    )


def _describe_health_check(situation: Situation) -> Iterator[Advice]:
    """The peer speaks for itself."""
    if situation.exempts:
        return
    path = situation.decision.connection.path
    yield Advice(
        "no-forwarding-header",
        None,
        f"the trusted peer {shorten(situation.decision.peer)} sent no forwarding "
        "header at all. If that is a health check of its own, exempt its path. "
        f"{_PLAIN}let it set {_USUAL}.",
        (write_line("TRUSTED_PROXY_HTTPS_EXEMPT", [path]),),
    )


def _describe_missing(situation: Situation) -> Advice:
    came = (
        f"the trusted peer {shorten(situation.decision.peer)} sent no header that says "
        f"the scheme. {_PLAIN}let it set"
    )
    stated = (
        "Only if it cannot set one, and no client reaches it over plain http, state"
    )
    if situation.opts_in(Category.SCHEME):
        listed = [
            h for h in situation.policy.headers if Category.SCHEME in h.categories
        ]
        return Advice(
            "scheme-header-missing",
            listed[0].name,
            f"{came} {listed[0].name}. {stated} the scheme instead of listing it.",
            _state_scheme(situation),
        )
    header = next(h for h in situation.rules.known if h.name == _USUAL)
    return Advice(
        "scheme-header-missing",
        _USUAL,
        f"{came} {_USUAL}, and list that. {stated} the scheme instead: "
        f"{write_line(FIXED, 'https')}.",
        situation.write_headers(header),
    )


def _state_scheme(situation: Situation) -> tuple[str, ...]:
    """Write the lines that state https, without a header that says the scheme."""
    listed = situation.policy.headers
    if any(header.form is Form.FORWARDED for header in listed):
        return ()
    kept = [h for h in listed if Category.SCHEME not in h.categories]
    headers = write_line("TRUSTED_PROXY_HEADERS", spell_headers(kept))
    return headers, write_line(FIXED, "https")


def advise_overwritten_scheme(situation: Situation) -> Iterator[Advice]:
    """An inner proxy says how it was reached itself, and not how the client came."""
    decision = situation.decision
    winner = decision.winners.get(Category.SCHEME)
    if not is_plain(situation) or winner is None:
        return
    for header in situation.list_sent(Category.SCHEME):
        if header.name != winner and says_https(situation, header):
            yield Advice(
                "scheme-overwritten",
                winner,
                f"{winner} says http, and {header.name}: "
                f"{shorten(situation.headers[header.name])} says https: a proxy "
                f"further inside seems to have overwritten {winner}. If the outer one "
                f"sets {header.name} whatever a client sent, list that instead.",
                situation.write_headers(header, in_place_of=Category.SCHEME),
            )
            return
    position = decision.finding.position or 1
    if position < 2 or "," in situation.headers.get(winner, ","):
        return
    yield Advice(
        "scheme-overwritten",
        winner,
        f"{winner} says http, once for {position} proxies: if clients reach the "
        "outermost of them over https, an inner one overwrites the header with its "
        f"own scheme. Let it hand on what came (nginx: proxy_set_header {winner} "
        f"$http_{winner.lower().replace('-', '_')}), or list another header that the "
        "outer one sets.",
    )
