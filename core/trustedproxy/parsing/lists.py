"""
Elements of a list header, within bounds (rules R6, R7, R9, R13).

In:  the whole value, all header lines joined by commas.
Out: elements as they came, blanks around them trimmed, empty ones skipped.

``None`` in place of an element means: there is more, and it is not read.
"""

from __future__ import annotations

from .values import BLANKS

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
