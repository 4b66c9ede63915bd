"""
What the extra ``mount`` brings, and what is said where a part of it is missing.

In:  an interpreter in which one library cannot be imported.
Out: the mount points that can be made nevertheless, and the error for the others.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.modules[{library!r}] = None
from trustedproxy import {middleware}, ProxyPolicy
try:
    {middleware}(None, {{"/b/": "http://127.0.0.1:1/"}}, ProxyPolicy(proxies=[]))
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("middleware", "library", "needed"),
    [
        ("ProxyMountPointsASGIMiddleware", "anyio", True),
        ("ProxyMountPointsASGIMiddleware", "httpcore", True),
        ("ProxyMountPointsASGIMiddleware", "websockets", True),
        ("ProxyMountPointsMiddleware", "httpcore", True),
        ("ProxyMountPointsMiddleware", "websockets", False),
    ],
)
def test_missing_library_is_named_at_the_start(
    middleware: str, library: str, needed: bool
) -> None:
    """The constructor names it and the extra; what it does not need is not missed."""
    script = SCRIPT.format(middleware=middleware, library=library)

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    if needed:
        assert done.stdout.startswith(f"Proxy mount points need {library}")
        assert done.stdout.endswith('pip install "trustedproxy[mount]"\n')
    else:
        assert done.stdout == ""
