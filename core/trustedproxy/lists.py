"""
Elements of a list header, within bounds (rules R6, R7, R9, R13).

In:  the whole value, all header lines joined by commas.
Out: elements as they came, blanks around them trimmed, empty ones skipped.

``None`` in place of an element means: there is more, and it is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import BLANKS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is read of a header at most.
MAX_CHARACTERS = 4096
MAX_ELEMENTS = 64


def split_from_right(value: str) -> Iterator[str | None]:
    """
    Yield the elements nearest first: the right-most one is the peer's own.

    Commas are bare here (``X-Forwarded-For`` knows no quotes), so that nothing on the
    left can change what is read on the right.
    """
    window = value[-MAX_CHARACTERS:]
    parts = window.split(",")
    cut = len(window) < len(value)
    # The left-most part of a cut window may be the rest of a longer element.
    return bounded(reversed(parts[1:] if cut else parts), cut=cut)


def split_from_left(value: str) -> Iterator[str | None]:
    """Yield the elements from the left, where every peer is believed."""
    window = value[:MAX_CHARACTERS]
    parts = window.split(",")
    cut = len(window) < len(value)
    return bounded(iter(parts[:-1] if cut else parts), cut=cut)


def bounded(parts: Iterator[str], *, cut: bool) -> Iterator[str | None]:
    """Skip empty parts, and end with ``None`` where more is there than is read."""
    count = 0
    for part in parts:
        element = part.strip(BLANKS)
        if element:
            count += 1
            if count > MAX_ELEMENTS:
                yield None
                return
            yield element
    if cut:
        yield None


def choose_element(value: str, position: int | None) -> tuple[bool, str | None]:
    """
    Choose the element that stands beside the client's (rule R9).

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
        for element in split_from_left(value):
            return True, element
        return False, None
    found, chosen = False, None
    for count, element in enumerate(split_from_right(value), 1):
        found, chosen = True, element
        if count == position:
            break
    return found, chosen
