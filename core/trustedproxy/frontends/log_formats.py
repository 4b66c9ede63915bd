"""
The access logs that carry the trusted headers, and how their lines are read again.

In:  what a front end sets the headers to, for its directive; a line, to read it.
Out: one JSON object a line, the same for nginx and Apache: the keys of `LINE`, and
     ``headers``, the trusted headers as the application was sent them.

The formats are defined here alone: the front ends print them, and lines are explained
with `read_line`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

#: What each key of a line is, in the words of nginx and of Apache.
LINE: Mapping[str, tuple[str, str]] = {
    "time": ("$time_iso8601", "%{%Y-%m-%dT%H:%M:%S%z}t"),
    # Who connected to the front end.
    "peer": ("$remote_addr", "%{c}a"),
    "scheme": ("$scheme", "{scheme}"),
    "host": ("$http_host", "%{Host}i"),
    "request": ("$request", "%r"),
    "status": ("$status", "%>s"),
}
HEADERS = "headers"

# Apache writes two escapes that JSON does not have (mod_log_config, "Format Notes").
_APACHE_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(v)|(.))", re.DOTALL)
# A header that was not there.
_ABSENT = ("", "-")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """
    What a line of an access log says of a request.

    Attributes:
        time: When, as RFC 3339 writes it.

        peer: The address that connected to the front end.

        scheme: What was spoken with the front end.

        host: What the client asked for; ``None`` where it said nothing.

        method, target: From the request line; empty where there was none.

        status: The status of the response, as text.

        headers: The trusted headers as the application was sent them, without those
            that were absent.
    """

    time: str
    peer: str
    scheme: str
    host: str | None
    method: str
    target: str
    status: str
    headers: Mapping[str, str]


def write_nginx_format(name: str, headers: Mapping[str, str]) -> list[str]:
    """
    Write the ``log_format`` called *name*.

    Args:
        headers: Each trusted header, and its value in nginx's words, without quotes.
    """
    keys = [f'"{key}":"{words[0]}"' for key, words in LINE.items()]
    sent = [f"{json.dumps(one)}:{json.dumps(value)}" for one, value in headers.items()]
    parts = [f"{{{','.join(keys)},", f'"{HEADERS}":{{{",".join(sent)}}}}}']
    quoted = ["'{}'".format(part.replace("\\", "\\\\")) for part in parts]
    return [f"log_format {name} escape=json", f"    {quoted[0]}", f"    {quoted[1]};"]


def write_apache_format(headers: Mapping[str, None], scheme: str) -> str:
    """
    Write the format of a ``CustomLog``, without its quotes.

    Args:
        headers: The names of the trusted headers.

        scheme: What the virtual host speaks.
    """
    keys = [
        f'"{key}":"{words[1].replace("{scheme}", scheme)}"'
        for key, words in LINE.items()
    ]
    sent = [f'"{one}":"%{{{one}}}i"' for one in headers]
    return f'{{{",".join(keys)},"{HEADERS}":{{{",".join(sent)}}}}}'


def read_line(line: str) -> LoggedRequest:
    """
    Read a line that nginx or Apache wrote in one of these formats.

    Raises:
        ValueError: It is none; the text says what is wrong, and where.
    """
    try:
        said = json.loads(_APACHE_ESCAPE.sub(_translate, line))
    except json.JSONDecodeError as error:
        # Its own text shows nothing of the line, which anybody may have written.
        raise ValueError(
            f"not a JSON object: {error.msg} at character {error.pos + 1}"
        ) from None
    except RecursionError:
        raise ValueError("not a JSON object, but lists in lists") from None
    if not isinstance(said, dict):
        raise ValueError("not a JSON object, but one value")
    texts: dict[str, str] = {}
    for key in LINE:
        value = said.get(key)
        if not isinstance(value, str):
            raise ValueError(f"no text under {key!r}")
        texts[key] = value
    headers = said.get(HEADERS)
    if not isinstance(headers, dict) or not all(
        isinstance(value, str) for value in headers.values()
    ):
        raise ValueError(f"no object of texts under {HEADERS!r}")
    method, _, rest = texts["request"].partition(" ")
    target, blank, version = rest.rpartition(" ")
    return LoggedRequest(
        texts["time"],
        texts["peer"],
        texts["scheme"],
        None if texts["host"] in _ABSENT else texts["host"],
        method,
        target if blank and version.startswith("HTTP/") else rest,
        texts["status"],
        {name: text for name, text in headers.items() if text not in _ABSENT},
    )


def _translate(match: re.Match[str]) -> str:
    code, tab, other = match.groups()
    if code is not None:
        return f"\\u00{code}"
    return "\\u000b" if tab is not None else f"\\{other}"
