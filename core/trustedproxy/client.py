"""
Find the client in the value of a client header (rules R6, R7, R8, R11, R14).

In:  the header's value, what trusts an address, the hop count.
Out: a `Finding`: the client, the last address that was confirmed, and where it stood;
     or ``None`` for a value in which there is nothing.

How a header is read is chosen once, by `compile_finder`.  Elements are read from the
right, and the reading stops at the client's.  Whoever wants to see every element and its
verdict, as `explain` does, gives a list that takes the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from .decision import Finding, Reason
from .headers import Form
from .parsing import forwarded, lists
from .parsing.addresses import Hop, parse_hop, parse_hop_colon_port
from .parsing.grammar import UNIDENTIFIED
from .parsing.values import BLANKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .headers import ProxyHeader

# Looking a member up in its class costs more than reading an address, before 3.12.
_FIRST_UNTRUSTED_HOP = Reason.FIRST_UNTRUSTED_HOP
_ALL_HOPS_TRUSTED = Reason.ALL_HOPS_TRUSTED
_SINGLE_VALUE = Reason.SINGLE_VALUE
_HOP_COUNT = Reason.HOP_COUNT


@dataclass(frozen=True, slots=True)
class Trust:
    """
    What a policy says about hops.

    Attributes:
        contains: Whether a packed address is a trusted proxy; ``None``: every peer is.

        hops: How many elements the operator's own proxies wrote, or ``None``.

        position_without_list:
            Where the other lists are read while no list won the client category.
    """

    contains: Callable[[bytes], bool] | None
    hops: int | None = None
    position_without_list: int | None = field(init=False)

    def __post_init__(self) -> None:
        position = None if self.contains is None else 1
        object.__setattr__(self, "position_without_list", self.hops or position)


@dataclass(frozen=True, slots=True)
class Step:
    """One element that was looked at, and what was concluded, for `explain`."""

    element: str | None
    hop: Hop | None
    trusted: bool


#: A header's value, and a list for the steps → what it says; ``None``: nothing.
Finder: TypeAlias = "Callable[[str, list[Step] | None], Finding | None]"


@dataclass(frozen=True, slots=True)
class _Grammar:
    """
    How the elements of one kind of list are read.

    Attributes:
        split: A header's value → its elements, nearest first.

        first: A header's value → its first element from the left, ``""`` for none.

        read: An element's text → its hop, or ``None`` where it names no address.

        describe:
            An element's text, or ``None`` for what is not read → the code of its
            problem, and its parameters where it has such.

        has_parameters: Whether an element can break the grammar, and says more.
    """

    split: Callable[[str], list[str | None]]
    first: Callable[[str], str | None]
    read: Callable[[str], Hop | None]
    describe: Callable[[str | None], tuple[str | None, forwarded.Element | None]]
    has_parameters: bool


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


def _find_first(value: str) -> str | None:
    elements = lists.split_from_left(value)
    return elements[0] if elements else ""


def _find_first_of_forwarded(value: str) -> str | None:
    # What is broken somewhere has no first element (rule R7).
    elements = forwarded.split_from_right(value)
    broken = [text for text in elements if _describe_element(text)[1] is None]
    return (broken or elements)[-1] if elements else ""


_LIST = _Grammar(lists.split_from_right, _find_first, parse_hop, _describe, False)
_FORWARDED = _Grammar(
    forwarded.split_from_right,
    _find_first_of_forwarded,
    _read_node,
    _describe_element,
    True,
)


def compile_finder(header: ProxyHeader, trust: Trust) -> Finder:
    """
    Choose how a client header is read, by its form and by what is trusted.

    Returns:
        A function of the header's value, and of a list that takes the steps or
        ``None``.
    """
    if header.form is Form.ADDRESS:
        return _compile_single(header.name, trust, parse_hop)
    if header.form is Form.ADDRESS_COLON_PORT:
        return _compile_single(header.name, trust, parse_hop_colon_port)
    grammar = _FORWARDED if header.form is Form.FORWARDED else _LIST
    if trust.hops is not None:
        return _compile_count(header.name, grammar, trust.hops)
    if trust.contains is not None:
        return _compile_walk(header.name, grammar, trust.contains)
    return _compile_first(header.name, grammar)


def _compile_single(
    name: str, trust: Trust, parse: Callable[[str], Hop | None]
) -> Finder:
    """Read a header that holds one address."""
    position, counted = trust.position_without_list, trust.hops is not None

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        text = value.strip(BLANKS)
        if not text:
            return None
        hop = parse(text)
        if steps is not None:
            steps.append(Step(text, hop, False))
        if hop is not None:
            return Finding(
                _SINGLE_VALUE,
                hop,
                hop,
                text,
                position,
                counted,
                None,
                None,
                name,
                value,
            )
        if UNIDENTIFIED.fullmatch(text):
            reason, problem = Reason.UNIDENTIFIED_HOP, None
        else:
            reason, problem = Reason.MALFORMED, "malformed"
        return Finding(
            reason, None, None, None, position, counted, problem, None, name, value
        )

    return find


def _compile_first(name: str, grammar: _Grammar) -> Finder:
    """Take the first element, where every peer is trusted (rule R7)."""

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        text = grammar.first(value)
        if text == "":
            return None
        problem, element = grammar.describe(text)
        hop = None if text is None else grammar.read(text)
        if steps is not None:
            steps.append(Step(text, hop, False))
        if hop is None:
            reason, kept = Reason.UNIDENTIFIED_HOP, None
        else:
            # The header stays as it is, whatever its length.
            reason, kept = Reason.FIRST_ELEMENT, value
        return Finding(
            reason, hop, hop, kept, None, True, problem, element, name, value
        )

    return find


def _compile_walk(
    name: str, grammar: _Grammar, contains: Callable[[bytes], bool]
) -> Finder:
    """Walk from the right over trusted proxies to the first hop that is not one."""
    split, read, describe = grammar.split, grammar.read, grammar.describe
    has_parameters = grammar.has_parameters

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        elements = split(value)
        last: Hop | None = None
        position = 0
        reason = _ALL_HOPS_TRUSTED
        for text in elements:
            hop = None if text is None else read(text)
            trusted = hop is not None and contains(hop.packed)
            if steps is not None:
                steps.append(Step(text, hop, trusted))
            if hop is None:
                return _end(name, value, elements, position, position + 1, grammar)
            last = hop
            position += 1
            if not trusted:
                reason = _FIRST_UNTRUSTED_HOP
                break
        if last is None:
            return None
        element = describe(elements[position - 1])[1] if has_parameters else None
        kept = _join(elements, position)
        return Finding(
            reason, last, last, kept, position, True, None, element, name, value
        )

    return find


def _compile_count(name: str, grammar: _Grammar, hops: int) -> Finder:
    """Count from the right; what stands right of the count is only counted (R8)."""
    split, read, describe = grammar.split, grammar.read, grammar.describe
    has_parameters = grammar.has_parameters

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        elements = split(value)
        element = None
        for passed, text in enumerate(elements[:hops]):
            counted = passed + 1 == hops
            hop = read(text) if counted and text is not None else None
            if steps is not None:
                steps.append(Step(text, hop, not counted))
            if has_parameters:
                element = describe(text)[1]
            # What breaks the grammar of Forwarded might be several elements.
            broken = has_parameters and element is None
            if text is None or broken or (counted and hop is None):
                return _end(name, value, elements, passed, hops, grammar)
            if counted:
                kept = _join(elements, hops)
                return Finding(
                    _HOP_COUNT, hop, hop, kept, hops, True, None, element, name, value
                )
        if not elements:
            return None
        reason, problem = Reason.TOO_FEW_ELEMENTS, "too-few-elements"
        return Finding(reason, None, None, None, hops, True, problem, None, name, value)

    return find


def _end(
    name: str,
    value: str,
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
    right = elements[passed - 1] if passed else None
    confirmed = None if right is None else grammar.read(right)
    kept = None if confirmed is None else _join(elements, passed)
    reason = Reason.UNIDENTIFIED_HOP
    return Finding(
        reason, None, confirmed, kept, position, True, problem, element, name, value
    )


def _join(nearest_first: list[str | None], count: int) -> str:
    """Write the first *count* elements down as a header has them."""
    if count == 1:
        return nearest_first[0] or ""
    return ", ".join(filter(None, nearest_first[count - 1 :: -1]))
