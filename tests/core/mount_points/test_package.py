"""The package of the mount points: what it imports, what its extra is for."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

import trustedproxy.mount_points as package
from trustedproxy import ProxyPolicy

MODULES = ("asyncio_client", "blocking_client", "connections", "tunnel")


@pytest.mark.parametrize(
    ("make", "library"),
    [
        (package.ProxyMountPointsMiddleware, "httpcore"),
        (package.ProxyMountPointsASGIMiddleware, "httpcore"),
        (package.ProxyMountPointsASGIMiddleware, "anyio"),
        (package.ProxyMountPointsASGIMiddleware, "websockets"),
    ],
)
def test_missing_extra_is_named(
    make: Any, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the constructor says what to install."""
    for name in MODULES:
        monkeypatch.delitem(
            sys.modules, f"trustedproxy.mount_points.{name}", raising=False
        )
        monkeypatch.delattr(package, name, raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ImportError, match=r'pip install "trustedproxy\[mount\]"'):
        make(None, {}, ProxyPolicy(proxies=[]))


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import trustedproxy.mount_points", "asyncio ssl httpcore websockets"),
        (
            "from trustedproxy.mount_points import ProxyMountPointsMiddleware",
            "httpcore anyio websockets",
        ),
        (
            "from trustedproxy.mount_points import ProxyMountPointsASGIMiddleware",
            "httpcore anyio websockets",
        ),
    ],
)
def test_import_loads_no_more_than_it_needs(statement: str, forbidden: str) -> None:
    """Importing the package loads neither asyncio nor ssl nor a library."""
    script = f"""
import sys, trustedproxy
before = set(sys.modules)
{statement}
print(sorted((set(sys.modules) - before) & set({forbidden.split()!r})))
"""

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_package_has_what_it_names() -> None:
    """Every public name can be had from the package, and no other one."""
    module = importlib.import_module("trustedproxy.mount_points")

    assert all(getattr(module, name).__doc__ for name in module.__all__)
    name = "Nothing"
    with pytest.raises(AttributeError, match="'Nothing'"):
        getattr(module, name)
