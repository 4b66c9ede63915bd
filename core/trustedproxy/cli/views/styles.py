"""
What the views have in common: styles, and texts that are never markup.

In:  texts, from settings or from requests.
Out: `Text` with a style, tables that look alike.
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

GOOD, BAD, WARN, DIM, STRONG = "green", "red", "yellow", "dim", "bold"
HEAD = "bold cyan"


def make_table(*columns: str, title: str | None = None) -> Table:
    """Make an empty table with these *columns*."""
    table = Table(
        box=SIMPLE_HEAD,
        title=None if title is None else Text(title),
        title_justify="left",
        title_style=STRONG,
        header_style=HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def write(text: object, style: str = "") -> Text:
    """Make text that is shown as it is."""
    return Text(str(text), style=style, overflow="fold")


def write_below(text: str, style: str = "") -> Text:
    """Make text below a table, with an empty line between them."""
    return write(f"\n{text}", style)


def write_heading(text: str) -> Text:
    """Make a heading, with an empty line above."""
    return Text(f"\n{text}", style=HEAD)
