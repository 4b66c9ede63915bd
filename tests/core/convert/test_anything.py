"""
Whatever somebody's file says: settings that can be read, or an error of ours.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustedproxy import ConfigurationError
from trustedproxy.convert import KINDS, TARGETS, convert_text, write_report

from .test_kinds import REFUSED, ROWS

TEXTS = [*(row.text for row in ROWS.values()), *(row.text for row in REFUSED)]
#: What breaks a language when it is put anywhere.
PIECES = [
    *(
        "'",
        '"',
        "\\",
        "\n",
        "#",
        "{",
        "}",
        ";",
        "=",
        "*",
        ",",
        "(",
        ")",
        "<",
        ">",
        "\0",
    ),
    *("real_ip", "RemoteIP", "WSGITrusted", "gunicorn", "--trusted-proxy", "ProxyFix("),
    *("SECURE_SSL_REDIRECT", "XFF_", "IPWARE_", "FORWARDED_ALLOW_IPS=", "[server:"),
    *("10.0.0.1", "/8", "1" * 30, "-1", "None", "unix:", "file:", "é", "\ud800"),
]
NAMES = ["", "a.py", "a.conf", "a.ini", ".env"]


@st.composite
def broken(draw: st.DrawFn) -> str:
    """Draw a text that people have, with pieces put in and pieces taken out."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            text = text[:at] + draw(st.sampled_from([*PIECES, *TEXTS])) + text[at:]
        else:
            text = text[:at] + text[at + draw(st.integers(0, 6)) :]
    return text


@given(
    text=st.one_of(broken(), st.text(max_size=60)),
    kind=st.sampled_from([None, *KINDS]),
    name=st.sampled_from(NAMES),
)
@settings(
    max_examples=500,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_text_is_converted_or_refused(text: str, kind: str | None, name: str) -> None:
    """No text leads to anything but a conversion or an error with its sentence."""
    try:
        conversion = convert_text(text, kind, name=name)
    except ConfigurationError as error:
        assert str(error).endswith(".")
        return

    assert all(note.text.endswith(".") for note in conversion.notes)
    if "file:" not in repr(conversion.settings):
        assert conversion.read() is not None
    for target in TARGETS[:2]:
        assert write_report(conversion, target).startswith("# From ")


@pytest.mark.parametrize("repeated", ["(", "{", "a {", "<a>\n", "'", "x=[", "\\\n"])
def test_text_of_one_piece_a_thousand_times_takes_no_time(repeated: str) -> None:
    """Nothing is tried again and again, and nothing goes deeper than it may."""
    text = repeated * 20_000

    for kind in random.Random(repeated).sample(sorted(KINDS), 4):
        with pytest.raises(ConfigurationError):
            convert_text(f"real_ip remoteip {text}", kind)
