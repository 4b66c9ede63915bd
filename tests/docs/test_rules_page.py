"""
docs/rules.md: every rule that is cited is there, with an example and its place.

In:  the page, and whatever cites a rule by its number.
Out: assertions that a number leads to its rule, and the rule to its code.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .pages import DOCS, PAGES, ROOT, blocks, prose, read, sections

PAGE = read("rules.md")
RULES = {
    match[1]: text
    for heading, text in sections(PAGE).items()
    if (match := re.fullmatch(r"(R\d+): .*\{ #r\d+ \}", heading))
}
#: What every example begins with, as the page says.
BEGINNING = "from trustedproxy import Connection, ProxyPolicy"

CITED = re.compile(r"\bR([1-9]\d?)\b")
LINKED = re.compile(r"\[R([1-9]\d?)\]\((?:\.\./)*(?:rules\.md)?#r\1\)")
CODE = ("core", "django_trustedproxy", "flask_trustedproxy", "tests", "bench", "tools")


def resolve(name: str) -> Any:
    """Find what a dotted name below ``trustedproxy`` stands for."""
    found: Any = importlib.import_module("trustedproxy")
    for part in name.split("."):
        if isinstance(found, ModuleType) and not hasattr(found, part):
            found = importlib.import_module(f"{found.__name__}.{part}")
        else:
            found = getattr(found, part)
    return found


def places(rule: str) -> list[str]:
    """List the places of *rule* that its section names."""
    [line] = re.findall(r"^In the code: (.*)$", RULES[rule], re.MULTILINE)
    return re.findall(r"`([^`]+)`", line)


def source_of(name: str) -> str:
    """Read the whole module in which *name* stands."""
    found, parts = resolve(name), name.split(".")
    while not isinstance(found, ModuleType):
        parts.pop()
        found = resolve(".".join(parts))
    return inspect.getsource(found)


def list_cited(source: str) -> set[str]:
    """List the rules that *source* cites, those between two numbers among them."""
    cited = {int(number) for number in CITED.findall(source)}
    for first, last in re.findall(r"\bR(\d+) to R(\d+)\b", source):
        cited |= set(range(int(first), int(last) + 1))
    return {f"R{number}" for number in cited}


def test_rules_are_numbered_without_a_gap() -> None:
    """R1 to R21, each with an anchor of its number."""
    anchors = re.findall(r"^## R(\d+): .*\{ #r(\d+) \}$", PAGE, re.MULTILINE)

    assert anchors == [(str(number), str(number)) for number in range(1, 22)]


def test_table_links_every_rule_and_names_its_modules() -> None:
    """The table at the top leads to each rule and names modules that there are."""
    lines = re.findall(r"^\| \[(R\d+)\]\(#r\d+\) \|.*\| (.*) \|$", PAGE, re.MULTILINE)

    assert [rule for rule, _ in lines] == list(RULES)
    for _, modules in lines:
        for name in re.findall(r"`([^`]+)`", modules):
            assert isinstance(resolve(name), ModuleType)


@pytest.mark.parametrize("folder", CODE)
def test_rule_that_the_code_cites_is_on_the_page(folder: str) -> None:
    """Whoever meets a number in the code finds the rule."""
    files: list[Path] = sorted((ROOT / folder).rglob("*.py"))
    cited = {
        f"R{number}"
        for path in files
        for number in CITED.findall(path.read_text(encoding="utf-8"))
    }

    assert files
    assert cited <= set(RULES)


@pytest.mark.parametrize("name", PAGES)
def test_rule_that_a_page_cites_is_a_link(name: str) -> None:
    """Each number in the documentation leads to its rule."""
    text = re.sub(r"`[^`]*`|^#+ .*$", "", prose(read(name)), flags=re.MULTILINE)
    for rule in LINKED.findall(text):
        assert f"R{rule}" in RULES

    # The first sentence of the page itself names the first and the last one.
    unlinked = LINKED.sub("", text).replace("by their numbers, R1 to R21", "")
    assert CITED.findall(unlinked) == []


@pytest.mark.parametrize("rule", RULES)
def test_example_of_a_rule_does_what_it_shows(rule: str) -> None:
    """The session under each rule gives what stands below each line."""
    session = "\n".join(blocks(RULES[rule], "pycon"))
    names: dict[str, Any] = {}
    exec(BEGINNING, names)
    test = doctest.DocTestParser().get_doctest(session, names, rule, "rules.md", 0)

    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)

    assert BEGINNING in PAGE
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("rule", RULES)
def test_place_of_a_rule_is_in_the_code_and_cites_it(rule: str) -> None:
    """The page leads to code that is there, and the code leads back to the page."""
    sources = [source_of(name) for name in places(rule)]

    assert sources
    assert any(rule in list_cited(source) for source in sources)


def test_page_stands_where_the_code_says() -> None:
    """Docstrings name the page by its path."""
    assert (DOCS / "rules.md").is_file()
    assert "docs/rules.md" in (source_of("rules") + source_of("policy"))
