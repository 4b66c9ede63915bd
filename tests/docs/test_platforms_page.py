"""
The page of platforms is what its script makes, and its examples are right.

In:  docs/platforms.md, tools/write_platforms.py, the data files of the presets.
Out: nothing to write anew; every preset and every other platform has a section, and its
     settings for Django, Flask and the environment say the same.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from trustedproxy import presets
from trustedproxy.option_table import OPTION_OF, read_environment
from trustedproxy.policy_options import PolicyOptions, read_policy_options

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8")
SECRET = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script that makes the page."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("write_platforms")


def section(name: str) -> str:
    """Return the section of the platform *name*."""
    found = re.search(
        rf"^### .* {{ #preset-{name} }}\n(.*?)(?=^##|^<!-- end)",
        PAGE,
        re.MULTILINE | re.DOTALL,
    )
    assert found, name
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    """List the blocks of code in *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def read_options(settings: Mapping[str, object]) -> PolicyOptions:
    """Read *settings*, a preset's name among them, as a policy would."""
    said = {str(OPTION_OF[name].argument): value for name, value in settings.items()}
    arguments = presets.arguments_of(said.pop("preset"), said)
    return read_policy_options(**arguments)


def test_page_is_what_the_script_makes(script: ModuleType) -> None:
    """Otherwise: python tools/write_platforms.py."""
    assert script.render(PAGE) == PAGE


def test_script_writes_the_page_where_it_is(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its made parts anew, the rest as it was."""
    page = tmp_path / "platforms.md"
    emptied = re.sub(
        r"(<!-- made: \S+ -->\n).*?(<!-- end -->\n)", r"\1\2", PAGE, flags=re.DOTALL
    )
    page.write_text(emptied, encoding="utf-8")
    monkeypatch.setattr(script, "PAGE", page)

    status = script.main()

    assert status == 0
    assert emptied != PAGE == page.read_text(encoding="utf-8")


def test_script_refuses_a_page_without_a_place(script: ModuleType) -> None:
    """A group that the page forgot would be lost without a word."""
    with pytest.raises(ValueError, match="no place for table, server"):
        script.render("# Platforms\n")


@pytest.mark.parametrize("name", presets.names())
def test_examples_of_a_preset_say_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For Django, for Flask and in the environment; and a policy can be made of it."""
    django, flask, *_ = blocks(section(name), "python")
    [shell] = blocks(section(name), "sh")
    monkeypatch.setenv("EDGE_SECRET", SECRET)
    config: dict[str, object] = {}
    settings: dict[str, object] = {}

    exec(django, {"os": os}, settings)
    exec(flask, {"os": os, "app": SimpleNamespace(config=config)})
    environment = dict(line.split("=", 1) for line in shell.splitlines())
    environment = {
        key: value.strip('"').replace("$EDGE_SECRET", SECRET)
        for key, value in environment.items()
    }

    options = read_options(settings)
    assert config == settings
    assert read_options(read_environment(environment)) == options
    assert settings["TRUSTED_PROXY_PRESET"] == name


@pytest.mark.parametrize("name", presets.unconfirmed_names())
def test_platform_without_a_preset_has_a_section(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to measure, and what to write then."""
    text = section(name)
    monkeypatch.setenv("EDGE_SECRET", SECRET)
    settings: dict[str, object] = {}

    [django] = blocks(text, "python")
    exec(django, {"os": os}, settings)

    assert "Measure:" in text
    assert set(settings) <= set(OPTION_OF)


def test_page_names_every_preset_in_its_table() -> None:
    """With a link to its section."""
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(#preset-([a-z-]+)\)", PAGE, re.MULTILINE)

    assert rows == [(name, name) for name in presets.names()]
