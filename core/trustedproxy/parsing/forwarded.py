"""
Elements of ``Forwarded`` (RFC 7239), read from the right.

In:  the whole value, all header lines joined by commas.
Out: elements nearest first, and for each its ``for``, ``proto`` and ``host``.

RFC 7239 lets the whole header be parsed from the left, where one quote that a client
leaves open swallows all that the proxies append.  Here every element is cut off at the
right end first, so that nothing on the left can reach it (rule R12).
"""

from __future__ import annotations

from typing import TypeAlias

from .grammar import FORWARDED_PAIR, QUOTED_PAIR
from .values import BLANKS

#: What one element says: ``for``, ``proto`` and ``host``; ``None`` for a parameter that
#: is not there.
Element: TypeAlias = tuple["str | None", "str | None", "str | None"]

_IN_FRONT = BLANKS + ";"


def partition_from_right(text: str, separator: str = ",") -> tuple[str, str, str]:
    """
    Cut the right-most element off, as `str.rpartition` does for a bare list.

    A quote met from the right closes a quoted string, whose opening one is the next
    that no backslash escapes; a comma inside is none.

    Returns:
        What stands left of it, the comma or ``""``, and the element.
    """
    comma = text.rfind(separator)
    quote = text.rfind('"')
    while comma >= 0 and quote > comma:
        at = _find_opening(text, quote)
        if at < 0:
            # Nothing opens it: all that is left is one broken element.
            return "", "", text
        comma = text.rfind(separator, 0, min(comma + 1, at))
        quote = text.rfind('"', 0, at)
    if comma < 0:
        return "", "", text
    return text[:comma], separator, text[comma + 1 :]


def _find_opening(text: str, closing: int) -> int:
    """Find the quote that opens the quoted string which ends at *closing*, or -1."""
    at = text.rfind('"', 0, closing)
    while at > 0:
        backslashes = 0
        while text[at - 1 - backslashes : at - backslashes] == "\\":
            backslashes += 1
        if backslashes % 2 == 0:
            break
        at = text.rfind('"', 0, at)
    return at


def parse_element(text: str) -> Element | None:
    """
    Read one element: pairs separated by semicolons (RFC 7239 section 4).

    Returns:
        Its parameters, or ``None`` where it breaks the grammar or names one twice;
        then nothing of it is used.
    """
    found: dict[str, str] = {}
    length = len(text)
    at = length - len(text.lstrip(_IN_FRONT))
    while at < length:
        pair = FORWARDED_PAIR.match(text, at)
        if pair is None:
            return None
        name, token, quoted = pair.groups()
        name = name.lower()
        if name in found:
            return None
        found[name] = QUOTED_PAIR.sub(r"\1", quoted[1:-1]) if token is None else token
        at = pair.end()
    return found.get("for"), found.get("proto"), found.get("host")
