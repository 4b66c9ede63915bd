"""
Mistakes that make an https request look like http: the commonest complaint.

In:  a `Situation`; or the scheme headers alone that came, where a redirect is logged.
Out: `Advice`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ..decision import Reason
from ..headers import Category, Form
from ..log import shorten
from ..parsing.elements import split_elements
from ..parsing.forwarded import parse_element
from ..parsing.values import PARSERS, parse_scheme
from ..setting_lines import spell_headers, write_line
from .situation import Advice
from .words import describe_unlisted

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from ..headers import ProxyHeader
    from .situation import Situation

FIXED = "TRUSTED_PROXY_FIXED_SCHEME"
_USUAL = "X-Forwarded-Proto"

#: The scheme headers that came with a value, and that value.
Sent: TypeAlias = "Sequence[tuple[ProxyHeader, str]]"
#: Writes the lines that list a header.
WriteLines: TypeAlias = "Callable[[ProxyHeader], tuple[str, ...]]"


def _write_nothing(header: ProxyHeader) -> tuple[str, ...]:
    """Whoever does not know what else is listed cannot write the line."""
    return ()


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
    if not situation.headers:
        if situation.https_only:
            yield from _describe_health_check(situation)
        return
    listed = {header.name for header in situation.policy.headers}
    remedy, header, lines = _name_remedy(situation)
    sent, write = _list_scheme_headers(situation), _list_it(situation)
    advice = describe_missing_scheme(
        decision.peer, decision.reason, sent, listed, remedy, write
    )
    if advice is None:
        return
    if advice.header is None:
        advice = replace(advice, header=header, settings=lines)
    yield advice


def _list_scheme_headers(situation: Situation) -> Sent:
    """List the scheme headers that came with a value."""
    sent = situation.list_sent(Category.SCHEME)
    return [(header, situation.headers[header.name]) for header in sent]


def _list_it(situation: Situation) -> WriteLines:
    """Write the line that lists a header in place of the others of the scheme."""
    return lambda header: situation.write_headers(header, in_place_of=Category.SCHEME)


def says_https(header: ProxyHeader, value: str) -> bool:
    """Say whether *header* holds https, wherever in its *value* that is read (R13)."""
    return "https" in _list_schemes(header, value)


def _list_schemes(header: ProxyHeader, value: str) -> Iterator[str | None]:
    """List what the elements of *value* say, nearest first; ``None`` for nothing."""
    parse = _parse_proto if header.form is Form.FORWARDED else PARSERS[header.form]
    for element in split_elements(header.form, value):
        yield None if element is None else parse(element)


def _parse_proto(text: str) -> str | None:
    """Read ``proto`` in an element of ``Forwarded`` (RFC 7239 section 5.4)."""
    _, proto, _ = parse_element(text) or (None, None, None)
    return parse_scheme(proto or "")


_PLAIN = "If clients reach that proxy over https, they are taken for plain http: "
_STATED = "Only if it cannot set one, and no client reaches it over plain http, state"
_STATE = f"{_STATED} the scheme instead: {write_line(FIXED, 'https')}"
#: What helps where a proxy sets no header that says the scheme, and none is listed.
STATE_SCHEME = f"{_STATE}."
#: What helps, whichever header the policy lists; beside one, no scheme can be stated.
REMEDY = (
    "let it set the scheme header that TRUSTED_PROXY_HEADERS lists or, where none is "
    f"listed, set {_USUAL}, and list that. {_STATE}, and take the scheme header out of "
    "TRUSTED_PROXY_HEADERS."
)


def describe_missing_scheme(
    peer: str | None,
    reason: Reason | None,
    sent: Sent,
    listed: Container[str],
    remedy: str = REMEDY,
    write: WriteLines = _write_nothing,
) -> Advice | None:
    """
    Describe why no header that counts says the scheme of a trusted peer's request.

    Args:
        peer: The peer.

        reason: Why the client is who it is.

        sent: The scheme headers that came with a value.

        listed: Names of those that the policy lists, others among them or not.

        remedy: What helps where none of them does.

        write: Writes the lines to paste.

    Returns:
        The advice, without a header where none is to blame; ``None`` for a `Forwarded`
        with too few elements, of which nothing is used: that is a problem of its own.
    """
    if reason is Reason.TOO_FEW_ELEMENTS and any(
        header.form is Form.FORWARDED and header.name in listed for header, _ in sent
    ):
        return None
    for header, value in sent:
        if header.name not in listed and says_https(header, value):
            return Advice(
                "scheme-header-not-listed",
                header.name,
                describe_unlisted(peer, header.name, value)
                + " If your proxy sets it whatever a client sent, list it.",
                write(header),
            )
    for header, value in sent:
        if header.name in listed:
            return _describe_silent(header, value)
    came = f"the trusted peer {shorten(peer)} sent no header that says the scheme."
    for header, value in sent[:1]:
        came = describe_unlisted(peer, header.name, value)
    return Advice("scheme-header-missing", None, f"{came} {_PLAIN}{remedy}")


def _describe_silent(header: ProxyHeader, value: str) -> Advice:
    """Describe that a header that counts says no scheme where it would count."""
    shown = f"{header.name}: {shorten(value)}"
    if any(_list_schemes(header, value)):
        return Advice(
            "scheme-header-missing",
            header.name,
            f"{shown} says the scheme, and not in the client's own element, which is "
            f"the one that counts. {_PLAIN}let the outermost proxy say it in its own.",
        )
    return Advice(
        "scheme-header-malformed",
        header.name,
        f"{shown} says neither http nor https. {_PLAIN}let it say one of the two.",
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


def _name_remedy(situation: Situation) -> tuple[str, str, tuple[str, ...]]:
    """Name what helps where no header says the scheme, a header, and the lines."""
    if situation.opts_in(Category.SCHEME):
        name = next(
            h.name for h in situation.policy.headers if Category.SCHEME in h.categories
        )
        remedy = f"let it set {name}. {_STATED} the scheme instead of listing it."
        return remedy, name, _state_scheme(situation)
    header = next(h for h in situation.rules.known if h.name == _USUAL)
    remedy = f"let it set {_USUAL}, and list that. {STATE_SCHEME}"
    return remedy, _USUAL, situation.write_headers(header)


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
    sent, write = _list_scheme_headers(situation), _list_it(situation)
    advice = describe_overwritten_scheme(winner, sent, write)
    if advice is not None:
        yield advice
        return
    position = decision.verdict.position or 1
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


def describe_overwritten_scheme(
    winner: str, sent: Sent, write: WriteLines = _write_nothing
) -> Advice | None:
    """
    Describe that another header says https where the one that counts says http.

    Args:
        winner: Name of the header that counts.

        sent: The scheme headers that came with a value.

        write: Writes the lines to paste.

    Returns:
        The advice, or ``None`` where no other one says so.
    """
    for header, value in sent:
        if header.name != winner and says_https(header, value):
            return Advice(
                "scheme-overwritten",
                winner,
                f"{winner} says http, and {header.name}: {shorten(value)} says https: "
                f"a client sent {header.name}, or a proxy further inside has "
                f"overwritten {winner}. If the outer one sets {header.name} whatever a "
                "client sent, list that instead.",
                write(header),
            )
    return None
