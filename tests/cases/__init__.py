"""
The conformance table: the specification as rows.

In:  nothing; the rows are written from the rules, not from the code.
Out: `CASES`, every row once, and `Case`; the known attacks, which rows name by id.

A row's first words are its name; `case` says what a row states and what it leaves open.
Read the modules in the order below: it is the order of the rules.
"""

from __future__ import annotations

from typing import Final

from . import (
    connection,
    forwarded,
    headers,
    limits,
    specifications,
    stated,
    trust,
    values,
    walks,
)
from .attacks import ATTACKS
from .case import Case, Given, Way, variants

#: Every row, in the order of the rules.
CASES: Final[tuple[Case, ...]] = (
    *headers.ROWS,
    *trust.ROWS,
    *walks.ROWS,
    *values.ROWS,
    *forwarded.ROWS,
    *limits.ROWS,
    *connection.ROWS,
    *stated.ROWS,
    *specifications.ROWS,
)

__all__ = ["ATTACKS", "CASES", "Case", "Given", "Way", "variants"]
