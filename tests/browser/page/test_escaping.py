"""
Every value that a request sends is text in the browser, and never markup.

In:  markup and quotes in each header, in host, path and cookies, sent to a real server.
Out: the browser's document: the same text, and no element that the page has not made.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Route

from trustedproxy.headers import KNOWN_HEADERS

from .conftest import UNFOLD, Window
from .sites import PAGE, Setup, Site, ask, make_session

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script></pre></textarea>"
#: Elements that only an attacker could have made.
INTRUDERS = "img, iframe, object, embed, [onerror], [onload], script:not(:last-child)"
NAMES = (
    *(header.name for header in KNOWN_HEADERS),
    "Origin",
    "Referer",
    "User-Agent",
    "Accept-Language",
    "X-Anything",
    "Via",
)


def show(window: Window, answer: tuple[int, dict[str, str], bytes]) -> str:
    """Let the browser read an answer, with its headers; return what it shows."""
    status, headers, body = answer
    assert status == 200, body[:500]

    def fulfill(route: Route) -> None:
        route.fulfill(status=status, headers=headers, body=body)

    page = window.page
    page.on("dialog", lambda dialog: window.complaints.append(dialog.message))
    page.route("**/*", fulfill)
    page.goto("http://page.localhost/trustedproxy/")
    page.evaluate(UNFOLD)
    assert page.locator(INTRUDERS).count() == 0
    assert window.complaints == []
    text: str = page.evaluate("document.body.innerText")
    return text


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_markup_in_every_header_is_text(
    framework: str, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """All at once: each is there as it was sent."""
    url = sites(Setup(framework=framework)).direct + PAGE
    headers = {name: f"{HOSTILE} {name}" for name in NAMES}

    text = show(window, ask(url, headers))

    for name in NAMES:
        assert f"{HOSTILE} {name}" in text
    box = window.page.get_by_label("Headers, one a line").input_value()
    assert f"{HOSTILE} X-Anything" in box


@pytest.mark.parametrize("framework", ["django", "flask"])
@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"])
def test_markup_in_one_header_is_text(
    framework: str, name: str, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Alone, so that it gets into the advice, the problems and the log, too."""
    url = sites(Setup(framework=framework)).direct + PAGE

    text = show(window, ask(url, {name: HOSTILE}))

    assert HOSTILE in text
    assert "alert(1)" in window.page.locator("#log").inner_text() or name == "X-Real-IP"


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_markup_in_elements_is_text_in_the_picture(
    framework: str, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """The picture is SVG, in which markup would be as bad."""
    url = sites(Setup(framework=framework)).direct + PAGE
    forged = "<svg/onload=alert(1)>"

    show(window, ask(url, {"X-Forwarded-For": f"{forged}, 203.0.113.7"}))

    assert window.page.locator("svg.way").evaluate("e => e.textContent").count(forged)
    assert window.page.locator("svg.way svg").count() == 0


def test_markup_in_the_host_is_text(
    window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Before the framework refuses it, for a holder of a token."""
    setup = Setup(settings={"DEBUG": False})
    url = sites(setup).direct + PAGE
    host = "app<img/src=x/onerror=alert(1)>'\""
    answer = ask(url, {**make_session(), "Accept": "text/html"}, host=host)

    text = show(window, answer)

    assert host in text


def test_markup_in_the_path_is_text(
    window: Window, sites: Callable[[Setup], Site]
) -> None:
    """In front of the page's own, where a mount point would be."""
    setup = Setup(settings={"DEBUG": False})
    url = sites(setup).direct + PAGE
    path = "/<img src=x onerror=alert(1)>'\"/trustedproxy/"

    text = show(window, ask(url, make_session(), path=quote(path)))

    assert path in text


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_cookies_and_credentials_are_not_shown(
    framework: str, window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Neither their values nor markup in them."""
    url = sites(Setup(framework=framework)).direct + PAGE
    headers = {
        "Cookie": f'sessionid="{HOSTILE}crumb"; a=crumb',
        "Authorization": f"Bearer {HOSTILE}crumb",
        "Proxy-Authorization": "crumb",
        "X-Api-Key": "crumb",
    }

    text = show(window, ask(url, headers))

    assert "crumb" not in text
    assert "crumb" not in window.page.content()
    assert text.count("(not shown)") >= len(headers)


def test_text_that_turns_around_is_shown_as_it_is(
    window: Window, sites: Callable[[Setup], Site]
) -> None:
    """Control characters and changes of direction cannot hide what is there."""
    url = sites(Setup()).direct + PAGE

    text = show(window, ask(url, {"X-Anything": "a\x85b\x9bc\xadd"}))

    assert "a\\x85b\\x9bc\\xadd" in text
