"""
The command without what it stands on, and as a module.

In:  an interpreter in which libraries of the extra are missing.
Out: what to install, and exit status 2.
"""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from trustedproxy import cli


def test_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has the core alone is told what to type."""
    monkeypatch.setattr(cli, "NEEDED", ("click", "no_such_library_a", "no_such_b"))

    status = cli.main(["--version"])

    assert status == 2
    assert capsys.readouterr().err == (
        "The command needs no_such_library_a, no_such_b, which is not installed: "
        "pip install 'trustedproxy[cli]'\n"
    )


def test_package_itself_loads_nothing() -> None:
    """Adapters import it with every start of a server."""
    before = {name for name in sys.modules if name.partition(".")[0] in cli.NEEDED}

    importlib.reload(cli)

    after = {name for name in sys.modules if name.partition(".")[0] in cli.NEEDED}
    assert after == before


def test_module_is_the_command() -> None:
    """``python -m trustedproxy`` is what the console script runs."""
    ran = subprocess.run(
        [sys.executable, "-m", "trustedproxy", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ran.stdout.startswith("trustedproxy ")


def test_module_that_is_imported_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that imports every module gets a module."""
    monkeypatch.delitem(sys.modules, "trustedproxy.__main__", raising=False)

    assert importlib.import_module("trustedproxy.__main__").main is cli.main
