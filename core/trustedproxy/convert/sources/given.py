"""
One option as it was found in a source, and where.

In:  nothing.
Out: records for the readers of sources, and for those that make settings of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# So near that two words are hardly two options.
_TYPING_ERROR = 0.88
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that only the program itself can know, such as ``os.environ["X"]``."""

    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """
    One option.

    Attributes:
        name: As it is spelled in the source.

        value: A plain value, a text, or `Computed`.

        where: File and line, such as ``settings.py, line 3``.

        condition: On what it depends, such as ``if not DEBUG``; or "".
    """

    name: str
    value: object
    where: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """
    One directive of a server's configuration.

    Attributes:
        name: Its first word.

        values: The other words.

        where: File and line.

        line: The line's number.

        scope: The blocks around it, the outermost first, each with a number of its own.
    """

    name: str
    values: Sequence[str]
    where: str
    line: int
    scope: tuple[str, ...] = ()


def place(name: str, line: int) -> str:
    """Say where something stands."""
    return f"{name}, line {line}" if name else f"line {line}"


def refuse_near(word: str, where: str, known: Iterable[str]) -> None:
    """
    Refuse a *word* that is nearly one that is *known*: it is a typing error.

    Raises:
        ConfigurationError: It is one, and the nearest is named.
    """
    known = list(known)
    near = nearest(word, known, cutoff=_TYPING_ERROR)
    if near and word not in known:
        raise ConfigurationError(where, word, f"an option that is known here{near}")


def shown(text: str) -> str:
    """Shorten a line of somebody's file for an error."""
    text = " ".join(text.split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
