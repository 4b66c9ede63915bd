"""
What can go wrong, as a tree::

    ValueError
    └── ConfigurationError    a setting with an invalid value; raised at start-up only

In:  the setting's name, the value found there, what it should have been.
Out: an exception that reads as one sentence and keeps its parts as attributes.

Nothing here is ever raised because of a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


# So much of a value is shown, as it is written in Python; the whole is in `value`.
_MOST_SHOWN = 400
# What stands around a value that is named as the nearest one.
_NEAREST = (" (the nearest is '", "')")


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

        keyword:
            The keyword argument that the setting is in Python, for those who gave the
            value there; ``None`` where it has none.
    """

    def __init__(
        self, option: str, value: object, expected: str, keyword: str | None = None
    ) -> None:
        super().__init__(option, value, expected, keyword)
        self.option = option
        self.value = value
        self.expected = expected
        self.keyword = keyword

    def __str__(self) -> str:
        keyword = f" ({self.keyword}=)" if self.keyword else ""
        shown = repr(self.value)
        if len(shown) > _MOST_SHOWN:
            shown = f"{shown[:_MOST_SHOWN]}… ({len(shown)} characters)"
        return f"{self.option}{keyword}: {shown} is not {self.expected}."

    @property
    def nearest(self) -> str | None:
        """The nearest right value, where one is near (`name_nearest`)."""
        front, end = _NEAREST
        named = self.expected.partition(front)[2].rpartition(end)[0]
        return named or None


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
    front, end = _NEAREST
    return f"{front}{value}{end}"


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """
    Say which *known* word is nearest to *word*.

    Args:
        word: What was written.

        known: What could have been meant.

        cutoff: How near it has to be: 1 is the same word, 0 any other.

    Returns:
        A clause to append to the *expected* part of an error; it names the nearest
        word, or is empty where nothing is near.
    """
    # Loaded for an error alone.
    from difflib import get_close_matches

    spelled = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), spelled, n=1, cutoff=cutoff)
    return name_nearest(spelled[close[0]]) if close else ""
