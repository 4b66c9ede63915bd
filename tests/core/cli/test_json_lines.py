"""
Lines of access logs that are JSON objects, whoever wrote them.

In:  lines as the printed formats, Caddy, Traefik and others have them.
Out: `LogLine`, or what is missing.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from trustedproxy.cli.json_lines import LogLine, read_json_line

PRINTED = {
    "time": "t",
    "peer": "198.51.100.1",
    "scheme": "https",
    "host": "a.example",
    "request": "GET /x?y HTTP/1.1",
    "status": "200",
    "headers": {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "-"},
}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            PRINTED,
            LogLine(
                {"X-Forwarded-For": "203.0.113.7", "Host": "a.example"},
                "198.51.100.1",
                is_front=True,
                target="/x?y",
                time="t",
                status="200",
            ),
        ),
        (
            {**PRINTED, "host": "-", "request": ""},
            LogLine(
                {"X-Forwarded-For": "203.0.113.7"},
                "198.51.100.1",
                is_front=True,
                target="",
                time="t",
                status="200",
            ),
        ),
        (
            {
                "ts": 1.5,
                "status": 200,
                "request": {
                    "remote_ip": "10.0.0.5",
                    "method": "POST",
                    "host": "a.example",
                    "uri": "/x",
                    "tls": {},
                    "headers": {"X-Forwarded-For": ["1.1.1.1", "2.2.2.2"], "B": "c"},
                },
            },
            LogLine(
                {"X-Forwarded-For": "1.1.1.1,2.2.2.2", "B": "c", "Host": "a.example"},
                "10.0.0.5",
                method="POST",
                target="/x",
                said={"scheme": "https"},
                time="1.5",
                status="200",
            ),
        ),
        (
            {"request": {"remote_addr": "10.0.0.5", "headers": None}},
            LogLine({}, "10.0.0.5"),
        ),
        (
            {
                "RequestMethod": "GET",
                "RequestHost": "a.example",
                "RequestPath": "/x",
                "RequestScheme": "https",
                "ClientAddr": "[2001:db8::7]:4711",
                "request_X-Forwarded-For": "203.0.113.7",
                "DownstreamStatus": 200,
                "StartUTC": "t",
            },
            LogLine(
                {"X-Forwarded-For": "203.0.113.7", "Host": "a.example"},
                "2001:db8::7",
                target="/x",
                said={"scheme": "https"},
                time="t",
                status="200",
            ),
        ),
        ({"RequestMethod": "GET"}, LogLine({}, None)),
        (
            {
                "remote_addr": "10.0.0.5",
                "request": "GET /x HTTP/1.1",
                "http_x_forwarded_for": "203.0.113.7",
                "HTTP_X_FORWARDED_PROTO": "-",
                "X-Real-IP": "1.1.1.1",
                "host": "a.example",
                "scheme": "http",
                "server_port": 8000,
                "referer": "x",
            },
            LogLine(
                {
                    "x-forwarded-for": "203.0.113.7",
                    "x-real-ip": "1.1.1.1",
                    "host": "a.example",
                },
                "10.0.0.5",
                target="/x",
                said={"scheme": "http", "port": "8000"},
            ),
        ),
        (
            {
                "peer": "10.0.0.5",
                "method": "PUT",
                "path": "/y",
                "headers": {"Via": ["x"]},
            },
            LogLine({"Via": "x"}, "10.0.0.5", method="PUT", target="/y"),
        ),
    ],
)
def test_line_of_a_shape(said: dict[str, Any], expected: LogLine) -> None:
    """What each of them calls its parts."""
    assert read_json_line(json.dumps(said)) == expected


def test_line_with_apaches_escapes() -> None:
    """JSON does not have them; the reader of that format does."""
    line = json.dumps(PRINTED).replace("a.example", r"a\x2eexample")

    assert read_json_line(line).headers["Host"] == "a.example"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[1]", "not a JSON object, but one value"),
        ('{"a": ', "not a JSON object: Expecting value at character 7"),
        ('{"a":' + "[" * 90_000, "not a JSON object, but lists in lists"),
        ('{"level": "info"}', "has neither a peer (remote_addr) nor a header"),
        (
            '{"request": "x", "headers": {}}',
            "no text under 'time'",
        ),
    ],
)
def test_line_that_says_nothing_of_a_request(line: str, expected: str) -> None:
    """It is said what is missing, without a character of the line."""
    with pytest.raises(ValueError, match=r"^") as caught:
        read_json_line(line)

    assert expected in str(caught.value)
