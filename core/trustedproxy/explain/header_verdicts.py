"""
What became of each header, with the reason in sentences.

In:  a `Case`.
Out: `Header` records: the listed ones first, in the policy's order, whether they came
     or not; then every other one that came, in the order in which it did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..decision import Reason
from ..headers import Category
from ..log import shorten
from ..parsing.values import PARSERS
from ..rules import CONNECTION
from ..url_parts import choose_value
from .hops import ALONE, walk_header
from .masks import HIDDEN
from .records import Fate, Header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..client import Finding
    from ..headers import ProxyHeader
    from ..parsing.addresses import Said
    from .case import Case

#: Category → what the application calls what it sets.
SETS = {
    Category.CLIENT: "client address",
    Category.SCHEME: "scheme",
    Category.HOST: "host",
    Category.SERVER: "server name",
    Category.PORT: "port",
    Category.MOUNT_POINT: "mount point",
}
#: Category → the setting that states it (rule R21).
STATED_BY = {
    Category.SCHEME: "TRUSTED_PROXY_FIXED_SCHEME",
    Category.HOST: "TRUSTED_PROXY_FIXED_HOST",
    Category.PORT: "TRUSTED_PROXY_FIXED_PORT",
    Category.MOUNT_POINT: "TRUSTED_PROXY_FIXED_MOUNT_POINT",
}
_OF_CONNECTION = {
    "host": "The host that the server was asked for.",
    CONNECTION.lower(): "It may ask proxies to drop headers (RFC 9110 section 7.6.1).",
}


def list_headers(case: Case) -> tuple[Header, ...]:
    """List the listed headers, and the others that came, with what became of them."""
    listed = [_describe_listed(case, header) for header in case.policy.headers]
    names = {header.name.lower() for header in case.policy.headers}
    others = [
        _describe_other(case, name, value)
        for name, value in case.request.headers.items()
        if name.lower() not in names
    ]
    return (*listed, *others)


# -- headers that the policy lists -----------------------------------------------------


def _describe_listed(case: Case, header: ProxyHeader) -> Header:
    value = case.sent.get(header.name.lower())
    plain = Header(
        name=header.name,
        value=value,
        listed=True,
        categories=tuple(SETS[category] for category in header.categories),
        fate=Fate.NOT_SENT,
        value_after=None,
    )
    if value is None:
        return plain
    if not case.decision.peer_trusted:
        why = _DIRECT[case.decision.reason]
        return replace(plain, fate=Fate.REMOVED, sentences=(why,))
    if header.category is Category.CLIENT:
        described = _describe_client(case, header, value, plain)
    else:
        described = _describe_single(case, header, value, plain)
    if case.decision.rejected is None:
        return described
    fate = described.fate if described.fate is Fate.MALFORMED else Fate.REMOVED
    return replace(described, fate=fate, value_after=None)


#: Why nothing of a direct request is used.
_DIRECT = {
    Reason.PEER_NOT_TRUSTED: "The peer is not trusted, so that it is removed, unread.",
    Reason.SECRET_MISSING: "The secret is missing, so that it is removed, unread.",
}
_EMPTY = "empty, which counts as not sent"


def _describe_client(
    case: Case, header: ProxyHeader, value: str, plain: Header
) -> Header:
    """Walk over one client header again."""
    finding, hops = walk_header(case, header, value)
    if finding is None:
        return replace(plain, fate=Fate.IGNORED, sentences=(_EMPTY,))
    verdict, address, _, _, said = finding
    sentences = [] if header.form in ALONE else [_say_order(case)]
    sentences += [f"{hop.number}. {hop.sentence}" for hop in hops]
    sentences.append(f"So {_say_finding(finding)}.")
    winners, decision = case.decision.winners, case.decision
    fate, after = Fate.REMOVED, None
    if winners.get(Category.CLIENT) == header.name:
        fate, after = Fate.USED, decision.rewritten.get(header.name, value)
        sentences.append(_say_kept(value, after))
    elif header.name in winners.values():
        # Of `Forwarded` an element is used even where nothing of the header remains.
        fate = Fate.USED
    elif verdict.problem in ("malformed", "too-long") and address is None:
        fate = Fate.MALFORMED
    elif verdict.remains and decision.rejected is None:
        sentences.append(_LOST)
    if decision.rejected is None:
        sentences += _say_element(case, said or (None, None))
    return replace(
        plain, fate=fate, value_after=after, hops=hops, sentences=tuple(sentences)
    )


def _say_order(case: Case) -> str:
    if case.policy.hops is not None:
        return f"Elements are counted from the right, up to {case.policy.hops}:"
    if case.policy.networks is None:
        return "No proxies are listed, so the first element counts."
    return "Elements are read from the right, over the trusted proxies:"


def _say_finding(finding: Finding) -> str:
    verdict, address, port, _, _ = finding
    if verdict.identifies:
        beside = "" if port is None else f", port {port}"
        return f"the client is {address}{beside}: {verdict.reason}"
    stand_in = (
        "the peer's address stays"
        if address is None
        else f"the last address that was confirmed is {address}"
    )
    return f"the client is unknown: {verdict.reason}; {stand_in}"


def _say_kept(value: str, after: str) -> str:
    if after == value:
        return "The header stays as it came."
    return (
        f"The header now is {shorten(after)}: nobody confirmed what stood further left."
    )


_LOST = "A trusted header that is listed later says the client, so that one counts."


def _say_element(case: Case, said: Said) -> Iterator[str]:
    """Say what the client's element of ``Forwarded`` says besides its address."""
    proto, host = said
    for category, name, text in (
        (Category.SCHEME, "proto", proto),
        (Category.HOST, "host", host),
    ):
        if text is not None:
            used = category in case.decision.winners
            verdict = "used" if used else "malformed, not used"
            yield f"{name} of the client's element, {shorten(text)}, is {verdict}."


def _describe_single(
    case: Case, header: ProxyHeader, value: str, plain: Header
) -> Header:
    """Read one value, or that of several which counts."""
    decision = case.decision
    position = decision.verdict.position
    text, parsed, problem = choose_value(
        value, position, header.category, PARSERS[header.form]
    )
    shown, what = shorten(text), SETS[header.category]
    guess = any(
        p.code == "uncounted-list" and p.header == header.name
        for p in decision.problems
    )
    choice = _say_choice(case, value, text, guess=guess)
    if problem == "too-long":
        why = "There is more of it than is read, and what counts stands there."
        return replace(plain, fate=Fate.MALFORMED, sentences=(why,))
    if problem is not None:
        why = f"{choice}{shown} is malformed, and counts as absent."
        return replace(plain, fate=Fate.MALFORMED, sentences=(why,))
    if parsed is None:
        return replace(plain, fate=Fate.IGNORED, sentences=(_EMPTY,))
    if decision.winners.get(header.category) != header.name:
        why = f"{choice}{shown} is well-formed, but another header that is listed "
        return replace(
            plain,
            fate=Fate.REMOVED,
            guess=guess,
            sentences=(f"{why}later says the {what}, so that one counts.",),
        )
    said = _say_meaning(parsed, text)
    return replace(
        plain,
        fate=Fate.USED,
        value_after=decision.rewritten.get(header.name, value),
        guess=guess,
        sentences=(f"{choice}{shown} is used as the {what}{said}.",),
    )


def _say_meaning(parsed: str, text: str) -> str:
    """Say what a value means where that is not what it says."""
    return "" if parsed == text else f", {parsed!r}"


def _say_choice(case: Case, value: str, text: str, *, guess: bool) -> str:
    """Say why this element counts, where there are others."""
    if value.strip(" \t") == text:
        return ""
    shown = shorten(value)
    verdict = case.decision.verdict
    if guess:
        return (
            f"Of {shown}, the right-most element is taken, which is a guess, since "
            "nothing says which one the client's own proxy wrote: "
        )
    if verdict.position is None:
        return f"Of {shown}, the first element counts, as of every list: "
    if not verdict.counted:
        return f"Of {shown}, all elements mean the same: "
    if case.policy.hops is not None:
        return f"Of {shown}, the element at the count from the right is taken: "
    return f"Of {shown}, the element that the client's own proxy wrote counts: "


# -- headers that it does not list -----------------------------------------------------


def _describe_other(case: Case, name: str, value: str) -> Header:
    lower = name.lower()
    hidden = case.masks.hides(name)
    shown = HIDDEN if hidden else value
    plain = Header(
        name=name,
        value=shown,
        hidden=hidden,
        fate=Fate.OTHER,
        value_after=shown,
    )
    if lower == (case.policy.secret_header or "").lower():
        why = "The proxy's secret, which is removed from every request."
        return replace(plain, fate=Fate.SECRET, value_after=None, sentences=(why,))
    if lower in _OF_CONNECTION:
        return replace(plain, fate=Fate.CONNECTION, sentences=(_OF_CONNECTION[lower],))
    known = case.known
    header = known.get(lower)
    if header is not None:
        return _describe_unlisted(case, header, plain)
    variant = known.get(lower.replace("_", "-"))
    if variant is not None:
        why = _VARIANT.format(variant.name)
        return replace(plain, fate=Fate.IGNORED, sentences=(why,))
    return plain


_VARIANT = (
    "To a WSGI server and to many others this is {0}: the front end has to drop it. It "
    "is not read here; in ASGI it is removed wherever {0} would be."
)


def _describe_unlisted(case: Case, header: ProxyHeader, plain: Header) -> Header:
    categories = tuple(SETS[c] for c in header.categories if c in SETS)
    described = replace(plain, name=header.name, categories=categories)
    if header.name in case.decision.removed:
        why = _say_removal(case, header)
        return replace(described, fate=Fate.REMOVED, value_after=None, sentences=(why,))
    return replace(described, fate=Fate.NOT_LISTED, sentences=(_UNTOUCHED,))


_UNTOUCHED = (
    "TRUSTED_PROXY_HEADERS does not list it, nor anything else that says the same: it "
    "stays as it came, and whatever reads it may read a forged value."
)


def _say_removal(case: Case, header: ProxyHeader) -> str:
    """Say why a header that is not listed is removed (rules R2, R5, R21)."""
    rules = case.policy.rules
    for category in header.categories:
        if category in case.policy.fixed:
            return f"{STATED_BY[category]} states the {SETS[category]}."
        listed = [h.name for h in case.policy.headers if category in h.categories]
        if listed and category in rules.opted_in:
            return (
                f"It says the {SETS[category]}, as {listed[0]} does, which is listed."
            )
    return "TRUSTED_PROXY_STRIP is 'all': every known header that was not used goes."
