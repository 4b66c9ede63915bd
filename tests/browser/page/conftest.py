"""
A real Chromium, with an empty profile, and what it complains of.

In:  a width and a colour scheme.
Out: pages, whose console has to stay silent.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from .sites import Setup, Site, serve_site

#: No traffic of the browser's own, and none of what needs a display or a user.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: Shows what is folded away.
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@dataclass(frozen=True, slots=True)
class Look:
    """
    How somebody looks at a page.

    Attributes:
        width: Of the window, in pixels.

        scheme: ``light`` or ``dark``.
    """

    width: int = 1200
    scheme: str = "light"

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


LOOKS = [Look(width, scheme) for width in (390, 1200) for scheme in ("light", "dark")]


# It leaves an event loop running, in which no other test is to find itself.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright, once for all tests here."""
    with sync_playwright() as started:
        yield started


@dataclass
class Window:
    """
    A page of the browser, and what was written into its console.

    Attributes:
        page: The page.

        complaints: Errors and warnings, violations of the content policy among them.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)


def open_context(
    playwright: Playwright, folder: Path, look: Look, **options: Any
) -> BrowserContext:
    """Start Chromium with an empty profile."""
    return playwright.chromium.launch_persistent_context(
        folder,
        executable_path=CHROMIUM,
        args=list(FLAGS),
        chromium_sandbox=False,
        color_scheme="dark" if look.scheme == "dark" else "light",
        viewport={"width": look.width, "height": 900},
        ignore_https_errors=True,
        **options,
    )


@pytest.fixture(scope="package")
def contexts(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Look], BrowserContext]]:
    """A browser for each look, kept until the end."""
    opened: dict[Look, BrowserContext] = {}
    with ExitStack() as stack:

        def find(look: Look) -> BrowserContext:
            if look not in opened:
                folder = tmp_path_factory.mktemp("profile")
                opened[look] = open_context(playwright, folder, look)
                stack.callback(opened[look].close)
            return opened[look]

        yield find


@pytest.fixture
def look() -> Look:
    """A desk, by day; tests ask for others."""
    return Look()


@pytest.fixture
def window(contexts: Callable[[Look], BrowserContext], look: Look) -> Iterator[Window]:
    """A new page without cookies, which has nothing to complain of in the end."""
    context = contexts(look)
    context.clear_cookies()
    shown = Window(context.new_page())
    shown.page.on(
        "console",
        lambda message: (
            shown.complaints.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
    shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
    yield shown
    shown.page.close()


@pytest.fixture(scope="session")
def sites(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Setup], Site]]:
    """Sites, each started once and stopped in the end."""
    started: list[tuple[Setup, Site]] = []
    with ExitStack() as stack:

        def find(setup: Setup) -> Site:
            for known, site in started:
                if known == setup:
                    return site
            folder = tmp_path_factory.mktemp("site")
            site = stack.enter_context(serve_site(setup, folder))
            started.append((setup, site))
            return site

        yield find
