"""
nginx's configuration as directives, each with the blocks around it.

In:  a configuration, a part of one, or what ``nginx -T`` prints.
Out: a list of `Directive`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from .given import Directive, place, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

# Blanks and comments, quoted words, punctuation, words.
_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
    |(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<mark>[{};])
    |(?P<word>(?:\\.|\$\{[^}\n]*\}|[^\s{};"'\\])(?:\\.|\$\{[^}\n]*\}|[^\s{};\\])*)""",
    re.VERBOSE | re.DOTALL,
)


def parse_nginx(text: str, name: str = "") -> list[Directive]:
    """
    Read nginx's configuration.

    Raises:
        ConfigurationError:
            A quote, a brace or a semicolon is missing; the line is named.
    """
    directives: list[Directive] = []
    scope: list[str] = []
    opened: list[int] = []
    words: list[str] = []
    begun = line = 1
    for line, kind, word in _tokens(text, name):
        if kind != "mark":
            begun = begun if words else line
            words.append(word)
        elif word == "}":
            if words or not opened:
                raise _unexpected(name, line, words, "}")
            scope.pop()
            opened.pop()
        elif not words:
            raise _unexpected(name, line, words, word)
        else:
            first, *values = words
            words = []
            if word == "{":
                scope.append(f"{first} {' '.join(values)}".strip() + f" #{line}")
                opened.append(line)
                continue
            directives.append(
                Directive(first, values, place(name, begun), begun, tuple(scope))
            )
    if words:
        raise _unexpected(name, begun, words, "the end")
    if opened:
        raise ConfigurationError(
            place(name, opened[-1]), scope[-1], "a block that is closed by '}'"
        )
    return directives


def _unexpected(name: str, line: int, words: list[str], mark: str) -> Exception:
    text = shown(" ".join([*words, mark]))
    return ConfigurationError(
        place(name, line), text, "a directive that ends in ';', or a block"
    )


def _tokens(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    """Split *text* into words and marks, with their lines."""
    line, position = 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConfigurationError(
                place(name, line),
                shown(text[position:].partition("\n")[0]),
                "a line with its quotes closed",
            )
        kind, token = match.lastgroup or "", match[0]
        if kind == "quoted":
            yield line, kind, token[1:-1]
        elif kind != "blank":
            yield line, kind, token
        line += token.count("\n")
        position = match.end()
