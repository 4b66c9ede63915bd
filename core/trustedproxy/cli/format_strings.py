"""
Read lines of an access log by the format string that they were written with.

In:  the format of nginx's ``log_format``, Apache's ``LogFormat``, or gunicorn's
     ``access_log_format``; a line.
Out: what the line says, by `Field` and header; or a `ValueError` that says where it
     stops to fit.

A value ends where the next literal begins, so that a line is gone through once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..log import shorten

# nginx: $name or ${name}.  Apache: %a, %>s, %{Host}i.  gunicorn: %(h)s, %({host}i)s.
_NGINX = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<name>\w+))")
_APACHE = re.compile(
    r"%(?:%|[<>!,0-9]*(?:\{(?P<note>[^{}]*)\})?(?P<letter>\^?[A-Za-z]+))"
)
_GUNICORN = re.compile(r"%\((?:\{(?P<note>[^{}]*)\})?(?P<letter>[A-Za-z]+)\)s")

#: A field of a request, or ``header:NAME`` in small letters; ``""`` for what says
#: nothing of a request.
Field: TypeAlias = str

_NGINX_FIELDS: Mapping[str, Field] = {
    "remote_addr": "peer",
    "realip_remote_addr": "connected",
    "scheme": "scheme",
    "host": "header:host",
    "server_name": "server",
    "server_port": "port",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "target",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
    "status": "status",
    # What nginx sends on.
    "proxy_add_x_forwarded_for": "header:x-forwarded-for",
}
_APACHE_FIELDS: Mapping[str, Field] = {
    "a": "peer",
    "h": "peer",
    "r": "request",
    "m": "method",
    "U": "target",
    "t": "time",
    "s": "status",
    "v": "server",
    "p": "port",
}
_ABSENT = ("", "-")
# What the servers write in place of a character, each in its own way.
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"}


@dataclass(frozen=True, slots=True)
class LineFormat:
    """
    A format, compiled.

    Args:
        text: The format string.

    Raises:
        ValueError: It has no variable, or two side by side.
    """

    text: str
    _literals: tuple[str, ...] = field(init=False)
    _fields: tuple[Field, ...] = field(init=False)

    def __post_init__(self) -> None:
        literals, fields = [""], list[Field]()
        at = 0
        # Between quotes of a configuration, quotes are escaped.
        text = self.text.replace('\\"', '"')
        pattern = _choose_pattern(text)
        for match in pattern.finditer(text):
            literals[-1] += text[at : match.start()]
            at = match.end()
            if match[0] == "%%":
                literals[-1] += "%"
                continue
            if fields and not literals[-1]:
                raise ValueError(
                    f"two variables side by side in {shorten(self.text)}, of which "
                    "nobody can say where the first one ends"
                )
            fields.append(_name_field(match))
            literals.append("")
        literals[-1] += text[at:]
        if not fields:
            raise ValueError(
                f"{shorten(self.text)} has no variable: write it as nginx "
                "($remote_addr), Apache (%a, %{Host}i) or gunicorn (%(h)s) does"
            )
        object.__setattr__(self, "_literals", tuple(literals))
        object.__setattr__(self, "_fields", tuple(fields))

    def read(self, line: str) -> dict[Field, str]:
        """
        Read a *line*.

        Returns:
            Field → its value, without those that are absent.

        Raises:
            ValueError: It was not written in this format; the text says where it ends.
        """
        first = self._literals[0]
        if not line.startswith(first):
            raise ValueError(f"does not begin with {shorten(first)}")
        said: dict[Field, str] = {}
        at = len(first)
        for name, before, after in zip(
            self._fields, self._literals, self._literals[1:], strict=False
        ):
            end = _find_end(line, at, after, is_quoted=before.endswith('"'))
            if end is None:
                raise ValueError(f"has no {shorten(after)} behind character {at + 1}")
            value = _ESCAPE.sub(_unescape, line[at:end])
            at = end + len(after)
            if name and value not in _ABSENT:
                said[name] = value
        return said


def _choose_pattern(text: str) -> re.Pattern[str]:
    if _GUNICORN.search(text):
        return _GUNICORN
    return _NGINX if _NGINX.search(text) else _APACHE


def _name_field(match: re.Match[str]) -> Field:
    groups = match.groupdict()
    if "name" in groups:
        name = groups["name"] or groups["braced"]
        if name.startswith("http_"):
            return f"header:{name.removeprefix('http_').replace('_', '-')}"
        return _NGINX_FIELDS.get(name, "")
    note, letter = groups["note"], groups["letter"]
    if note is not None:
        if letter == "i":
            return f"header:{note.lower()}"
        # %{c}a is who has connected, whatever mod_remoteip made of it.
        return "connected" if (note, letter) == ("c", "a") else _time(letter)
    return _APACHE_FIELDS.get(letter, "")


def _time(letter: str) -> Field:
    return "time" if letter == "t" else ""


def _find_end(line: str, at: int, literal: str, *, is_quoted: bool) -> int | None:
    """Find where a value ends: at the next literal, or at the end of the line."""
    if not literal:
        return len(line)
    end = line.find(literal, at)
    while is_quoted and end > at and _is_escaped(line, at, end):
        end = line.find(literal, end + 1)
    return None if end < 0 else end


def _is_escaped(line: str, start: int, at: int) -> bool:
    """Say whether an odd number of backslashes stands before a quote."""
    backslashes = at - len(line[start:at].rstrip("\\")) - start
    return backslashes % 2 == 1


def _unescape(match: re.Match[str]) -> str:
    code, wide, letter = match.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    return chr(int(code or wide, 16))


def list_headers(said: Mapping[Field, str]) -> Iterator[tuple[str, str]]:
    """List the headers among what a line says: name in small letters, value."""
    for name, value in said.items():
        if name.startswith("header:"):
            yield name.removeprefix("header:"), value
