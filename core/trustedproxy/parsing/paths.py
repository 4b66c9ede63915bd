"""
Say whether a path stays below another one, whoever reads it.

In:  a path as it was sent, percent-encoded and without its query.
Out: whether it lies below a path of ours in every reading that a server, a framework
     or a file system is known to have.

The one rule for proxy mount points and for the exemptions of HTTPS only.  RFC 3986
section 5.2.4 says how dot segments are resolved; what is a dot segment, and how often
percent-encoding is undone before, readers do not agree on.  So every doubt counts
against the path.  Without dots nothing leads up: ordinary paths are in no doubt.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

#: How often percent-encoding is undone; what is encoded even then is for nobody.
DECODINGS = 2

# Nothing here leads up or is encoded, unless there are two dots side by side.
_PLAIN = re.compile(r"[!-$&-*,-\[\]-~]*")
# RFC 3986 section 2.1, and the form of JavaScript's escape() that some servers read.
_ENCODED = re.compile(r"%(?:[0-9A-Fa-f]{2}|[uU][0-9A-Fa-f]{4})")
# A NUL ends the path for some readers.  RFC 3629 section 3: UTF-8 in more bytes than
# needed is none, but some readers make a dot or a slash of it.
_UNREADABLE = re.compile(
    r"\x00|[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}"
)
# What some readers fold into ASCII, as UTF-8: full-width, small and leader forms.
_FOLDED = {
    text.encode().decode("latin-1"): plain
    for text, plain in (
        ("\uff0e", "."),
        ("\ufe52", "."),
        ("\u2024", "."),
        ("\u2025", ".."),
        ("\u2026", "..."),
        ("\uff0f", "/"),
        ("\u2044", "/"),
        ("\u2215", "/"),
        ("\uff3c", "\\"),
        ("\ufe68", "\\"),
        ("\uff1b", ";"),
    )
}
_FOLDABLE = re.compile("|".join(_FOLDED))
# Some readers take a backslash for a slash.
_SEPARATORS = re.compile(r"[/\\]")
# Parameters of a segment (RFC 3986 section 3.3), and what ends a path once it is
# decoded: to some readers, what stands in front of them is all.
_PARAMETERS = re.compile(r"[;?#]")
# Controls and blanks, which some readers drop (a plus is a blank to some), and the
# first byte of overlong UTF-8.
_DROPPED = re.compile(r"[\x01-\x20+\x7f-\xa0\xad\xc0]+")


def stays_below(path: str, top: str) -> bool:
    """
    Say whether *path* stays below *top* in every reading.

    The readings: percent-encoding undone never, once or twice; a backslash as a
    separator or not, and an encoded slash too; parameters (``..;x``) dropped or not;
    empty segments dropped or not; blanks, controls and final dots of a segment dropped
    or not; and any chain of these, each reader resolving dots before the next one.

    Args:
        path:
            As it was sent, without its query; one character a byte. Where a server
            keeps only what it has decoded, quote that again.

        top:
            A path without dot segments and percent-encoding; a final slash changes
            nothing, and ``""`` is the root.

    Returns:
        ``False`` also for a path that is still encoded after `DECODINGS` decodings, or
        that holds a NUL or overlong UTF-8. The cost is linear in the path.
    """
    segments, wanted = path.split("/"), top.removesuffix("/").split("/")
    front, rest = segments[: len(wanted)], segments[len(wanted) :]
    # A letter may come percent-encoded, which changes nothing (RFC 3986 6.2.2.2).
    if front != wanted and [unquote(part, "latin-1") for part in front] != wanted:
        return False
    if all(".." not in part and _PLAIN.fullmatch(part) for part in rest):
        return True
    depth = 0
    for segment in rest:
        pieces = _split_decoded(segment)
        if pieces is None:
            return False
        # Whether the separators inside of a segment are any, nobody knows: names in a
        # row may be one, and behind a semicolon they may be parameters.
        counts, in_parameters = True, False
        for piece in pieces:
            step = _step(piece)
            if step < 0 or counts:
                depth += step
            if depth < 0:
                return False
            if _PARAMETERS.search(piece):
                in_parameters, counts = True, False
            elif step:
                counts = step < 0 and not in_parameters
    return True


def _split_decoded(segment: str) -> list[str] | None:
    """Decode and split a segment; ``None`` for one that readers do not agree on."""
    for _ in range(DECODINGS):
        if _UNREADABLE.search(segment):
            return None
        segment = unquote(segment, "latin-1")
    if _UNREADABLE.search(segment) or _ENCODED.search(segment):
        return None
    if not segment.isascii():
        segment = _FOLDABLE.sub(lambda match: _FOLDED[match[0]], segment)
    return _SEPARATORS.split(segment)


def _step(piece: str) -> int:
    """Say how much deeper a piece leads, at the least: 1, 0, or -1 for upwards."""
    name = _PARAMETERS.split(piece, maxsplit=1)[0]
    dots = _DROPPED.sub("", name)
    if dots.strip("."):
        return 1
    # Of three dots and more, some readers drop the last.
    return -1 if len(dots) > 1 else 0
