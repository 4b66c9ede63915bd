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

import pytest

import trustedproxy

#: Design, section 7.
NAMES = {
    "Category",
    "ConfigurationError",
    "Connection",
    "Decision",
    "Form",
    "HSTSPolicy",
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
    "read_settings",
}


def test_public_names_are_sorted_and_complete() -> None:
    """What is listed is there, and what is there is listed."""
    public = {
        name
        for name, value in vars(trustedproxy).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "annotations"
    }

    assert trustedproxy.__all__ == sorted(trustedproxy.__all__)
    assert set(trustedproxy.__all__) == public
    assert public >= NAMES


@pytest.mark.parametrize("name", sorted(trustedproxy.__all__))
def test_public_name_says_what_it_is(name: str) -> None:
    """Every public name has a docstring of its own."""
    assert getattr(trustedproxy, name).__doc__.strip()


def test_package_is_typed() -> None:
    """PEP 561: type checkers may read the annotations."""
    assert resources.files(trustedproxy).joinpath("py.typed").is_file()


def test_importing_the_package_loads_nothing_heavy() -> None:
    """No framework and no HTTP client, whatever is installed."""
    heavy = {
        "aiohttp",
        "click",
        "django",
        "django_trustedproxy",
        "flask",
        "flask_trustedproxy",
        "h11",
        "httpcore",
        "httpx",
        "rich",
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

    loaded = {name.partition(".")[0] for name in json.loads(ran.stdout)}
    assert "trustedproxy" in loaded
    assert not loaded & heavy


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


@pytest.mark.parametrize("path", modules(), ids=lambda path: "/".join(path.parts[-2:]))
def test_module_says_what_comes_in_and_what_goes_out(path: Path) -> None:
    """A reader knows within ten lines what a file is for."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert doc is not None
    assert "\nIn:" in doc and "\nOut:" in doc


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


@pytest.mark.parametrize("path", modules(), ids=lambda path: "/".join(path.parts[-2:]))
def test_module_imports_no_framework_not_even_for_typing(path: Path) -> None:
    """The import contracts look at what runs; this looks at all that is written."""
    names: set[str | None] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    roots = {name.partition(".")[0] for name in names if name}

    assert not roots & {
        "asgiref",
        "django",
        "django_trustedproxy",
        "flask",
        "flask_trustedproxy",
        "quart",
        "starlette",
        "werkzeug",
    }
