"""
The examples, with the one proxy by which the tests ask them.

In:  the folder ``examples``, whose policies trust ``loopback``.
Out: a copy in which they trust 127.0.0.1 alone: 127.0.0.2 plays a stranger here, and
     both are loopback addresses.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Removed when the process ends.
_folder = tempfile.TemporaryDirectory(prefix="examples-", ignore_cleanup_errors=True)


@cache
def copy_examples() -> Path:
    """Make the copy once, and return its folder."""
    copied = Path(_folder.name) / "examples"
    shutil.copytree(ROOT / "examples", copied)
    for path in copied.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('["loopback"]', '["127.0.0.1"]'), encoding="utf-8")
    return copied
