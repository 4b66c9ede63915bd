"""
An explanation as plain text, for a pipe, a log or an assertion.

In:  an `Explanation`.
Out: lines without a line break at the end; whatever a request sent is shown through
     `repr` and shortened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..log import shorten
from ..wsgi_text import read_path
from .masks import HIDDEN
from .records import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .records import Explanation, Header

_INDENT = "  "
#: Headers of these fates are named among those of the request, and nowhere else.
_SILENT = frozenset({Fate.CONNECTION, Fate.OTHER})


def write_text(explanation: Explanation) -> str:
    """Write all of an explanation as paragraphs."""
    paragraphs = [
        ("Note", list(explanation.notes)),
        ("The request", [*_write_request(explanation)]),
        ("The peer", list(explanation.peer.sentences)),
        *_write_headers(explanation),
        ("Stated", [stated.sentence for stated in explanation.stated]),
        ("Problems", [*_write_problems(explanation)]),
        ("The application sees", [*_write_variables(explanation)]),
        *[(answer.by, [answer.sentence]) for answer in explanation.answers],
        ("Others make of it", [*_write_others(explanation)]),
        ("If this is not what you want", [*_write_advice(explanation)]),
    ]
    return "\n\n".join(
        "\n".join([title, *(f"{_INDENT}{line}" for line in lines)])
        for title, lines in paragraphs
        if lines
    )


def show_value(value: str | None) -> str:
    """Show the value of a header, escaped and shortened."""
    return HIDDEN if value == HIDDEN else shorten(value)


#: What an explanation has as WSGI has it: names of variables, and of a connection.
_PATHS = frozenset({"mount point", "mount_point", "path"})


def read_variable(name: str, value: str | None) -> str | None:
    """Read the *value* of the variable *name* as people have it: paths in Unicode."""
    return value if value is None or name not in _PATHS else read_path(value)


def show_variable(name: str, value: str | None) -> str:
    """Show the *value* of the variable *name*, escaped and shortened."""
    return shorten(read_variable(name, value))


def show_name(name: str) -> str:
    """Show the name of a header, escaped only where it needs that."""
    return name if name.isascii() and name.isprintable() else shorten(name)


def _write_request(explanation: Explanation) -> Iterator[str]:
    """The connection as the server reports it, and the headers as they came."""
    if explanation.where is not None:
        yield f"from {explanation.where}"
    said = explanation.connection
    yield (
        f"peer {shorten(said['peer'])}, scheme {shorten(said['scheme'])}, "
        f"host {shorten(said['host'])}, mount point "
        f"{show_variable('mount_point', said['mount_point'])}, "
        f"path {show_variable('path', said['path'])}"
    )
    for header in explanation.headers:
        if header.value is not None:
            yield f"{show_name(header.name)}: {show_value(header.value)}"


def _write_headers(explanation: Explanation) -> Iterator[tuple[str, list[str]]]:
    """Write a paragraph for each header that says something of a proxy."""
    for header in explanation.headers:
        if header.fate not in _SILENT:
            yield write_title(header), list(header.sentences) or ["not sent"]


def write_title(header: Header) -> str:
    """Write what a header is for, and what became of it."""
    what = f" ({', '.join(header.categories)})" if header.categories else ""
    fate = "" if header.fate is Fate.NOT_SENT else f": {header.fate}"
    return f"{show_name(header.name)}{what}{fate}"


def _write_problems(explanation: Explanation) -> Iterator[str]:
    for problem in explanation.problems:
        yield f"{problem.header}: {problem.meaning} ({problem.code})"


def _write_variables(explanation: Explanation) -> Iterator[str]:
    for variable in explanation.variables:
        name = variable.name
        was = show_variable(name, variable.before)
        after = show_variable(name, variable.after)
        yield f"{name:<15} {after}{f', was {was}' if variable.changed else ''}"
    yield write_outcome(explanation)


def write_outcome(explanation: Explanation) -> str:
    """Write in a sentence who the client is."""
    outcome = explanation.outcome
    if outcome.rejected:
        return "The request is rejected, and left as it came without those headers."
    known = "known" if outcome.client_known else "unknown"
    return f"The client is {known}: {outcome.sentence}."


def _write_others(explanation: Explanation) -> Iterator[str]:
    for other in explanation.others:
        version = "" if other.version is None else f" {other.version}"
        yield f"{other.name}{version}: {other.settings}"
        if other.error is not None:
            yield f"{_INDENT}{other.error}"
        for name, value in other.sees.items():
            differs = ", which differs" if name in other.differs else ""
            yield f"{_INDENT}{name:<15} {show_variable(name, value)}{differs}"


def _write_advice(explanation: Explanation) -> Iterator[str]:
    for advice in explanation.advice:
        yield f"- {capitalize(advice.text)}"
        for line in advice.settings:
            yield f"{_INDENT * 2}{line}"


def capitalize(text: str) -> str:
    """Begin a sentence with a capital, but for the name of a header or a setting."""
    return text[:1].upper() + text[1:]
