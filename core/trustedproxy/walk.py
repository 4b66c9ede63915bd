"""
Find the client in the value of a client header (rules R6, R7, R8, R11, R14).

In:  the header's value, what trusts an address, the hop count.
Out: a `Finding`: the client, the last address that was vouched for, and where it stood.

Each form of a client header is read by one `find_…` function; `FINDERS` has them.
`explain` replays the same functions with a list that takes the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from . import forwarded, lists
from ._grammar import UNIDENTIFIED
from .addresses import Hop, parse_hop, parse_hop_colon_port
from .decision import Reason
from .headers import Form
from .values import BLANKS

if TYPE_CHECKING:
    from collections.abc import Callable


class Trust(NamedTuple):
    """
    What a policy says about hops.

    Attributes:
        contains: Whether a packed address is a trusted proxy; ``None``: every peer is.

        hops: How many elements the operator's own proxies wrote, or ``None``.
    """

    contains: Callable[[bytes], bool] | None
    hops: int | None


_new = tuple.__new__

# Looking a member up in its class costs more than a walk, before Python 3.12.
_FIRST_UNTRUSTED_HOP = Reason.FIRST_UNTRUSTED_HOP
_ALL_HOPS_TRUSTED = Reason.ALL_HOPS_TRUSTED
_SINGLE_VALUE = Reason.SINGLE_VALUE


class Step(NamedTuple):
    """One element that was looked at, and what was concluded, for `explain`."""

    element: str | None
    hop: Hop | None
    trusted: bool


class Finding(NamedTuple):
    """
    What a client header says.

    Attributes:
        client: The client's hop, or ``None`` where it is unknown.

        vouched:
            The hop whose address ``REMOTE_ADDR`` gets: the client, or else the last
            one that was vouched for; ``None``: the peer stays.

        text: What remains of the header's value, or ``None`` where nothing does.

        position:
            Where the other lists are read: elements counted from the right, from 1;
            ``None`` for the first element of all.

        reason: Why.

        problem: The code of the problem that was met, or ``None``.

        element: The client's own element of ``Forwarded``, where it has a grammar.
    """

    client: Hop | None
    vouched: Hop | None
    text: str | None
    position: int | None
    reason: Reason
    problem: str | None = None
    element: forwarded.Element | None = None


#: One element of either list, read: its hop, a problem's code, its parameters.
_Entry: TypeAlias = tuple["Hop | None", "str | None", "forwarded.Element | None"]


def _read_entry(text: str | None) -> _Entry:
    if text is None:
        return None, "too-long", None
    hop = parse_hop(text)
    if hop is not None or UNIDENTIFIED.fullmatch(text):
        return hop, None, None
    return None, "malformed", None


def _read_forwarded_entry(text: str | None) -> _Entry:
    if text is None:
        return None, "too-long", None
    element = forwarded.parse_element(text)
    if element is None:
        return None, "malformed", None
    if element.node is None or UNIDENTIFIED.fullmatch(element.node):
        return None, None, element
    hop = parse_hop(element.node, forwarded=True)
    return hop, None if hop else "malformed", element


def find_in_single(
    value: str, trust: Trust, steps: list[Step] | None = None
) -> Finding | None:
    """Read a header that holds one address."""
    return _find_alone(value, trust, steps, parse_hop)


def find_in_colon_port(
    value: str, trust: Trust, steps: list[Step] | None = None
) -> Finding | None:
    """Read a header that holds one address, a colon and a port."""
    return _find_alone(value, trust, steps, parse_hop_colon_port)


def _find_alone(
    value: str,
    trust: Trust,
    steps: list[Step] | None,
    parse: Callable[[str], Hop | None],
) -> Finding | None:
    text = value.strip(BLANKS)
    if not text:
        return None
    hop = parse(text)
    if steps is not None:
        steps.append(Step(text, hop, False))
    # No list won the category: the others count by the peer's own element.
    position = position_without_list(trust)
    if hop is not None:
        return Finding(hop, hop, text, position, _SINGLE_VALUE)
    if UNIDENTIFIED.fullmatch(text):
        return Finding(None, None, None, position, Reason.UNIDENTIFIED_HOP)
    return Finding(None, None, None, position, Reason.MALFORMED, "malformed")


def position_without_list(trust: Trust) -> int | None:
    """Say where the other lists are read when no list won the client category."""
    if trust.hops is not None:
        return trust.hops
    return None if trust.contains is None else 1


def find_in_list(
    value: str, trust: Trust, steps: list[Step] | None = None
) -> Finding | None:
    """Read a list that is split at bare commas: ``X-Forwarded-For``."""
    if trust.hops is not None:
        elements = lists.split_from_right(value)
        return _count(elements, _read_entry, trust.hops, steps)
    if trust.contains is not None:
        elements = lists.split_from_right(value)
        return _walk(elements, _read_entry, trust.contains, steps)
    elements = lists.split_from_left(value)
    return _take_first(_read_entry(elements[0]), value) if elements else None


def find_in_forwarded(
    value: str, trust: Trust, steps: list[Step] | None = None
) -> Finding | None:
    """Read ``Forwarded`` (RFC 7239)."""
    elements = forwarded.split_from_right(value)
    if trust.hops is not None:
        return _count(elements, _read_forwarded_entry, trust.hops, steps)
    if trust.contains is not None:
        return _walk(elements, _read_forwarded_entry, trust.contains, steps)
    entries = [_read_forwarded_entry(text) for text in elements]
    # What is broken somewhere has no first element (rule R7).
    broken = [entry for entry in entries if entry[2] is None]
    return _take_first((broken or entries)[-1], value) if entries else None


def _take_first(entry: _Entry, value: str) -> Finding:
    """Conclude where every peer is believed: the header stays as it is."""
    hop, problem, element = entry
    if hop is None:
        reason = Reason.UNIDENTIFIED_HOP
        return Finding(None, None, None, None, reason, problem, element)
    return Finding(hop, hop, value, None, Reason.FIRST_ELEMENT, None, element)


def _walk(
    elements: list[str | None],
    read: Callable[[str | None], _Entry],
    contains: Callable[[bytes], bool],
    steps: list[Step] | None,
) -> Finding | None:
    """Walk from the right over trusted proxies to the first that is not one."""
    last: Hop | None = None
    reason = _ALL_HOPS_TRUSTED
    element = None
    passed = 0
    for text in elements:
        hop, problem, element = read(text)
        if hop is None:
            if steps is not None:
                steps.append(Step(text, None, False))
            return _end_unidentified(
                last, elements[:passed], passed + 1, problem, element
            )
        trusted = contains(hop[2])
        if steps is not None:
            steps.append(Step(text, hop, trusted))
        last = hop
        passed += 1
        if not trusted:
            reason = _FIRST_UNTRUSTED_HOP
            break
    if last is None:
        return None
    kept = _join(elements[:passed])
    return _new(Finding, (last, last, kept, passed, reason, None, element))


def _count(
    elements: list[str | None],
    read: Callable[[str | None], _Entry],
    hops: int,
    steps: list[Step] | None,
) -> Finding | None:
    """Count from the right; what stands right of the count is only counted."""
    last: Hop | None = None
    for passed, text in enumerate(elements):
        hop, problem, element = read(text)
        if steps is not None:
            steps.append(Step(text, hop, passed + 1 < hops))
        # What breaks the grammar of Forwarded might be several elements.
        broken = element is None and read is _read_forwarded_entry
        counted = passed + 1 == hops
        if text is None or broken or (counted and hop is None):
            return _end_unidentified(last, elements[:passed], hops, problem, element)
        if counted:
            kept = _join(elements[:hops])
            reason = Reason.HOP_COUNT
            return Finding(hop, hop, kept, hops, reason, None, element)
        last = hop
    if not elements:
        return None
    problem = "too-few-elements"
    return Finding(None, None, None, hops, Reason.TOO_FEW_ELEMENTS, problem)


def _end_unidentified(
    vouched: Hop | None,
    passed: list[str | None],
    position: int,
    problem: str | None,
    element: forwarded.Element | None,
) -> Finding:
    """
    End at an element that names nobody (rule R11).

    The address is that of the element right of it, if that is one, else the peer's;
    it is never the garbage, and never an address further left.
    """
    kept = None if vouched is None else _join(passed)
    reason = Reason.UNIDENTIFIED_HOP
    return Finding(None, vouched, kept, position, reason, problem, element)


def _join(nearest_first: list[str | None]) -> str:
    """Write elements down as a header has them."""
    if len(nearest_first) == 1:
        return nearest_first[0] or ""
    return ", ".join(text for text in reversed(nearest_first) if text is not None)


FINDERS: dict[Form, Callable[[str, Trust, list[Step] | None], Finding | None]] = {
    Form.ADDRESS: find_in_single,
    Form.ADDRESS_COLON_PORT: find_in_colon_port,
    Form.ADDRESS_LIST: find_in_list,
    Form.FORWARDED: find_in_forwarded,
}
