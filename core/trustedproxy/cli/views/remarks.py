"""
What ``check`` has found, as text and as a table.

In:  remarks.
Out: text, or something that rich prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group

from ...checks import Level, Remark
from .styles import BAD, DIM, GOOD, STRONG, WARN, make_table, write, write_below

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {Level.ERROR: BAD, Level.WARNING: WARN, Level.HINT: DIM}


def write_remarks(remarks: Sequence[Remark], origin: str) -> str:
    """Write three lines a remark, and one that counts them."""
    lines = [
        f"{remark.level}: {remark.message} ({remark.code})\n    {remark.hint}"
        for remark in remarks
    ]
    return "\n".join([*lines, summarize(remarks, origin)])


def summarize(remarks: Sequence[Remark], origin: str) -> str:
    """Count what was found, in a sentence."""
    where = f" in {origin}" if origin else ""
    if not remarks:
        return f"Nothing to say about the settings{where}."
    counts = [
        f"{count} {level}{'' if count == 1 else 's'}"
        for level in Level
        if (count := sum(remark.level is level for remark in remarks))
    ]
    return f"{', '.join(counts)}{where}."


def draw_remarks(remarks: Sequence[Remark], origin: str) -> RenderableType:
    """Draw a row a remark."""
    total = summarize(remarks, origin)
    if not remarks:
        return write(total, GOOD)
    table = make_table("", "what is wrong", "what to type instead")
    for remark in remarks:
        style = _STYLES[remark.level]
        what = write(remark.message)
        what.append(f"\n{remark.code}", style=DIM)
        table.add_row(write(remark.level, style), what, write(remark.hint))
        table.add_section()
    return Group(table, write_below(total, STRONG))
