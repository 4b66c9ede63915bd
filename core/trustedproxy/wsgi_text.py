"""
Paths as WSGI has them: a character for each byte (PEP 3333).

In:  a path as people and ASGI have it, in Unicode; or as WSGI has it.
Out: the same path in the other way.
"""

from __future__ import annotations

import re

# Half a character; the others of them stand for bytes that were no UTF-8 (PEP 383).
_NO_CHARACTER = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")


def spell_path(path: str) -> str:
    """Spell a path as WSGI has it; bytes of a terminal that were no UTF-8 stay."""
    whole = _NO_CHARACTER.sub("\ufffd", path)
    return whole.encode("utf-8", "surrogateescape").decode("latin-1")


def read_path(text: str) -> str:
    """Read a path that WSGI has; one that a broken server gives stays as it is."""
    try:
        return text.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text


def list_spellings(path: str) -> tuple[str, ...]:
    """List how a path stands in requests: as frameworks and ASGI have it, and WSGI."""
    return tuple(dict.fromkeys((path, spell_path(path))))
