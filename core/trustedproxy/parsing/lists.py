"""
Elements of a list header, within bounds (rules R6, R7, R9, R13).

In:  the whole value, all header lines joined by commas.
Out: elements as they came, blanks around them trimmed, empty ones skipped.

``None`` in place of an element means: there is more, and it is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import TypeAlias

from .values import BLANKS

#: What ``text.rpartition(",")`` is for a list without quotes.
Partition: TypeAlias = Callable[[str], tuple[str, str, str]]
PARTITION: Partition = methodcaller("rpartition", ",")

#: What is read of a header at most.
MAX_CHARACTERS = 4096
MAX_ELEMENTS = 64


def split_from_right(value: str) -> list[str | None]:
    """
    List the elements nearest first: the right-most one is the peer's own.

    Commas are bare here (``X-Forwarded-For`` knows no quotes), so that nothing on the
    left can change what is read on the right.
    """
    if "," not in value and len(value) <= MAX_CHARACTERS:
        element = value.strip(BLANKS)
        return [element] if element else []
    window = value[-MAX_CHARACTERS:]
    parts = window.split(",")
    parts.reverse()
    cut = len(window) < len(value)
    # The left-most part of a cut window may be the rest of a longer element.
    return bound(parts[:-1] if cut else parts, cut=cut)


def take_from_right(
    rest: str, is_cut: bool, partition: Partition = PARTITION
) -> tuple[str | None, str | None]:
    """
    Take the right-most element that is not empty.

    For those who read from the right and stop, as most readings do at the first.

    Args:
        rest: What is left of the value.

        is_cut: Whether the value was longer than what is read.

        partition: Cuts at the right-most comma, as ``text.rpartition(",")``.

    Returns:
        What stands left of the element, ``None`` for nothing; and the element: ``""``
        where there is none, ``None`` where it is the rest of a longer one.
    """
    while True:
        rest, comma, text = partition(rest)
        text = text.strip(BLANKS)
        if not comma:
            return None, None if is_cut else text
        if text:
            return rest, text


def split_from_left(value: str) -> list[str | None]:
    """List the elements from the left, where every peer is trusted."""
    window = value[:MAX_CHARACTERS]
    parts = window.split(",")
    cut = len(window) < len(value)
    return bound(parts[:-1] if cut else parts, cut=cut)


def bound(parts: list[str], *, cut: bool) -> list[str | None]:
    """Skip empty parts, and end with ``None`` where more is there than is read."""
    elements: list[str | None] = [
        element for part in parts if (element := part.strip(BLANKS))
    ]
    if len(elements) > MAX_ELEMENTS:
        return [*elements[:MAX_ELEMENTS], None]
    return [*elements, None] if cut else elements


def choose_element(value: str, position: int | None) -> tuple[bool, str | None]:
    """
    Choose the element that the client's own proxy wrote (rule R9).

    Args:
        value: The header's value.

        position:
            The client's element counted from the right, from 1; ``None`` for the first
            element of all.

    Returns:
        Whether there is any element, and the one that counts, or ``None`` where it
        lies beyond what is read.
    """
    if position is None:
        elements = split_from_left(value)[:1]
    else:
        elements = split_from_right(value)[:position]
    return bool(elements), elements[-1] if elements else None
