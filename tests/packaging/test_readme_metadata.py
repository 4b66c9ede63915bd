"""
The README where an index of packages shows it: no link leads nowhere.

In:  ``tools/readme_metadata.py``, the README, and the wheel's metadata.
Out: links that are absolute, or left out with their sentences.
"""

from __future__ import annotations

import importlib
import re
import tomllib
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "https://docs.example/trustedproxy/"
#: Its pages are linked from there, and nothing else is.
TARGET = re.compile(r"\]\(([^)]+)\)")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module that Hatchling asks."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("readme_metadata")


def test_links_are_left_out_without_an_address(metadata: ModuleType) -> None:
    """Neither links nor half sentences remain, and all code does."""
    text = metadata.convert_readme(README, "")

    assert TARGET.findall(text) == []
    assert "## Read on" not in text
    assert "<!--" not in text
    assert text.count("```") == README.count("```")
    assert text.count("\n| `TRUSTED_PROX") == README.count("\n| `TRUSTED_PROX")
    assert set(text.splitlines()) <= set(README.splitlines())


def test_links_are_absolute_with_an_address(metadata: ModuleType) -> None:
    """Each page of the documentation is linked where it is served."""
    text = metadata.convert_readme(README, ADDRESS)
    pages = {
        f"{ADDRESS}{target.removeprefix('docs/').removesuffix('.md')}.html"
        for target in TARGET.findall(README)
        if target.startswith("docs/")
    }

    assert set(TARGET.findall(text)) == pages
    assert "## Read on" in text
    assert "<!--" not in text


@pytest.mark.parametrize(
    ("line", "address", "expected"),
    [
        ("See [Django](docs/django.md).", "", ""),
        (
            "See [Django](docs/django.md#checks).",
            "https://d.example",
            "See [Django](https://d.example/django.html#checks).\n",
        ),
        (
            "[a](docs/a/b.md), [c](docs/c.md)",
            "https://d.example/",
            "[a](https://d.example/a/b.html), [c](https://d.example/c.html)\n",
        ),
        ("See [it](CONTRIBUTING.md).", "https://d.example", ""),
        ("[a](docs/a.md) and [it](CONTRIBUTING.md)", "https://d.example", ""),
        ("[here](https://x.example/)", "", "[here](https://x.example/)\n"),
        ("[here](#settings)", "", "[here](#settings)\n"),
        ("plain [1](2", "", "plain [1](2\n"),
        ("```text\n[a](docs/a.md)\n```", "", "```text\n[a](docs/a.md)\n```\n"),
    ],
    ids=range(9),
)
def test_line_is_converted_or_left_out(
    metadata: ModuleType, line: str, address: str, expected: str
) -> None:
    """A sentence whose link leads nowhere goes as a whole; code stays as it is."""
    actual = metadata.convert_readme(line, address)

    assert actual.strip("\n") == expected.strip("\n")


@pytest.mark.parametrize(
    ("address", "urls"), [("", {}), (ADDRESS, {"Documentation": ADDRESS})]
)
def test_hook_fills_the_metadata(
    metadata: ModuleType, tmp_path: Path, address: str, urls: dict[str, str]
) -> None:
    """Text and address come from one place."""
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.trustedproxy]\ndocumentation = "{address}"\n', encoding="utf-8"
    )
    filled: dict[str, object] = {}

    metadata.ReadmeMetadataHook(str(tmp_path), {}).update(filled)

    text = metadata.convert_readme(README, address)
    assert filled["readme"] == {"content-type": "text/markdown", "text": text}
    assert filled["urls"] == urls


def test_wheel_shows_the_readme_as_converted(metadata: ModuleType) -> None:
    """What was built is what an index shows: each of its links can be followed."""
    try:
        built = distribution("trustedproxy").metadata
    except PackageNotFoundError:
        pytest.skip("trustedproxy is not installed here: run the tests through tox")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    address = project["tool"]["trustedproxy"]["documentation"]
    assert isinstance(built, Message)
    text = built.get_payload()

    assert built["Description-Content-Type"] == "text/markdown"
    assert isinstance(text, str)
    assert text.strip() == metadata.convert_readme(README, address).strip()
    for target in TARGET.findall(text):
        assert target.startswith(("https://", "#"))
