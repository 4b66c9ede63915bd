"""
Paths as WSGI has them, and as people do.

In:  paths in either way.
Out: the same in the other one, whatever is in them.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy.wsgi_text import list_spellings, read_path, spell_path


@pytest.mark.parametrize(
    ("path", "spelled"),
    [
        ("/a", "/a"),
        ("/ü", "/Ã¼"),
        ("/€", "/â\x82¬"),
        # A byte that was no UTF-8 (PEP 383).
        ("/\udcff", "/ÿ"),
    ],
)
def test_path_is_spelled_and_read_again(path: str, spelled: str) -> None:
    """A character for each byte, and back."""
    assert spell_path(path) == spelled
    assert read_path(spelled) == path


def test_half_a_character_is_no_byte() -> None:
    """It is what stands for a character that nobody can read."""
    assert spell_path("/\ud800") == spell_path("/\ufffd")


def test_path_of_a_broken_server_stays() -> None:
    """WSGI has no such character."""
    assert read_path("/€") == "/€"


@given(st.binary())
def test_every_path_of_wsgi_comes_back(path: bytes) -> None:
    """Whatever bytes a client sent."""
    text = path.decode("latin-1")

    assert spell_path(read_path(text)) == text


def test_path_stands_in_requests_in_two_ways() -> None:
    """Or in one, where both are the same."""
    assert list_spellings("/ü") == ("/ü", "/Ã¼")
    assert list_spellings("/a b") == ("/a b",)
