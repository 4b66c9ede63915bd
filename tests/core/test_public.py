"""
The public surface: what can be imported, and what importing it brings along.

In:  the package as it is installed.
Out: names, and modules that an interpreter of its own has loaded.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import subprocess
import sys
import types
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import trustedproxy

#: What is promised.
NAMES = {
    "DECISION_KEY",
    "Category",
    "ConfigurationError",
    "Connection",
    "Decision",
    "Form",
    "HSTSPolicy",
    "HTTPSOnly",
    "HTTPSOnlyASGIMiddleware",
    "HTTPSOnlyMiddleware",
    "Problem",
    "ProxyHeader",
    "ProxyMountPointsASGIMiddleware",
    "ProxyMountPointsMiddleware",
    "ProxyPolicy",
    "Reason",
    "Settings",
    "TrustedProxyASGIMiddleware",
    "TrustedProxyMiddleware",
    "get_decision",
    "https_exempt",
    "on_decision",
    "read_settings",
    "restrict_signals",
}


def test_public_names_are_sorted_and_complete() -> None:
    """What is listed is there, and what is there is listed; constants come first."""
    star: dict[str, object] = {}
    exec("from trustedproxy import *", star)
    del star["__builtins__"]
    public = {
        name
        for name, value in vars(trustedproxy).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name not in ("annotations", "TYPE_CHECKING", "Any", "import_module")
    }

    def rank(name: str) -> tuple[bool, bool, str]:
        return not name.isupper(), not name[0].isupper(), name

    assert trustedproxy.__all__ == sorted(trustedproxy.__all__, key=rank)
    assert set(trustedproxy.__all__) == set(star)
    assert set(star) == public | set(trustedproxy._LOADED_WHEN_ASKED_FOR)
    assert set(star) == NAMES


def test_name_that_is_not_there_is_an_attribute_error() -> None:
    """As of any module, although some names are loaded when they are asked for."""
    package: Any = trustedproxy

    with pytest.raises(AttributeError, match="no attribute 'ProxyPolciy'"):
        package.ProxyPolciy  # noqa: B018  # looking is what raises


@pytest.mark.parametrize("name", sorted(trustedproxy.__all__))
def test_public_name_says_what_it_is(name: str) -> None:
    """Every public name has a docstring of its own."""
    assert getattr(trustedproxy, name).__doc__.strip()


def test_package_is_typed() -> None:
    """PEP 561: type checkers may read the annotations."""
    assert resources.files(trustedproxy).joinpath("py.typed").is_file()


def test_importing_the_package_loads_nothing_heavy() -> None:
    """No event loop, no TLS, no framework, no client library, no tool of operators."""
    heavy = {
        "_ssl",
        "aiohttp",
        "asyncio",
        "click",
        "concurrent",
        "django",
        "django_trustedproxy",
        "flask",
        "flask_trustedproxy",
        "h11",
        "httpcore",
        "httpx",
        "multiprocessing",
        "rich",
        "socketserver",
        "ssl",
        "urllib3",
        "websockets",
        "werkzeug",
    }
    code = (
        "import sys, json; before = set(sys.modules); import trustedproxy; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    imported = set(json.loads(ran.stdout))
    loaded = {name.partition(".")[0] for name in imported}
    assert "trustedproxy" in loaded
    assert not loaded & heavy
    for asked_for in ("explain", "https_only", "mod_wsgi", "mount_points", "presets"):
        assert f"trustedproxy.{asked_for}" not in imported


#: Modules that need the extra ``mount`` → the libraries that it brings for them.
LIBRARIES = {
    "trustedproxy.mount_points.asyncio_client": {"anyio", "httpcore"},
    "trustedproxy.mount_points.blocking_client": {"httpcore"},
    "trustedproxy.mount_points.connections": {"httpcore"},
    "trustedproxy.mount_points.tunnel": {"websockets"},
}


def modules() -> list[Path]:
    """List the modules of the core."""
    folder = Path(trustedproxy.__file__).parent
    return sorted(path for path in folder.rglob("*.py"))


def test_modules_say_what_comes_in_and_what_goes_out() -> None:
    """A reader knows within ten lines what a file is for."""
    docs = {
        path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in modules()
    }

    assert len(docs) > 50
    assert [p for p, d in docs.items() if "\nIn:" not in d or "\nOut:" not in d] == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: "/".join(path.parts[-2:]))
def test_module_needs_nothing_but_what_its_extra_brings(path: Path) -> None:
    """Every module can be imported; without the extra, three name what they miss."""
    parts = path.relative_to(Path(trustedproxy.__file__).parents[1]).with_suffix("")
    name = ".".join(parts.parts).removesuffix(".__init__")
    libraries = LIBRARIES.get(name, set())

    if None not in map(importlib.util.find_spec, libraries):
        assert importlib.import_module(name).__doc__
        return
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(name)
    assert caught.value.name is not None
    assert caught.value.name.partition(".")[0] in libraries


def list_imports(path: Path) -> set[str]:
    """List the packages that a module imports anywhere, for typing too."""
    names: set[str | None] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names if name}


def test_modules_import_no_framework_not_even_for_typing() -> None:
    """The import contracts look at what runs; this looks at all that is written."""
    frameworks = {
        "asgiref",
        "django",
        "django_trustedproxy",
        "flask",
        "flask_trustedproxy",
        "quart",
        "starlette",
        "werkzeug",
    }

    assert [path for path in modules() if list_imports(path) & frameworks] == []
