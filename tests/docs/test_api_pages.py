"""
docs/api: everything that is public is in the reference, and has words of its own.

In:  the pages, and the ``__all__`` of the packages.
Out: assertions that no public name is missing, and that none is shown that is gone.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from typing import Any

import pytest

import trustedproxy

from .pages import PAGES, ROOT, read

SHOWN = [
    name
    for page in PAGES
    if page.startswith("api/")
    for name in re.findall(r"^::: ([\w.]+)$", read(page), re.MULTILINE)
]
#: What is public besides: the tools that the pages of the documentation import from.
TOOLS = ("explain", "report", "testing", "probe", "frontends", "convert")


def read_all(path: str) -> list[str]:
    """Read the ``__all__`` of a module without importing what it stands on."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    [names] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return list(names)


def find(name: str) -> Any:
    """Find what a dotted name stands for; skip what stands on a missing framework."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError as error:
            if error.name is not None and not name.startswith(error.name):
                pytest.skip(f"{error.name} is not installed in this environment")
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


def test_every_public_name_of_the_core_is_in_the_reference() -> None:
    """What can be imported from the top has its entry there."""
    public = {f"trustedproxy.{name}" for name in trustedproxy.__all__}

    assert public - set(SHOWN) == set()


@pytest.mark.parametrize("package", ["django_trustedproxy", "flask_trustedproxy"])
def test_every_public_name_of_an_adapter_is_in_the_reference(package: str) -> None:
    """But for what it has from the core."""
    public = {f"{package}.{name}" for name in read_all(f"{package}/__init__.py")}

    assert public - set(SHOWN) <= {"flask_trustedproxy.https_exempt"}


@pytest.mark.parametrize("tool", TOOLS)
def test_functions_of_a_tool_are_in_the_reference(tool: str) -> None:
    """Each tool has entries, and all of them are among its public names."""
    public = read_all(f"core/trustedproxy/{tool}/__init__.py")
    shown = [
        name.rpartition(".")[2]
        for name in SHOWN
        if name.startswith(f"trustedproxy.{tool}.")
    ]

    assert shown
    assert set(shown) <= set(public)


def test_each_name_has_one_entry() -> None:
    """Links lead to one place."""
    assert sorted(set(SHOWN)) == sorted(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_entry_is_there_and_says_what_it_is_for(name: str) -> None:
    """The name can be imported, and what it stands for has a docstring."""
    found = find(name)

    if inspect.isroutine(found) or inspect.isclass(found):
        assert (found.__doc__ or "").strip()


def test_links_of_the_index_lead_to_entries() -> None:
    """Each row of the first page leads to a name that its page shows."""
    targets = re.findall(
        r"\]\((\w+)\.md#(trustedproxy\.[\w.]+)\)", read("api/index.md")
    )

    assert len(targets) > 15
    for page, name in targets:
        assert f"\n::: {name}\n" in read(f"api/{page}.md")
