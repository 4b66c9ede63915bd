"""
Make the environment that holds tox, and nothing else.

In:  a Python 3.11 or newer, and on Debian perhaps no ``venv`` module yet.
Out: ``.venv`` in the checkout with tox in it.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from debian import install_packages, is_root_on_debian

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOX = "tox>=4.25"


def make_environment() -> Path:
    """Make ``.venv`` unless it is there, and return the path of its tox."""
    tox = VENV / "bin" / "tox"
    if tox.exists():
        # It may have been made by a Python that is gone, or in another folder.
        answer = subprocess.run([tox, "--version"], capture_output=True, check=False)
        if answer.returncode == 0:
            return tox
    if importlib.util.find_spec("ensurepip") is None:
        if not is_root_on_debian():
            sys.exit("Python's venv module is missing: install python3-venv.")
        install_packages(["python3-venv"])
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = (VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    subprocess.run([*pip, "install", "--quiet", TOX], check=True)
    return tox


if __name__ == "__main__":
    make_environment()
