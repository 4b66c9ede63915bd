"""
The documentation, built and served, and a browser to look at it.

In:  the checkout; Debian's ``chromium`` and ``chromium-driver``.
Out: `site`, the built pages behind a URL; `browser`, which `show` sends there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="MkDocs is not installed in this environment")
webdriver = pytest.importorskip(
    "selenium.webdriver", reason="Selenium is not installed in this environment"
)

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class BuiltSite:
    """The pages in a folder, and the URL that they are served at."""

    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """Every page, by its path below the URL."""
        found = self.folder.rglob("*.html")
        return sorted(path.relative_to(self.folder).as_posix() for path in found)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltSite]:
    """Build the documentation strictly, and serve it."""
    folder = tmp_path_factory.mktemp("site")
    command = ["-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    answer = subprocess.run(
        [sys.executable, *command, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield BuiltSite(folder, f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    thread.join()
    server.server_close()


class Browser:
    """A browser without a window, of any size and in either colours."""

    def __init__(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = _find("chromium")
        # In a container there are neither user namespaces nor much shared memory.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        service = webdriver.ChromeService(_find("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def show(self, url: str, *, width: int = 1440, colours: str = "light") -> None:
        """Show a page, so many pixels wide."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1}
        self._command("Emulation.setDeviceMetricsOverride", mobile=width < 500, **size)
        wanted = {"name": "prefers-color-scheme", "value": colours}
        self._command("Emulation.setEmulatedMedia", features=[wanted])
        self.driver.get(url)

    def ask(self, script: str, *arguments: object) -> object:
        """Run JavaScript in the page, and give what it returns."""
        result: object = self.driver.execute_script(script, *arguments)
        return result

    def _command(self, name: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(name, arguments)


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: see tests/browser/apt.txt")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    started = Browser()
    yield started
    started.driver.quit()
