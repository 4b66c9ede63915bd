"""
The pages of the command show what it prints, and the pictures what a terminal shows.

Every command of the pages is run, in a folder of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import Connection, ProxyPolicy
from trustedproxy.explain import Fate, Standing, explain

from .pages import DOCS, blocks, read

for needed in ("click", "rich"):
    pytest.importorskip(needed, reason="the extra cli is not installed here")

ROOT = Path(__file__).parents[2]
if str(ROOT / "tools") not in sys.path:
    sys.path.append(str(ROOT / "tools"))

import command_pages as command_pages  # noqa: E402  # its folder is on the path by now

NAMES = sorted(path.name for path in command_pages.PAGES.glob("*.md"))


def list_subcommands() -> set[str]:
    """List the subcommands, as the command itself does."""
    from trustedproxy.cli.program import SUBCOMMANDS

    return set(SUBCOMMANDS)


@pytest.mark.parametrize("name", NAMES)
def test_page_shows_what_is_printed(name: str, tmp_path: Path) -> None:
    """`python tools/command_pages.py` writes it anew."""
    text = read(f"commands/{name}")
    environment = command_pages.make_environment(tmp_path)

    assert command_pages.fill(text, tmp_path, environment) == text


@pytest.mark.parametrize("name", NAMES)
def test_page_runs_commands(name: str) -> None:
    """None is without an example that is run."""
    assert command_pages.list_commands(read(f"commands/{name}"))


def test_every_subcommand_is_in_the_overview() -> None:
    """And each has a page of its own, as the help says."""
    overview = read("commands/index.md")

    pages = set(re.findall(r"^\| \[`(\w+)`\]\(\1\.md\)", overview, re.MULTILINE))
    assert pages == list_subcommands()
    assert {f"{name}.md" for name in pages} | {"index.md", "json.md"} == set(NAMES)


def test_changelog_names_every_subcommand() -> None:
    """What is new is all of them."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^- The command `trustedproxy`.*$", changelog, re.MULTILINE)

    assert {name for name in list_subcommands() if f"`{name}`" not in line} == set()


def test_page_of_token_says_where_to_enter_it() -> None:
    """In the command's own words."""
    from trustedproxy.cli.commands import token

    [shown] = blocks(read("commands/token.md"), "text")

    assert shown == token.HOW.format("/trustedproxy/") + "\n"


def test_example_in_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the client, and the explanation as text."""
    [example] = blocks(read("commands/explain.md"), "python")

    exec(compile(example, "explain.md", "exec"), {})

    client, first, *_ = capsys.readouterr().out.splitlines()
    assert (client, first) == ("203.0.113.7", "The request")


def list_keys(value: Any) -> Iterator[str]:
    """List the keys of a document, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from list_keys(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from list_keys(inner)


def test_every_key_of_an_explanation_is_documented() -> None:
    """And every word that a step may have."""
    page = read("commands/json.md")
    policy = ProxyPolicy(
        headers=["X-Forwarded-For"], proxies=["loopback"], fixed_scheme="https"
    )
    explanation = explain(
        policy,
        Connection("127.0.0.1"),
        {"X-Forwarded-For": "203.0.113.7, what", "X-Real-IP": "203.0.113.8"},
    )

    keys = set(list_keys(explanation.as_dict()))

    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []
    assert [word.value for word in Standing if f"`{word.value}`" not in page] == []
    assert [word.value for word in Fate if f"`{word.value}`" not in page] == []


# The pictures

screenshots = pytest.importorskip(
    "screenshots", reason="pictures are taken on a terminal of Unix"
)
PICTURES = screenshots.PICTURES


def read_picture(svg: str) -> list[str]:
    """Read the words of a picture, without lines, and versions of other projects."""
    text = unescape(" ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg)))
    words = re.sub(r"[^\x20-\x7e…]", " ", text).split()
    return [re.sub(r"^\d+(\.\d+){1,2}$", "(version)", word) for word in words]


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_what_a_terminal_shows(name: str) -> None:
    """`python tools/screenshots.py` takes it anew."""
    for needed in ("django", "uvicorn", "waitress", "werkzeug"):
        if name == "explain-others":
            pytest.importorskip(needed, reason="it is one of those that are compared")
    picture = (DOCS / "images" / f"command-{name}.svg").read_text(encoding="utf-8")

    assert read_picture(screenshots.take(name)) == read_picture(picture)


def test_pictures_are_shown_and_load_nothing() -> None:
    """Each is on a page of the command, and has all of itself in it."""
    pages = "".join(read(f"commands/{name}") for name in NAMES)
    files = sorted((DOCS / "images").glob("command-*.svg"))

    assert {path.stem.removeprefix("command-") for path in files} == set(PICTURES)
    for path in files:
        svg = path.read_text(encoding="utf-8")
        assert f"](../images/{path.name})" in pages
        links = set(re.findall(r"https?://[^\s\"'<)]+", re.sub(r"<text .*", "", svg)))
        assert links <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}
        assert "@font-face" not in svg
        assert "<script" not in svg
