"""
The target of a redirect, byte for byte as it was sent.

In:  mount point, path, raw path and query, as bytes.
Out: the text behind the host of a URL, or ``None`` where the target is no path.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from ..parsing.grammar import PATH_SAFE

# What stays byte for byte of a target as sent: everything visible but "#", which is
# no part of a target (RFC 9112 section 3.2) and which servers do not agree on.
_VISIBLE = bytes(range(0x21, 0x7F)).replace(b"#", b"")
_AS_SENT = re.compile(b"[" + re.escape(_VISIBLE) + b"]*")
_NEVER_SENT = re.compile(rb"[\x00-\x1f\x7f#]")


def build_target(
    mount_point: bytes, path: bytes, raw_path: bytes | None, query: bytes | None
) -> str | None:
    """
    Write mount point, path and query as they stand in a URL.

    The raw path stays byte for byte, but for blanks and bytes outside of ASCII, which
    no URL has and which are quoted. The mount point goes in front, unless the raw path
    begins with it at a segment boundary.

    Returns:
        The text, from a slash on; ``None`` where the target is no path, or has a
        control character or a ``#``.
    """
    if path and not path.startswith(b"/"):
        return None
    mount_point = mount_point.rstrip(b"/")
    if raw_path is None:
        whole: str | None = quote(mount_point + path, safe=PATH_SAFE) or "/"
    elif not raw_path.startswith(b"/"):
        return None
    else:
        whole = _keep(raw_path)
        if whole is not None and not _begins_with(raw_path, mount_point):
            whole = quote(mount_point, safe=PATH_SAFE) + whole
    if whole is None or not whole.startswith("/"):
        return None
    if query is None:
        return whole
    kept = _keep(query)
    return None if kept is None else f"{whole}?{kept}"


def _keep(raw: bytes) -> str | None:
    if _AS_SENT.fullmatch(raw):
        return raw.decode("ascii")
    if _NEVER_SENT.search(raw):
        return None
    return quote(raw, safe=_VISIBLE)


def _begins_with(raw_path: bytes, mount_point: bytes) -> bool:
    """Compare by segments, percent-encoding undone: ``/%6d/x`` is below ``/m``."""
    if not mount_point:
        return True
    # mod_wsgi runs slashes together before it looks for the mount point.
    segments = raw_path.lstrip(b"/").split(b"/")
    wanted = mount_point.lstrip(b"/").split(b"/")
    return [unquote_to_bytes(s) for s in segments[: len(wanted)]] == wanted
