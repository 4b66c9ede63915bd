"""
The pages about settings and words, held against the code.

In:  docs/settings.md, docs/glossary.md.
Out: every name is there, none is there that does not exist, and every example is right.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import ConfigurationError, ProxyPolicy, Settings, read_settings
from trustedproxy.networks import NAMED_NETWORKS, TrustedNetworks
from trustedproxy.option_table import OPTION_OF, OPTIONS, read_environment

DOCS = Path(__file__).parents[2] / "docs"


def read(name: str) -> str:
    """Read the page *name*."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    """List the cells of every row of the page's tables, but for their heads."""
    tables = re.findall(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for table in tables
        for line in table.splitlines()
    ]


def blocks(page: str, language: str) -> list[str]:
    """List the blocks of code in *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


SETTINGS = read("settings")
SETTING_ROWS = {
    cells[0].strip("`"): cells[1:]
    for cells in rows(SETTINGS)
    if cells[0].startswith("`TRUSTED_PROX")
}


def test_page_of_settings_has_a_row_for_each() -> None:
    """Every setting has one row, in the table's order, and nothing else has one."""
    assert list(SETTING_ROWS) == [option.name for option in OPTIONS]
    named = set(re.findall(r"\bTRUSTED_PROX[A-Z_]*", SETTINGS)) - {"TRUSTED_PROX"}
    assert named == set(OPTION_OF)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_row_of_a_setting_says_what_the_code_says(option: Any) -> None:
    """Its default, and the argument of a policy that it is."""
    default, _, last = SETTING_ROWS[option.name]

    assert ast.literal_eval(default.strip("`")) == option.default
    if option.argument is None:
        assert last.endswith(".md)")
    else:
        assert last == f"`{option.argument}`"


@pytest.mark.parametrize("code", blocks(SETTINGS, "python"), ids=lambda c: c[:30])
def test_example_of_settings_can_be_set(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example runs, and what it sets is accepted."""
    for name in ("PROXY_PROOF", "OLD_PROXY_PROOF"):
        monkeypatch.setenv(name, f"the secret in {name}")
    values: dict[str, Any] = {"os": os}

    exec(compile(code, "settings.md", "exec"), values)

    settings = values.get("settings") or read_settings(values)
    assert isinstance(settings, Settings)
    set_here = [name for name in values if name.startswith("TRUSTED_PROX")]
    assert set_here or "settings" in values


def test_three_ways_to_write_a_list_say_the_same() -> None:
    """A list, blanks, or commas."""
    [code] = [code for code in blocks(SETTINGS, "python") if code.count("PROXIES") == 3]
    written = [
        ast.literal_eval(line.partition("=")[2].strip())
        for line in code.split("\n")
        if line
    ]

    policies = [ProxyPolicy(headers="X-Forwarded-For", proxies=v) for v in written]

    assert len({repr(policy) for policy in policies}) == 1


EXAMPLES = re.findall(r"`(TRUSTED_PROX[A-Z_]*=[^`]*)`", SETTINGS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_of_a_variable_is_read(example: str) -> None:
    """As a shell would set it, and `from_env` reads it."""
    [word] = shlex.split(example)
    name, _, text = word.partition("=")

    given = read_environment({name: text})

    settings = read_settings({"TRUSTED_PROXIES": "loopback", **given})
    assert isinstance(settings, Settings)
    assert len(EXAMPLES) > 5
    if text:
        assert given[name] != OPTION_OF[name].default


def test_example_of_an_error_is_the_error() -> None:
    """The page shows what is really said."""
    [shown, *_] = blocks(SETTINGS, "text")

    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy(headers="X-Forwarded-For", proxies="loopback 10.0.0.0/33")

    assert shown == f"{caught.value}\n"


def test_example_of_a_file_is_a_list(tmp_path: Path) -> None:
    """Comments, networks and a name."""
    path = tmp_path / "proxies.txt"
    path.write_text(blocks(SETTINGS, "text")[1], encoding="utf-8")

    networks = TrustedNetworks([f"file:{path}"]).networks

    assert [str(network) for network in networks] == [
        "10.0.1.0/24",
        "10.0.2.0/24",
        "127.0.0.0/8",
        "::1/128",
    ]


@pytest.mark.parametrize("name", NAMED_NETWORKS)
def test_name_of_networks_is_explained(name: str) -> None:
    """The page lists exactly what a name stands for."""
    [meaning] = [cells[1] for cells in rows(SETTINGS) if cells[0] == f"`{name}`"]

    shown = [str(network).removesuffix("/128") for network in NAMED_NETWORKS[name]]
    assert meaning.split(", ") == shown


def test_entry_that_is_shown_is_one() -> None:
    """Every network in the table of entries can be listed."""
    first = SETTINGS.index("| entry |")
    table = rows(SETTINGS[first:])[:3]
    entries = [entry for cells in table for entry in re.findall(r"`([^`]+)`", cells[0])]

    assert len(entries) == 6
    for entry in entries:
        assert TrustedNetworks([entry]).networks


def test_glossary_has_the_words_of_the_code() -> None:
    """One word for one idea, each explained once."""
    words = [cells[0] for cells in rows(read("glossary"))]

    assert len(set(words)) == len(words)
    assert {word for cell in words for word in cell.split(", ")} >= {
        "peer",
        "hop",
        "proxy",
        "client",
        "category",
        "synonym",
        "trusted header",
        "winner",
        "element",
        "mount point",
        "direct request",
        "policy",
        "decision",
        "reason",
        "problem",
        "original",
    }
