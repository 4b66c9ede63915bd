"""
Lines as shells and Apache read them.

In:  text.
Out: logical lines with the numbers at which they begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """
    Join lines that end in a backslash; leave comments and blank lines out.

    A comment is continued by a backslash, too, as Apache has it.
    """
    begun, joined = 0, ""
    # The empty line at the end is what a backslash on the last line continues with.
    for number, ended in enumerate([*text.split("\n"), ""], 1):
        line = ended.removesuffix("\r")
        begun = begun or number
        if line.endswith("\\"):
            joined += line[:-1]
            continue
        joined = (joined + line).strip()
        if joined and not joined.startswith("#"):
            yield begun, joined
        begun, joined = 0, ""
