"""
Make the pictures of docs/page.md and docs/misconfigurations.md, from real runs.

In:  the sites of tests/browser/page: a real nginx, a real server, a real Chromium.
Out: docs/images/page-*.png, written anew.

    PYTHONPATH=core:. python tools/write_page_pictures.py
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, Playwright, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.page.conftest import Look, open_context  # noqa: E402  # the path is set by now
from tests.browser.page.mistakes import FORGED, MISTAKES, RIGHT  # noqa: E402  # the path is set by now
from tests.browser.page.sites import (  # noqa: E402  # the path is set by now
    PAGE,
    Setup,
    make_session,
    serve_site,
)
from trustedproxy.report.visits import COOKIE  # noqa: E402  # the path is set by now

IMAGES = ROOT / "docs" / "images"
LOOK = Look(1000)
#: The last part that is shown.
_LAST = "#way"
#: What stands above and below the parts that are shown.
_MARGIN = 16


def take_picture(
    playwright: Playwright, setup: Setup, name: str, *, headers: Mapping[str, str]
) -> None:
    """Open the page of a site, and keep what is seen of it from the top on."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with serve_site(setup, folder) as site:
            context = open_context(playwright, folder / "profile", LOOK)
            value = make_session()["Cookie"].partition("=")[2]
            context.add_cookies([{"name": COOKIE, "value": value, "url": site.secure}])
            page = context.new_page()
            page.set_extra_http_headers(dict(headers))
            page.goto(site.secure + PAGE)
            _keep(page, IMAGES / f"page-{name}.png")
            context.close()


def _keep(page: Page, target: Path) -> None:
    box = page.locator(_LAST).bounding_box()
    assert box is not None
    height = box["y"] + box["height"] + _MARGIN
    clip = {"x": 0.0, "y": 0.0, "width": float(LOOK.width), "height": height}
    page.screenshot(path=target, full_page=True, clip=clip)  # type: ignore[arg-type]  # a dictionary that Playwright types
    print(target.relative_to(ROOT))


def main() -> int:
    """Take all of them."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        take_picture(playwright, RIGHT, "right", headers=FORGED)
        for mistake in MISTAKES:
            take_picture(playwright, mistake.setup, mistake.name, headers={})
    return 0


if __name__ == "__main__":
    sys.exit(main())
