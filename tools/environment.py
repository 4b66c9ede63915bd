"""
Make the environment that holds tox, and nothing else.

In:  a Python 3.11 or newer, and on Debian perhaps no ``venv`` module yet.
Out: ``.venv`` in the checkout with tox in it.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from debian import install_packages, is_root_on_debian

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOX = "tox>=4.25"


def is_usable(tox: Path) -> bool:
    """Say whether *tox* runs, and runs in the environment that it lies in."""
    try:
        # The first lines name the Python; a copied or moved one names another's.
        if str(tox.parent) not in tox.read_text(encoding="utf-8"):
            return False
        answer = subprocess.run([tox, "--version"], capture_output=True, check=False)
    except OSError:
        # It is not there, or its Python is gone.
        return False
    return answer.returncode == 0


def make_environment() -> Path:
    """Make ``.venv`` unless it is there, and return the path of its tox."""
    tox = VENV / "bin" / "tox"
    if is_usable(tox):
        return tox
    if importlib.util.find_spec("ensurepip") is None and not (
        is_root_on_debian() and install_packages(["python3-venv"])
    ):
        sys.exit("Python's venv module is missing: install python3-venv.")
    # What tox made is as old as it is, and as far from home.
    shutil.rmtree(ROOT / ".tox", ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = (VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    answer = subprocess.run([*pip, "install", "--quiet", TOX], check=False)
    if answer.returncode:
        sys.exit(f"pip cannot install {TOX}: what it says is above.")
    return tox


if __name__ == "__main__":
    make_environment()
