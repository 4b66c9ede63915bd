"""
Settings are written as lines to paste.

In:  names and values of settings.
Out: lines that Python reads as the same values.
"""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trustedproxy import Category, Form, ProxyHeader, read_settings
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.setting_lines import (
    spell_header,
    spell_headers,
    write_line,
    write_value,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (["10.0.0.0/8", "unix"], '["10.0.0.0/8", "unix"]'),
        (("a",), '["a"]'),
        ([], "[]"),
        ("https", '"https"'),
        ('"\\\n', '"\\"\\\\\\n"'),
        ("café", '"café"'),
        (2, "2"),
        (True, "True"),
        (None, "None"),
        ({"/a": "http://b/"}, '{"/a": "http://b/"}'),
    ],
)
def test_line_is_what_python_reads(value: object, written: str) -> None:
    """What was written comes out again when the line is run."""
    line = write_line("NAME", value)
    namespace: dict[str, object] = {}
    exec(line, namespace)

    assert line == f"NAME = {written}"
    assert namespace["NAME"] == (list(value) if isinstance(value, tuple) else value)


@given(st.text())
@example("\u200b\U0001f600")
@example("\udcff")
def test_every_text_comes_out_again(text: str) -> None:
    """What cannot be seen too, and what stands beside it."""
    written = write_value(text)

    assert ast.literal_eval(written) == text
    assert written.isprintable()


def test_headers_are_spelled_as_the_setting_reads_them() -> None:
    """A custom header has its form; a known one is its name alone."""
    headers = (
        KNOWN_HEADERS[1],
        ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS),
        ProxyHeader("X-Ingress-Path", Category.MOUNT_POINT, Form.MOUNT_POINT),
    )

    spelled = spell_headers(headers)

    assert spelled == [
        "X-Forwarded-For",
        "X-Edge-Client=address",
        "X-Ingress-Path=mount_point",
    ]
    read = read_settings({"TRUSTED_PROXY_HEADERS": spelled, "TRUSTED_PROXIES": "*"})
    assert read.policy.headers == headers


@pytest.mark.parametrize(
    "header",
    [
        ProxyHeader("X-Odd", Category.OTHER, Form.NEVER),
        ProxyHeader("X-Odd-Forwarded", Category.CLIENT, Form.FORWARDED),
    ],
)
def test_header_that_text_cannot_describe_is_its_name(header: ProxyHeader) -> None:
    """There is no word for such a form."""
    assert spell_header(header) == header.name
