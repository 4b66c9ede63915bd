"""
The requests of an access log, each with its place.

In:  lines, and how they are written.
Out: `LoggedRequest` records.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from trustedproxy.cli.access_logs import (
    MOST_CHARACTERS,
    NAMED_FORMATS,
    compile_reader,
    read_log,
)
from trustedproxy.explain.requests import RequestError


def read(lines: list[str], log_format: str | None = None, **said: str) -> list[Any]:
    """Read all requests of a log called ``log``."""
    reader = compile_reader(log_format)
    return list(read_log(lines, name="log", read=reader, said=said))


@pytest.mark.parametrize("name", [None, *NAMED_FORMATS])
def test_named_formats_are_json_lines(name: str | None) -> None:
    """Each of them is known by its keys."""
    (logged,) = read([json.dumps({"peer": "10.0.0.5", "http_via": "x"})], name)

    assert logged.request.connection.peer == "10.0.0.5"


def test_peer_of_a_printed_format_is_not_the_applications() -> None:
    """Who connected to the front end is not who connects to the application."""
    line = json.dumps(
        {
            "time": "t",
            "peer": "198.51.100.1",
            "scheme": "https",
            "host": "a.example",
            "request": "GET / HTTP/1.1",
            "status": "200",
            "headers": {"X-Forwarded-For": "203.0.113.7"},
        }
    )

    (by_default,) = read([line])
    (said,) = read([line], peer="10.0.0.5")

    assert by_default.request.connection.peer == "127.0.0.1"
    assert said.request.connection.peer == "10.0.0.5"
    assert by_default.request.connection.scheme == "http"
    assert (by_default.time, by_default.status) == ("t", "200")


@pytest.mark.parametrize(
    ("target", "path", "raw"),
    [
        ("/a%20b?c", "/a b", "/a%20b"),
        ("https://a.example/x?y", "/x", "/x"),
        ("*", "/", None),
        ("\\x16\\x03", "/", None),
    ],
)
def test_target_of_a_line(target: str, path: str, raw: str | None) -> None:
    """Whatever was sent, a line is explained as far as that goes."""
    (logged,) = read([f'10.0.0.5 "GET {target} HTTP/1.1"'], '$remote_addr "$request"')

    assert logged.request.connection.path == path
    assert logged.request.raw_path == raw


@pytest.mark.parametrize(
    ("line", "log_format", "method"),
    [
        ('1.1.1.1 "POST /x HTTP/1.1"', '$remote_addr "$request"', "POST"),
        ('1.1.1.1 "-"', '$remote_addr "$request"', "GET"),
        ("1.1.1.1 PUT", "$remote_addr $request_method", "PUT"),
    ],
)
def test_method_of_a_line(line: str, log_format: str, method: str) -> None:
    """By itself, or as the first word of the request line."""
    (logged,) = read([line], log_format)

    assert logged.request.method == method


def test_lines_have_places() -> None:
    """Empty ones are passed over, and counted."""
    lines = ["\n", "1.1.1.1 /a\r\n", "  \n", "2.2.2.2 /b"]

    found = read(lines, "$remote_addr $uri")

    assert [logged.number for logged in found] == [2, 4]
    assert [logged.request.where for logged in found] == ["log, line 2", "log, line 4"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nonsense", "log, line 1: no JSON object: say with --log-format"),
        ("{" + "x" * MOST_CHARACTERS, "log, line 1: longer than 100000 characters"),
    ],
)
def test_line_that_cannot_be_read(line: str, expected: str) -> None:
    """It is named by its place, and the others are read."""
    bad, good = read([line, '{"peer": "10.0.0.5"}'])

    assert str(bad.error).startswith(expected)
    assert bad.request is None
    assert good.request is not None


def test_format_that_is_none() -> None:
    """It is an error before anything is read."""
    with pytest.raises(RequestError, match="--log-format: 'common' has no variable"):
        compile_reader("common")
