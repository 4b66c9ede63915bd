"""
What a kind of source is: how it is found in a text, and what becomes of it.

In:  nothing.
Out: `Kind`, a row of `kinds.KINDS`; `Found`, one place where it was found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..reading import Reading
    from ..sources.given import Given
    from ..sources.source import Source


@dataclass(frozen=True, slots=True)
class Found:
    """
    The options of one tool, as they stand together in one place.

    Attributes:
        where: File and line.

        options: By their names.

        rank: What has a higher one is read later, and replaces what it says again.
    """

    where: str
    options: Mapping[str, Given] = field(default_factory=dict)
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One kind of source.

    Attributes:
        name: What it is called on a command line: ``proxyfix``.

        title: What it is called in sentences: ``ProxyFix``.

        reads: What it is read from, for errors and help.

        find: Finds the places in a text where it is configured.

        convert: Turns the options of one place into settings and notes.

        function: The function or class whose arguments may be given alone; or "".
    """

    name: str
    title: str
    reads: str
    find: Callable[[Source], list[Found]]
    convert: Callable[[Reading], None]
    function: str = ""
