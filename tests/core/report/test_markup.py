"""
Markup in which no text of a request is markup.

In:  texts, with everything that HTML gives a meaning to.
Out: HTML, read again by Python's own parser.
"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy.report.markup import (
    MOST_SHOWN,
    Markup,
    element,
    join,
    lines,
    make_visible,
    text,
)


class Reader(HTMLParser):
    """Reads elements, attributes and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def read(html: str) -> Reader:
    """Read *html*."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(st.text(max_size=60))
def test_text_is_never_markup(value: str) -> None:
    """Whatever stands in a child or an attribute is read back as one text."""
    reader = read(element("p", value, data_value=value))

    assert reader.elements == [("p", {"data-value": make_visible(value)})]
    assert "".join(reader.texts) == make_visible(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain ü", "plain ü"),
        ("a\x00b\x1b[31m", "a\\x00b\\x1b[31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\udc80", "\\udc80"),
    ],
)
def test_character_that_cannot_be_seen_is_shown(value: str, shown: str) -> None:
    """Nothing turns around or hides what a reader believes to see."""
    assert make_visible(value) == shown


def test_long_text_is_cut() -> None:
    """What is left out is counted."""
    shown = text("a" * (MOST_SHOWN + 5))

    assert shown.startswith("a" * MOST_SHOWN + "…")
    assert str(MOST_SHOWN + 5) in shown


def test_elements_are_written_as_html_has_them() -> None:
    """Attributes, elements without an end, SVG's own."""
    assert element("input", name="a", required=True, hidden=False, value=None) == (
        '<input name="a" required>'
    )
    assert element("label", "A", for_="a", class_="b") == (
        '<label for="a" class="b">A</label>'
    )
    assert element("line", x1=3) == '<line x1="3"/>'
    assert element("svg", viewBox="0 0 1 1") == '<svg viewBox="0 0 1 1"></svg>'


def test_children_are_joined() -> None:
    """Nothing, texts, markup, and lists of these."""
    joined = join([None, "<", Markup("<b>"), ["a", [element("i")]]])

    assert joined == "&lt;<b>a<i></i>"


def test_lines_stay_lines() -> None:
    """A text of several lines keeps their ends, and nothing else of the kind."""
    assert lines("a\n<b>\r") == "a\n&lt;b&gt;\\r"
