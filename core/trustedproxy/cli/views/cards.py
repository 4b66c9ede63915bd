"""
A report card of ``probe``, drawn.

In:  a `Card`.
Out: something that rich prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding

from ...probe.records import Severity, Verdict
from ...probe.text import (
    describe_how,
    describe_run,
    make_visible,
    shorten_lines,
    summarize,
)
from .styles import BAD, DIM, GOOD, HEAD, STRONG, WARN, make_table, write

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from ...probe.records import Card, Finding, Remedy

_VERDICTS = {
    Verdict.OPEN: BAD,
    Verdict.CLOSED: GOOD,
    Verdict.UNSEEN: WARN,
    Verdict.UNTRIED: DIM,
}
_SEVERITIES = {
    Severity.HIGH: f"{STRONG} {BAD}",
    Severity.MEDIUM: BAD,
    Severity.LOW: WARN,
    Severity.NOTE: DIM,
}


def draw_card(card: Card) -> RenderableType:
    """Draw the verdicts, then a paragraph a finding."""
    table = make_table("what a client may forge", "", "")
    for subject in card.subjects:
        style = _VERDICTS[subject.verdict]
        table.add_row(
            write(subject.name), write(subject.verdict, style), write(subject.note, DIM)
        )
    parts: list[RenderableType] = [
        write(f"Report card of {card.target}", HEAD),
        write(describe_run(card), DIM),
        table,
    ]
    for finding in card.findings:
        parts += _draw_finding(finding)
    parts.append(write(""))
    parts += [write(f"Incomplete: {sentence}", WARN) for sentence in card.incomplete]
    parts.append(write(summarize(card), GOOD if card.worst is Severity.NOTE else BAD))
    return Group(*parts)


def _draw_finding(finding: Finding) -> Iterator[RenderableType]:
    head = write("\n")
    head.append(f"{finding.severity}  ", style=_SEVERITIES[finding.severity])
    head.append(finding.title, style=STRONG)
    head.append(f"  {finding.code}", style=DIM)
    yield head
    yield _indent(write(describe_how(finding)))
    if finding.severity is Severity.NOTE:
        return
    yield _indent(write(finding.means))
    for evidence in finding.evidence:
        yield _indent(write(f"sent  {shorten_lines(evidence.sent)}", DIM), 4)
        yield _indent(write(f"seen  {make_visible(evidence.seen)}", WARN), 4)
    for remedy in finding.remedies:
        yield from _draw_remedy(remedy)


def _draw_remedy(remedy: Remedy) -> Iterator[RenderableType]:
    guess = " (a guess)" if remedy.guess and remedy.lines else ""
    text = write("")
    text.append(f"{remedy.where}{guess}: ", style=GOOD)
    text.append(remedy.text)
    if remedy.page:
        text.append(f" {remedy.page}", style=DIM)
    yield _indent(text)
    for line in remedy.lines:
        yield _indent(write(line, STRONG), 6)


def _indent(text: Text, by: int = 2) -> Padding:
    return Padding(text, (0, 0, 0, by))
