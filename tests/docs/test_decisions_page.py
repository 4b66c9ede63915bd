"""
docs/decisions.md: its sessions give what they show.

In:  the page.
Out: each session, run as it is printed.
"""

from __future__ import annotations

import doctest
from typing import Any

from .pages import blocks, read

PAGE = read("decisions.md")


def test_sessions_give_what_they_show() -> None:
    """The lines below each prompt are what is really printed."""
    session = "\n".join(blocks(PAGE, "pycon"))
    names: dict[str, Any] = {}
    test = doctest.DocTestParser().get_doctest(
        session, names, "decisions", "decisions.md", 0
    )

    results = doctest.DocTestRunner().run(test)

    assert results.attempted == len(test.examples) > 5
    assert results.failed == 0


def test_mount_points_of_the_page_are_read_as_it_says() -> None:
    """Which values of a mount-point header are malformed, by the page."""
    from trustedproxy.parsing.values import parse_mount_point

    for text in ("/app", "/a/b", "/", "/app/", "/user/a%40b"):
        assert parse_mount_point(text) is not None
    for text in ("//app", "/a/../b", "/./a", "/a%2Fb", "/a;b", "/a\\b"):
        assert parse_mount_point(text) is None
