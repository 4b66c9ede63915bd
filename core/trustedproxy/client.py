"""
Find the client in the value of a client header (rules R6, R7, R8, R11).

In:  the header's value, what trusts an address, the hop count.
Out: a `Finding`: what is concluded, the last address that was confirmed, and what
     remains of the value; or ``None`` for a value in which there is nothing.

How a header is read is chosen once, by `compile_finder`.  Elements are read from the
right, and the reading stops at the client's.  Whoever wants to see every element and
its verdict, as `explain` does, gives a list that takes the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from .decision import Reason, Verdict
from .headers import Form
from .parsing import forwarded, lists
from .parsing.addresses import FoundHop, Hop, Said, as_hop
from .parsing.elements import HOP_FINDERS
from .parsing.grammar import UNIDENTIFIED
from .parsing.lists import MAX_CHARACTERS, MAX_ELEMENTS
from .parsing.values import BLANKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .headers import ProxyHeader


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


#: What a client header says: the verdict; the address that ``REMOTE_ADDR`` gets and the
#: port beside it, ``None`` where the peer stays; what remains of the header's value,
#: ``None`` where all or nothing does; and what the client's own element of
#: ``Forwarded`` says besides.
Finding: TypeAlias = "tuple[Verdict, str | None, int | None, str | None, Said | None]"
#: A header's value, and a list for the steps → what it says; ``None``: nothing.
Finder: TypeAlias = "Callable[[str, list[Step] | None], Finding | None]"
#: The value; the element that names nobody, ``None`` for one that is not read; address
#: and port of the hop right of it, and what remains of the value there; the element's
#: position, 0 for the first of all → what the header says.
_End: TypeAlias = (
    "Callable[[str, str | None, str | None, int | None, str | None, int], Finding]"
)


@dataclass(frozen=True, slots=True)
class _Grammar:
    """
    How the elements of one kind of list are read.

    Attributes:
        partition: Cuts the right-most element off, as ``text.rpartition(",")``.

        read: An element's text → its hop, or ``None`` where it names no address.

        parse: An element's text → its parameters, ``None`` where it breaks the grammar.
    """

    partition: lists.Partition
    read: Callable[[str], FoundHop | None]
    parse: Callable[[str], forwarded.Element | None]


def _parse_nothing(text: str) -> forwarded.Element:
    """A list that is split at bare commas has no grammar to break."""
    return text, None, None


_LIST = _Grammar(lists.PARTITION, HOP_FINDERS[Form.ADDRESS_LIST], _parse_nothing)
_FORWARDED = _Grammar(
    forwarded.partition_from_right, HOP_FINDERS[Form.FORWARDED], forwarded.parse_element
)
#: Forms of headers that hold one address.
_SINGLE = frozenset({Form.ADDRESS, Form.ADDRESS_COLON_PORT})


@lru_cache(maxsize=256)
def _list_verdicts(
    name: str,
    reason: Reason,
    problem: str | None = None,
    *,
    identifies: bool = False,
    remains: bool = False,
) -> tuple[Verdict, ...]:
    """List one verdict for each position; the first is for the first element of all."""
    return tuple(
        Verdict(reason, name, position or None, True, problem, identifies, remains)
        for position in range(MAX_ELEMENTS + 2)
    )


def compile_finder(header: ProxyHeader, trust: Trust) -> Finder:
    """
    Choose how a client header is read, by its form and by what is trusted.

    Returns:
        A function of the header's value, and of a list that takes the steps or
        ``None``.
    """
    name, form = header.name, header.form
    if form in _SINGLE:
        return _compile_single(name, trust, HOP_FINDERS[form])
    is_forwarded = form is Form.FORWARDED
    grammar = _FORWARDED if is_forwarded else _LIST
    if trust.hops is not None:
        return _compile_count(name, grammar, trust.hops)
    if trust.contains is not None:
        return _compile_walk(name, grammar, trust.contains)
    first = _find_first_of_forwarded if is_forwarded else lists.find_first
    return _compile_first(name, grammar, first)


def _compile_single(
    name: str, trust: Trust, read: Callable[[str], FoundHop | None]
) -> Finder:
    """Read a header that holds one address."""
    place = name, trust.position_without_list, trust.hops is not None
    is_client = Verdict(Reason.SINGLE_VALUE, *place, None, True, True)
    is_nobody = Verdict(Reason.UNIDENTIFIED_HOP, *place)
    is_malformed = Verdict(Reason.MALFORMED, *place, "malformed")

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        text = value.strip(BLANKS)
        if not text:
            return None
        hop = read(text)
        if steps is not None:
            steps.append(Step(text, as_hop(hop), False))
        if hop is None:
            is_known = UNIDENTIFIED.fullmatch(text)
            return is_nobody if is_known else is_malformed, None, None, None, None
        address, port, _, _ = hop
        return is_client, address, port, None if text == value else text, None

    return find


def _compile_first(
    name: str, grammar: _Grammar, first: Callable[[str], str | None]
) -> Finder:
    """Take the first element, where every peer is trusted (rule R7)."""
    end = _compile_end(name, grammar)
    verdict = Verdict(Reason.FIRST_ELEMENT, name, None, True, None, True, True)

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        text = first(value)
        if text == "":
            return None
        hop = None if text is None else grammar.read(text)
        if steps is not None:
            steps.append(Step(text, as_hop(hop), False))
        if hop is None:
            return end(value, text, None, None, None, 0)
        address, port, _, said = hop
        # The header stays as it is, whatever its length.
        return verdict, address, port, None, said

    return find


def _find_first_of_forwarded(value: str) -> str | None:
    # What is broken somewhere has no first element.
    elements = lists.split_from_right(value, forwarded.partition_from_right)
    broken = [
        text
        for text in elements
        if text is None or forwarded.parse_element(text) is None
    ]
    return (broken or elements)[-1] if elements else ""


def _compile_walk(
    name: str, grammar: _Grammar, contains: Callable[[bytes], bool]
) -> Finder:
    """Walk from the right over trusted proxies to the first hop that is not one."""
    partition, read, end = grammar.partition, grammar.read, _compile_end(name, grammar)
    untrusted, trusted = (
        _list_verdicts(name, reason, identifies=True, remains=True)
        for reason in (Reason.FIRST_UNTRUSTED_HOP, Reason.ALL_HOPS_TRUSTED)
    )

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        rest, is_unread = value, False
        if len(value) > MAX_CHARACTERS:
            rest, is_unread = lists.drop_unread(value), True
        address = port = kept = said = None
        position = 0
        while True:
            rest, comma, text = partition(rest, ",")
            text = text.strip(BLANKS)
            if text:
                hop = read(text)
                position += 1
                if steps is not None:
                    seen = as_hop(hop)
                    is_ours = seen is not None and contains(seen.packed)
                    steps.append(Step(text, seen, is_ours))
                if hop is None:
                    return end(value, text, address, port, kept, position)
                address, port, packed, said = hop
                kept = text if kept is None else f"{text}, {kept}"
                if not contains(packed):
                    remains = None if kept == value else kept
                    return untrusted[position], address, port, remains, said
            if not comma:
                break
            if position == MAX_ELEMENTS:
                is_unread |= bool(rest.strip(BLANKS + ","))
                break
        if is_unread:
            if steps is not None:
                steps.append(Step(None, None, False))
            return end(value, None, address, port, kept, position + 1)
        if address is None:
            return None
        return trusted[position], address, port, None if kept == value else kept, said

    return find


def _compile_count(name: str, grammar: _Grammar, hops: int) -> Finder:
    """Count from the right; what stands right of the count is only counted (R8)."""
    partition, read, parse = grammar.partition, grammar.read, grammar.parse
    end = _compile_end(name, grammar)
    is_client = Verdict(Reason.HOP_COUNT, name, hops, True, None, True, True)
    is_short = Verdict(Reason.TOO_FEW_ELEMENTS, name, hops, True, "too-few-elements")

    def find(value: str, steps: list[Step] | None = None) -> Finding | None:
        is_unread = len(value) > MAX_CHARACTERS
        rest, comma = lists.drop_unread(value) if is_unread else value, ","
        right = kept = None
        position = 0
        while comma:
            rest, comma, text = partition(rest, ",")
            text = text.strip(BLANKS)
            if not text:
                continue
            position += 1
            hop = read(text) if position == hops else None
            if steps is not None:
                steps.append(Step(text, as_hop(hop), position < hops))
            # What breaks the grammar of Forwarded might be several elements.
            if hop is None and (position == hops or parse(text) is None):
                return end(value, text, *_keep(right, kept, read), hops)
            kept = text if kept is None else f"{text}, {kept}"
            if hop is not None:
                address, port, _, said = hop
                return is_client, address, port, None if kept == value else kept, said
            right = text
        if is_unread:
            if steps is not None:
                steps.append(Step(None, None, False))
            return end(value, None, *_keep(right, kept, read), hops)
        if kept is None:
            return None
        return is_short, None, None, None, None

    return find


def _keep(
    right: str | None, kept: str | None, read: Callable[[str], FoundHop | None]
) -> tuple[str | None, int | None, str | None]:
    """Say what remains right of the end of a count: only if an address stands there."""
    hop = None if right is None else read(right)
    if hop is None:
        return None, None, None
    address, port, _, _ = hop
    return address, port, kept


def _compile_end(name: str, grammar: _Grammar) -> _End:
    """
    Prepare the end at an element that names nobody (rule R11).

    The address is that of the element right of it, which the caller has read, if that
    is one, else the peer's; it is never the garbage, and never one further left.
    """
    verdicts = {
        (problem, remains): _list_verdicts(
            name, Reason.UNIDENTIFIED_HOP, problem, remains=remains
        )
        for problem in (None, "malformed", "too-long")
        for remains in (False, True)
    }

    def end(
        value: str,
        text: str | None,
        address: str | None,
        port: int | None,
        kept: str | None,
        position: int,
    ) -> Finding:
        element = None if text is None else grammar.parse(text)
        problem: str | None = "too-long" if text is None else "malformed"
        said = None
        if element is not None:
            node, proto, host = element
            said = proto, host
            if node is None or UNIDENTIFIED.fullmatch(node):
                problem = None
        verdict = verdicts[problem, kept is not None][position]
        return verdict, address, port, None if kept == value else kept, said

    return end
