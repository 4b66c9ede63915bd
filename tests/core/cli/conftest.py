"""
An environment that says nothing, and modules that are imported anew.

Out: `folder`, where modules to load are; `stdin`; nothing else of this process is seen.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trustedproxy.option_table import is_ours

for needed in ("click", "rich"):
    pytest.importorskip(needed, reason="the extra cli is not installed here")


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without settings of ours, and without a terminal's own wishes."""
    for name in [name for name in os.environ if is_ours(name)]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    # Who names an application has the folder on it.
    monkeypatch.setattr(sys, "path", list(sys.path))
    # Wide enough that no table breaks a word.
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder whose modules can be imported, and are forgotten after."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that standard input is."""
    path = tmp_path / "stdin"
    path.write_text("")

    class Standard(io.StringIO):
        def fileno(self) -> int:
            return os.open(path, os.O_RDONLY)

    monkeypatch.setattr(sys, "stdin", Standard())
    return path
