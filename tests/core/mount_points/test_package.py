"""The package of the mount points: what it imports, what its extra is for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import trustedproxy.mount_points as mount
from trustedproxy import ProxyPolicy


@pytest.mark.parametrize(
    ("make", "module", "library"),
    [
        (mount.ProxyMountPointsMiddleware, "urllib3_client", "urllib3"),
        (mount.ProxyMountPointsASGIMiddleware, "httpcore_client", "httpcore"),
        (mount.ProxyMountPointsASGIMiddleware, "httpcore_client", "anyio"),
        (mount.ProxyMountPointsASGIMiddleware, "tunnel", "websockets"),
    ],
)
def test_missing_extra_is_named(
    make: Any, module: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the constructor says what to install."""
    for name in ("urllib3_client", "httpcore_client", "tunnel"):
        monkeypatch.delitem(
            sys.modules, f"trustedproxy.mount_points.{name}", raising=False
        )
        monkeypatch.delattr(mount, name, raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ImportError, match=r'pip install "trustedproxy\[mount\]"'):
        make(None, {}, ProxyPolicy(proxies=[]))


def test_import_loads_no_client() -> None:
    """Importing the package imports none of the libraries of the extra."""
    script = (
        "import sys, trustedproxy, trustedproxy.mount_points; "
        "print({'urllib3', 'httpcore', 'httpx', 'websockets'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
