"""Lines of access logs are read as they were written."""

from __future__ import annotations

import json

import pytest

from trustedproxy.frontends import write_config
from trustedproxy.frontends.log_formats import (
    LINE,
    LoggedRequest,
    read_line,
    write_apache_format,
    write_nginx_format,
)

from .making import make_policy, make_site

SAID = {
    "time": "2026-11-28T15:22:57+00:00",
    "peer": "203.0.113.7",
    "scheme": "https",
    "host": "www.example.com",
    "request": "GET /a?b=c HTTP/1.1",
    "status": "200",
    "headers": {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "-"},
}


def test_line_is_read() -> None:
    """The request line is taken apart; a header that was not there is left out."""
    assert read_line(json.dumps(SAID) + "\n") == LoggedRequest(
        "2026-11-28T15:22:57+00:00",
        "203.0.113.7",
        "https",
        "www.example.com",
        "GET",
        "/a?b=c",
        "200",
        {"X-Forwarded-For": "203.0.113.7"},
    )


@pytest.mark.parametrize(
    ("request_line", "method", "target"),
    [
        ("", "", ""),
        ("\x16\x03\x01", "\x16\x03\x01", ""),
        ("GET /a b HTTP/1.0", "GET", "/a b"),
        ("GET /a", "GET", "/a"),
        ("GET /a b", "GET", "/a b"),
    ],
)
def test_odd_request_line_is_read_as_far_as_it_goes(
    request_line: str, method: str, target: str
) -> None:
    """Whatever a client sent is there."""
    logged = read_line(json.dumps({**SAID, "request": request_line, "host": "-"}))

    assert (logged.method, logged.target, logged.host) == (method, target, None)


def test_escapes_of_apache_are_read() -> None:
    """Bytes in hexadecimal and the vertical tab, which JSON does not have."""
    line = json.dumps(SAID).replace("/a?b=c", r"/\xe9\v\"\\x41\n")

    assert read_line(line).target == '/\xe9\x0b"\\x41\n'


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("127.0.0.1 - - [x]", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{}", "no text under 'time'"),
        (json.dumps({**SAID, "status": 200}), "no text under 'status'"),
        (json.dumps({**SAID, "headers": []}), "no object of texts under 'headers'"),
        (json.dumps({**SAID, "headers": {"a": 1}}), "no object of texts"),
        ('{"a": "\x1b[31m"}', "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
    ],
)
def test_other_line_is_refused_and_not_shown(line: str, told: str) -> None:
    """The error says what is wrong and shows nothing that a client wrote."""
    with pytest.raises(ValueError, match=told) as refused:
        read_line(line)

    assert "\x1b" not in str(refused.value)


def test_formats_have_the_same_keys() -> None:
    """One reader for both."""
    nginx = write_nginx_format("a", {"X-A": 'b"$c', "X-B": "$http_x_b"})
    apache = write_apache_format({"X-A": None, "X-B": None}, "https")

    assert nginx[0] == "log_format a escape=json"
    assert nginx[-1].endswith(r"""'"headers":{"X-A":"b\\"$c","X-B":"$http_x_b"}}';""")
    assert list(json.loads(apache)) == [*LINE, "headers"]
    assert json.loads(apache)["scheme"] == "https"
    assert all(f'"{key}":' in nginx[1] for key in LINE)


@pytest.mark.parametrize("name", ["nginx", "apache"])
def test_secret_is_in_no_log_format(name: str) -> None:
    """It is set, and not logged."""
    secret = "a-secret-of-the-test"
    policy = make_policy(secret_header="X-Proof", secrets=[secret])
    site = make_site(secret=secret, access_log="/var/log/a.log")

    text = write_config(name, policy, site)

    lines = [line for line in text.splitlines() if '"' in line and "headers" in line]
    assert lines
    assert not any("Proof" in line or secret in line for line in lines)
