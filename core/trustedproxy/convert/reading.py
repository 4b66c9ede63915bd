"""
What a reader of `kinds` works with: options by their names, and a draft to fill.

In:  the options that were found in a source.
Out: plain values, checked for their type; a note for each that has to be guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from .record import Draft, Effect
from .sources.given import Computed, Given

if TYPE_CHECKING:
    from collections.abc import Mapping

# No count and no number of seconds is longer.
_DIGITS = re.compile(r"[0-9]{1,12}")


class Reading:
    """
    The options of one tool, and the draft that they become.

    Args:
        kind: The tool's name in `kinds.KINDS`.

        title: Its name for people.

        options: What was found, by the option's name.

        where: Where it was found.
    """

    def __init__(
        self, kind: str, title: str, options: Mapping[str, Given], where: str
    ) -> None:
        self.draft: Draft = Draft(kind, title, where)
        self._options = options

    def has(self, name: str) -> bool:
        """Say whether the option was given."""
        return name in self._options

    def where(self, name: str) -> str:
        """Say where the option stands, or else where the tool does."""
        given = self._options.get(name)
        return self.draft.where if given is None else given.where

    def flag(self, name: str, default: bool) -> bool:
        """Read an option that is true or false."""
        value = self._value(name, default)
        if value in ("true", "True", "yes", "on", "1"):
            return True
        if value in ("false", "False", "no", "off", "0", ""):
            return False
        return bool(self._expect(name, value, (bool, int), "true or false"))

    def number(self, name: str, default: int, *, needed: bool = False) -> int:
        """
        Read a whole number, 0 or more.

        Args:
            name: The option's.

            default: What holds where it is not given.

            needed: Whether there is no way without the number.
        """
        value = self._value(name, default, needed=needed)
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ConfigurationError(
                f"{self.where(name)}, {name}", value, "a whole number, 0 or more"
            )
        return value

    def text(self, name: str, default: str | None) -> str | None:
        """Read a text; `None` counts as not given."""
        value = self._value(name, default)
        if value is None:
            return default
        return str(self._expect(name, value, (str,), "a text"))

    def words(
        self, name: str, default: list[str], *, needed: bool = False
    ) -> list[str]:
        """Read a list of texts, or one text with commas or blanks in it."""
        value = self._value(name, default, needed=needed)
        if isinstance(value, str):
            return value.replace(",", " ").split()
        return [word.strip() for word in self._strings(name, value)]

    def strings(self, name: str, default: list[str]) -> list[str]:
        """Read a list of texts in which commas and blanks mean nothing."""
        return self._strings(name, self._value(name, default))

    def value(self, name: str, default: object) -> object:
        """Read any plain value."""
        return self._value(name, default)

    def note(self, effect: Effect, code: str, text: str, option: str = "") -> None:
        """Add a note, with the place of the option that it is about."""
        self.draft.note(effect, code, text, self.where(option) if option else "")

    def note_bare_address(self) -> None:
        """Say that an address comes without a port, where the tool keeps it."""
        self.note(
            Effect.CHANGES,
            "bare-address",
            "The client's address is bare and in its shortest spelling: 8.8.8.8 for "
            f"8.8.8.8:4711 and for ::ffff:8.8.8.8. {self.draft.title} keeps the text.",
        )

    def note_mapped(self) -> None:
        """Say that IPv4-mapped addresses are IPv4 here, where the tool's are not."""
        self.note(
            Effect.CHANGES,
            "mapped",
            "An IPv4-mapped address (::ffff:10.0.0.1) is that IPv4 address, as a peer, "
            f"a proxy and a client. In {self.draft.title} it is another one.",
        )

    def _value(self, name: str, default: object, *, needed: bool = False) -> object:
        given = self._options.get(name)
        if given is None:
            return default
        if isinstance(given.value, Computed):
            if needed:
                raise ConfigurationError(
                    f"{given.where}, {name}",
                    given.value.text,
                    "known before the program runs: write its value in its place",
                )
            self.note(
                Effect.TO_DO,
                "computed",
                f"{name} is computed by {given.value.text}, so that its value is not "
                f"known here: it was read as {default!r}.",
                name,
            )
            return default
        if given.condition:
            self.note(
                Effect.TO_DO,
                "conditional",
                f"{name} holds under a condition ({given.condition}): it was read as "
                "if that held.",
                name,
            )
        return given.value

    def _strings(self, name: str, value: object) -> list[str]:
        items: list[object] = value if isinstance(value, list) else [value]
        return [
            str(self._expect(name, item, (str,), "a list of texts")) for item in items
        ]

    def _expect(
        self, name: str, value: object, types: tuple[type, ...], expected: str
    ) -> object:
        if not isinstance(value, types):
            raise ConfigurationError(f"{self.where(name)}, {name}", value, expected)
        return value
