"""
Scheme, host, server, port and mount point: everything but the client (R9, R10, R21).

In:  the values of the listed headers, and where the client stands in its own list.
Out: `URLParts`: what each part becomes, which headers won, and what was wrong.

All of that depends on few texts, and hosts and proxies come again where clients do not:
outcomes are remembered by exactly what they depend on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .decision import Problem, URLParts
from .headers import Category, Form
from .memo import Memo
from .parsing.lists import choose_element, split_from_right
from .parsing.values import (
    BLANKS,
    PARSERS,
    WEBSOCKET_SCHEMES,
    merge_port,
    parse_host,
    parse_scheme,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .decision import Connection, Finding
    from .headers import ProxyHeader

#: Category → the field of `Connection` that it sets.
PART_OF = {
    Category.SCHEME: "scheme",
    Category.HOST: "host",
    Category.SERVER: "server",
    Category.PORT: "port",
    Category.MOUNT_POINT: "mount_point",
}

_WEBSOCKET = frozenset(WEBSOCKET_SCHEMES.values())
# Outcomes of longer texts are not remembered: no proxy writes so much.
_LONGEST = 512


class URLPartsReader:
    """
    Reads the listed headers of these categories.

    Args:
        headers: The listed headers, in the policy's order.

        fixed: Field of `Connection` → the value that was stated for it (rule R21).

        key_of: Header name → its key in the mapping that `read` is given.

        removable: Keys of the headers that are removed unless they win (rule R5).

        port_in_host: Whether the port and the host are merged (rule R15).
    """

    def __init__(
        self,
        headers: Sequence[ProxyHeader],
        fixed: Mapping[str, str],
        key_of: Mapping[str, str],
        removable: frozenset[str],
        *,
        port_in_host: bool,
    ) -> None:
        rows = [header for header in headers if header.category is not Category.CLIENT]
        self._rows = tuple(
            (header.category, header.name, PARSERS[header.form]) for header in rows
        )
        self._keys = tuple(key_of[header.name] for header in rows)
        self._key_of = key_of
        self._passing = frozenset(key_of.values()) - removable
        self._forwarded = next(
            (header.name for header in headers if header.form is Form.FORWARDED), ""
        )
        self._fixed = dict(fixed)
        self._port_in_host = port_in_host
        self._remembered: Memo[tuple[object, ...], URLParts] = Memo()

    def read(
        self,
        headers: Mapping[str, str],
        finding: Finding,
        connection: Connection,
    ) -> URLParts:
        """
        Say what becomes of the URL's parts.

        Args:
            headers: Key of a header → its value, for those that are there.

            finding: Where the client stands, and its own element of ``Forwarded``.

            connection: What the server says by itself.
        """
        texts = tuple(map(headers.get, self._keys))
        key = (
            finding.verdict.place,
            finding.proto,
            finding.host,
            connection.scheme,
            connection.host if self._port_in_host else None,
            texts,
        )
        parts = self._remembered.get(key)
        if parts is None:
            parts = self._read(*key)
            shown = filter(None, (finding.proto, finding.host, connection.host, *texts))
            # A problem shows its value, and every request shows its own.
            if not parts.problems and sum(map(len, shown)) <= _LONGEST:
                self._remembered.remember(key, parts)
        return parts

    def _read(
        self,
        place: tuple[int | None, bool, str | None],
        said_proto: str | None,
        said_host: str | None,
        scheme: str,
        host: str | None,
        texts: Iterable[str | None],
    ) -> URLParts:
        position, counted, client_header = place
        said = dict(self._fixed)
        winners: dict[Category, str] = {}
        rewritten: dict[str, str] = {}
        problems: list[Problem] = []
        if client_header is not None:
            winners[Category.CLIENT] = client_header
        self._read_element(said_proto, said_host, said, winners, problems)
        for (category, name, parse), text in zip(self._rows, texts, strict=True):
            if text is None:
                continue
            chosen, value, problem = choose_value(text, position, category, parse)
            if problem is not None:
                problems.append(Problem(problem, name, text))
            if value is None:
                continue
            if not counted and has_other_values(text, value, parse):
                problems.append(Problem("uncounted-list", name, text))
            # The last in the policy's order that is well-formed wins (rule R5).
            rewritten.pop(winners.get(category, ""), None)
            winners[category], said[PART_OF[category]] = name, value
            if chosen != text:
                rewritten[name] = chosen
        self._fit_to_connection(said, scheme, host)
        # Of `Forwarded` an element is used even where nothing of the header remains.
        remaining = set(winners.values())
        if client_header != self._forwarded:
            remaining.discard(self._forwarded)
        return URLParts(
            tuple(said.items()),
            "scheme" in said,
            tuple(winners.items()),
            tuple(rewritten.items()),
            self._passing.union(self._key_of[name] for name in remaining),
            tuple(problems),
        )

    def _read_element(
        self,
        proto: str | None,
        host: str | None,
        said: dict[str, str],
        winners: dict[Category, str],
        problems: list[Problem],
    ) -> None:
        """Read RFC 7239 sections 5.3 and 5.4 in the client's own element (R12)."""
        parse: Callable[[str], str | None]
        for category, text, parse in (
            (Category.SCHEME, proto, parse_scheme),
            (Category.HOST, host, parse_host),
        ):
            if text is None:
                continue
            value = parse(text)
            if value is None:
                problems.append(Problem("malformed", self._forwarded, text))
            else:
                winners[category] = self._forwarded
                said[PART_OF[category]] = value

    def _fit_to_connection(
        self, said: dict[str, str], scheme: str, host: str | None
    ) -> None:
        """Say the scheme as websockets do, and merge the port into the host (R15)."""
        if "scheme" in said and scheme in _WEBSOCKET:
            said["scheme"] = WEBSOCKET_SCHEMES[said["scheme"]]
        named = said.get("host", host)
        if self._port_in_host and named is not None:
            merged = merge_port(named, said.get("scheme", scheme), said.get("port"))
            if merged != named or "host" in said:
                said["host"] = merged


def choose_value(
    text: str,
    position: int | None,
    category: Category,
    parse: Callable[[str], str | None],
) -> tuple[str, str | None, str | None]:
    """
    Choose and read one value of a header.

    Returns:
        The element that counts as it came, its value or ``None``, and the code of the
        problem where there is one.
    """
    there, element = choose_element(text, position)
    if not there:
        # An empty header is the empty mount point, and absent elsewhere; one of
        # commas alone is absent everywhere.
        empty = category is Category.MOUNT_POINT and not text.strip(BLANKS)
        return "", "" if empty else None, None
    if element is None:
        return "", None, "too-long"
    value = parse(element)
    return element, value, "malformed" if value is None else None


def has_other_values(text: str, value: str, parse: Callable[[str], str | None]) -> bool:
    """Say whether a list in *text* has an element that means another than *value*."""
    return "," in text and any(
        element is None or parse(element) != value for element in split_from_right(text)
    )
