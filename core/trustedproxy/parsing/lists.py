"""
Elements of a list header, within bounds (rules R6, R7, R9, R13).

In:  the whole value, all header lines joined by commas.
Out: elements as they came, blanks around them trimmed, empty ones skipped.

``None`` in place of an element means: there is more, and it is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .values import BLANKS

#: Cuts the right-most element off, as `str.rpartition` does where there are no quotes.
Partition: TypeAlias = Callable[[str, str], tuple[str, str, str]]
PARTITION: Partition = str.rpartition

#: What is read of a header at most.
MAX_CHARACTERS = 4096
MAX_ELEMENTS = 64


def split_from_right(value: str, partition: Partition = PARTITION) -> list[str | None]:
    """
    List the elements nearest first: the right-most one is the peer's own.

    Commas are bare in ``X-Forwarded-For``, which knows no quotes, so that nothing on
    the left can change what is read on the right; *partition* cuts at others.
    """
    is_unread = len(value) > MAX_CHARACTERS
    rest, comma = drop_unread(value) if is_unread else value, ","
    elements: list[str | None] = []
    while comma and len(elements) <= MAX_ELEMENTS:
        rest, comma, text = partition(rest, ",")
        if text := text.strip(BLANKS):
            elements.append(text)
    if len(elements) > MAX_ELEMENTS:
        return [*elements[:MAX_ELEMENTS], None]
    return [*elements, None] if is_unread else elements


def drop_unread(value: str) -> str:
    """
    Give what is read of a value that is too long: its right end, whole elements alone.

    The left-most part of what remains of it may be the rest of a longer element.
    """
    return value[-MAX_CHARACTERS:].partition(",")[2]


def find_first(value: str) -> str | None:
    """
    Find the first element from the left, where every peer is trusted.

    Returns:
        The element; ``""`` for none, ``None`` where it is longer than what is read.
    """
    window = value[:MAX_CHARACTERS]
    text = window.lstrip(BLANKS + ",")
    first, comma, _ = text.partition(",")
    if comma or len(window) == len(value):
        return first.rstrip(BLANKS)
    return None


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
        first = find_first(value)
        return first != "", first
    elements = split_from_right(value)[:position]
    return bool(elements), elements[-1] if elements else None
