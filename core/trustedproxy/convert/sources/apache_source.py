"""
Apache's configuration as directives, each with the sections around it.

In:  a configuration, or a part of one.
Out: a list of `Directive`.

Lines that nobody asks for are not looked at closer than that, since every module has
a language of its own.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from .given import Directive, place, shown
from .lines import logical_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Sections that say when their lines are read, and not for what they hold.
_TRANSPARENT = ("ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective")


def parse_apache(
    text: str, name: str = "", *, prefixes: Sequence[str]
) -> list[Directive]:
    """
    Read the directives whose names begin with one of the *prefixes*, in any case.

    Raises:
        ConfigurationError: One of them has an open quote, or a section no end.
    """
    directives: list[Directive] = []
    sections: list[tuple[str, str, int]] = []
    for number, line in logical_lines(text):
        if line.startswith("</"):
            closed = line[2:].rstrip("> ").lower()
            if not sections or sections.pop()[0] != closed:
                raise ConfigurationError(
                    place(name, number), shown(line), "the end of an open section"
                )
        elif line.startswith("<"):
            word, _, argument = line[1:].rstrip("> ").partition(" ")
            sections.append((word.lower(), argument.strip(), number))
        elif line.lower().startswith(tuple(prefixes)):
            scope = tuple(
                f"{word} {argument} #{begun}"
                for word, argument, begun in sections
                if word not in _TRANSPARENT
            )
            first, *values = _split(line, place(name, number))
            directives.append(
                Directive(first, values, place(name, number), number, scope)
            )
    if sections:
        word, _, begun = sections[-1]
        raise ConfigurationError(
            place(name, begun), shown(f"<{word}>"), "a section that ends below it"
        )
    return directives


def _split(line: str, where: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ConfigurationError(
            where, shown(line), "a line with its quotes closed"
        ) from error
