"""
How fast the cost of reading something grows with its size.

In:  a maker of hostile input of any size, and what reads it.
Out: the exponent: 1 where sixteen times as much takes sixteen times as long.

The processor's time is measured.  Python's own steps would show nothing of a regular
expression, or of texts that are joined in a loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: How much larger the large input is, and how often each is measured.
FOLD = 16
TRIES = 5
#: A measurement lasts that long at least, in seconds.
LEAST = 0.001


@dataclass(frozen=True, slots=True)
class Row:
    """
    One kind of hostile input.

    Attributes:
        name: What it is.

        make: Makes an input, by its size.

        prepare:
            Makes what reads it, with nothing remembered of earlier reading; it is not
            measured.

        size: The large input's size, in what *make* counts.
    """

    name: str
    make: Callable[[int], Any]
    prepare: Callable[[], Callable[[Any], object]]
    size: int


def measure(row: Row, value: Any, times: int) -> float:
    """Measure the processor time, in seconds, of reading *value* a number of times."""
    readers = [row.prepare() for _ in range(times)]
    started = time.process_time()
    for read in readers:
        read(value)
    return time.process_time() - started


def find_exponent(row: Row, enough: float) -> float:
    """
    Measure with which power of the size the cost grows, best of `TRIES`.

    Args:
        row: What to read.

        enough: An exponent below which the large input is not measured again.
    """
    small, large = row.make(row.size // FOLD), row.make(row.size)
    times = 1
    while (best := measure(row, small, times)) < LEAST and times < 512:
        times *= 2
    cost = min(best, *(measure(row, small, times) for _ in range(TRIES - 1))) / times
    exponent = math.inf
    for _ in range(TRIES):
        of_large = measure(row, large, max(times // FOLD, 1)) / max(times // FOLD, 1)
        exponent = min(exponent, math.log(of_large / cost, FOLD))
        if exponent < enough:
            break
    return exponent
