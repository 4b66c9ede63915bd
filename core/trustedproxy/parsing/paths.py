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
from unicodedata import normalize
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
# Full-width and small percent signs and hexadecimal digits, as UTF-8.
_WIDE = re.compile("\xef(?:\xbc[\x85\x90-\x99\xa1-\xa6]|\xbd[\x81-\x86]|\xb9\xaa)")
# What Unicode's normal forms, and some file systems, fold into ASCII, as UTF-8: the
# full-width, small, vertical and leader forms.
_FOLDED = {
    character.encode().decode("latin-1"): plain
    for plain, characters in (
        (".", "\u2024\ufe52\uff0e"),
        ("..", "\u2025\ufe30"),
        ("...", "\u2026\ufe19"),
        ("/", "\u2044\u2215\uff0f"),
        ("\\", "\ufe68\uff3c"),
        (";", "\u037e\ufe14\ufe54\uff1b"),
        ("?", "\ufe16\ufe56\uff1f"),
        ("#", "\ufe5f\uff03"),
    )
    for character in characters
}
_FOLDABLE = re.compile("|".join(_FOLDED))
# Some readers take a backslash for a slash.
_SEPARATORS = re.compile(r"[/\\]")
# Parameters of a segment (RFC 3986 section 3.3), and what ends a path once it is
# decoded: to some readers, what stands in front of them is all.
_PARAMETERS = re.compile(r"[;?#]")
# What some readers drop: controls, blanks (a plus is one to some), soft hyphens.
_DROPPED = re.compile(r"[\x01-\x20+\x7f\xad]+")
_BLANKS = "\x85\xa0"
# Characters that are not seen: blanks, zero-width ones, the byte order mark.
_UNSEEN = re.compile("[\x80-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def stays_below(path: str, top: str) -> bool:
    """
    Say whether *path* stays below *top* in every reading.

    The readings: percent-encoding undone never, once or twice; a backslash as a
    separator or not, and an encoded slash too; parameters (``..;x``) dropped or not;
    empty segments dropped or not; blanks, controls, what is not seen or no UTF-8, and
    final dots of a segment dropped or not; what looks like a dot or a slash taken for
    one; and any chain of these, each reader resolving dots before the next one.

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
    kept = folded = segment
    for _ in range(DECODINGS):
        kept, folded = unquote(kept, "latin-1"), unquote(folded, "latin-1")
        if _is_unreadable(kept) or _is_unreadable(folded):
            return None
        folded = _fold(folded)
        # What is dropped may have kept a "%2" and an "e" apart.
        if len(_ENCODED.findall(_drop(folded))) > len(_ENCODED.findall(folded)):
            return None
    if _ENCODED.search(kept) or _ENCODED.search(folded):
        return None
    return _SEPARATORS.split(folded)


def _is_unreadable(text: str) -> bool:
    """Say whether decoders do not agree on *text*, decoded once or twice."""
    if _UNREADABLE.search(text):
        return True
    narrow = _WIDE.sub(_narrow, text)
    return narrow != text and bool(_ENCODED.search(_DROPPED.sub("", narrow)))


def _narrow(match: re.Match[str]) -> str:
    return normalize("NFKC", match[0].encode("latin-1").decode())


def _fold(text: str) -> str:
    """Drop controls and blanks, and write what looks like ASCII as ASCII."""
    text = _DROPPED.sub("", text)
    if text.isascii():
        return text
    return _FOLDABLE.sub(lambda match: _FOLDED[match[0]], text)


def _drop(text: str) -> str:
    """Drop bytes that are no UTF-8, and characters that are not seen."""
    if text.isascii():
        return text
    seen = text.strip(_BLANKS).encode("latin-1").decode("utf-8", "ignore")
    return _UNSEEN.sub("", seen)


def _step(piece: str) -> int:
    """Say how much deeper a piece leads, at the least: 1, 0, or -1 for upwards."""
    name = _PARAMETERS.split(piece, maxsplit=1)[0]
    dots = _NOT_ASCII.sub("", name)
    if dots.strip("."):
        return 1
    # Of three dots and more, some readers drop the last.
    if len(dots) > 1:
        return -1
    return int(_drop(name) not in ("", "."))
