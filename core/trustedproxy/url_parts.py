"""
Scheme, host, server, port and mount point: everything but the client (R9, R10, R21).

In:  which headers came, the values of the listed ones, and where the client stands in
     its own list.
Out: `URLParts`: what each part becomes, which headers won and which are removed, and
     what was wrong.

All of that depends on few texts, and hosts and proxies come again where clients do not:
`rules` remembers it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .decision import Problem, URLParts
from .headers import Category, Form, environ_key
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

    from .decision import Verdict
    from .headers import ProxyHeader
    from .parsing.addresses import Said

#: Category → the field of `Connection` that it sets.
PART_OF = {
    Category.SCHEME: "scheme",
    Category.HOST: "host",
    Category.SERVER: "server",
    Category.PORT: "port",
    Category.MOUNT_POINT: "mount_point",
}

#: Field of `Connection` → its key in an environ.
KEY_OF = {
    "scheme": "wsgi.url_scheme",
    "host": "HTTP_HOST",
    "server": "SERVER_NAME",
    "port": "SERVER_PORT",
    "mount_point": "SCRIPT_NAME",
}

_WEBSOCKET = frozenset(WEBSOCKET_SCHEMES.values())


class URLPartsReader:
    """
    Reads the listed headers of these categories.

    Args:
        listed: The listed headers, in the policy's order.

        known: Every header that is known, with its key.

        fixed: Field of `Connection` → the value that was stated for it (rule R21).

        removable: Keys of the headers that are removed unless they win (rule R5).

        scheme_opted_in: Whether the scheme is opted in (rules R2, R19).

        port_in_host: Whether the port and the host are merged (rule R15).
    """

    def __init__(
        self,
        listed: Sequence[ProxyHeader],
        known: tuple[tuple[str, ProxyHeader], ...],
        fixed: Mapping[str, str],
        removable: frozenset[str],
        *,
        scheme_opted_in: bool,
        port_in_host: bool,
    ) -> None:
        rows = [header for header in listed if header.category is not Category.CLIENT]
        self._rows = tuple(
            (header.category, header.name, PARSERS[header.form]) for header in rows
        )
        self._keys = tuple(header.environ_key for header in rows)
        #: Keys of the headers whose values decide.
        self.depends_on: tuple[str, ...] = self._keys
        if port_in_host:
            self.depends_on += (KEY_OF["host"],)
        self._known = known
        self._removable = removable
        # Keys of the headers that may name a mount point, listed or not.
        self._mount_point_keys = frozenset(
            key for key, header in known if header.category is Category.MOUNT_POINT
        )
        self._forwarded = next(
            (header.name for header in listed if header.form is Form.FORWARDED), ""
        )
        self._fixed = dict(fixed)
        self._scheme_opted_in = scheme_opted_in
        self._port_in_host = port_in_host

    def read_nothing(self, came: frozenset[str]) -> URLParts:
        """Leave the URL's parts as they are; what may be removed is (R2, R3)."""
        parts = self._conclude(came, None, {}, {}, {}, frozenset(), ())
        # Whoever sends what only a trusted proxy may is a forger, or one that is not
        # in the list.
        return replace(parts, is_remarkable=parts.is_remarkable or bool(parts.gone))

    def read(
        self,
        came: frozenset[str],
        headers: Mapping[str, str],
        verdict: Verdict,
        element: Said | None,
        scheme: str,
    ) -> URLParts:
        """
        Say what becomes of the URL's parts, and which headers are removed.

        It reads the headers of `depends_on` and what it is given, and nothing else.

        Args:
            came: Keys of the headers that came.

            headers: Key of a header → its value; the host has one, too.

            verdict: Where the client stands.

            element: What its own element of ``Forwarded`` says besides.

            scheme: What the server says by itself.
        """
        position, counted = verdict.position, verdict.counted
        said = dict(self._fixed)
        winners: dict[Category, str] = {}
        rewritten: dict[str, str] = {}
        problems: list[Problem] = []
        if verdict.remains:
            winners[Category.CLIENT] = verdict.header
        if element is not None:
            self._read_element(*element, said, winners, problems)
        for key, (category, name, parse) in zip(self._keys, self._rows, strict=True):
            text = headers.get(key)
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
        self._fit_to_connection(said, scheme, headers.get(KEY_OF["host"]))
        # Of `Forwarded` an element is used even where nothing of the header remains.
        remaining = set(winners.values())
        if not verdict.remains or verdict.header != self._forwarded:
            remaining.discard(self._forwarded)
        return self._conclude(
            came, scheme, said, winners, rewritten, remaining, problems
        )

    def _conclude(
        self,
        came: frozenset[str],
        scheme: str | None,
        said: Mapping[str, str],
        winners: Mapping[Category, str],
        rewritten: Mapping[str, str],
        remaining: Iterable[str],
        problems: Iterable[Problem],
    ) -> URLParts:
        """Say it all, and what goes: what may, less what remains (rule R5)."""
        kept = {environ_key(name) for name in remaining}
        variables = {KEY_OF[part]: value for part, value in said.items()}
        variables |= {environ_key(name): text for name, text in rewritten.items()}
        if scheme is not None and self._scheme_opted_in:
            # The connection's own, where nothing says another (rule R19).
            variables.setdefault(KEY_OF["scheme"], scheme)
        return URLParts(
            tuple(said.items()),
            tuple(winners.items()),
            tuple(rewritten.items()),
            tuple(variables.items()),
            tuple(sorted((came & self._removable) - kept)),
            came,
            self._known,
            tuple(problems),
            "scheme" in said,
            "mount_point" in self._fixed or not came.isdisjoint(self._mount_point_keys),
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
