"""
The settings in force, as a table.

In:  rows of name, value and meaning.
Out: something that rich prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .styles import DIM, STRONG, make_table, write

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...explain.describing import Row

#: Values that say that nothing was set.
_UNSET = frozenset({"None", "False", "nothing"})


def draw_rows(rows: Sequence[Row], origin: str) -> RenderableType:
    """Draw a row a setting; what is not set is less visible."""
    table = make_table("setting", "value", "meaning", title=f"From {origin}")
    for row in rows:
        style = DIM if row.value in _UNSET else ""
        value = style or STRONG
        table.add_row(
            write(row.setting, style),
            write(row.value, value),
            write(row.meaning, style),
        )
    return table
