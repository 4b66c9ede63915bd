"""
The built site: it fits on a phone, loads nothing from elsewhere, and can be searched.

In:  the documentation, as MkDocs builds it.
Out: what a real browser measures, and what the site's own search finds.
"""

from __future__ import annotations

import re
import time

import pytest

from .conftest import ROOT, Browser, BuiltSite

PHONE, TABLET, DESKTOP = 390, 1024, 1440

#: What people type → the beginning of the heading that has to be among the first.
SEARCHES = {
    "redirect loop": "Redirect loop",
    "too many redirects": "Redirect loop",
    "same IP": "Everybody has the same IP",
    "everybody has the same ip": "Everybody has the same IP",
    "172.18.0.1": "Everybody has the same IP",
    "400": "400 Bad Request",
    "DisallowedHost": "400 Bad Request",
    "404 below": "404 below a path",
    "http instead of https": "http instead of https",
    "redirect_uri_mismatch": "http instead of https",
    "mixed content": "http instead of https",
    "CSRF origin checking failed": "CSRF verification failed",
    "health check 301": "Health checks get a 301",
    "unix socket": "It works over TCP and not over the unix socket",
    "hop count": "How do I count the hops?",
    "TRUSTED_PROXY_HOPS": "TRUSTED_PROXY_HOPS",
    "ProxyPolicy": "trustedproxy.ProxyPolicy",
    "ProxyFix": "I come from ProxyFix",
    "HSTS missing": "HSTS is missing",
    "websocket": "Websockets",
    "R17": "R17: Problems and mistakes are logged",
    "underscores": "Underscores",
}
#: So many headings are seen without scrolling.
SEEN = 6

# What is folded away has no inner text.
_TITLES = """
return Array.from(
    document.querySelectorAll(".md-search-result__list article"),
    article => article.querySelector("h1, h2").innerText.trim()
).filter(title => title);
"""
_TYPE = """
const input = document.querySelector("[data-md-component=search-query]");
input.focus();
input.value = arguments[0];
input.dispatchEvent(new Event("keyup", {bubbles: true}));
input.dispatchEvent(new Event("input", {bubbles: true}));
"""


def search(browser: Browser, site: BuiltSite, words: str) -> list[str]:
    """Type *words* into the search, and list the headings that it shows."""
    browser.show(site.url + "index.html")
    browser.ask(_TYPE, words)
    until = time.monotonic() + 20
    titles: object = []
    while time.monotonic() < until:
        before, titles = titles, browser.ask(_TITLES)
        # The list grows while it is written.
        if titles and titles == before:
            break
        time.sleep(0.1)
    assert isinstance(titles, list)
    return [str(title) for title in titles]


@pytest.mark.parametrize(("words", "heading"), SEARCHES.items())
def test_search_finds_the_heading(
    browser: Browser, site: BuiltSite, words: str, heading: str
) -> None:
    """What people type leads to the right heading, among the first results."""
    found = search(browser, site, words)

    assert any(title.startswith(heading) for title in found[:SEEN]), found


def test_no_page_runs_sideways_on_a_phone(browser: Browser, site: BuiltSite) -> None:
    """Wide tables and lines of code scroll by themselves."""
    too_wide = {}
    for page in site.pages:
        browser.show(site.url + page, width=PHONE)
        width = browser.ask("return document.documentElement.scrollWidth")
        if width != PHONE:
            too_wide[page] = width

    assert len(site.pages) > 50
    assert too_wide == {}


def test_wide_table_scrolls_by_itself(browser: Browser, site: BuiltSite) -> None:
    """A table that does not fit is in a box that scrolls."""
    browser.show(site.url + "settings.html", width=PHONE)

    widths = browser.ask(
        "const box = document.querySelector('.md-typeset__scrollwrap');"
        "return [box.scrollWidth, box.clientWidth, getComputedStyle(box).overflowX]"
    )

    assert isinstance(widths, list)
    assert widths[0] > widths[1]
    assert widths[2] == "auto"


@pytest.mark.parametrize("width", [PHONE, TABLET, DESKTOP])
def test_header_leaves_room_for_the_page(
    browser: Browser, site: BuiltSite, width: int
) -> None:
    """The page begins in the first eighth of a window of 900 pixels."""
    browser.show(site.url + "index.html", width=width)

    bottom = browser.ask(
        "return document.querySelector('.md-main').getBoundingClientRect().top"
    )

    assert isinstance(bottom, (int, float))
    assert bottom <= 112


_CONTRAST = """
const light = text => {
    const parts = text.match(/[0-9.]+/g).map(Number);
    const linear = parts.slice(0, 3).map(value => {
        value /= 255;
        return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    const alpha = parts.length > 3 ? parts[3] : 1;
    return [0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2], alpha];
};
const text = document.querySelector(".md-content p");
const [front] = light(getComputedStyle(text).color);
const [back] = light(getComputedStyle(document.body).backgroundColor);
return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
"""


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_text_can_be_read_in_either_colours(
    browser: Browser, site: BuiltSite, colours: str
) -> None:
    """The contrast of text is at least that of WCAG 2 level AA, 4.5 to 1."""
    browser.show(site.url + "index.html", colours=colours)

    contrast = browser.ask(_CONTRAST)
    brightness = browser.ask("return getComputedStyle(document.body).backgroundColor")

    assert isinstance(contrast, (int, float))
    assert contrast >= 4.5
    assert (brightness == "rgb(255, 255, 255)") == (colours == "light")


def test_code_is_coloured_and_can_be_copied(browser: Browser, site: BuiltSite) -> None:
    """Blocks of code have highlighting and a button that copies them."""
    browser.show(site.url + "settings.html")

    counts = browser.ask(
        "return [document.querySelectorAll('.highlight .s2').length,"
        " document.querySelectorAll('.highlight').length,"
        " document.querySelectorAll("
        "   '.md-code__nav, .md-clipboard, [data-clipboard-target]').length]"
    )

    assert isinstance(counts, list)
    assert counts[0] > 0
    assert counts[2] >= counts[1] > 0


@pytest.mark.parametrize("page", ["index.html", "rules.html", "api/policy.html"])
def test_page_loads_nothing_from_elsewhere(
    browser: Browser, site: BuiltSite, page: str
) -> None:
    """No fonts, no scripts, no pictures of anybody else's."""
    browser.show(site.url + page)

    loaded = browser.ask(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )

    assert isinstance(loaded, list)
    assert loaded
    assert [name for name in loaded if not name.startswith(site.url)] == []


def test_every_page_is_in_the_navigation(site: BuiltSite) -> None:
    """A reader who does not search finds every page, too."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r": ([\w/-]+)\.md$", navigation, re.MULTILINE))
    pages = {page.removesuffix(".html") for page in site.pages} - {"404"}

    assert pages - listed == set()
