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


def _escape(text: str) -> str:
    """Escape what steers a terminal, or ends a line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


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

    def __post_init__(self) -> None:
        # Words of somebody's file are in it, and are shown on a terminal.
        object.__setattr__(self, "text", _escape(self.text))
        object.__setattr__(self, "where", _escape(self.where))

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

    def as_dict(self) -> dict[str, object]:
        """Say the same in plain values, as for JSON."""
        return {
            "kinds": list(self.kinds),
            "settings": dict(self.settings),
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

        headers:
            The trusted headers, in the policy's order: names, and custom headers as
            text, ``X-Edge-IP=address``.

        proxies: The trusted proxies, ``["*"]`` for every peer; `None` if not said.

        hops: How many elements the proxies write; `None` if not said.

        settings: Every other setting.
    """

    kind: str
    title: str
    where: str = ""
    headers: list[str] = field(default_factory=list)
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


def find_client_header(name: str) -> str | None:
    """
    Find how the client's header of this *name* is trusted.

    Returns:
        A known header's name; a custom header, read as a list, for one that nobody
        knows; `None` for one that is known for something else, or in another grammar.
    """
    header = find_header(name)
    if header is None:
        return spell_header(name, Category.CLIENT, Form.ADDRESS_LIST)
    return header.name if header.form in FORMS_OF[Category.CLIENT] else None


def spell_header(name: str, category: Category, form: Form) -> str:
    """
    Write a custom header as text, as lists and environment variables take it.

    Raises:
        ConfigurationError: It is no header's name.
    """
    header = ProxyHeader(name, category, form)
    return f"{header.name}={header.form.name.lower()}"


def name_of(entry: str) -> str:
    """Name the header of a list's entry."""
    return entry.partition("=")[0]


def form_of(entry: str) -> Form:
    """Say in which form the header of a list's entry is read."""
    name, _, form = entry.partition("=")
    header = find_header(name)
    return Form[form.upper()] if header is None else header.form


def category_of(entry: str) -> Category:
    """Say what the header of a list's entry is for."""
    header = find_header(name_of(entry))
    if header is not None:
        return header.category
    form = form_of(entry)
    return next(category for category in Category if form in FORMS_OF[category])


def sort_headers(entries: list[str]) -> list[str]:
    """Sort by category, as people write them: the client, the scheme, the host."""
    return sorted(entries, key=lambda entry: _CATEGORIES.index(category_of(entry)))
