"""
The seven commonest mistakes, as the page explains them and the documentation shows.

In:  each mistake, set up with a real nginx and a real server.
Out: the page's advice, the pasted line's effect, and what the documentation says.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from trustedproxy.report.visits import COOKIE
from trustedproxy.setting_lines import write_line

from ...docs.pages import ROOT
from .conftest import Window
from .mistakes import MISTAKES, Mistake
from .sites import PAGE, Setup, Site, make_session

DOCUMENT = (ROOT / "docs" / "misconfigurations.md").read_text(encoding="utf-8")


def open_page(page: Page, site: Site) -> None:
    """Open the page as somebody who has a session."""
    value = make_session()["Cookie"].partition("=")[2]
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": site.secure}])
    page.goto(site.secure + PAGE)


def list_codes(page: Page) -> list[str]:
    """List the codes of the advice that the page gives."""
    found = page.locator(".advice").all()
    return [str(each.get_attribute("data-code")) for each in found]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_page_explains_the_mistake(
    mistake: Mistake, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """It is the first advice, with the line to paste, and the documentation has it."""
    page = window.page
    open_page(page, sites(mistake.setup))

    advice = page.locator(".advice").first
    pasted = advice.locator("pre").all_inner_texts()

    assert list_codes(page)[0] == mistake.code
    for name, value in mistake.pasted.items():
        line = write_line(name, value)
        assert line in "\n".join(pasted)
        assert line in DOCUMENT
    assert bool(pasted) is bool(mistake.pasted)
    assert window.complaints == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_cure_works(
    mistake: Mistake, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """After it the page says nothing of the mistake any more."""
    page = window.page
    open_page(page, sites(mistake.cured))

    assert mistake.code not in list_codes(page)
    assert page.locator(".facts dd").first.inner_text() == "127.0.0.1"
    assert window.complaints == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_documentation_shows_the_mistake(mistake: Mistake) -> None:
    """With a picture that is there."""
    image = f"images/page-{mistake.name}.png"

    assert f"]({image})" in DOCUMENT
    assert (ROOT / "docs" / image).is_file()
