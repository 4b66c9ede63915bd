"""
What can go wrong, as a tree::

    ValueError
    └── ConfigurationError    a setting that cannot be meant; raised at start-up only

In:  the setting's name, the value found there, what it should have been.
Out: an exception that reads as one sentence and keeps its parts as attributes.

Nothing here is ever raised because of a request.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_NEAREST = re.compile(r" \(the nearest is '(.+)'\)", re.DOTALL)


class ConfigurationError(ValueError):
    """
    A setting has a value that it cannot have.

    Args:
        option: The setting's name, with the index of the entry where it has several.

        value:
            The value as it was given. Never a secret: pass a stand-in for those, and
            `hide_userinfo` of a URL.

        expected:
            The end of the sentence "*value* is not …", without the full stop:
            ``an IP network such as 10.0.0.0/8``.
    """

    def __init__(self, option: str, value: object, expected: str) -> None:
        super().__init__(option, value, expected)
        self.option = option
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.option}: {self.value!r} is not {self.expected}."

    @property
    def nearest(self) -> str | None:
        """The nearest right value, where one is near (`name_nearest`)."""
        named = _NEAREST.search(self.expected)
        return None if named is None else named[1]


def hide_userinfo(value: object) -> object:
    """
    Hide the user and the password of URLs, for a value that an error shows.

    Args:
        value: A text, or anything whose `repr` may hold URLs.

    Returns:
        The value itself where it has none; else its text with ``***`` for everything
        from the first ``//`` to the last ``@``, since a password may hold anything.
    """
    text = value if isinstance(value, str) else repr(value)
    before, at, host = text.rpartition("@")
    if not at:
        return value
    start, slashes, _ = before.partition("//")
    return f"{start}//***@{host}" if slashes else f"***@{host}"


def name_nearest(value: object) -> str:
    """Name the nearest right *value*: a clause to append to the *expected* part."""
    return f" (the nearest is '{value}')"


def nearest(word: str, known: Iterable[str]) -> str:
    """
    Say which *known* word is nearest to *word*: ``"; did you mean X?"`` without "?".

    Returns:
        A clause to append to the *expected* part of an error; it names the nearest
        word, or is empty where nothing is near.
    """
    spelled = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return name_nearest(spelled[close[0]]) if close else ""
