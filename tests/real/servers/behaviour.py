"""
What each server makes of a request before the application sees it.

In:  a running server with its recommended options.
Out: a word for each question, as docs/servers.md shows it. The tests compare the page
with what is measured, so the page is the expectation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .client import Line, Reply, get
from .processes import Address

REAL = "203.0.113.7"
"""What the proxy wrote."""
FORGED = "198.51.100.66"
"""What a client sent."""
FIRST = "198.51.100.1"
"""An earlier element."""

_NAMED = {REAL: "real", FORGED: "forged", FIRST: "first"}


@dataclass(frozen=True, slots=True)
class Question:
    """
    Header lines that are sent raw, and the header that is looked at.

    Attributes:
        title: The head of the column.

        clients:
            Where the application may find its client when a trusted peer sends this
            and the server lets it through: addresses, or ``peer``.

        host: The value of ``Host``, or ``None`` to send none.
    """

    title: str
    lines: Sequence[Line]
    clients: Sequence[str]
    header: str = "x-forwarded-for"
    raw: bytes = b""
    host: str | None = "app.example"


XFF = "X-Forwarded-For"

MANY = 50
"""More lines than this are counted, not looked at."""

LINES = (
    Question("two lines", [(XFF, FIRST), (XFF, REAL)], [REAL]),
    Question("an empty line, then another", [(XFF, ""), (XFF, REAL)], [REAL]),
    Question("empty", [(XFF, "")], ["peer"]),
    Question("blanks around", [(XFF, f"   {REAL}   ")], [REAL]),
    Question("tabs around", [(XFF, f"\t{REAL}\t")], [REAL]),
    Question("U+00A0 around", [(XFF, f"\xa0{REAL}\xa0")], ["peer", REAL]),
    Question("folded", [(XFF, f"{FIRST},\r\n {REAL}")], [REAL, "peer"]),
)
UNDERSCORES = (
    Question("`X_Forwarded_For` alone", [("X_Forwarded_For", FORGED)], ["peer"]),
    Question("before", [("X_Forwarded_For", FORGED), (XFF, REAL)], [REAL]),
    Question("after", [(XFF, REAL), ("X_Forwarded_For", FORGED)], [REAL]),
    Question("`X-Forwarded_For`", [("X-Forwarded_For", FORGED)], ["peer"]),
    Question("blank before the colon", [("X-Forwarded-For ", FORGED)], ["peer"]),
)
VALUES = (
    Question("Latin-1", [(XFF, f"{REAL}\xe9")], ["peer"]),
    Question("NUL", [(XFF, f"{REAL}\0x")], ["peer"]),
    Question("U+0001", [(XFF, f"{REAL}\1x")], ["peer"]),
    Question("DEL", [(XFF, f"{REAL}\x7fx")], ["peer"]),
    Question("garbage", [(XFF, "garbage")], ["peer"]),
    Question(
        "a line behind a bare LF",
        [],
        ["peer", FORGED],
        raw=f"X-Other: a\nX-Forwarded-For: {FORGED}\r\n".encode(),
    ),
)
SIZES = (
    Question("4,000 characters", [(XFF, "a" * 4000)], ["peer"]),
    Question("10,000", [(XFF, "a" * 10000)], ["peer"]),
    Question("70,000", [(XFF, "a" * 70000)], ["peer"]),
    Question("60 elements", [(XFF, ", ".join([FIRST] * 59 + [REAL]))], [REAL]),
    Question("90 lines", [("X-Line", "a")] * 90, ["peer"]),
    Question("300 lines", [("X-Line", "a")] * 300, ["peer"]),
)
HOSTS = (
    Question("no `Host`", [], ["peer"], header="host", host=None),
    Question("empty", [], ["peer"], header="host", host=""),
    Question(
        "two lines", [("Host", "evil.example")], ["peer"], header="host", host="a.test"
    ),
    Question("a list", [], ["peer"], header="host", host="a.test, evil.example"),
    Question("a path", [], ["peer"], header="host", host="evil.example/path"),
)

GROUPS: dict[str, Sequence[Question]] = {
    "The same line twice, empty, untrimmed": LINES,
    "Underscores": UNDERSCORES,
    "Values": VALUES,
    "Sizes": SIZES,
    "Host": HOSTS,
}
"""What is asked over TCP, by the heading of docs/servers.md."""


def ask(
    address: Address, question: Question, application: str, source: str | None = None
) -> Reply:
    """Put *question* to *application*."""
    lines = [("Proving-Application", application), *question.lines]
    return get(
        address, "/page", lines, host=question.host, source=source, raw=question.raw
    )


def describe(reply: Reply, question: Question) -> str:
    """Say in a word what the application was handed."""
    if reply.status == 0:
        return "closed"
    if reply.status != 200:
        return str(reply.status)
    answer = reply.json()
    if len(question.lines) > MANY:
        return "arrive"
    seen = [
        _shorten(value) if name == question.header else f"{_shorten(value)} as `{name}`"
        for name, value in answer["headers"]
        if name.replace("_", "-") == question.header
    ]
    return " and ".join(seen) or "—"


def _shorten(value: str) -> str:
    if not value:
        return "empty"
    if len(value) > 200:
        return f"{len(value):,} characters"
    for address, word in _NAMED.items():
        value = value.replace(address, word)
    shown = repr(value)[1:-1].replace("|", "\\|")
    return f"`{shown}`" if value not in _NAMED.values() else shown
