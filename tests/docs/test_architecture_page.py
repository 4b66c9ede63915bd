"""
docs/architecture.md: what it says of modules, layers, steps and bounds is so.

In:  the page, and the sources.
Out: assertions that its tables are those of the code.
"""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType

import pytest

from trustedproxy import asgi, layouts, log, memo, rules
from trustedproxy.parsing import addresses, lists, values

from .pages import ROOT, read, rows, sections
from .test_rules_page import resolve

PAGE = read("architecture.md")
STEPS = re.findall(r"^\d\. `([\w.]+)`", PAGE, re.MULTILINE)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the tool that makes the tables."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("write_architecture")


def test_tables_of_modules_are_up_to_date(tool: ModuleType) -> None:
    """Each module has its line; if not: ``python tools/write_architecture.py``."""
    assert tool.render(PAGE) == PAGE


def test_layers_are_all_modules_of_the_core(tool: ModuleType) -> None:
    """No module stands outside of the layers, and no layer names one that is gone."""
    folder = ROOT / "core" / "trustedproxy"
    found = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    found |= {path.parent.name for path in folder.glob("*/__init__.py")}

    layers = tool.read_layers()

    assert {name for layer in layers for name in layer} == found


@pytest.mark.parametrize("name", STEPS)
def test_step_of_a_request_is_in_the_code(name: str) -> None:
    """A reader who looks for a step finds it."""
    assert callable(resolve(name))
    assert len(STEPS) == 9


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("middleware.TrustedProxyMiddleware.__call__", "policy.apply("),
        ("policy.ProxyPolicy.apply", "rules.layouts["),
        ("policy.ProxyPolicy.apply", "environs.read("),
        ("policy.ProxyPolicy.apply", "rules.decide("),
        ("rules.Rules.decide", "in layout.client"),
        ("rules.Rules", "compile_finder("),
        ("rules.Rules.decide", "_read_url_parts("),
        ("rules.Rules._read_url_parts", "_url_parts.read("),
        ("rules.Rules.decide", "_make(Decision)"),
        ("policy.ProxyPolicy.apply", "environs.write("),
        ("policy.ProxyPolicy.apply", "log_decision("),
    ],
)
def test_step_leads_to_the_next(first: str, then: str) -> None:
    """The steps follow each other as the page says."""
    assert then in inspect.getsource(resolve(first))


def test_everything_that_is_remembered_is_on_the_page() -> None:
    """Each module with a memo has a row, and its bound is the memo's."""
    folder = ROOT / "core" / "trustedproxy"
    table = rows(sections(PAGE)["What is remembered"])
    using = {
        path.relative_to(folder).parts[0].removesuffix(".py")
        for path in folder.rglob("*.py")
        if re.search(r"\bMemo\(\)|\(Memo\[", path.read_text(encoding="utf-8"))
    }

    assert {cells[0].strip("`") for cells in table} == using | {"asgi", "log"}
    assert {cells[-1] for cells in table} == {"1,024"}
    assert {memo._MOST, asgi._MOST_NAMES, log._MOST_KEYS} == {1024}
    assert (rules._LONGEST, asgi._LONGEST_NAME) == (512, 64)
    assert (layouts._MOST_KEYS, layouts._MOST_CHARACTERS) == (96, 3072)


def test_bounds_are_those_of_the_code() -> None:
    """Elements and characters of a header, of an address, of a host."""
    text = sections(PAGE)["Bounds of a request"]
    numbers = [int(each.replace(",", "")) for each in re.findall(r"[\d,]*\d\d\b", text)]

    assert [number for number in numbers if number != 13] == [
        lists.MAX_ELEMENTS,
        lists.MAX_CHARACTERS,
        addresses.MAX_CHARACTERS,
        values.MAX_HOST_CHARACTERS,
    ]
