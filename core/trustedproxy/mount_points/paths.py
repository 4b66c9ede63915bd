"""
Read the path of a URL as every backend might: percent-encoding, dot segments, slashes.

In:  a path as it was sent, percent-encoded, or as a server decoded it.
Out: what it decodes to, where it leads, and which part of a target it is.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# Some backends take a backslash for a slash.
_SEPARATORS = re.compile(r"[/\\]")
#: To some readers a slash, to others a part of its segment (RFC 3986 section 2.2).
QUOTED_SLASH = re.compile(r"%2[fF]")


def decode(text: str) -> str:
    """Undo percent-encoding once; every byte becomes one character."""
    return unquote(text, "latin-1") if "%" in text else text


def has_dot_segment(path: str) -> bool:
    """Say whether a segment is ``.`` or ``..``, encoded or not."""
    return any(part in (".", "..") for part in _SEPARATORS.split(unquote(path)))


def find_raw_path(raw: str, path: str, encoding: str) -> str | None:
    """
    Find in a target as it was sent the part that is *path*.

    Args:
        raw: The target, or only its path.

        path: The path below the mount point, percent-encoding undone.

        encoding: How bytes became characters in *path*.

    Returns:
        The end of the target's path which decodes to *path*: in front of it there may
        be a mount point, or scheme and host. ``None`` where the server made something
        else of it.
    """
    target = raw.partition("?")[0]
    for apart in (False, True):
        ahead = len(_unquote(target, encoding, apart)) - len(path)
        tail = target[max(ahead, 0) :]
        if _unquote(tail, encoding, apart) == path:
            return tail
    return None


def _unquote(text: str, encoding: str, apart: bool) -> str:
    """Undo percent-encoding; *apart* keeps encoded slashes, as cheroot does."""
    parts = QUOTED_SLASH.split(text) if apart else [text]
    return "%2F".join(unquote(part, encoding) for part in parts)
