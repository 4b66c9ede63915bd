"""
What the page shows in a browser.

In:  requests of a real Chromium, honest and forged, through nginx and around it.
Out: what stands in the browser's document, at two widths and in both colour schemes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from trustedproxy.report import MemoryUses, Tokens

from .conftest import LOOKS, Look, Window
from .sites import CLIENT, NGINX, PAGE, Setup, Site, ask

FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Real-IP": "7.7.7.7",
    "X-Forwarded-Proto": "gopher",
}
FRAMEWORKS = ("django", "flask")


def read_stops(page: Page) -> list[str]:
    """Read the way of the request as the list says it: address, verdict."""
    return [
        " ".join(stop.locator("code, .badge").all_inner_texts())
        for stop in page.locator(".stops > li").all()
    ]


def read_facts(page: Page) -> dict[str, str]:
    """Read what stands on top."""
    names = page.locator(".facts dt").all_inner_texts()
    values = page.locator(".facts dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def read_fates(page: Page) -> dict[str, str]:
    """Read what became of the headers: name → the first badge."""
    return {
        str(each.get_attribute("data-header")): each.locator(".badge")
        .first.inner_text()
        .strip()
        for each in page.locator("[data-header]").all()
        if each.is_visible()
    }


def assert_looks_good(window: Window, look: Look) -> None:
    """Nothing is wider than the window, the colours fit, the console is silent."""
    page = window.page
    assert page.evaluate("document.documentElement.scrollWidth") <= look.width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red = int(background.removeprefix("rgb(").partition(",")[0])
    assert (red < 128) is (look.scheme == "dark")
    way = page.locator("svg.way").bounding_box()
    assert way is not None
    assert way["width"] > 300
    assert window.complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("forged", [False, True], ids=["honest", "forged"])
def test_page_through_nginx(
    framework: str,
    forged: bool,
    look: Look,
    window: Window,
    sites: Callable[[Setup], Site],
) -> None:
    """The client is the browser, whatever it claims, and what it claims is cut off."""
    page = window.page
    page.set_extra_http_headers(FORGED if forged else {})

    page.goto(sites(Setup(framework=framework)).secure + PAGE)

    facts = read_facts(page)
    assert facts["Client"] == CLIENT
    assert facts["Scheme"] == "https"
    stops = read_stops(page)
    assert stops[-3:-1] == [f"{CLIENT} client", f"{NGINX} trusted proxy"]
    assert stops[:-3] == (["6.6.6.6 cut off"] if forged else [])
    fates = read_fates(page)
    assert fates["X-Forwarded-For"] == "used"
    assert fates["X-Forwarded-Proto"] == "used"
    assert fates.get("X-Real-Ip", fates.get("X-Real-IP")) == (
        "removed" if forged else None
    )
    assert "So does the address of this page" in page.locator("#origin").inner_text()
    assert_looks_good(window, look)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("forged", [False, True], ids=["honest", "forged"])
def test_page_around_nginx(
    framework: str,
    forged: bool,
    look: Look,
    window: Window,
    sites: Callable[[Setup], Site],
) -> None:
    """A direct request is its peer's, and no header of it counts."""
    page = window.page
    page.set_extra_http_headers(FORGED if forged else {})

    page.goto(sites(Setup(framework=framework)).direct + PAGE)

    assert read_facts(page)["Client"] == CLIENT
    assert read_facts(page)["Scheme"] == "http"
    stops = read_stops(page)
    assert stops[-2] == f"{CLIENT} client"
    assert ("6.6.6.6 cut off" in stops) is forged
    fates = read_fates(page)
    assert fates["X-Forwarded-For"] == ("removed" if forged else "not sent")
    advice = page.locator(".advice").all()
    codes = [each.get_attribute("data-code") for each in advice]
    assert codes == (["peer-not-trusted"] if forged else [])
    assert_looks_good(window, look)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("opened", [False, True], ids=["folded", "unfolded"])
def test_axe_finds_nothing(
    opened: bool, look: Look, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Landmarks, names, contrast, order of headings: for everybody."""
    page = window.page
    page.set_extra_http_headers(FORGED)
    page.goto(sites(Setup()).secure + PAGE)
    if opened:
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )

    results: Any = Axe().run(page)

    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_axe_finds_nothing_in_the_form(
    look: Look, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Before anybody is let in."""
    page = window.page
    page.goto(sites(CLOSED).secure + PAGE + "?token")
    results: Any = Axe().run(page)

    assert page.get_by_label("Token").is_visible()
    assert results.violations_count == 0, results.generate_report()


#: A site where the page opens with a token alone.
CLOSED = Setup(settings={"DEBUG": False})


def test_page_can_be_read_by_keyboard(
    window: Window, sites: Callable[[Setup], Site]
) -> None:
    """The first stop leads past the links; a form is sent without a mouse."""
    page = window.page
    page.goto(sites(Setup()).secure + PAGE)

    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.get_by_label("Peer").fill("198.51.100.7")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert skip == "Skip to the content"
    assert "This is what would happen" in page.locator("#result").inner_text()
    assert read_stops(page)[-2] == "198.51.100.7 client"
    assert window.complaints == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_box_shows_what_would_happen(
    framework: str, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Another header, another client; and nothing of it stays."""
    page = window.page
    page.goto(sites(Setup(framework=framework)).secure + PAGE)
    box = page.get_by_label("Headers, one a line")

    box.fill("X-Forwarded-For: 192.0.2.99\nX-Forwarded-Proto: https")
    page.get_by_role("button", name="See what would happen").click()

    assert read_facts(page)["Client"] == "192.0.2.99"
    page.goto(sites(Setup(framework=framework)).secure + PAGE)
    assert "192.0.2.99" not in page.content()
    assert window.complaints == []


def test_box_says_what_it_cannot_read(
    window: Window, sites: Callable[[Setup], Site]
) -> None:
    """The line is named, and stays to be mended."""
    page = window.page
    page.goto(sites(Setup()).secure + PAGE)

    page.get_by_label("Headers, one a line").fill("no <b>header</b>")
    page.get_by_role("button", name="See what would happen").click()

    assert "no <b>header</b>" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Headers, one a line").input_value() == "no <b>header</b>"
    assert window.complaints == []


def test_front_end_is_one_click_away(
    window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Its configuration, and a button that copies it."""
    page = window.page
    page.goto(sites(Setup()).secure + PAGE)

    page.locator("#front-ends summary").first.click()

    code = page.locator("#nginx-0")
    assert code.is_visible()
    assert "proxy_set_header X-Forwarded-For" in code.inner_text()
    page.locator("button[data-copies=nginx-0]").click()
    assert page.evaluate("getSelection().toString()").startswith("# app:")
    assert page.get_by_role("status").inner_text()
    assert window.complaints == []


def test_page_is_read_without_any_script(
    playwright: Any, tmp_path: Any, sites: Callable[[Setup], Site]
) -> None:
    """The script only adds to it."""
    from .conftest import open_context

    context = open_context(playwright, tmp_path, Look(), java_script_enabled=False)
    page = context.new_page()
    page.goto(sites(Setup()).secure + PAGE)

    text = page.locator("#result").inner_text()
    buttons = page.locator("button[data-copies]").count()
    visible = page.locator("button[data-copies]:visible").count()
    context.close()

    assert CLIENT in text
    assert buttons
    assert not visible


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_token_opens_the_page_in_a_redirect_loop(
    framework: str, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Everything else only redirects; the page says why, and what to set."""
    page = window.page
    setup = Setup(
        framework=framework,
        settings={
            "DEBUG": False,
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_HOST": ":1",
        },
        lines=(
            "proxy_set_header X-Forwarded-For $remote_addr",
            "proxy_set_header Host $http_host",
        ),
    )
    site = sites(setup)
    status, _, _ = ask(site.plain, {})
    token = Tokens("only for this demo, on this machine", MemoryUses()).make()

    page.goto(f"{site.secure}{PAGE}?token")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Open the page").click()

    assert status == 301
    assert page.url == site.secure + PAGE
    (advice,) = page.locator(".advice").all()
    assert advice.get_attribute("data-code") == "scheme-header-missing"
    assert "301" in page.locator("#problems").inner_text()
    (cookie,) = map(dict, page.context.cookies())
    assert cookie["name"] == "trustedproxy_page"
    assert (cookie["httpOnly"], cookie["secure"]) == (True, True)
    assert cookie["sameSite"] == "Strict"
    assert cookie["path"] == "/trustedproxy"
    assert "your browser is at https" in page.locator("#origin").inner_text().lower()
    assert window.complaints == []
