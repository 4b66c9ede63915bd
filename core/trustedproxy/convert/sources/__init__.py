"""
The languages in which people have written their configuration.

In:  text, from a file or a terminal.
Out: options, calls, commands and directives, each with its line.

What they mean is in `kinds`; nothing here is ever run.
"""

from __future__ import annotations
