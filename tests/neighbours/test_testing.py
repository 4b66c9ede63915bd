"""
docs/testing.md: every block runs, in the frameworks that it is about.

In:  the page; a Django project that has the view which the page asks.
Out: the page's own test files pass, and what it prints is what is printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
#: A file of the page: its name in a line of its own, and the next block.
FILE = re.compile(r"^`(\w+\.py)`[^\n]*\n\n```python\n(.*?)^```$", re.M | re.S)

#: A project like the reader's own.
DJANGO = """
from django.conf import settings
from django.http import JsonResponse
from django.urls import path

def where(request):
    return JsonResponse(
        {"client": request.META["REMOTE_ADDR"], "url": request.build_absolute_uri()}
    )

urlpatterns = [path("where/", where)]
settings.configure(
    ALLOWED_HOSTS=["shop.example", "testserver"],
    INSTALLED_APPS=["django_trustedproxy"],
    MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"],
    ROOT_URLCONF="project",
    SECRET_KEY="only for this test",
    TRUSTED_PROXY_HEADERS=["X-Forwarded-For", "X-Forwarded-Proto"],
    TRUSTED_PROXIES=["10.0.0.0/8"],
)
import django
django.setup()
"""


def take_section(heading: str) -> str:
    """Take the part of the page below *heading*; without one, what stands before."""
    start = f"\n## {heading}\n" if heading else "# "
    _, _, section = PAGE.partition(start)
    return section.partition("\n## ")[0]


def list_blocks(section: str, language: str) -> list[str]:
    """List the blocks in *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)


@pytest.mark.parametrize(
    ("heading", "files", "tests"),
    [
        ("With pytest", 2, 1),
        ("Django", 4, 4),
        ("Flask and Werkzeug", 3, 2),
        ("Starlette, FastAPI, and httpx", 3, 2),
    ],
)
def test_files_of_the_page_pass(
    tmp_path: Path, heading: str, files: int, tests: int
) -> None:
    """As they stand, in a folder of their own."""
    section = take_section(heading)
    named = dict(FILE.findall(section))
    for name, code in named.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (tmp_path / "project.py").write_text(DJANGO, encoding="utf-8")
    plugins = ["-p", "trustedproxy.testing.plugin"]
    if heading == "Django":
        plugins += ["-p", "project"]
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(Path(path).resolve()) for path in inherited if path]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRUSTED_PROX", "PYTEST_"))
    } | {
        # Where the package is installed, pytest would load the plugin a second time.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([*paths, str(tmp_path)]),
    }

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugins]
    command += ["-c", os.devnull, f"--rootdir={tmp_path}", str(tmp_path)]
    run = subprocess.run(
        command,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(list_blocks(section, "python")) == len(named) == files
    assert (run.returncode, f"{tests} passed" in run.stdout) == (0, True), run.stdout


@pytest.fixture
def first_block(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run the first block of the page."""
    [code] = list_blocks(take_section(""), "python")
    made: dict[str, Any] = {}
    exec(compile(code, "testing.md", "exec"), made)
    return made


def test_comments_of_the_first_block_are_what_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The peer, the headers, and the forged ones."""
    [code] = list_blocks(take_section(""), "python")

    exec(compile(code, "testing.md", "exec"), {})

    promised = re.findall(r"^print\(.*?\) +# (.*)$", code, re.M)
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == 3


def test_failure_of_the_page_is_what_is_said(first_block: dict[str, Any]) -> None:
    """The difference, the peer, the reason, and what was removed."""
    section = take_section("When it is another client")
    [code], [shown] = list_blocks(section, "python"), list_blocks(section, "text")

    with pytest.raises(AssertionError) as failure:
        exec(compile(code, "testing.md", "exec"), first_block)

    assert f"AssertionError: {failure.value}\n" == shown
