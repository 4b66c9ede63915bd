"""
The fixtures, in a project of somebody else's.

In:  a small test file, and pytest.
Out: it passes, by the environment's policy or by one that it defines.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
def test_client(from_proxy, direct, assert_decision, trusted_proxy_policy):
    environ = {"wsgi.url_scheme": "http", **from_proxy(client="203.0.113.9").environ}
    trusted_proxy_policy.apply(environ)
    assert_decision(environ, client="203.0.113.9")
    environ = {"wsgi.url_scheme": "http", **direct("198.51.100.1").environ}
    assert trusted_proxy_policy.apply(environ).client == "198.51.100.1"
"""
DEFINED = """
import pytest
from trustedproxy import ProxyPolicy

@pytest.fixture
def trusted_proxy_policy():
    return ProxyPolicy(headers="X-Real-IP", proxies="private")
"""


@pytest.mark.parametrize(
    ("conftest", "variables"),
    [
        ("", {"TRUSTED_PROXY_HEADERS": "X-Forwarded-For", "TRUSTED_PROXIES": "unix"}),
        (DEFINED, {}),
    ],
    ids=["the environment", "a fixture"],
)
def test_fixtures_know_the_policy_in_force(
    tmp_path: Path, conftest: str, variables: dict[str, str]
) -> None:
    """Nothing has to be imported, and a project can say which policy it has."""
    (tmp_path / "conftest.py").write_text(conftest, "utf-8")
    (tmp_path / "test_it.py").write_text(TEST, "utf-8")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRUSTED_PROX", "PYTEST_"))
    }
    # Where the package is installed, pytest would load the plugin a second time.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

    # The folder stays, since the packages may be looked for from here.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "trustedproxy.testing.plugin",
    ]
    command += ["-c", os.devnull, f"--rootdir={tmp_path}", str(tmp_path)]
    run = subprocess.run(
        command,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, "1 passed" in run.stdout) == (0, True), run.stdout
