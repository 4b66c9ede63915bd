"""
One word for one idea: no page, message, comment or test's name uses another.

In:  the texts of the checkout, and the glossary.
Out: assertions that the words which the glossary replaces stand nowhere.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .pages import ROOT

#: What is read as a whole; of the tests, the names of the functions.
FOLDERS = (
    "core",
    "django_trustedproxy",
    "flask_trustedproxy",
    "docs",
    "examples",
    "bench",
    "tools",
)
FILES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "mkdocs.yml",
    "pyproject.toml",
    "tox.ini",
    "Makefile",
)
SUFFIXES = {".py", ".md", ".toml", ".html", ".txt", ".yml"}

#: A word that has another in the glossary → that one.
INSTEAD = {
    r"\bbeliev\w*": "trust",
    r"\bshadow\w*": "report only",
    r"\b(tell|tells|telling|told)\b": "say, log, warn",
    r"\btwins?\b": "underscore variant",
    r"\bat hand\b": "current",
    r"\bvouch\w*": "confirmed",
    r"\bcannot be meant\b": "invalid",
}
PATTERN = re.compile("|".join(INSTEAD), re.IGNORECASE)


def list_texts() -> list[Path]:
    """List every text that is read."""
    found = [ROOT / name for name in FILES]
    for folder in FOLDERS:
        paths = (ROOT / folder).rglob("*")
        found += [path for path in paths if path.suffix in SUFFIXES and path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts]


@pytest.mark.parametrize("folder", [*FOLDERS, *FILES])
def test_text_uses_the_words_of_the_glossary(folder: str) -> None:
    """Each place is shown with its line; a name in the code is words, too."""
    texts = [path for path in list_texts() if path.is_relative_to(ROOT / folder)]

    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if PATTERN.search(line.replace("_", " "))
    ]

    assert texts
    assert found == []


def test_names_of_tests_use_the_words_of_the_glossary() -> None:
    """A failing test is read by its name."""
    names = [
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith("test_")
    ]

    assert len(names) > 1000
    assert [name for name in names if PATTERN.search(name.replace("_", " "))] == []


def test_rules_that_tests_name_are_on_the_page() -> None:
    """An id such as R17 in a docstring is one that a reader can look up."""
    rules = (ROOT / "docs" / "rules.md").read_text("utf-8")
    known = set(re.findall(r"\bR\d{1,2}\b", rules))
    named = {
        (path.name, found)
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef))
        # Not the S-17 of an attack, nor the W017 of a check; these have their pages.
        for found in re.findall(
            r"(?<![-\w])[A-Z]\d{1,2}\b", ast.get_docstring(node) or ""
        )
    }

    assert len(named) > 20
    assert {(file, found) for file, found in named if found not in known} == set()
