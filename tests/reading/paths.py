"""
Readers of paths, as servers, frameworks and file systems are known to read them.

In:  a path as it was sent, percent-encoded, one character a byte.
Out: the names that lead to a resource, dot segments resolved.

A reader is made of choices: how percent-encoding is undone, where the path ends, what
separates names, what of a name is dropped, whether empty names count.  `READERS` has
all combinations, and `follow` lets several read one after another, as a proxy, a server
and a framework do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias
from urllib.parse import unquote

from hypothesis import strategies as st

Change: TypeAlias = Callable[[str], str]

# Two, three and four bytes for a character that needs one (RFC 3629 section 10).
_OVERLONG = re.compile(
    "[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}"
)


def decode(path: str) -> str:
    """Undo percent-encoding once (RFC 3986 section 2.1)."""
    return unquote(path, "latin-1")


def decode_all_but_slashes(path: str) -> str:
    """Undo percent-encoding once, and leave an encoded slash what it is."""
    return "%2F".join(map(decode, re.split("%2[fF]", path)))


def decode_escape(path: str) -> str:
    """Undo percent-encoding and the ``%u002e`` of JavaScript's escape()."""
    path = re.sub("%[uU]([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)), path)
    return decode("".join(c if c <= "\xff" else _fold(c) for c in path))


def decode_overlong(path: str) -> str:
    """Undo percent-encoding, and UTF-8 in more bytes than there may be."""

    def shorten(match: re.Match[str]) -> str:
        value = 0
        for byte in match[0][1:]:
            value = value << 6 | ord(byte) & 0x3F
        value |= (ord(match[0][0]) & 0x1F) << 6 if len(match[0]) == 2 else 0
        return chr(value & 0x7F)

    return _OVERLONG.sub(shorten, decode(path))


def decode_folded(path: str) -> str:
    """Undo percent-encoding, and write characters that look like ASCII as ASCII."""
    text = decode(path).encode("latin-1").decode("utf-8", "surrogateescape")
    return _fold(text).encode("utf-8", "surrogateescape").decode("latin-1")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def drop_bytes_that_are_none(path: str) -> str:
    """Undo percent-encoding, and drop what is no UTF-8."""
    return (
        decode(path)
        .encode("latin-1")
        .decode("utf-8", "ignore")
        .encode("utf-8")
        .decode("latin-1")
    )


#: How percent-encoding is undone.
DECODERS: Final[dict[str, Change]] = {
    "as it is": lambda path: path,
    "decoded": decode,
    "decoded twice": lambda path: decode(decode(path)),
    "slashes kept": decode_all_but_slashes,
    "escape()": decode_escape,
    "overlong UTF-8": decode_overlong,
    "folded": decode_folded,
    "ignoring": drop_bytes_that_are_none,
}
#: Where the path ends.
ENDS: Final[dict[str, Change]] = {
    "all": lambda path: path,
    "to a NUL": lambda path: path.partition("\0")[0],
    "to a question mark": lambda path: re.split("[?#]", path)[0],
    "to a semicolon": lambda path: path.partition(";")[0],
}
#: What of a name is dropped.
NAMES: Final[dict[str, Change]] = {
    "kept": lambda name: name,
    "parameters": lambda name: name.partition(";")[0],
    "final dots and blanks": lambda name: (
        name if name in (".", "..") else name.rstrip(". ") or name[:2].strip()
    ),
    "blanks": lambda name: name.replace("+", " ").strip(" \t\r\n\x0b\x0c\x85\xa0"),
    "controls": lambda name: re.sub("[\x00-\x1f\x7f\xad]", "", name),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """One way to read a path; `name` says its choices."""

    name: str
    decode: Change
    end: Change
    backslash: bool
    merge: bool
    drop: Change

    def read(self, path: str) -> list[str]:
        """
        Read *path*, and resolve its dot segments.

        Returns:
            Names; ``..`` only at the front, where they lead above the root.
        """
        path = self.end(self.decode(path))
        parts = re.split(r"[/\\]" if self.backslash else "/", path)
        names: list[str] = []
        for part in parts[1:] if parts[0] == "" else parts:
            name = self.drop(part)
            if name == "..":
                if names and names[-1] != "..":
                    names.pop()
                else:
                    names.append(name)
            elif name != "." and (name or not self.merge):
                names.append(name)
        return names


READERS: Final = [
    Reader(
        f"{decoder}, {end}, {name}{', backslash' * backslash}{', merged' * merge}",
        DECODERS[decoder],
        ENDS[end],
        backslash,
        merge,
        NAMES[name],
    )
    for decoder, end, name, backslash, merge in product(
        DECODERS, ENDS, NAMES, (False, True), (False, True)
    )
]


def follow(path: str, readers: Iterable[Reader]) -> list[str]:
    """Let *readers* read one after another, each what the one before made of it."""
    names: list[str] = []
    for reader in readers:
        names = reader.read(path)
        if ".." in names:
            break
        path = "/" + "/".join(names)
    return names


#: What readers do not agree on, and what stands beside it.
PIECES: Final = (
    *("/", "/", "//", "/..", "/../", "..", ".", "...", "a", "b.", "\\", "\\..", ";"),
    *(
        "..;",
        ";x=",
        "?",
        "#",
        "%",
        "25",
        "%25",
        "2e",
        "%2e",
        "%2E.",
        "%2e%2e/",
        "%252e",
    ),
    *("%25252e", "%2f", "%2F..", "%252f", "%5c", "%5C..", "%255c", "%3b", "%3f", "%23"),
    *("%00", "%2500", "%20", "..%20", "%09", "%0a", "+", "%c0%ae", "%c0%af", "%c1%9c"),
    *("%e0%80%ae", "%f0%80%80%af", "%c0.", "%ff", "%u002e", "%u2215", "%uff0e", "%ad"),
    *("%ef%bc%8e", "%e2%80%a4", "%e2%80%a5", "%ef%bc%8f", "%ef%bc%bc", "%e2%81%84"),
    *(
        "%2",
        "e",
        "f",
        "5c",
        "%ef%bc%85",
        "%ef%b8%b0",
        "%cd%be",
        "%e2%80%8b",
        "%ef%bb%bf",
    ),
    *("\xc0\xae", "\x85", "\xa0", "~", ":", "@", "&", "blog", "base", "of"),
)
PATHS: Final = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
