"""
The pages of the documentation, as the tests read them.

In:  the checkout.
Out: pages, their blocks of code, tables, headings and links.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

#: Every page, by its path below the folder of the documentation.
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^\|.*\n\|[-:| ]+\|\n((?:\|.*\n?)+)", re.MULTILINE)


def read(name: str) -> str:
    """Read the page *name*, such as ``settings.md``."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """List the blocks of code in *language*."""
    return [code for _, name, code in _FENCE.findall(page) if name == language]


def prose(page: str) -> str:
    """Leave the blocks of code out."""
    return _FENCE.sub("", page)


def rows(page: str) -> list[list[str]]:
    """List the cells of every row of the page's tables, but for their heads."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for table in _TABLE.findall(page)
        for line in table.splitlines()
    ]


def sections(page: str) -> dict[str, str]:
    """Cut a page at its headings of the second level: heading → text."""
    # A comment in a block of code begins like a heading, and is none.
    safe = _FENCE.sub(lambda block: block[0].replace("\n#", "\n #"), page)
    _, *parts = re.split(r"^## ", safe, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}
