"""
What requests with the same keys have in common.

In:  the keys of an environ, or of what stands for one.
Out: a `Layout`: the headers that have to be read, and what is removed where none is.

A proxy sends the same headers with every request, and a server sets the same keys, so
that the same keys come in the same order: which of all the known names are among them
is looked up once for each such row of keys, within bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .memo import Memo
from .server_keys import SERVER_KEYS, find_server_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .client import Finder
    from .decision import URLParts
    from .server_keys import ServerKeys
    from .url_parts import URLPartsReader


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """
    What requests with the same keys have in common.

    Two are never equal: `rules` remembers by them what they lead to, which is quick.

    Attributes:
        came: The keys of the headers that came, of those that are looked at.

        server_keys: What the server, and other middlewares, set besides.

        client: Key of a listed client header that came → what reads it.

        get_texts:
            Headers → the values of the others that came and say something of the URL.

        untouched: What becomes of the URL's parts where nothing is read.

        names_options: Whether there is a ``Connection`` header.
    """

    came: frozenset[str]
    server_keys: ServerKeys
    client: tuple[tuple[str, Finder], ...]
    get_texts: Callable[[Mapping[str, Any]], Any]
    untouched: URLParts
    names_options: bool


class Layouts(Memo[tuple[str, ...], Layout]):
    """
    The keys of an environ, or of what stands for one → their layout.

    Args:
        client: Key of a listed client header → what reads it, in the policy's order.

        url_parts: What reads the other listed headers.

        headers: The keys of the headers that are looked at.

        connection_key: The key of the ``Connection`` header, which is one of them.
    """

    def __init__(
        self,
        client: Sequence[tuple[str, Finder]],
        url_parts: URLPartsReader,
        headers: Iterable[str],
        connection_key: str,
    ) -> None:
        super().__init__()
        self._client = client
        self._url_parts = url_parts
        self._connection_key = connection_key
        self._headers = frozenset((*headers, *url_parts.depends_on))
        self._looked_at = self._headers | SERVER_KEYS
        self._by_came: Memo[frozenset[str], Layout] = Memo()

    def __missing__(self, keys: tuple[str, ...]) -> Layout:
        came = self._looked_at.intersection(keys)
        layout = self._by_came.get(came)
        if layout is None:
            layout = self._by_came.remember(came, self._make(came))
        if _are_few(keys):
            self.remember(keys, layout)
        return layout

    def _make(self, came: frozenset[str]) -> Layout:
        keys = [key for key in self._url_parts.depends_on if key in came]
        headers = came & self._headers
        return Layout(
            came=headers,
            server_keys=find_server_keys(came),
            client=tuple((key, find) for key, find in self._client if key in came),
            get_texts=itemgetter(*keys) if keys else _get_none,
            untouched=self._url_parts.read_nothing(headers),
            names_options=self._connection_key in came,
        )


# More keys than that, or more characters in all of them, are not remembered.
_MOST_KEYS = 96
_MOST_CHARACTERS = 3072


def _are_few(keys: tuple[str, ...]) -> bool:
    """Say whether *keys* may be remembered: names are a client's to choose."""
    if len(keys) > _MOST_KEYS or not all(isinstance(key, str) for key in keys):
        return False
    return sum(map(len, keys)) <= _MOST_CHARACTERS


def _get_none(_: Mapping[str, Any]) -> None:
    """Read none of the headers."""
