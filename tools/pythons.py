"""
Find the Pythons of a machine.

In:  ``PATH`` and pyenv's folder of versions.
Out: for each minor version a command that really runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

WANTED = ("3.11", "3.12", "3.13", "3.14")
ASK = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"


def list_candidates(version: str) -> Iterator[Path]:
    """Name what may be this Python: on the ``PATH`` first, then pyenv's, newest."""
    for name in os.get_exec_path():
        yield Path(name) / f"python{version}"
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    installed = [
        folder
        for folder in root.glob(f"versions/{version}.*")
        if re.fullmatch(r"\d+\.\d+\.\d+", folder.name)
    ]
    installed.sort(key=lambda folder: int(folder.name.rpartition(".")[2]))
    for folder in reversed(installed):
        yield folder / "bin" / f"python{version}"


def find_pythons() -> dict[str, Path]:
    """
    Return minor versions and their executables.

    A file of the right name is not enough: pyenv puts a stand-in for every version
    on the ``PATH``, which fails where the version is not selected.
    """
    found: dict[str, Path] = {}
    for version in WANTED:
        for candidate in list_candidates(version):
            if not candidate.is_file():
                continue
            answer = subprocess.run(
                [candidate, "-c", ASK], capture_output=True, text=True, check=False
            )
            actual, _, executable = answer.stdout.strip().partition(" ")
            if answer.returncode == 0 and actual == version:
                found[version] = Path(executable)
                break
    return found


def find_system_python() -> Path | None:
    """Return the distribution's own Python, which every user can read."""
    python = Path("/usr/bin/python3")
    if not python.exists():
        return None
    answer = subprocess.run(
        [python, "-c", ASK], capture_output=True, text=True, check=False
    )
    return python if answer.stdout.partition(" ")[0] in WANTED else None
