"""
The categories beside the client's: scheme, host, server, port, mount point (R9, R10).

In:  the values of the listed headers, and where the client stands in its own list.
Out: what each category's variable gets, which header won, and what was wrong.

All of that depends on few things, and hosts and proxies come again where clients do
not: well-formed outcomes are remembered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .decision import Problem
from .headers import Category, ProxyHeader
from .memo import Memo
from .parsing.lists import choose_element
from .parsing.values import (
    BLANKS,
    MAX_HOST_CHARACTERS,
    PARSERS,
    WEBSOCKET_SCHEMES,
    merge_port,
    parse_host,
    parse_scheme,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What an outcome depends on: the client's position, the name of the header that won
#: the client category, what its element of Forwarded says, the listed headers' values,
#: and the connection's own scheme and host where they matter.
Key: TypeAlias = tuple[
    "int | None",
    "str | None",
    "Said | None",
    "tuple[str | None, ...]",
    "tuple[str, str | None] | None",
]
#: What the client's element of Forwarded says of scheme and host.
Said: TypeAlias = tuple["str | None", "str | None"]

_WEBSOCKET_SCHEMES = frozenset(WEBSOCKET_SCHEMES.values())


class Beside(NamedTuple):
    """
    What the listed headers say; ``None`` for a category that none of them won.

    Attributes:
        scheme: ``http`` or ``https``.

        host: A host, with a port if the header had one.

        server: A host without a port.

        port: A port, as text.

        mount_point: A mount point.

        winners: Category → header name, the client's included.

        rewritten: Header name → the one value that was used, where there were more.

        lost: Names of the listed headers that are there and did not win.

        problems: What was wrong.
    """

    scheme: str | None
    host: str | None
    server: str | None
    port: str | None
    mount_point: str | None
    winners: Mapping[Category, str]
    rewritten: Mapping[str, str]
    lost: tuple[str, ...]
    problems: tuple[Problem, ...]


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


class BesideReader:
    """
    Reads the listed headers of the categories beside the client's.

    Args:
        headers: The listed headers of these categories, in the policy's order.

        port_in_host: Whether the port and the host are merged (R15).

        forwarded: The name of the listed header that is read as ``Forwarded``.
    """

    def __init__(
        self,
        headers: tuple[ProxyHeader, ...],
        *,
        port_in_host: bool,
        forwarded: str = "Forwarded",
    ) -> None:
        self._port_in_host = port_in_host
        self._forwarded = forwarded
        self._rows = tuple(
            (header.category, header.name, PARSERS[header.form]) for header in headers
        )
        self.remembered: Memo[Key, Beside] = Memo()

    def read(self, key: Key) -> Beside:
        """Read what is not remembered, and remember it if it is well-formed."""
        position, client_winner, said, texts, own = key
        values: dict[Category, str] = {}
        winners: dict[Category, str] = {}
        if client_winner is not None:
            winners[Category.CLIENT] = client_winner
        rewritten: dict[str, str] = {}
        lost: list[str] = []
        problems: list[Problem] = []
        if said is not None:
            self._read_element(said, values, winners, problems)
        for (category, name, parse), text in zip(self._rows, texts, strict=True):
            if text is None:
                continue
            chosen, value, problem = choose_value(text, position, category, parse)
            if problem is not None:
                problems.append(Problem(problem, name, text))
            if value is None:
                lost.append(name)
                continue
            if category in winners:
                # The last in the policy's order that is well-formed wins (R5).
                lost.append(winners[category])
                rewritten.pop(winners[category], None)
            winners[category], values[category] = name, value
            if chosen != text:
                rewritten[name] = chosen
        if own is not None:
            self._fit_to_connection(values, *own)
        outcome = Beside(
            values.get(Category.SCHEME),
            values.get(Category.HOST),
            values.get(Category.SERVER),
            values.get(Category.PORT),
            values.get(Category.MOUNT_POINT),
            MappingProxyType(winners),
            MappingProxyType(rewritten),
            tuple(lost),
            tuple(problems),
        )
        # A value longer than what is read of it is a problem, or is rewritten.
        own_host = own[1] if own is not None else None
        if (
            not problems
            and not rewritten
            and len(own_host or "") <= MAX_HOST_CHARACTERS
        ):
            self.remembered.remember(key, outcome)
        return outcome

    def _fit_to_connection(
        self, values: dict[Category, str], scheme: str, host: str | None
    ) -> None:
        """Say the scheme as websockets do, and merge the port into the host."""
        if Category.SCHEME in values and scheme in _WEBSOCKET_SCHEMES:
            values[Category.SCHEME] = WEBSOCKET_SCHEMES[values[Category.SCHEME]]
        host = values.get(Category.HOST, host)
        if self._port_in_host and host is not None:
            merged = merge_port(
                host, values.get(Category.SCHEME, scheme), values.get(Category.PORT)
            )
            if merged != host or Category.HOST in values:
                values[Category.HOST] = merged

    def _read_element(
        self,
        said: Said,
        values: dict[Category, str],
        winners: dict[Category, str],
        problems: list[Problem],
    ) -> None:
        """Read RFC 7239 sections 5.3 and 5.4 in the client's own element (R12)."""
        parse: Callable[[str], str | None]
        for category, text, parse in (
            (Category.SCHEME, said[0], parse_scheme),
            (Category.HOST, said[1], parse_host),
        ):
            if text is None:
                continue
            value = parse(text)
            if value is None:
                problems.append(Problem("malformed", self._forwarded, text))
            else:
                winners[category], values[category] = self._forwarded, value
