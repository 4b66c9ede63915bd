"""
An explanation as tables for a terminal.

In:  an `Explanation`.
Out: something that rich prints; every text of a request escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel

from ...explain import Fate, Standing
from ...explain.text import (
    capitalize,
    show_name,
    show_value,
    show_variable,
    write_outcome,
)
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
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from ...explain import Explanation, Header

_OF_HOPS = {
    Standing.TRUSTED: GOOD,
    Standing.CLIENT: STRONG,
    Standing.COUNTED: GOOD,
    Standing.STRANGER: WARN,
    Standing.NOBODY: WARN,
    Standing.CUT: BAD,
}
_OF_FATES = {
    Fate.USED: GOOD,
    Fate.REMOVED: BAD,
    Fate.MALFORMED: BAD,
    Fate.NOT_LISTED: WARN,
    Fate.IGNORED: DIM,
    Fate.NOT_SENT: DIM,
    Fate.SECRET: DIM,
    Fate.CONNECTION: DIM,
    Fate.OTHER: DIM,
}


def draw_explanation(explanation: Explanation) -> RenderableType:
    """Draw all of an explanation."""
    return Group(*_list_parts(explanation))


def _list_parts(explanation: Explanation) -> Iterator[RenderableType]:
    said = explanation.connection
    where = f"{explanation.where}: " if explanation.where else ""
    yield write(
        f"{where}{shorten(explanation.method)} "
        f"{show_variable('path', said['path'])} from {shorten(said['peer'])}, "
        f"{shorten(said['scheme'])}, host {shorten(said['host'])}",
        STRONG,
    )
    for note in explanation.notes:
        yield write(note, WARN)
    yield write_heading("The way of the request, from this server outwards")
    yield _draw_way(explanation)
    for sentence in explanation.peer.sentences[1:]:
        yield write(sentence)
    if explanation.headers:
        yield write_heading("Headers")
        yield _draw_headers(explanation)
    yield write_heading("What the application sees")
    yield _draw_variables(explanation)
    yield write_below(write_outcome(explanation), STRONG)
    yield from _list_remarks(explanation)
    if explanation.others:
        yield write_heading("What others make of it")
        yield _draw_others(explanation)
    if explanation.advice:
        yield write_heading("If this is not what you want")
        yield from _list_advice(explanation)


def _draw_way(explanation: Explanation) -> Table:
    table = make_table("hop", "address", "is", "said by", "because")
    for hop in explanation.way:
        table.add_row(
            write(hop.number),
            write(shorten(hop.text)),
            write(hop.standing, _OF_HOPS[hop.standing]),
            write(hop.header or "the connection", DIM),
            write(hop.sentence),
        )
    return table


def _draw_headers(explanation: Explanation) -> Table:
    table = make_table("header", "value", "is", "because")
    for header in explanation.headers:
        table.add_row(
            write(show_name(header.name), STRONG if header.listed else ""),
            write("" if header.value is None else show_value(header.value)),
            write(header.fate, _OF_FATES[header.fate]),
            write(_give_reasons(header), WARN if header.guess else ""),
        )
    return table


def _give_reasons(header: Header) -> str:
    """Give the sentences behind those about the hops, which have a table."""
    sentences = list(header.sentences)
    if header.hops:
        last = header.hops[-1]
        del sentences[: sentences.index(f"{last.number}. {last.sentence}") + 1]
    return "\n".join(sentences)


def _draw_variables(explanation: Explanation) -> Table:
    table = make_table("variable", "before", "after", "in WSGI", "in ASGI")
    for variable in explanation.variables:
        style = GOOD if variable.changed else DIM
        table.add_row(
            write(variable.name),
            write(show_variable(variable.name, variable.before), DIM),
            write(show_variable(variable.name, variable.after), style),
            write(variable.wsgi, DIM),
            write(variable.asgi or "", DIM),
        )
    return table


def _list_remarks(explanation: Explanation) -> Iterator[RenderableType]:
    """List what is stated, what is wrong, and what answers in between."""
    for stated in explanation.stated:
        yield write(stated.sentence)
    for problem in explanation.problems:
        text = f"{problem.header}: {problem.meaning} ({problem.code})"
        yield write(text, WARN)
    for answer in explanation.answers:
        style = GOOD if answer.status is None else WARN
        yield write(f"{answer.by}: {answer.sentence}", style)


def _draw_others(explanation: Explanation) -> Table:
    names = [v.name for v in explanation.variables]
    shown = [n for n in names if any(n in o.sees for o in explanation.others)]
    table = make_table("", "configured as", *shown)
    for other in explanation.others:
        cells = [
            write(
                show_variable(name, other.sees[name]) if name in other.sees else "",
                BAD if name in other.differs else "",
            )
            for name in shown
        ]
        name = other.name if other.version is None else f"{other.name} {other.version}"
        table.add_row(write(name), write(other.error or other.settings, DIM), *cells)
    return table


def _list_advice(explanation: Explanation) -> Iterator[RenderableType]:
    for advice in explanation.advice:
        yield write(capitalize(advice.text))
        if advice.settings:
            lines = write("\n".join(advice.settings), GOOD)
            yield Padding(Panel(lines, expand=False), (0, 0, 0, 2))
