"""
Find the client in the value of a client header (rules R6, R7, R8, R11, R14).

In:  the header's value, what trusts an address, the hop count.
Out: a `Finding`: the client, the last address that was confirmed, and where it stood.

Each form of a client header is read by one `find_…` function; `FINDERS` has them.
`explain` replays the same functions with a list that takes the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from .decision import Reason
from .headers import Form
from .parsing import forwarded, lists
from .parsing.addresses import Hop, parse_hop, parse_hop_colon_port
from .parsing.grammar import UNIDENTIFIED
from .parsing.values import BLANKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .memo import Memo


class Trust(NamedTuple):
    """
    What a policy says about hops.

    Attributes:
        contains: Whether a packed address is a trusted proxy; ``None``: every peer is.

        hops: How many elements the operator's own proxies wrote, or ``None``.

        known: Elements of X- lists that are trusted proxies, remembered by their text.
    """

    contains: Callable[[bytes], bool] | None
    hops: int | None
    known: Memo[str, Hop] | None = None


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
            one that was confirmed; ``None``: the peer stays.

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


class _Grammar(NamedTuple):
    """
    How the elements of one kind of list are read.

    Attributes:
        read: An element's text → its hop, or ``None`` where it names no address.

        describe:
            An element's text, or ``None`` for what is not read → the code of its
            problem, and its parameters where it has such.

        is_forwarded: Whether an element can break the grammar, and has parameters.
    """

    read: Callable[[str], Hop | None]
    describe: Callable[[str | None], tuple[str | None, forwarded.Element | None]]
    is_forwarded: bool


def _describe(text: str | None) -> tuple[str | None, None]:
    if text is None:
        return "too-long", None
    if parse_hop(text) is not None or UNIDENTIFIED.fullmatch(text):
        return None, None
    return "malformed", None


def _read_node(text: str) -> Hop | None:
    element = forwarded.parse_element(text)
    if element is None or element.node is None:
        return None
    return parse_hop(element.node, forwarded=True)


def _describe_element(
    text: str | None,
) -> tuple[str | None, forwarded.Element | None]:
    if text is None:
        return "too-long", None
    element = forwarded.parse_element(text)
    if element is None:
        return "malformed", None
    node = element.node
    if node is None or UNIDENTIFIED.fullmatch(node) or _read_node(text):
        return None, element
    return "malformed", element


_LIST = _Grammar(parse_hop, _describe, False)
_FORWARDED = _Grammar(_read_node, _describe_element, True)


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
    contains, hops, known = trust
    if steps is None and hops is None and contains is not None:
        # What most values are: one element, and that an untrusted one.
        hop = None if "," in value else parse_hop(value)
        if hop is not None and not contains(hop[2]):
            return _new(Finding, (hop, hop, value, 1, _FIRST_UNTRUSTED_HOP, None, None))
    if hops is not None:
        return _count(lists.split_from_right(value), _LIST, hops, steps)
    if contains is not None:
        return _walk(lists.split_from_right(value), _LIST, contains, steps, known)
    elements = lists.split_from_left(value)
    return _take(elements[0], _LIST, value) if elements else None


def find_in_forwarded(
    value: str, trust: Trust, steps: list[Step] | None = None
) -> Finding | None:
    """Read ``Forwarded`` (RFC 7239)."""
    contains, hops, _ = trust
    elements = forwarded.split_from_right(value)
    if hops is not None:
        return _count(elements, _FORWARDED, hops, steps)
    if contains is not None:
        return _walk(elements, _FORWARDED, contains, steps)
    # What is broken somewhere has no first element (rule R7).
    broken = [text for text in elements if _describe_element(text)[1] is None]
    return _take((broken or elements)[-1], _FORWARDED, value) if elements else None


def _take(text: str | None, grammar: _Grammar, value: str) -> Finding:
    """Take one element, where every peer is peer_trusted: the header stays as it is."""
    problem, element = grammar.describe(text)
    hop = None if text is None else grammar.read(text)
    if hop is None:
        reason = Reason.UNIDENTIFIED_HOP
        return Finding(None, None, None, None, reason, problem, element)
    return Finding(hop, hop, value, None, Reason.FIRST_ELEMENT, None, element)


def _walk(
    elements: list[str | None],
    grammar: _Grammar,
    contains: Callable[[bytes], bool],
    steps: list[Step] | None,
    known: Memo[str, Hop] | None = None,
) -> Finding | None:
    """Walk from the right over trusted proxies to the first that is not one."""
    read = grammar[0]
    last: Hop | None = None
    reason = _ALL_HOPS_TRUSTED
    passed = 0
    for text in elements:
        hop = known.get(text) if known is not None and text is not None else None
        trusted = hop is not None
        if hop is None and text is not None:
            hop = read(text)
            trusted = hop is not None and contains(hop[2])
            if trusted and hop is not None and known is not None:
                known.remember(text, hop)
        if steps is not None:
            steps.append(Step(text, hop, trusted))
        if hop is None:
            return _end_unidentified(last, elements, passed, passed + 1, grammar)
        last = hop
        passed += 1
        if not trusted:
            reason = _FIRST_UNTRUSTED_HOP
            break
    if last is None:
        return None
    kept = _join(elements, passed)
    element = grammar.describe(elements[passed - 1])[1] if grammar[2] else None
    return _new(Finding, (last, last, kept, passed, reason, None, element))


def _count(
    elements: list[str | None],
    grammar: _Grammar,
    hops: int,
    steps: list[Step] | None,
) -> Finding | None:
    """Count from the right; what stands right of the count is only counted."""
    last: Hop | None = None
    for passed, text in enumerate(elements):
        hop = None if text is None else grammar.read(text)
        counted = passed + 1 == hops
        if steps is not None:
            steps.append(Step(text, hop, not counted))
        # What breaks the grammar of Forwarded might be several elements.
        broken = grammar.is_forwarded and grammar.describe(text)[1] is None
        if text is None or broken or (counted and hop is None):
            return _end_unidentified(last, elements, passed, hops, grammar)
        if counted:
            kept, reason = _join(elements, hops), Reason.HOP_COUNT
            element = grammar.describe(text)[1]
            return Finding(hop, hop, kept, hops, reason, None, element)
        last = hop
    if not elements:
        return None
    problem = "too-few-elements"
    return Finding(None, None, None, hops, Reason.TOO_FEW_ELEMENTS, problem)


def _end_unidentified(
    vouched: Hop | None,
    elements: list[str | None],
    passed: int,
    position: int,
    grammar: _Grammar,
) -> Finding:
    """
    End at an element that names nobody (rule R11).

    The address is that of the element right of it, if that is one, else the peer's;
    it is never the garbage, and never an address further left.
    """
    problem, element = grammar.describe(elements[passed])
    kept = None if vouched is None else _join(elements, passed)
    reason = Reason.UNIDENTIFIED_HOP
    return Finding(None, vouched, kept, position, reason, problem, element)


def _join(nearest_first: list[str | None], count: int) -> str:
    """Write the first *count* elements down as a header has them."""
    if count == 1:
        return nearest_first[0] or ""
    return ", ".join(cast("list[str]", nearest_first[count - 1 :: -1]))


FINDERS: dict[Form, Callable[[str, Trust, list[Step] | None], Finding | None]] = {
    Form.ADDRESS: find_in_single,
    Form.ADDRESS_COLON_PORT: find_in_colon_port,
    Form.ADDRESS_LIST: find_in_list,
    Form.FORWARDED: find_in_forwarded,
}
