"""
docs/django.md, docs/flask.md and the pages beside them: one policy; blocks that run.

In:  the pages' blocks and settings.
Out: each is accepted, begins with the same policy, and does what the page says.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from trustedproxy import Settings, read_settings

from .pages import PAGES as EVERY_PAGE
from .pages import prose
from .pages import read as read_page

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("django", "flask", "asgi", "deploy_django", "deploy_flask", "situations")
EXAMPLE = {
    "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
    "TRUSTED_PROXIES": ["loopback"],
    "TRUSTED_PROXY_STRIP": "all",
}
_BLOCK = re.compile(r"^ *```python\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_STRIPS_ALL = re.compile(r'strip"?\]?:? ?=? ?"all"', re.IGNORECASE)
_LINE = re.compile(r"^ *(TRUSTED_PROX\w+) = (.+)$", re.MULTILINE)

_INLINE = re.compile(r"`(TRUSTED_PROX\w+) = ([^`]+)`")


def read(name: str) -> str:
    """Read the page *name*."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def list_settings() -> list[Any]:
    """List every line of a page that sets one of our settings."""
    return [
        pytest.param(name, value, id=f"{page}-{name}-{i}")
        for page in PAGES
        for i, (name, value) in enumerate(_LINE.findall(read(page)))
    ]


def evaluate(value: str) -> object:
    """Evaluate *value*; an ellipsis stands for what is in the list already."""
    given = eval(value, {"DEBUG": False, "os": None})
    if isinstance(given, list):
        return [entry for entry in given if entry is not ...]
    return given


@pytest.mark.parametrize(("name", "value"), list_settings())
def test_setting_of_a_page_is_accepted(name: str, value: str) -> None:
    """Every line that a page says to write is one."""
    settings = read_settings({**EXAMPLE, name: evaluate(value)})

    assert isinstance(settings, Settings)


def list_settings_in_prose() -> list[Any]:
    """List the settings that a line of a page's prose or table says to write."""
    found: list[Any] = []
    for page in ("../README.md", *EVERY_PAGE):
        # What is said there stands beside a preset's headers, and not beside these.
        lines = [] if page == "platforms.md" else prose(read_page(page)).splitlines()
        for line in lines:
            values = _INLINE.findall(line)
            # Such a file is the reader's own.
            given = [pair for pair in values if "file:" not in pair[1]]
            if given:
                found.append(pytest.param(given, id=f"{page}-{len(found)}"))
    return found


@pytest.mark.parametrize("given", list_settings_in_prose())
def test_setting_in_prose_is_accepted(given: list[tuple[str, str]]) -> None:
    """What one line says to write is accepted together, beside the example policy."""
    values = {name: evaluate(value) for name, value in given}

    assert isinstance(read_settings({**EXAMPLE, **values}), Settings)


@pytest.mark.parametrize("page", PAGES)
def test_first_policy_of_a_page_is_the_same(page: str) -> None:
    """Whichever page is read first, the first try behind a local proxy works."""
    text = read(page)

    assert '["X-Forwarded-For", "X-Forwarded-Proto"]' in text
    first = re.search(r"(?:TRUSTED_PROXIES ?= ?|proxies=)(\[.*?\])", text)
    assert first is not None
    assert ast.literal_eval(first[1]) == ["loopback"]


@pytest.mark.parametrize("page", ["../README", *(name[:-3] for name in EVERY_PAGE)])
def test_policy_is_the_same_on_every_page(page: str) -> None:
    """Who lists the example's headers and proxies removes all other headers, too."""
    policies = [block for block in _BLOCK.findall(read(page)) if _is_example(block)]

    assert [block for block in policies if not _STRIPS_ALL.search(block)] == []


def _is_example(block: str) -> bool:
    parts = ('["X-Forwarded-For", "X-Forwarded-Proto"]', '["loopback"]')
    return all(part in block for part in parts)


@pytest.mark.parametrize("page", ["django", "flask"])
def test_page_names_the_servers_switches(page: str) -> None:
    """They are in the steps, and not behind a link."""
    steps, _, _ = read(page).partition("## What is right afterwards")

    for switch in (
        '--forwarded-allow-ips ""',
        '--forwarder-headers ""',
        "secure_scheme_headers = {}",
        "--no-clear-untrusted-proxy-headers",
    ):
        assert switch in steps


def test_blocks_of_the_flask_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first application to the wrapper, as they stand."""
    blocks = _BLOCK.findall(read("flask"))
    values: dict[str, Any] = {"__name__": __name__}
    for block in blocks:
        if "from shop import app" in block:
            shop = ModuleType("shop")
            shop.__dict__["app"] = values["app"]
            monkeypatch.setitem(sys.modules, "shop", shop)
        exec(compile(block, "flask.md", "exec"), values)

    made = values["create_app"](type("Config", (), EXAMPLE))

    assert "trustedproxy" in values["app"].extensions
    assert callable(values["application"])
    assert isinstance(made, Flask)
    assert values["TRUSTED_PROXY_HTTPS_ONLY"] is True


def test_blocks_of_the_django_page_can_be_read() -> None:
    """They are Python; what runs of them is run with its neighbours."""
    blocks = _BLOCK.findall(read("django"))

    for block in blocks:
        compile(dedent(block), "django.md", "exec")
    assert len(blocks) >= 5
