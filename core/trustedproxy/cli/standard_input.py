"""
Standard input: as the bytes that it is, and whether a person is there to be asked.

In:  the process's own.
Out: a file of bytes, empty where standard input is closed.
"""

from __future__ import annotations

import os
import sys
from io import BytesIO
from typing import BinaryIO


def open_input() -> BinaryIO:
    """
    Open a copy of standard input, which may be closed without closing that.

    Raises:
        OSError: It cannot be.
    """
    # Python has none where the shell closed it: `<&-`.
    if sys.stdin is None:
        return BytesIO()
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb")


def is_attended() -> bool:
    """Say whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()
