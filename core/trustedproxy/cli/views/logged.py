"""
The requests of a log, a line each, and what to change for all of them.

In:  explanations of requests, with the places of their lines.
Out: text, or something that rich prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Group

from ...explain.text import capitalize
from ...log import shorten
from .styles import (
    BAD,
    DIM,
    GOOD,
    STRONG,
    WARN,
    make_table,
    write,
    write_below,
    write_heading,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...advice import Advice
    from ...explain import Explanation
    from ..access_logs import LoggedRequest


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """
    A line of a log.

    Attributes:
        logged: Its request.

        explanation: What becomes of that; ``None`` where it could not be read.

        failed: How many expectations it does not meet.
    """

    logged: LoggedRequest
    explanation: Explanation | None
    failed: int = 0


#: Lines that a table has; of more, the text says how many.
MOST_LINES = 200
#: Different pieces of advice that are counted; each peer may have one of its own.
MOST_ADVICE = 1000

_Key: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(slots=True)
class Summary:
    """
    What is kept of a log, however long it is.

    Attributes:
        lines: The first of its lines.

        count, unread, unmet:
            How many there were, how many could not be read, and how many are not as
            they were expected.

        uncounted: How many pieces of advice came too late to be counted.
    """

    lines: list[ExplainedLine] = field(default_factory=list)
    count: int = 0
    unread: int = 0
    unmet: int = 0
    uncounted: int = 0
    _counts: Counter[_Key] = field(default_factory=Counter)
    _first: dict[_Key, Advice] = field(default_factory=dict)

    def add(self, line: ExplainedLine) -> None:
        """Add a line."""
        self.count += 1
        self.unread += line.explanation is None
        self.unmet += line.failed > 0
        if self.count <= MOST_LINES:
            self.lines.append(line)
        for advice in line.explanation.advice if line.explanation else ():
            key = advice.code, advice.settings
            if key not in self._first and len(self._first) >= MOST_ADVICE:
                self.uncounted += 1
                continue
            self._counts[key] += 1
            self._first.setdefault(key, advice)

    def list_advice(self) -> list[tuple[Advice, int]]:
        """List what to change, the commonest first, and for how many requests."""
        return [(self._first[key], n) for key, n in self._counts.most_common()]

    def list_totals(self) -> Iterator[str]:
        """Say how many requests there were, and what is not shown of them."""
        if self.count > MOST_LINES:
            yield f"{self.count - MOST_LINES} more lines"
        unmet = f", {self.unmet} not as expected" if self.unmet else ""
        yield f"{self.count} requests, {self.unread} that cannot be read{unmet}"
        if self.uncounted:
            yield f"advice left out: {self.uncounted}"


def write_summary(summary: Summary) -> str:
    """Write a line each, and below what to change, the commonest first."""
    rows = [" ".join(_list_cells(line)) for line in summary.lines]
    advice = [
        f"{count} of {summary.count}: {capitalize(one.text)}"
        + "".join(f"\n    {setting}" for setting in one.settings)
        for one, count in summary.list_advice()
    ]
    return "\n".join([*rows, *summary.list_totals(), *advice])


def _list_cells(line: ExplainedLine) -> Iterator[str]:
    yield f"line {line.logged.number}:"
    explanation = line.explanation
    if explanation is None:
        assert line.logged.error is not None
        yield f"cannot be read: {line.logged.error.message}"
        return
    after = {variable.name: variable.after for variable in explanation.variables}
    client = explanation.outcome.client
    yield f"client {'unknown' if client is None else shorten(client)},"
    yield f"{after['scheme']}, host {shorten(after['host'])},"
    yield f"peer {shorten(explanation.peer.text)}"
    yield "trusted" if explanation.peer.trusted else "not trusted"
    codes = _list_codes(explanation)
    if codes:
        yield f"({', '.join(codes)})"


def _list_codes(explanation: Explanation) -> list[str]:
    found = [problem.code for problem in explanation.problems]
    found += [advice.code for advice in explanation.advice]
    return list(dict.fromkeys(found))


def draw_summary(summary: Summary) -> RenderableType:
    """Draw a row a line, and what to change."""
    table = make_table("line", "peer", "client", "scheme", "host", "found")
    for line in summary.lines:
        table.add_row(write(line.logged.number, DIM), *_list_columns(line))
    totals = write_below("; ".join(summary.list_totals()), STRONG)
    parts: list[RenderableType] = [table, totals]
    for advice, count in summary.list_advice():
        parts.append(write_heading(f"{count} of {summary.count}"))
        parts.append(write(capitalize(advice.text)))
        parts += [write(f"    {setting}", GOOD) for setting in advice.settings]
    return Group(*parts)


def _list_columns(line: ExplainedLine) -> Iterator[RenderableType]:
    explanation = line.explanation
    if explanation is None:
        yield from ("", "", "", "")
        yield write(line.logged.error, BAD)
        return
    after = {variable.name: variable.after for variable in explanation.variables}
    client = explanation.outcome.client
    yield write(
        shorten(explanation.peer.text), GOOD if explanation.peer.trusted else WARN
    )
    yield write("unknown" if client is None else shorten(client), STRONG)
    yield write(after["scheme"])
    yield write(shorten(after["host"]))
    yield write(", ".join(_list_codes(explanation)), WARN)
