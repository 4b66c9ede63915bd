"""
What a conversion says: settings, and notes in words.

In:  what the readers of `kinds` found in somebody's configuration.
Out: `Conversion`, for `writing` and for commands; `Draft`, what one reader has found so
     far.

A difference that no note speaks of is a mistake: the tests hold every conversion
against the tool that it comes from, and let a difference pass by its note's code alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ..headers import FORMS_OF, KNOWN_HEADERS, Category, Form, ProxyHeader
from ..settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADERS = "TRUSTED_PROXY_HEADERS"
PROXIES = "TRUSTED_PROXIES"
HOPS = "TRUSTED_PROXY_HOPS"

EVERY_PEER = "*"

_KNOWN = {header.name.lower(): header for header in KNOWN_HEADERS}
_CATEGORIES = list(Category)


class Effect(StrEnum):
    """What a note is about; the order is that of a report."""

    TO_DO = "to do"
    CHANGES = "changes"
    STRICTER = "stricter"
    NO_EQUIVALENT = "no equivalent"


@dataclass(frozen=True, slots=True)
class Note:
    """
    One remark about a conversion.

    Attributes:
        effect: Whether it is work that is left, or what kind of difference.

        code: A stable name of the remark, such as ``everybody``.

        text: One or more whole sentences.

        where: File and line that it is about, such as ``settings.py, line 3``; or "".
    """

    effect: Effect
    code: str
    text: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text

    def as_dict(self) -> dict[str, str]:
        """Say the same in plain values."""
        return {
            "effect": str(self.effect),
            "code": self.code,
            "text": self.text,
            "where": self.where,
        }


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    Somebody's configuration as settings of this project.

    Attributes:
        kinds: What it was read as: names of `kinds.KINDS`.

        settings: Setting name → value, as `trustedproxy.read_settings` takes it.

        notes: What is left to do, and every difference that is known.
    """

    kinds: tuple[str, ...]
    settings: Mapping[str, object]
    notes: tuple[Note, ...] = ()

    def read(self) -> Settings:
        """
        Read the settings.

        Raises:
            ConfigurationError: A ``file:`` list is not there.
        """
        return read_settings(self.settings)

    def notes_about(self, effect: Effect) -> list[Note]:
        """Choose the notes of one *effect*."""
        return [note for note in self.notes if note.effect is effect]

    def as_dict(self) -> dict[str, object]:
        """Say the same in plain values, as for JSON."""
        return {
            "kinds": list(self.kinds),
            "settings": {
                name: [
                    spell_header(entry) if isinstance(entry, ProxyHeader) else entry
                    for entry in value
                ]
                if isinstance(value, list)
                else value
                for name, value in self.settings.items()
            },
            "notes": [note.as_dict() for note in self.notes],
        }


@dataclass(slots=True)
class Draft:
    """
    What one reader has found so far.

    Attributes:
        kind: What was read: a name of `kinds.KINDS`.

        title: The same for people: ``ProxyFix``.

        where: Where it stands in the source.

        headers: The trusted headers, in the policy's order.

        proxies: The trusted proxies, ``["*"]`` for every peer; `None` if not said.

        hops: How many elements the proxies write; `None` if not said.

        settings: Every other setting.
    """

    kind: str
    title: str
    where: str = ""
    headers: list[str | ProxyHeader] = field(default_factory=list)
    proxies: list[str] | None = None
    hops: int | None = None
    settings: dict[str, object] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, effect: Effect, code: str, text: str, where: str = "") -> None:
        """Add a remark."""
        self.notes.append(Note(effect, code, text, where))


def find_header(name: str) -> ProxyHeader | None:
    """Find the known header of this *name*, in any case and with underscores."""
    return _KNOWN.get(name.lower().replace("_", "-"))


def find_client_header(name: str) -> str | ProxyHeader | None:
    """
    Find how the client's header of this *name* is trusted.

    Returns:
        A known header's name; a custom header, read as a list, for one that nobody
        knows; `None` for one that is known for something else, or in another grammar.
    """
    header = find_header(name)
    if header is None:
        return ProxyHeader(name, Category.CLIENT, Form.ADDRESS_LIST)
    fits = header.form in FORMS_OF[Category.CLIENT]
    return header.name if fits else None


def name_of(header: str | ProxyHeader) -> str:
    """Name a header of a list."""
    return header if isinstance(header, str) else header.name


def header_of(entry: str | ProxyHeader) -> ProxyHeader | None:
    """Find what a list's entry is, if it is known."""
    return entry if isinstance(entry, ProxyHeader) else find_header(entry)


def sort_headers(entries: list[str | ProxyHeader]) -> list[str | ProxyHeader]:
    """Sort by category, as people write them: the client, the scheme, the host."""

    def place(entry: str | ProxyHeader) -> int:
        header = header_of(entry)
        return len(_CATEGORIES) if header is None else _order(header.category)

    return sorted(entries, key=place)


def _order(category: Category) -> int:
    return _CATEGORIES.index(category)


def spell_header(header: ProxyHeader) -> str:
    """Write a custom header as text, as in an environment variable."""
    return f"{header.name}={header.form.name.lower()}"
