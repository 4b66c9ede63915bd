"""
Mistakes about whom and what is trusted: the peer, the secret, the client's header.

In:  a `Situation`.
Out: `Advice`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..decision import Reason
from ..headers import Category, Form
from ..log import shorten
from ..networks import UNIX
from ..parsing.addresses import came_over_unix, parse_peer, spell_peer
from ..parsing.elements import read_element, split_elements
from ..parsing.lists import split_from_right
from ..setting_lines import spell_headers, write_line
from .situation import Advice
from .words import SWITCH_OFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..decision import Decision
    from ..parsing.addresses import Hop
    from .situation import Situation


def advise_untrusted_peer(situation: Situation) -> Iterator[Advice]:
    """The proxy is not in the list, or is there by another address (the commonest)."""
    decision = situation.decision
    if decision.reason is not Reason.PEER_NOT_TRUSTED:
        return
    sent = _list_removed(situation)
    if not sent:
        return
    header = _find_header_that_names(situation, decision)
    if header is not None:
        yield _describe_rewritten_peer(decision, header)
        return
    entry = _name_entry(decision)
    if entry is None:
        yield _describe_unknown_peer(decision, sent)
        return
    yield Advice(
        "peer-not-trusted",
        sent[0],
        f"the peer {shorten(decision.peer)} sent {', '.join(sent)}, which was removed, "
        f"because TRUSTED_PROXIES does not list this peer. If it is your own proxy, "
        f"add {entry!r}{_SOCKET if entry == UNIX else _NETWORK}",
        (situation.write_proxies(entry),),
    )


#: What has to be so before an entry is added.
_SOCKET = ", if nothing but that proxy can connect to the socket."
_NETWORK = (
    ", or its network, if nothing but that proxy can come from there: through a "
    "published container port strangers come from the gateway's address too."
)


def _list_removed(situation: Situation) -> list[str]:
    """List what shows that the peer may be a proxy: what only a trusted one may say."""
    removed = situation.decision.removed
    listed = [h.name for h in situation.policy.headers if h.name in removed]
    # Where facts are stated instead, no header of theirs is listed.
    return listed or (list(removed) if situation.policy.fixed else [])


def _find_header_that_names(situation: Situation, decision: Decision) -> str | None:
    """Find the client header in which the peer's own address stands."""
    packed = parse_peer(decision.peer)
    for header in situation.list_sent(Category.CLIENT):
        hops = _read_hops(header.form, situation.headers[header.name])
        if any(hop is not None and hop.packed == packed for hop in hops):
            return header.name
    return None


def _read_hops(form: Form, value: str) -> list[Hop | None]:
    """Read the elements of a client header from the right, as addresses."""
    return [read_element(form, text) for text in split_elements(form, value)]


def _describe_rewritten_peer(decision: Decision, header: str) -> Advice:
    return Advice(
        "peer-rewritten",
        header,
        f"the peer {shorten(decision.peer)} is not in TRUSTED_PROXIES and is itself an "
        f"element of {header}: the server seems to have rewritten the client already, "
        f"so that the peer is lost. {SWITCH_OFF} Do not add this address to "
        f"TRUSTED_PROXIES: it is a client's.",
    )


def _describe_unknown_peer(decision: Decision, sent: list[str]) -> Advice:
    return Advice(
        "peer-not-trusted",
        sent[0],
        f"the peer {shorten(decision.peer)} sent {', '.join(sent)}, which was removed: "
        f"that is no address, and the server shows no unix socket, so that no entry of "
        f"TRUSTED_PROXIES can be for it. Let the server listen where it reports who "
        f"connects: docs/servers.md has what each one does.",
    )


def _name_entry(decision: Decision) -> str | None:
    """Name the entry of the list that the peer would be trusted by, if one can be."""
    if came_over_unix(decision.peer, decision.connection.peer_is_unix):
        return UNIX
    spelled = spell_peer(decision.peer)
    return None if spelled is None else spelled.partition("%")[0]


def advise_missing_secret(situation: Situation) -> Iterator[Advice]:
    """The proxy does not send the secret."""
    decision = situation.decision
    if decision.reason is not Reason.SECRET_MISSING:
        return
    sent = _list_removed(situation)
    if not sent:
        return
    name = situation.policy.secret_header
    yield Advice(
        "secret-missing",
        name,
        f"the peer {shorten(decision.peer)} sent {', '.join(sent)}, which was removed, "
        f"because the request did not carry the secret in {name}. If it is your own "
        f"proxy, let it set {name} to one of TRUSTED_PROXY_SECRETS.",
    )


#: Where each category is likeliest to be found.
_USUAL = {
    Category.CLIENT: "X-Forwarded-For",
    Category.SCHEME: "X-Forwarded-Proto",
    Category.HOST: "X-Forwarded-Host",
}


def advise_nothing_trusted(situation: Situation) -> Iterator[Advice]:
    """Headers came, and the policy lists none."""
    decision = situation.decision
    if decision.reason is not Reason.NO_TRUSTED_HEADERS:
        return
    sent = [
        next((h for h in found if h.name == usual), found[0])
        for category, usual in _USUAL.items()
        if (found := situation.list_sent(category))
    ]
    sent = list(dict.fromkeys(sent))
    if not sent:
        return
    names = ", ".join(header.name for header in sent)
    entry = _name_entry(decision)
    yield Advice(
        "nothing-trusted",
        sent[0].name,
        f"the peer {shorten(decision.peer)} sent {names}, and no header is trusted. If "
        "it is your own proxy, and it sets them whatever a client sent, list them, "
        "and the proxy.",
        (
            write_line("TRUSTED_PROXY_HEADERS", spell_headers(sent)),
            *(() if entry is None else (situation.write_proxies(entry),)),
        ),
    )


def advise_missing_client(situation: Situation) -> Iterator[Advice]:
    """A trusted peer sent none of the listed client headers."""
    decision = situation.decision
    if not decision.peer_trusted or decision.reason is not Reason.HEADER_MISSING:
        return
    listed = ", ".join(situation.rules.client_headers)
    came = f"the trusted peer {shorten(decision.peer)} did not send {listed}"
    others = situation.list_sent(Category.CLIENT)
    if others:
        other = others[0]
        yield Advice(
            "client-header-missing",
            other.name,
            f"{came}, but {other.name}. If it sets that one whatever a client sent, "
            f"list it instead.",
            situation.write_headers(other, in_place_of=Category.CLIENT),
        )
        return
    yield Advice(
        "client-header-missing",
        situation.rules.client_headers[-1],
        f"{came}, so that the client is unknown. If it is your own proxy, let it set "
        f"that header: `trustedproxy config` prints how. If it asks by itself, as a "
        f"health check does, nothing is wrong.",
    )


def advise_too_few_elements(situation: Situation) -> Iterator[Advice]:
    """The list has fewer elements than the count."""
    decision = situation.decision
    if not decision.peer_trusted or decision.reason is not Reason.TOO_FEW_ELEMENTS:
        return
    short = {p.header: p for p in decision.problems if p.code == "too-few-elements"}
    # Of a rejected request the header is gone, and the problem is there.
    name = decision.verdict.header or next(iter(short))
    (form,) = (h.form for h in situation.policy.headers if h.name == name)
    there = len(split_elements(form, short[name].value or ""))
    yield Advice(
        "too-few-elements",
        name,
        f"{name} has fewer elements than TRUSTED_PROXY_HOPS counts, {there} of "
        f"{situation.policy.hops}: the request did not pass all of your proxies, or "
        f"fewer of them write an element than you think. If {there} is the number "
        f"that they write, set it.",
        (write_line("TRUSTED_PROXY_HOPS", there),),
    )


def advise_all_trusted(situation: Situation) -> Iterator[Advice]:
    """Every hop is a trusted proxy, and so the client is one, too."""
    decision = situation.decision
    name, position = decision.verdict.header, decision.verdict.position
    if decision.reason is not Reason.ALL_HOPS_TRUSTED or not situation.is_read:
        return
    (form,) = (h.form for h in situation.policy.headers if h.name == name)
    hops = _read_hops(form, situation.headers[name])[: (position or 1) - 1]
    entries = [_name_entry(decision), *(hop and hop.address for hop in hops)]
    yield Advice(
        "all-hops-trusted",
        name,
        f"the client {decision.client} is itself in TRUSTED_PROXIES, as every hop is. "
        "If it is a client and no proxy, the networks are too wide: list the "
        "addresses of your proxies alone.",
        (write_line("TRUSTED_PROXIES", list(dict.fromkeys(filter(None, entries)))),),
    )


def advise_uncounted_list(situation: Situation) -> Iterator[Advice]:
    """Which element of a list counts is a guess (rule R9)."""
    guessed = {
        problem.header: problem.value
        for problem in situation.decision.problems
        if problem.code == "uncounted-list"
    }
    if not guessed or not situation.is_read:
        return
    lists = [split_from_right(value) for value in guessed.values()]
    # Nobody has as many proxies as there are elements where not all are read.
    unread = any(None in elements for elements in lists)
    most = max(map(len, lists))
    yield Advice(
        "uncounted-list",
        next(iter(guessed)),
        f"{', '.join(guessed)} has several values, and which one the client's own "
        "proxy wrote is a guess, since no list of addresses says where the client "
        "stands. Say how many of your proxies append to it, or let the outermost one "
        "overwrite it.",
        () if unread else (write_line("TRUSTED_PROXY_HOPS", most),),
    )
