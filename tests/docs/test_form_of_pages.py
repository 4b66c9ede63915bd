"""
Every page: links that say where they lead, code that can be coloured and copied.

In:  the sources of the pages.
Out: assertions about their form, which a reader sees before any word.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from .pages import DOCS, PAGES, prose, read

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```(.*)$", re.MULTILINE)

#: Texts that say nothing about where a link leads.
SAYS_NOTHING = {"here", "this", "this page", "link", "more", "read more", "click here"}


@pytest.mark.parametrize("name", PAGES)
def test_text_of_a_link_says_where_it_leads(name: str) -> None:
    """Neither a file's name nor "here": a link is read without its sentence."""
    texts = [text for text, target in LINK.findall(prose(read(name)))]

    assert [text for text in texts if text.strip("`").endswith(".md")] == []
    assert [text for text in texts if text.lower() in SAYS_NOTHING] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_has_one_title_and_no_floor_is_left_out(name: str) -> None:
    """One heading of the first level, and none is two levels below the last."""
    levels = [len(marks) for marks in re.findall(r"^(#+) ", _bare(name), re.MULTILINE)]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert [b for a, b in pairwise(levels) if b > a + 1] == []


def _bare(name: str) -> str:
    """Leave out blocks of code, whose comments begin like headings."""
    return prose(read(name))


@pytest.mark.parametrize("name", PAGES)
def test_block_of_code_says_its_language(name: str) -> None:
    """Each fence names the language, so that it is coloured."""
    opening = [language for _, language in FENCE.findall(read(name))][::2]

    assert [language for language in opening if not language.strip()] == []


@pytest.mark.parametrize("name", PAGES)
def test_code_stands_in_fences(name: str) -> None:
    """Nothing is code by its indent alone, since that has no language."""
    text = _bare(name)
    is_list = False
    indented = []
    before = ""
    for line in text.splitlines():
        if re.match(r" *(?:[-*]|\d+\.) ", line):
            is_list = True
        elif line and not line.startswith(" "):
            is_list = False
        if line.startswith("        " if is_list else "    ") and not before:
            indented.append(line)
        before = line.strip()

    assert indented == []


@pytest.mark.parametrize("name", PAGES)
def test_link_leads_to_a_page_that_is_there(name: str) -> None:
    """As the built site checks, and without building it."""
    folder = (DOCS / name).parent
    targets = {
        target.partition("#")[0] for _, target in LINK.findall(prose(read(name)))
    }
    pages = {target for target in targets if target.endswith(".md")}

    assert [target for target in pages if not (folder / target).is_file()] == []


@pytest.mark.parametrize("name", PAGES)
def test_list_goes_on_after_what_is_indented(name: str) -> None:
    """
    An item behind an indented paragraph or block has an empty line before it.

    Without one, Markdown takes it for a part of the paragraph.
    """
    lines = read(name).splitlines()

    swallowed = [
        line
        for before, line in pairwise(lines)
        if re.match(r"(?:[-*]|\d+\.) ", line)
        and before.startswith("    ")
        and not re.match(r" *(?:[-*]|\d+\.) ", before)
        and not before.strip().startswith("|")
    ]

    assert swallowed == []
