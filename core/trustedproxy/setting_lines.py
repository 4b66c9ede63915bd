"""
Write settings as lines to paste into a settings file or an app's configuration.

In:  the name of a setting and its value.
Out: one line of Python, ``TRUSTED_PROXIES = ["10.0.0.0/8"]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .headers import FORMS_OF, KNOWN_HEADERS, Form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .headers import ProxyHeader

_KNOWN = frozenset(KNOWN_HEADERS)
#: What ends a text in double quotes, or begins an escape in it.
_ESCAPED = frozenset('"\\')


def write_line(name: str, value: object) -> str:
    """Write the setting *name* with *value*, on one line."""
    return f"{name} = {write_value(value)}"


def write_value(value: object) -> str:
    """Write a value as Python does, with double quotes: texts, lists, mappings."""
    if isinstance(value, str):
        return f'"{"".join(map(_write_character, value))}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, Mapping):
        pairs = [f"{write_value(k)}: {write_value(v)}" for k, v in value.items()]
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _write_character(character: str) -> str:
    if character in _ESCAPED:
        return f"\\{character}"
    # What cannot be seen is escaped.
    return character if character.isprintable() else repr(character)[1:-1]


def spell_headers(headers: Iterable[ProxyHeader]) -> list[str]:
    """Write headers as the setting has them: a custom one with its form."""
    return [spell_header(header) for header in headers]


def spell_header(header: ProxyHeader) -> str:
    """Write one header: its name, and ``=form`` where it is a custom one."""
    custom = header not in _KNOWN and header.form in FORMS_OF[header.category]
    if not custom or header.form is Form.NEVER:
        return header.name
    return f"{header.name}={header.form.name.lower()}"
