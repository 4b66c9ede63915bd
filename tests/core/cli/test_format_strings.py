"""
Lines of access logs, by the format strings that they were written with.

In:  formats of nginx, Apache and gunicorn; lines.
Out: what they say, or where they do not fit.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy.cli.format_strings import LineFormat, list_headers

NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "${http_x_forwarded_for}"'
)
APACHE = (
    r"%h %l %u %t \"%r\" %>s %b \"%{X-Forwarded-For}i\" %{c}a %{UNIQUE_ID}e %{%s}t "
    r"%% %^x"
)
GUNICORN = '%(h)s %(l)s %(t)s "%(r)s" %(s)s "%({x-forwarded-for}i)s" %(D)s'


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (
            NGINX,
            '10.0.0.5 - - [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 200 12 "-" '
            '"6.6.6.6, 203.0.113.7"',
            {
                "peer": "10.0.0.5",
                "time": "02/Jan/2026:03:04:05 +0000",
                "request": "GET /x HTTP/1.1",
                "status": "200",
                "header:x-forwarded-for": "6.6.6.6, 203.0.113.7",
            },
        ),
        (
            APACHE,
            '10.0.0.5 - - [02/Jan/2026:03:04:05 +0000] "GET /\\"x\\" HTTP/1.1" 200 12 '
            '"203.0.113.7" 10.0.0.9 aBc 1767 % y',
            {
                "peer": "10.0.0.5",
                "request": 'GET /"x" HTTP/1.1',
                "status": "200",
                "header:x-forwarded-for": "203.0.113.7",
                "connected": "10.0.0.9",
                "time": "1767",
            },
        ),
        (
            GUNICORN,
            '10.0.0.5 - [x] "GET / HTTP/1.1" 200 "203.0.113.7" 15',
            {
                "peer": "10.0.0.5",
                "time": "[x]",
                "request": "GET / HTTP/1.1",
                "status": "200",
                "header:x-forwarded-for": "203.0.113.7",
            },
        ),
        (
            "$realip_remote_addr|$proxy_add_x_forwarded_for|$scheme|$host|$server_port",
            "10.0.0.5|1.1.1.1, 2.2.2.2|https|a.example|443",
            {
                "connected": "10.0.0.5",
                "header:x-forwarded-for": "1.1.1.1, 2.2.2.2",
                "scheme": "https",
                "header:host": "a.example",
                "port": "443",
            },
        ),
        (
            '"$http_x"',
            r'"\x22\x1B[31m\n\u00e9\\"',
            {"header:x": '"\x1b[31m\n\u00e9\\'},
        ),
        ('"$http_x" $status', r'"a\\" 200', {"header:x": "a\\", "status": "200"}),
        ("start $request_uri", "start /a b", {"target": "/a b"}),
        (
            "%m %U %v %p",
            "GET /x front 80",
            {
                "method": "GET",
                "target": "/x",
                "server": "front",
                "port": "80",
            },
        ),
    ],
)
def test_line_of_a_format(text: str, line: str, expected: dict[str, str]) -> None:
    """Each value by what it is of a request; what says nothing of one is left out."""
    assert LineFormat(text).read(line) == expected


def test_headers_of_a_line() -> None:
    """By their names."""
    said = LineFormat('$remote_addr "$http_x_real_ip" "$http_host"').read(
        '1.1.1.1 "2.2.2.2" "a"'
    )

    assert dict(list_headers(said)) == {"x-real-ip": "2.2.2.2", "host": "a"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("combined", "'combined' has no variable"),
        ("$a$b", "two variables side by side in '$a$b'"),
        ("%h%l", "two variables side by side"),
        ("%%", "has no variable"),
    ],
)
def test_format_that_is_none(text: str, expected: str) -> None:
    """It is said what is wrong, before any line is read."""
    with pytest.raises(ValueError, match=r"^") as caught:
        LineFormat(text)

    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("> $a", "10.0.0.5", "does not begin with '> '"),
        ('$a "$b"', "10.0.0.5 b", "has no ' \"' behind character 1"),
        ('$a "$b" $c', '1 "b', "has no '\" ' behind character 4"),
        ('"$b" $c', '"b\\" c', "has no '\" ' behind character 2"),
    ],
)
def test_line_of_another_format(text: str, line: str, expected: str) -> None:
    """Where it stops to fit, without a character of it."""
    with pytest.raises(ValueError, match=r"^") as caught:
        LineFormat(text).read(line)

    assert str(caught.value) == expected


@given(
    values=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\\|')),
        min_size=2,
        max_size=2,
    )
)
def test_line_gives_back_what_was_written(values: list[str]) -> None:
    """Whatever stands between the literals."""
    said = LineFormat('"$http_a"|"$http_b"').read(f'"{values[0]}"|"{values[1]}"')

    expected = {
        f"header:{name}": value
        for name, value in zip("ab", values, strict=True)
        if value not in ("", "-")
    }
    assert said == expected


@pytest.mark.parametrize("sign", ['"', "\\", '\\"', " ", "a"])
def test_cost_is_linear_in_the_line(sign: str) -> None:
    """Every value is looked for once, whatever stands in it."""
    line_format = LineFormat('"$http_a" "$http_b" "$http_c"')

    def measure(size: int) -> float:
        line = '"' + sign * size
        start = time.perf_counter()
        for _ in range(3):
            try:
                line_format.read(line)
            except ValueError:
                continue
        return time.perf_counter() - start

    measure(100)

    assert measure(200_000) < 60 * max(measure(20_000), 0.0005)
