"""
The matrix: every front end before every server with every application.

In:  the tables of front ends and servers.
Out: `CELLS`, those that are run; `list_left_out`, those that are not, with the reason;
`Outcomes`, what each check of each cell found; and the page docs/matrix.md.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from .fronts import FRONTS, Front, find_program
from .holes import HOLES
from .servers import APPLICATIONS, SERVERS, Protocol, Server, list_applications


class Check(Enum):
    """One thing that is tried in a cell; the value heads its column."""

    PLAIN = "HTTP"
    TLS = "TLS"
    UNIX = "unix socket"
    FORGED = "forged headers"
    VARIANTS = "underscore variants"
    CONNECTION = "named in `Connection`"
    REPEATED = "repeated lines"
    BEHIND = "as second proxy"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Cell:
    """One front end before one server with one application."""

    front: Front
    server: Server
    application: str

    @property
    def name(self) -> str:
        """Name the cell in the tests' ids."""
        return f"{self.front.name}-{self.server.name}-{self.application}"


CELLS = tuple(
    Cell(front, server, application)
    for front in FRONTS
    for server in SERVERS
    for application in list_applications(server)
)

WEBSOCKET_APPLICATIONS = APPLICATIONS[Protocol.ASGI]


def find_reason_against(cell: Cell, check: Check) -> str:
    """Say why *check* is not run in *cell*; nothing where it is."""
    front, server = cell.front, cell.server
    match check:
        case Check.TLS:
            return front.no_tls
        case Check.UNIX:
            return front.no_unix or server.no_unix
        case Check.WEBSOCKET if server.protocol is Protocol.WSGI:
            return "WSGI has no websockets"
        case Check.BEHIND if front.name == "haproxy" and server.last_line_only:
            return (
                f"{server.title} keeps the last of several lines, and HAProxy as a "
                f"second proxy adds a line"
            )
        case Check.BEHIND if front.name == "haproxy" and server.glues_lines:
            return (
                f"{server.title} glues lines together, and HAProxy as a second proxy "
                f"adds a line"
            )
        case _:
            return ""


def list_cells(check: Check) -> list[Cell]:
    """List the cells in which *check* is run."""
    return [cell for cell in CELLS if not find_reason_against(cell, check)]


def list_left_out() -> Iterator[tuple[str, str, str]]:
    """List server and application pairs that are not run, with the reason."""
    everything = {name for names in APPLICATIONS.values() for name in names}
    for server in SERVERS:
        run = set(list_applications(server))
        for application in sorted(everything - run):
            if application in APPLICATIONS[server.protocol]:
                reason = server.why_only
            else:
                reason = f"{application.title()} does not speak {server.protocol.name}"
            yield server.title, application, reason


@dataclass(slots=True)
class Outcomes:
    """What each check of each cell found, in a word or two."""

    found: dict[tuple[str, Check], str] = field(default_factory=dict)

    def record(self, cell: Cell, check: Check, outcome: str = "kept") -> None:
        """Remember what *check* found in *cell*."""
        self.found[cell.name, check] = outcome

    def list_missing(self) -> list[str]:
        """List the checks that have to be run and were not, or failed."""
        return [
            f"{cell.name}: {check.value}"
            for check in Check
            for cell in list_cells(check)
            if (cell.name, check) not in self.found
        ]


def find_version(command: tuple[str, ...]) -> str:
    """Ask a program for its version."""
    program, *arguments = command
    done = subprocess.run(
        [find_program(program), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout)
    assert found is not None, done.stdout
    return found[0]


def find_server_version(server: Server) -> str:
    """Name the distributions of *server* with their versions."""
    if not server.distributions:
        return f"Python {platform.python_version()}"
    return ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in server.distributions
    )


INTRODUCTION = """\
# Which front end with which server

This page is written by `make matrix` and compared by the tests: each word in the
tables below was measured on the real programs.
The front ends had the configurations of [Front ends](frontends.md), the servers the
options of [Servers](servers.md), and the policy was

```text
TRUSTED_PROXY_HEADERS = X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host
                        X-Forwarded-Port X-Forwarded-Prefix
TRUSTED_PROXIES = 127.0.0.1 unix
TRUSTED_PROXY_STRIP = all
```

"""

LEGEND = """\
## What the words say

- **kept**: the application had the client's own address, the scheme, host and port \
that the client had asked for, the mount point, and nothing of what the client forged.
- **refused**: the front end or the server answered 400, and the application never saw \
the request.
- **HTTP**, **TLS**: a client on another address, over plain HTTP and over TLS that \
the front end terminates.
- **unix socket**: the same with the server on a unix socket.
- **forged headers**: every known header, forged, all at once; with the first \
application of each server also one by one, and with all of them around the front end.
- **underscore variants**: the trusted headers with underscores for some or all hyphens.
- **named in `Connection`**: `Connection: X-Forwarded-For` and the like, for each \
trusted header.
- **repeated lines**: each trusted header on two lines.
- **as second proxy**: with a forging client, behind another front end that \
terminates TLS (nginx; HAProxy before nginx).
- **websocket**: a websocket through the front end, over plain HTTP and over TLS, with \
a forging client.

"""


def write_page(outcomes: Outcomes) -> str:
    """Write docs/matrix.md."""
    return "".join(
        [
            INTRODUCTION,
            f"{len(CELLS)} combinations were run.\n\n",
            *_write_versions(),
            *_write_holes(),
            LEGEND,
            *_write_tables(outcomes),
            *_write_reasons(),
        ]
    )


VERSIONS_HEADING = "## Versions and what each one needs\n"


def _write_versions() -> Iterator[str]:
    yield f"{VERSIONS_HEADING}\n| front end | version |\n|---|---|\n"
    for front in FRONTS:
        yield f"| {front.title} | {find_version(tuple(front.version))} |\n"
    yield "\n| server | version | needs | on a unix socket |\n|---|---|---|---|\n"
    for server in SERVERS:
        needs = server.needs or "nothing"
        on_unix = server.no_unix or server.needs_on_unix or "nothing"
        version = find_server_version(server)
        yield f"| {server.title} | {version} | {needs} | {on_unix} |\n"
    yield "\n"


def hide_versions(page: str) -> str:
    """Take the versions out of a page, since they differ from machine to machine."""
    before, heading, after = page.partition(VERSIONS_HEADING)
    shown, legend, rest = after.partition("## Holes")
    hidden = re.sub(r"^(\| [^|]+ \|) [^|]+ \|", r"\1 … |", shown, flags=re.MULTILINE)
    return before + heading + hidden + legend + rest


def _write_tables(outcomes: Outcomes) -> Iterator[str]:
    reasons: dict[str, int] = {}
    for front in FRONTS:
        columns = " | ".join(check.value for check in Check)
        yield f"## {front.title}\n\n| server | application | {columns} |\n"
        yield f"|---|---|{'---|' * len(Check)}\n"
        for cell in (cell for cell in CELLS if cell.front is front):
            words: list[str] = []
            for check in Check:
                reason = find_reason_against(cell, check)
                if reason:
                    number = reasons.setdefault(reason, len(reasons) + 1)
                    words.append(f"— ({number})")
                else:
                    words.append(outcomes.found.get((cell.name, check), "failed"))
            row = " | ".join(words)
            yield f"| {cell.server.title} | {cell.application} | {row} |\n"
        yield "\n"
    yield "## Why something was not run\n\n"
    for reason, number in reasons.items():
        yield f"{number}. {reason}.\n"
    yield "\n"


def _write_holes() -> Iterator[str]:
    yield (
        "## Holes, and the line that closes each\n\n"
        "No middleware can close these, since it never sees the difference.\n"
        "The recommended configurations have the lines; the tests take each one out "
        "and show what a client gains.\n"
        "Those of the servers are in [Servers](servers.md).\n\n"
        "| front end | without the line | the line |\n|---|---|---|\n"
    )
    titles = {front.name: front.title for front in FRONTS}
    for hole in HOLES:
        yield f"| {titles[hole.front]} | {hole.means} | {hole.closed_by} |\n"
    for front in FRONTS:
        if front.hands_trailers_on:
            yield (
                f"| {front.title} | a client's trailer field is a header to uvicorn "
                f"with httptools, and spoils one on bjoern | uvicorn's `--http h11`; "
                f"not bjoern |\n"
            )
    yield "\n"


def _write_reasons() -> Iterator[str]:
    yield "| server | application | why it has no row |\n|---|---|---|\n"
    for server, application, reason in list_left_out():
        yield f"| {server} | {application} | {reason} |\n"
