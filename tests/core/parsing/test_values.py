"""
One value of a header, form by form (rule R10).

In:  texts that match a grammar, or nearly.
Out: what the variable gets, or nothing.
"""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy import Category, Form
from trustedproxy.headers import FORMS_OF, KNOWN_HEADERS
from trustedproxy.parsing.values import (
    MAX_HOST_CHARACTERS,
    PARSERS,
    merge_port,
    parse_cf_visitor,
    parse_flag,
    parse_host,
    parse_mount_point,
    parse_port_text,
    parse_scheme,
    parse_server,
    split_host,
    strip_mount_point,
)

#: What matches no form at all.
NEVER: Final = (
    " ",
    "\x00",
    "a\nb",
    "\u0430",
    "\u0661",
    "\ud800",
    "https,http",
    "https ",
    "/a b",
    "x" * 5000 + "/",
)


def test_every_form_that_is_read_has_one_reader() -> None:
    """No form of the table is left without a parser, and none has two."""
    of_clients = {*FORMS_OF[Category.CLIENT], Form.FORWARDED}

    assert not PARSERS.keys() & of_clients
    assert PARSERS.keys() | of_clients == set(Form) - {Form.NEVER}
    assert {h.form for h in KNOWN_HEADERS} == set(Form)


@pytest.mark.parametrize("form", PARSERS)
@pytest.mark.parametrize("text", NEVER, ids=lambda text: ascii(text[:12]))
def test_no_form_takes_what_is_no_value(form: Form, text: str) -> None:
    """Blanks, control characters and other scripts are in no grammar."""
    assert PARSERS[form](text) is None


@settings(max_examples=100, deadline=None, database=None)
@given(st.sampled_from(sorted(PARSERS)), st.text(max_size=40))
def test_no_parser_raises(form: Form, text: str) -> None:
    """Any text has a value or none, and a value is a value of its own form."""
    value = PARSERS[form](text)

    if form not in (Form.FLAG, Form.CF_VISITOR):
        assert value is None or PARSERS[form](value) == value


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("http", "http"),
        ("https", "https"),
        ("HTTPS", "https"),
        ("hTTp", "http"),
        ("ws", "http"),
        ("WSS", "https"),
        ("ftp", None),
        ("http:", None),
        ("https://", None),
        ("http\u017f", None),
        ("", None),
        ("on", None),
    ],
)
def test_scheme_is_http_or_https(text: str, scheme: str | None) -> None:
    """``ws`` and ``wss`` count as those; no other word is a scheme."""
    assert parse_scheme(text) == scheme


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        *((text, "https") for text in ("on", "ON", "true", "True", "1")),
        *((text, "http") for text in ("off", "Off", "false", "FALSE", "0")),
        *((text, None) for text in ("", "yes", "no", "https", "01", "2", "o\u043d")),
    ],
)
def test_flag_is_on_or_off(text: str, scheme: str | None) -> None:
    """A flag says https or http, in six words of any case."""
    assert parse_flag(text) == scheme


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ('{"scheme":"https"}', "https"),
        ('{"scheme":"http"}', "http"),
        ('{ "scheme" :\t"https" }', "https"),
        ('{"scheme":"HTTPS"}', None),
        ('{"Scheme":"https"}', None),
        ('{"scheme":"ftp"}', None),
        ('{"scheme":"httpss"}', None),
        ('{"scheme":https}', None),
        ("{'scheme':'https'}", None),
        ('{"scheme":"http","scheme":"https"}', None),
        ('{"scheme":"https","ip":"203.0.113.7"}', None),
        ('[{"scheme":"https"}]', None),
        ('{"scheme":"https"}}', None),
        ('{"scheme":"https"', None),
        ('"scheme":"https"', None),
        ('{\n"scheme":"https"}', None),
        ('{"scheme":"\\u0068ttps"}', None),
        ("https", None),
        ("{}", None),
        ("", None),
    ],
)
def test_cf_visitor_is_one_object_of_one_member(text: str, scheme: str | None) -> None:
    """Nothing but the scheme, spelled as it is documented; blanks are allowed."""
    assert parse_cf_visitor(text) == scheme


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("app.example", ("app.example", None)),
        ("App.Example:8443", ("App.Example", "8443")),
        ("app.example.", ("app.example.", None)),
        ("my_host-1", ("my_host-1", None)),
        ("203.0.113.7:80", ("203.0.113.7", "80")),
        ("[2001:db8::7]", ("[2001:db8::7]", None)),
        ("[2001:db8::7]:443", ("[2001:db8::7]", "443")),
        ("[::ffff:203.0.113.7]", ("[::ffff:203.0.113.7]", None)),
        ("", None),
        (".", None),
        ("..", None),
        (".app.example", None),
        ("app..example", None),
        ("app.example..", None),
        ("app.example:", None),
        ("app.example:0", None),
        ("app.example:080", None),
        ("app.example:65536", None),
        ("app.example:80:81", None),
        (":80", None),
        ("user@app.example", None),
        ("app.example/path", None),
        ("app.example?x", None),
        ("app.example#x", None),
        ("app.example\\x", None),
        ("app%2eexample", None),
        ("app;example", None),
        ("app example", None),
        ("b\xfccher.example", None),
        ("2001:db8::7", None),
        ("[2001:db8::7", None),
        ("[2001:db8::7]x", None),
        ("[2001:db8::7]:", None),
        ("[203.0.113.7]", None),
        ("[fe80::1%25eth0]", None),
        ("[v1.x]", None),
        ("[]", None),
    ],
)
def test_host_is_a_name_or_an_address_with_an_optional_port(
    text: str, split: tuple[str, str | None] | None
) -> None:
    """RFC 3986 section 3.2, without what no name in use has; a server has no port."""
    assert split_host(text) == split
    assert parse_host(text) == (None if split is None else text)
    without_port = split is not None and split[1] is None
    assert parse_server(text) == (text if without_port else None)


def test_host_has_a_bound() -> None:
    """A longer host is not read."""
    longest = "h" * MAX_HOST_CHARACTERS

    assert parse_host(longest) == longest
    assert parse_host(longest + "h") is None


@pytest.mark.parametrize(
    ("text", "port"), [("80", "80"), ("65535", "65535"), ("0", None), ("080", None)]
)
def test_port_stays_text(text: str, port: str | None) -> None:
    """A port is checked, and kept as it came."""
    assert parse_port_text(text) == port


@pytest.mark.parametrize(
    ("text", "mount_point"),
    [
        ("", ""),
        ("/", ""),
        ("/app", "/app"),
        ("/app/", "/app"),
        ("/a/b.c/~d_e-f", "/a/b.c/~d_e-f"),
        ("/...", "/..."),
        ("/.well-known", "/.well-known"),
        ("/a/..b", "/a/..b"),
        ("app", None),
        ("//", None),
        ("//evil.example", None),
        ("/app//", None),
        ("/a//b", None),
        ("/.", None),
        ("/..", None),
        ("/a/./b", None),
        ("/a/../b", None),
        ("/a/..", None),
        ("/a%2fb", None),
        ("/a\\b", None),
        ("/a;b", None),
        ("/a?b", None),
        ("/a b", None),
        ("/\xe4", None),
        ("http://evil.example/", None),
    ],
)
def test_mount_point_is_empty_or_segments(text: str, mount_point: str | None) -> None:
    """Segments of unreserved characters; a slash at the end is dropped."""
    assert parse_mount_point(text) == mount_point


@pytest.mark.parametrize(
    ("host", "scheme", "port", "merged"),
    [
        ("app.example", "https", None, "app.example"),
        ("app.example", "https", "443", "app.example"),
        ("app.example", "http", "443", "app.example:443"),
        ("app.example", "wss", "443", "app.example"),
        ("app.example", "ws", "80", "app.example"),
        ("app.example:8443", "https", "443", "app.example:8443"),
        ("app.example:443", "https", None, "app.example"),
        ("app.example:443", "https", "8443", "app.example"),
        ("app.example:80", "https", None, "app.example:80"),
        ("[2001:db8::7]", "https", "8443", "[2001:db8::7]:8443"),
        ("app.example", "gopher", "70", "app.example:70"),
        ("a/b", "https", "8443", "a/b"),
        ("", "https", "8443", ""),
    ],
)
def test_port_goes_into_a_host_that_names_none(
    host: str, scheme: str, port: str | None, merged: str
) -> None:
    """The scheme's default port is left out; a host that is none is not touched."""
    assert merge_port(host, scheme, port) == merged


@pytest.mark.parametrize(
    ("path", "mount_point", "rest"),
    [
        ("/app/x", "/app", "/x"),
        ("/app/", "/app", "/"),
        ("/app", "/app", ""),
        ("/application", "/app", "/application"),
        ("/x", "/app", "/x"),
        ("/x", "", "/x"),
        ("", "", ""),
        ("*", "", "*"),
        ("/app/app/x", "/app", "/app/x"),
    ],
)
def test_mount_point_is_taken_off_at_a_segment_boundary(
    path: str, mount_point: str, rest: str
) -> None:
    """``/application`` does not begin with ``/app``."""
    assert strip_mount_point(path, mount_point) == rest
