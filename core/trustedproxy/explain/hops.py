"""
The way of a request: the peer, and each element of a client header with its verdict.

In:  a `Case`.
Out: `Peer` and `Hop` records.

No rule is here: the steps are those that `client` itself takes, and the verdict about
an address is `networks`' own.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from ..client import compile_finder
from ..decision import Reason
from ..exceptions import ConfigurationError
from ..headers import Form
from ..log import shorten
from ..networks import TrustedNetworks
from ..parsing.addresses import (
    came_over_unix,
    is_unix_peer,
    parse_peer,
    spell_peer,
)
from ..parsing.elements import split_elements
from ..parsing.values import split_host
from .records import Hop, Peer, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..client import Finding, Step
    from ..decision import Verdict
    from ..headers import ProxyHeader
    from ..networks import NetworkEntry
    from ..policy import ProxyPolicy
    from .case import Case

#: Forms that hold one address, and so have no order.
ALONE = (Form.ADDRESS, Form.ADDRESS_COLON_PORT)
# Entries that are named in a sentence; the rest is counted.
_MOST_ENTRIES = 8


def describe_peer(case: Case) -> Peer:
    """Say who the peer is, and why it is trusted or not."""
    connection = case.request.connection
    is_unix = came_over_unix(connection.peer, connection.peer_is_unix)
    entry = None
    if case.decision.reason is not Reason.PEER_NOT_TRUSTED:
        entry = find_peer_entry(case.policy, connection.peer, connection.peer_is_unix)
    return Peer(
        text=connection.peer,
        is_unix=is_unix,
        trusted=case.decision.peer_trusted,
        entry=entry,
        sentences=tuple(_say_peer(case, entry, is_unix=is_unix)),
    )


def find_peer_entry(
    policy: ProxyPolicy, peer: str | None, is_unix: bool | None
) -> str | None:
    """Find the entry of ``TRUSTED_PROXIES`` by which a peer is trusted."""
    for entry, networks in _compile(policy.proxies or ()):
        if networks.trusts(peer, is_unix):
            return entry
    return None


def find_entry(policy: ProxyPolicy, packed: bytes) -> str | None:
    """Find the entry of ``TRUSTED_PROXIES`` that holds an address."""
    for entry, networks in _compile(policy.proxies or ()):
        if networks.contains(packed):
            return entry
    return None


@lru_cache(maxsize=4)
def _compile(
    entries: tuple[NetworkEntry, ...],
) -> tuple[tuple[str, TrustedNetworks], ...]:
    """Compile each entry by itself."""
    compiled = []
    for entry in entries:
        # A list that is in force may be gone by now; the last good one is kept.
        with suppress(ConfigurationError):
            compiled.append((str(entry), TrustedNetworks((entry,))))
    return tuple(compiled)


_HEADERS_READ = "its headers are read."
_DIRECT = "this is a direct request, and no header is read."


def _say_peer(case: Case, entry: str | None, *, is_unix: bool) -> Iterator[str]:
    peer = shorten(case.decision.peer)
    if is_unix:
        peer = f"The unix socket {peer}"
    policy, reason = case.policy, case.decision.reason
    if reason is Reason.NO_TRUSTED_HEADERS:
        yield "No header is trusted, so none is read."
    elif reason is Reason.SECRET_MISSING:
        yield f"The request does not carry the proxy's secret: {_DIRECT}"
    elif reason is Reason.PEER_NOT_TRUSTED:
        yield f"{peer} is not a trusted proxy: {_DIRECT}"
        yield _say_list(case)
    elif policy.networks is not None:
        by = "" if entry is None else f", by the entry {entry!r} of TRUSTED_PROXIES"
        yield f"{peer} is a trusted proxy{by}: {_HEADERS_READ}"
    elif policy.secret_header is not None:
        yield f"{peer} knows the secret: {_HEADERS_READ}"
    else:
        yield f"{peer} is trusted, as every peer is: {_HEADERS_READ}"
    if is_host_name(case.decision.peer) and not is_unix:
        yield _NAME.format(peer)


def _say_list(case: Case) -> str:
    """Say what the list has instead."""
    entries = case.policy.proxies or ()
    if not entries:
        return "TRUSTED_PROXIES is empty, so that nobody is trusted."
    shown = ", ".join(map(str, entries[:_MOST_ENTRIES]))
    more = len(entries) - _MOST_ENTRIES
    rest = f" and {more} more" if more > 0 else ""
    return f"TRUSTED_PROXIES has {shown}{rest}."


_NAME = (
    "{} is a host's name and no address. A server reports the address that connected, "
    "and names are never looked up: explain the request with that address."
)


def is_host_name(peer: str | None) -> bool:
    """Say whether a *peer* that was given is the name of a host."""
    if peer is None or is_unix_peer(peer) or parse_peer(peer) is not None:
        return False
    split = split_host(peer)
    return split is not None and not split[0].startswith("[")


def walk_header(
    case: Case, header: ProxyHeader, value: str
) -> tuple[Finding | None, tuple[Hop, ...]]:
    """
    Take the steps of the rules over one client header again.

    Returns:
        What the header says; its elements nearest first, those that were cut off too.
    """
    steps: list[Step] = []
    trust = case.policy.rules.trust
    finding = compile_finder(header, trust)(value, steps)
    if finding is None:
        return None, ()
    verdict, _, _, _, _ = finding
    hops = [
        _describe_step(case, header, verdict, steps, number)
        for number in range(1, len(steps) + 1)
    ]
    return finding, (*hops, *_list_cut(case, header, value, len(hops)))


def _describe_step(
    case: Case,
    header: ProxyHeader,
    verdict: Verdict,
    steps: Sequence[Step],
    number: int,
) -> Hop:
    step = steps[number - 1]
    is_last = number == len(steps)
    hop = step.hop
    entry = None
    if hop is not None and step.trusted and case.policy.hops is None:
        entry = find_entry(case.policy, hop.packed)
    standing = _choose_standing(case, verdict, is_last=is_last)
    return Hop(
        number=number,
        text=step.element or "",
        address=None if hop is None else hop.address,
        port=None if hop is None else hop.port,
        standing=standing,
        header=header.name,
        entry=entry,
        sentence=_say_step(case, header, step, standing, entry),
    )


def _choose_standing(case: Case, verdict: Verdict, *, is_last: bool) -> Standing:
    if is_last and verdict.identifies:
        return Standing.CLIENT
    if is_last and verdict.reason is not Reason.TOO_FEW_ELEMENTS:
        return Standing.NOBODY
    return Standing.COUNTED if case.policy.hops is not None else Standing.TRUSTED


def _say_step(
    case: Case, header: ProxyHeader, step: Step, standing: Standing, entry: str | None
) -> str:
    text = shorten(step.element)
    if step.element is None:
        return "There is more, and it is not read: nobody can be found there."
    if standing is Standing.NOBODY:
        return f"{text} names nobody."
    if standing is Standing.COUNTED:
        return f"{text} is counted, and not looked at."
    if step.trusted and case.policy.hops is None:
        by = "" if entry is None else f" ({entry})"
        return f"{text} is a trusted proxy{by}."
    if header.form in ALONE:
        return f"{text} is an address."
    if case.policy.hops is not None:
        return f"{text} is the client's."
    if case.policy.networks is None:
        return f"{text} is the first."
    return f"{text} is not a trusted proxy."


def _list_cut(case: Case, header: ProxyHeader, value: str, read: int) -> Iterator[Hop]:
    """List what stands further left than the reading went."""
    if header.form in ALONE or case.policy.rules.trust.position_without_list is None:
        return
    for number, element in enumerate(split_elements(header.form, value), 1):
        if number <= read:
            continue
        text = "" if element is None else element
        yield Hop(
            number=number,
            text=text,
            address=None,
            port=None,
            standing=Standing.CUT,
            header=header.name,
            entry=None,
            sentence=f"{shorten(text)} stands further left: nobody confirmed it."
            if element is not None
            else "There is more, and it is not read.",
        )


def describe_way(case: Case, peer: Peer, walked: Sequence[Hop]) -> tuple[Hop, ...]:
    """Put the peer in front of the elements that were *walked*."""
    text = peer.text or ""
    standing = Standing.STRANGER
    if peer.trusted:
        standing = Standing.TRUSTED
    elif not walked and case.decision.client is not None:
        standing = Standing.CLIENT
    first = Hop(
        number=0,
        text=text,
        address=spell_peer(case.decision.peer),
        port=None,
        standing=standing,
        header=None,
        entry=peer.entry,
        sentence=peer.sentences[0],
    )
    return (first, *walked)
