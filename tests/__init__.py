"""
The tests.  Start with `cases`, the specification as a table of rows.

In:  the installed packages.
Out: one module here per table; below, one folder per package that mirrors its modules.
"""

from __future__ import annotations
