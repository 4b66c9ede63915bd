"""
``trustedproxy explain``: say step by step what becomes of a request, and why.

In:  the policy in force; a request, described, read as it is sent, or those of a log.
Out: explanations; exit status 1 where an expectation is not met, or a line of a log
     cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import click

from ...exceptions import nearest
from ...explain import Explanation, Request, explain_request, write_text
from ...explain.requests import (
    DEFAULT,
    MOST_CHARACTERS,
    RequestError,
    describe_request,
    parse_request,
)
from ...explain.text import read_variable
from .. import ExitStatus
from ..access_logs import MOST_CHARACTERS as MOST_OF_A_LINE
from ..access_logs import NAMED_FORMATS, LoggedRequest, compile_reader, read_log
from ..options import Choice, Load, prints, takes_settings
from ..standard_input import open_input
from ..views.explanation import draw_explanation
from ..views.logged import (
    MOST_LINES,
    ExplainedLine,
    Summary,
    draw_summary,
    write_summary,
)

if TYPE_CHECKING:
    from ..screen import Screen
    from ..sources import Loaded

#: The options that are fields of a connection.
_FIELDS = ("peer", "scheme", "server", "port", "mount_point", "path")
_SCHEMES = ("http", "https", "ws", "wss")
_STDIN = "-"


@click.command("explain")
@click.argument("url", required=False)
@takes_settings
@click.option(
    "--peer",
    metavar="ADDRESS",
    help=f"Who connects; empty for a unix socket. [default: {DEFAULT.peer}]",
)
@click.option(
    "-H",
    "--header",
    "lines",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="A header of the request; may be given several times.",
)
@click.option("-X", "--request", "method", metavar="METHOD", help="[default: GET]")
@click.option(
    "--scheme",
    type=Choice("SCHEME", lambda: _SCHEMES),
    help=f"The connection's own scheme: {', '.join(_SCHEMES)}. "
    f"[default: {DEFAULT.scheme}]",
)
@click.option(
    "--server", metavar="NAME", help=f"The server's name. [default: {DEFAULT.server}]"
)
@click.option("--port", help=f"The server's port. [default: {DEFAULT.port}]")
@click.option(
    "--mount-point",
    metavar="PATH",
    help="Where the server mounted the application. [default: nowhere]",
)
@click.option(
    "--path",
    metavar="PATH",
    help=f"The path below the mount point. [default: {DEFAULT.path}]",
)
@click.option(
    "--raw",
    metavar="FILE",
    help="Read a request as it is sent over HTTP; - for standard input.",
)
@click.option(
    "--log",
    metavar="FILE",
    help="Read the requests of an access log; - for standard input.",
)
@click.option(
    "--log-format",
    metavar="FORMAT",
    help=f"How the log is written: the format string of nginx, Apache or gunicorn, or "
    f"one of {', '.join(NAMED_FORMATS)}. [default: json]",
)
@click.option("--full", is_flag=True, help="Explain every request of a log in full.")
@click.option(
    "--others",
    is_flag=True,
    help="Say what ProxyFix, uvicorn, waitress and Django's own settings make of it.",
)
@click.option(
    "--expect",
    "expectations",
    metavar="NAME=VALUE",
    multiple=True,
    help="Exit with 1 unless this comes out: client=203.0.113.7, scheme=https.",
)
@prints
def command(
    load: Load,
    *,
    url: str | None,
    raw: str | None,
    log: str | None,
    log_format: str | None,
    full: bool,
    others: bool,
    expectations: Sequence[str],
    lines: Sequence[str],
    method: str | None,
    screen: Screen,
    **connection: str | None,
) -> int:
    """
    Say step by step what becomes of a request, and why.

    The request is described as for curl: URL is what the server was asked for, -H a
    header. A URL of - reads a request from standard input. The policy is that of the
    environment unless an option says where it comes from.
    """
    expected = dict(map(_read_expectation, expectations))
    explain = _choose_explainer(load(), others=others)
    if log is not None:
        _refuse_beside("--log", URL=url, raw=raw, header=lines, request=method)
        said = {name: text for name, text in connection.items() if text is not None}
        return _explain_log(
            explain, log, log_format, said, expected, full=full, screen=screen
        )
    if log_format is not None:
        raise click.UsageError("--log-format says how --log is written: give that.")
    if raw is not None or url == _STDIN:
        _refuse_beside("a request that is read", header=lines, request=method)
        request = _read_raw(raw or _STDIN, connection)
    else:
        request = describe_request(
            url=url, headers=lines, method=method or "GET", **connection
        )
    return _show(explain(request), expected, screen)


Explain = Callable[[Request], Explanation]


def _choose_explainer(loaded: Loaded, *, others: bool) -> Explain:
    if not others:
        return lambda request: explain_request(
            loaded.settings, request, loaded.framework
        )
    # The others are imported for those who ask for them.
    from ...explain.others import explain_with_others

    return lambda request: explain_with_others(
        loaded.settings, request, loaded.framework
    )


def _refuse_beside(what: str, **given: object) -> None:
    for name, value in given.items():
        if value:
            option = name if name.isupper() else f"--{name}"
            raise click.UsageError(f"{option} is not possible beside {what}.")


# -- one request -----------------------------------------------------------------------


def _read_raw(path: str, connection: Mapping[str, str | None]) -> Request:
    with _open(path) as file:
        # One more than is read, so that it is seen that there is more.
        return parse_request(file.read(MOST_CHARACTERS + 1), **connection)


def _open(path: str) -> IO[str]:
    """Open a file, or a copy of standard input, as the bytes that it is."""
    try:
        return TextIOWrapper(_open_bytes(path), encoding="latin-1", newline="\n")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RequestError(path, f"cannot be read ({reason})") from error


def _open_bytes(path: str) -> BinaryIO:
    return open_input() if path == _STDIN else Path(path).open("rb")


def _show(explanation: Explanation, expected: Mapping[str, str], screen: Screen) -> int:
    failed = _list_failed(explanation, expected)
    screen.show(
        as_json=lambda: {**explanation.as_dict(), "unexpected": failed},
        as_text=lambda: write_text(explanation),
        as_table=lambda: draw_explanation(explanation),
    )
    if not screen.as_json:
        _say_failed(failed, screen)
    return ExitStatus.FINDINGS if failed else ExitStatus.FINE


def _say_failed(
    failed: Sequence[Mapping[str, str | None]], screen: Screen, place: str = ""
) -> None:
    for each in failed:
        found, wanted = each["found"], each["expected"]
        screen.say(f"{place}{each['name']} is {found!r}, and not {wanted!r}")


# -- expectations ----------------------------------------------------------------------


def _read_variable(name: str) -> Callable[[Explanation], str | None]:
    """Make what reads a variable as the application sees it, a path in Unicode."""

    def read(explanation: Explanation) -> str | None:
        after = next(v.after for v in explanation.variables if v.name == name)
        return read_variable(name, after)

    return read


#: What can be expected → what it is of an explanation.
_EXPECTED: dict[str, Callable[[Explanation], str | None]] = {
    "client": lambda e: e.outcome.client,
    "peer_trusted": lambda e: "yes" if e.peer.trusted else "no",
    "status": lambda e: next(
        (str(a.status) for a in e.answers if a.status and not a.only_logged), None
    ),
    **{
        name.replace(" ", "_"): _read_variable(name)
        for name in (
            "client address",
            "scheme",
            "host",
            "server name",
            "port",
            "mount point",
            "path",
        )
    },
}
#: What stands for something that is not there.
_NOTHING = ("", "none", "unknown")


def _read_expectation(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    key = name.strip().replace("-", "_")
    if not equals or key not in _EXPECTED:
        near = nearest(key, _EXPECTED) or f": one of {', '.join(_EXPECTED)}"
        raise click.BadParameter(
            f"{text!r} does not name what to expect{near}", param_hint="--expect"
        )
    return key, value


def _list_failed(
    explanation: Explanation, expected: Mapping[str, str]
) -> list[dict[str, str | None]]:
    """List what did not come out as it was expected."""
    failed = []
    for name, value in expected.items():
        found = _EXPECTED[name](explanation)
        if found != value and not (not found and value in _NOTHING):
            failed.append({"name": name, "expected": value, "found": found})
    return failed


# -- a log -----------------------------------------------------------------------------


def _explain_log(
    explain: Explain,
    path: str,
    log_format: str | None,
    said: Mapping[str, str],
    expected: Mapping[str, str],
    *,
    full: bool,
    screen: Screen,
) -> int:
    read = compile_reader(log_format)
    summary = Summary()
    name = "standard input" if path == _STDIN else path
    with _open(path) as file, screen.progress(f"reading {name}", None) as advance:
        lines = _read_lines(file, advance)
        for logged in read_log(lines, name=name, read=read, said=said):
            explanation = None if logged.request is None else explain(logged.request)
            failed = _list_failed(explanation, expected) if explanation else []
            _print_line(logged, explanation, failed, full=full, screen=screen)
            summary.add(ExplainedLine(logged, explanation, len(failed)))
            if failed and not screen.as_json and (full or summary.unmet <= MOST_LINES):
                _say_failed(failed, screen, f"{name}, line {logged.number}: ")
    if not (full or screen.as_json):
        screen.show(
            as_json=dict,
            as_text=lambda: write_summary(summary),
            as_table=lambda: draw_summary(summary),
        )
    is_bad = summary.unread or summary.unmet
    return ExitStatus.FINDINGS if is_bad else ExitStatus.FINE


def _read_lines(file: IO[str], advance: Callable[[int], None]) -> Iterator[str]:
    """Read lines; of one that is too long, the beginning, which shows that it is."""
    while line := file.readline(MOST_OF_A_LINE + 1):
        advance(1)
        yield line
        while line and not line.endswith("\n"):
            line = file.readline(MOST_OF_A_LINE + 1)


def _print_line(
    logged: LoggedRequest,
    explanation: Explanation | None,
    failed: Sequence[Mapping[str, str | None]],
    *,
    full: bool,
    screen: Screen,
) -> None:
    """Print a line where each has its own output."""
    if explanation is None:
        error = logged.error
        assert error is not None
        if screen.as_json:
            said = {"where": error.where, "error": {"message": error.message}}
            screen.print_json(said, on_one_line=True)
        elif full:
            screen.say(f"{error}")
    elif screen.as_json:
        body = {**explanation.as_dict(), "unexpected": failed}
        screen.print_json(body, on_one_line=True)
    elif full:
        screen.show(
            as_json=dict,
            as_text=lambda: f"{write_text(explanation)}\n",
            as_table=lambda: draw_explanation(explanation),
        )
