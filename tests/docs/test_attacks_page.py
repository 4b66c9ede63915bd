"""
The page of attacks names every attack that a test tries, and no other.

In:  the ids in the tests, and the rows of ``docs/attacks.md``.
Out: the same ids, each with what the attacker does and what happens.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
ROWS: Final = re.findall(
    r"^\| ([SH]-\d\d) \| ([^|]+) \| ([^|]+) \|$",
    (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_page_names_what_the_tests_try() -> None:
    """Each id that a test cites has a row, and each row a test."""
    cited = {
        id_
        for path in (ROOT / "tests").rglob("*.py")
        for id_ in re.findall(r"\b[SH]-\d\d\b", path.read_text(encoding="utf-8"))
    }

    assert [id_ for id_, _, _ in ROWS] == sorted({*cited}, key=_order)


def _order(id_: str) -> tuple[bool, str]:
    return id_.startswith("H"), id_


def test_rows_say_something() -> None:
    """What an attacker does, and what happens, in a few words each."""
    assert all(does.strip() and happens.strip() for _, does, happens in ROWS)
    assert len({does for _, does, _ in ROWS}) == len(ROWS)
