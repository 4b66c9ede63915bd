"""
Which steps a request takes, by the keys that came with it.

In:  which of the keys that are looked at are there.
Out: a `Layout`: the headers that have to be read, and what is removed where none is.

A proxy sends the same headers with every request, so that there are few layouts: each
is worked out once, within bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .memo import Memo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .client import Finder
    from .decision import URLParts
    from .url_parts import URLPartsReader


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """
    What requests with the same keys have in common; one at a time for each set of keys.

    Attributes:
        came: The keys that came, of those that are looked at.

        surface: Those of them that are the surface's own, and no headers.

        client: Key of a listed client header that came → what reads it.

        get_texts:
            Headers → the values of the others that came and say something of the URL.

        untouched: What becomes of the URL's parts where nothing is read.

        names_options: Whether there is a ``Connection`` header.
    """

    came: frozenset[str]
    surface: frozenset[str]
    client: tuple[tuple[str, Finder], ...]
    get_texts: Callable[[Mapping[str, Any]], Any]
    untouched: URLParts
    names_options: bool


class Layouts(Memo[frozenset[str], Layout]):
    """
    Keys that came → their layout.

    Args:
        surface: Keys that a surface looks at besides.

        client: Key of a listed client header → what reads it, in the policy's order.

        url_parts: What reads the other listed headers.

        connection_key: The key of the ``Connection`` header.
    """

    def __init__(
        self,
        surface: frozenset[str],
        client: Sequence[tuple[str, Finder]],
        url_parts: URLPartsReader,
        connection_key: str,
    ) -> None:
        super().__init__()
        self._surface = surface
        self._client = client
        self._url_parts = url_parts
        self._connection_key = connection_key

    def __missing__(self, came: frozenset[str]) -> Layout:
        keys = [key for key in self._url_parts.depends_on if key in came]
        layout = Layout(
            came=came,
            surface=came & self._surface,
            client=tuple((key, find) for key, find in self._client if key in came),
            get_texts=itemgetter(*keys) if keys else _get_none,
            untouched=self._url_parts.read_nothing(came),
            names_options=self._connection_key in came,
        )
        return self.remember(came, layout)


def _get_none(_: Mapping[str, Any]) -> None:
    """Read none of the headers."""
