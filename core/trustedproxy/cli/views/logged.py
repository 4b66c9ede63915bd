"""
The requests of a log, a line each, and what to change for all of them.

In:  explanations of requests, with the places of their lines.
Out: text, or something that rich prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """A line of a log, and its explanation where it could be read."""

    logged: LoggedRequest
    explanation: Explanation | None


#: Lines that a table has; of more, the text says how many.
MOST_LINES = 200


def write_lines(lines: Sequence[ExplainedLine]) -> str:
    """Write a line each, and below what to change, the commonest first."""
    rows = [" ".join(_list_cells(line)) for line in lines[:MOST_LINES]]
    advice = [
        f"{count} of {len(lines)}: {capitalize(one.text)}"
        + "".join(f"\n    {setting}" for setting in one.settings)
        for one, count in count_advice(lines)
    ]
    return "\n".join([*rows, *_list_totals(lines), *advice])


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


def _list_totals(lines: Sequence[ExplainedLine]) -> Iterator[str]:
    unread = sum(line.explanation is None for line in lines)
    if len(lines) > MOST_LINES:
        yield f"{len(lines) - MOST_LINES} more lines"
    yield f"{len(lines)} requests, {unread} that cannot be read"


def count_advice(lines: Iterable[ExplainedLine]) -> list[tuple[Advice, int]]:
    """Count how many requests each advice is about, by its code and its settings."""
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    first: dict[tuple[str, tuple[str, ...]], Advice] = {}
    for line in lines:
        for advice in line.explanation.advice if line.explanation else ():
            key = advice.code, advice.settings
            counts[key] += 1
            first.setdefault(key, advice)
    return [(first[key], count) for key, count in counts.most_common()]


def draw_lines(lines: Sequence[ExplainedLine]) -> RenderableType:
    """Draw a row a line, and what to change."""
    table = make_table("line", "peer", "client", "scheme", "host", "found")
    for line in lines[:MOST_LINES]:
        table.add_row(write(line.logged.number, DIM), *_list_columns(line))
    totals = write_below("; ".join(_list_totals(lines)), STRONG)
    parts: list[RenderableType] = [table, totals]
    for advice, count in count_advice(lines):
        parts.append(write_heading(f"{count} of {len(lines)}"))
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
