"""
Read the requests of an access log.

In:  lines, and how they are written.
Out: a `Request` for each, with its place; or a `RequestError` for a line that cannot be
     read.

A log says what whoever wrote it has seen.  The formats that ``trustedproxy config``
prints have the headers as the front end sent them on: there the application's peer is
the front end, whose address no line has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ..exceptions import nearest
from ..explain import Request
from ..explain.requests import RequestError, make_request, split_blanks
from .format_strings import LineFormat, list_headers
from .json_lines import LogLine, read_json_line

JSON = "json"
#: Names of formats that need no string: all of them are JSON lines.
NAMED_FORMATS = (JSON, "nginx", "apache", "caddy", "traefik")
#: A longer line is not read: in characters.
MOST_CHARACTERS = 100_000

_Reader = Callable[[str], LogLine]


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """
    A request of a log.

    Attributes:
        number: The number of its line, from 1.

        time, status: As the log has them.

        request: The request; ``None`` where the line could not be read.

        error: Why it could not, or ``None``.
    """

    number: int
    time: str = ""
    status: str = ""
    request: Request | None = None
    error: RequestError | None = None


def compile_reader(format_string: str | None) -> _Reader:
    """
    Choose how lines are read.

    Args:
        format_string:
            The format string of nginx, Apache or gunicorn; one of `NAMED_FORMATS`;
            ``None`` for JSON lines.

    Raises:
        RequestError: It is no format.
    """
    if format_string is None or format_string in NAMED_FORMATS:
        return _read_object
    try:
        line_format = LineFormat(format_string)
    except ValueError as error:
        near = nearest(format_string, NAMED_FORMATS)
        raise RequestError("--log-format", f"{error}{near}") from None
    return partial(_read_formatted, line_format)


def _read_object(line: str) -> LogLine:
    if not line.startswith("{"):
        raise ValueError(
            "no JSON object: say with --log-format how the line is written, such as "
            "'$remote_addr \"$http_x_forwarded_for\"'"
        )
    return read_json_line(line)


def _read_formatted(line_format: LineFormat, line: str) -> LogLine:
    said = line_format.read(line)
    words = split_blanks(said.get("request", ""))
    return LogLine(
        dict(list_headers(said)),
        said.get("connected") or said.get("peer"),
        method=said.get("method") or (words[0] if words else "GET"),
        target=said.get("target") or (words[1] if len(words) > 1 else None),
        said={n: said[n] for n in ("scheme", "server", "port") if n in said},
        time=said.get("time", ""),
        status=said.get("status", ""),
    )


def read_log(
    lines: Iterable[str],
    *,
    name: str,
    read: _Reader,
    said: Mapping[str, str],
) -> Iterator[LoggedRequest]:
    """
    Read the requests of a log, one after the other.

    Args:
        lines: Its lines; empty ones are passed over.

        name: The log's name, for the place of a line.

        read: From `compile_reader`.

        said: Fields of `Connection` that are the same for all, the peer among them.
    """
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        where = f"{name}, line {number}"
        try:
            if len(text) > MOST_CHARACTERS:
                raise ValueError(f"longer than {MOST_CHARACTERS} characters")
            logged = read(text)
        except ValueError as error:
            failure = RequestError(where, str(error))
            yield LoggedRequest(number, error=failure)
            continue
        request = _make(logged, where, said)
        yield LoggedRequest(number, logged.time, logged.status, request)


def _make(logged: LogLine, where: str, said: Mapping[str, str]) -> Request:
    fields = dict(logged.said)
    if not logged.is_front and logged.peer is not None:
        fields["peer"] = logged.peer
    # What the command line says holds for every line.
    fields.update(said)
    target = logged.target
    if target is not None and not target.startswith("/"):
        # What is no path, or a whole URL, of which the path alone is of interest.
        _, slashes, rest = target.partition("://")
        target = f"/{rest.partition('/')[2]}" if slashes else None
    return make_request(
        dict(logged.headers),
        method=logged.method,
        target=target,
        said=fields,
        where=where,
    )
