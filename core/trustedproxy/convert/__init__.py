"""
Settings of this project from what was configured before: ``trustedproxy convert``.

In:  ProxyFix's arguments, options of servers, settings of Django and of others,
     directives of front ends; as text or in files, never run.
Out: `Conversion`: settings, and notes on what changes, what gets stricter and what has
     no equivalent; `write_settings` and `write_report` for Django, Flask and the
     environment.

`engine` finds, `merging` puts together; `kinds` knows the tools, `sources` their
languages.
"""

from __future__ import annotations

from .engine import convert_files, convert_text, detect_kinds
from .kinds import KINDS, Kind
from .record import Conversion, Effect, Note
from .writing import TARGETS, notes_for, write_report, write_settings

__all__ = [
    "KINDS",
    "TARGETS",
    "Conversion",
    "Effect",
    "Kind",
    "Note",
    "convert_files",
    "convert_text",
    "detect_kinds",
    "notes_for",
    "write_report",
    "write_settings",
]
