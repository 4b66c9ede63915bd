"""
docs/commands/probe.md shows a card as it comes out, in words and as a picture.

``python -m tests.real.probe.card`` writes both anew.
"""

from __future__ import annotations

import re
from html import unescape

from .card import PICTURE, draw_picture, make_card, read_block, write_block
from .sites import Ground


def read_words(svg: str) -> list[str]:
    """Read the words of a picture."""
    text = unescape(" ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg)))
    return re.sub(r"[^\x20-\x7e…]", " ", text).split()


def test_page_shows_the_card_of_a_real_front_end(ground: Ground) -> None:
    """Both holes, the evidence, and the lines that close them."""
    card = make_card(ground)

    assert write_block(card) == read_block()
    assert read_words(draw_picture(card)) == read_words(
        PICTURE.read_text(encoding="utf-8")
    )
