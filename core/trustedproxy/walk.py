"""
Find the client in the value of a client header (rules R6, R7, R8, R11, R14).

In:  the header's value, what trusts an address, the hop count.
Out: a `Finding`: the client, the last address that was vouched for, and where it stood.

Each form of a client header is read by one `find_…` function; `FINDERS` has them.
`explain` replays the same functions with a list that takes the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import forwarded, lists
from ._grammar import UNIDENTIFIED
from .addresses import Hop, parse_hop, parse_hop_colon_port
from .decision import Reason
from .headers import Form
from .values import BLANKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Trust(NamedTuple):
    """
    What a policy says about hops.

    Attributes:
        contains: Whether a packed address is a trusted proxy; ``None``: every peer is.

        hops: How many elements the operator's own proxies wrote, or ``None``.
    """

    contains: Callable[[bytes], bool] | None
    hops: int | None


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


class _Entry(NamedTuple):
    """One element of either list, read."""

    hop: Hop | None
    problem: str | None
    element: forwarded.Element | None = None


def _read_entry(text: str | None) -> _Entry:
    if text is None:
        return _Entry(None, "too-long")
    hop = parse_hop(text)
    if hop is not None or UNIDENTIFIED.fullmatch(text):
        return _Entry(hop, None)
    return _Entry(None, "malformed")


def _read_forwarded_entry(text: str | None) -> _Entry:
    if text is None:
        return _Entry(None, "too-long")
    element = forwarded.parse_element(text)
    if element is None:
        return _Entry(None, "malformed")
    if element.node is None or UNIDENTIFIED.fullmatch(element.node):
        return _Entry(None, None, element)
    hop = parse_hop(element.node, forwarded=True)
    return _Entry(hop, None if hop else "malformed", element)


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
        return Finding(hop, hop, text, position, Reason.SINGLE_VALUE)
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
    if trust.hops is None and trust.contains is None:
        first = next(lists.split_from_left(value), "")
        return None if first == "" else _first(_read_entry(first), value)
    return _find(lists.split_from_right(value), _read_entry, trust, steps)


def find_in_forwarded(
    value: str, trust: Trust, steps: list[Step] | None = None
) -> Finding | None:
    """Read ``Forwarded`` (RFC 7239)."""
    if trust.hops is None and trust.contains is None:
        entries = [_read_forwarded_entry(e) for e in forwarded.split_from_right(value)]
        if not entries:
            return None
        # What is broken somewhere has no first element (rule R7).
        broken = next((e for e in entries if e.element is None), None)
        return _first(broken or entries[-1], value)
    return _find(forwarded.split_from_right(value), _read_forwarded_entry, trust, steps)


def _first(entry: _Entry, value: str) -> Finding:
    """Conclude where every peer is believed: the header stays as it is."""
    if entry.hop is None:
        return Finding(
            None,
            None,
            None,
            None,
            Reason.UNIDENTIFIED_HOP,
            entry.problem,
            entry.element,
        )
    return Finding(
        entry.hop, entry.hop, value, None, Reason.FIRST_ELEMENT, None, entry.element
    )


def _find(
    elements: Iterator[str | None],
    read: Callable[[str | None], _Entry],
    trust: Trust,
    steps: list[Step] | None,
) -> Finding | None:
    if trust.hops is not None:
        return _count(elements, read, trust.hops, steps)
    assert trust.contains is not None
    return _walk(elements, read, trust.contains, steps)


def _walk(
    elements: Iterable[str | None],
    read: Callable[[str | None], _Entry],
    contains: Callable[[bytes], bool],
    steps: list[Step] | None,
) -> Finding | None:
    """Walk from the right over trusted proxies to the first that is not one."""
    passed: list[str] = []
    hop: Hop | None = None
    entry = _Entry(None, None)
    for text in elements:
        entry = read(text)
        trusted = entry.hop is not None and contains(entry.hop.packed)
        if steps is not None:
            steps.append(Step(text, entry.hop, trusted))
        if entry.hop is None or text is None:
            return _unidentified(entry, hop, passed, len(passed) + 1)
        passed.append(text)
        hop = entry.hop
        if not trusted:
            reason = Reason.FIRST_UNTRUSTED_HOP
            break
    else:
        if hop is None:
            return None
        reason = Reason.ALL_HOPS_TRUSTED
    return Finding(hop, hop, _join(passed), len(passed), reason, None, entry.element)


def _count(
    elements: Iterable[str | None],
    read: Callable[[str | None], _Entry],
    hops: int,
    steps: list[Step] | None,
) -> Finding | None:
    """Count from the right; what stands right of the count is only counted."""
    passed: list[str] = []
    previous: Hop | None = None
    for text in elements:
        entry = read(text)
        if steps is not None:
            steps.append(Step(text, entry.hop, len(passed) + 1 < hops))
        # An element that breaks the grammar of Forwarded might be several.
        broken = text is None or (
            read is _read_forwarded_entry and entry.element is None
        )
        if broken or text is None:
            return _unidentified(entry, previous, passed, hops)
        if len(passed) + 1 == hops:
            if entry.hop is None:
                return _unidentified(entry, previous, passed, hops)
            passed.append(text)
            return Finding(
                entry.hop,
                entry.hop,
                _join(passed),
                hops,
                Reason.HOP_COUNT,
                None,
                entry.element,
            )
        passed.append(text)
        previous = entry.hop
    if not passed:
        return None
    return Finding(None, None, None, hops, Reason.TOO_FEW_ELEMENTS, "too-few-elements")


def _unidentified(
    entry: _Entry, vouched: Hop | None, passed: list[str], position: int
) -> Finding:
    """
    End at an element that names nobody (rule R11).

    The address is that of the element right of it, if that is one, else the peer's;
    it is never the garbage, and never an address further left.
    """
    return Finding(
        None,
        vouched,
        _join(passed) if vouched is not None else None,
        position,
        Reason.UNIDENTIFIED_HOP,
        entry.problem,
        entry.element,
    )


def _join(nearest_first: list[str]) -> str:
    return ", ".join(reversed(nearest_first))


FINDERS: dict[Form, Callable[[str, Trust, list[Step] | None], Finding | None]] = {
    Form.ADDRESS: find_in_single,
    Form.ADDRESS_COLON_PORT: find_in_colon_port,
    Form.ADDRESS_LIST: find_in_list,
    Form.FORWARDED: find_in_forwarded,
}
