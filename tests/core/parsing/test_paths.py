"""
Paths that stay below another one for everybody, and paths that do not.

In:  paths as a client may send them.
Out: whether any of many readers, one after another, is led out by them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trustedproxy.parsing.paths import stays_below

Reader = Callable[[str], list[str]]


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/",
        "/x",
        "/x/",
        "//x",
        "/a/../b/./",
        "/a/b/../..",
        "/..x/...",
        "/x..",
        "/a%2Fb%20%e2%82%ac;p=1,2&c=@:+",
        "/a%2Fb/..",
        "/a%5Cb",
        "/%zz%",
        "/100%25",
        "/100%2525",
        "/%C0/PAR%C1/D%C9J%C0/",
        "/\xe9#?",
        "/\\",
    ],
)
@pytest.mark.parametrize("top", ["", "/", "/blog", "/a/blog/"])
def test_path_that_stays_below(rest: str, top: str) -> None:
    """Dots that stay inside, and whatever is no dot segment, lead nowhere else."""
    assert stays_below(top.removesuffix("/") + rest, top)


@pytest.mark.parametrize(
    "rest",
    [
        "/..",
        "/../x",
        "/./../x",
        "/a/../../x",
        "/a//../../x",
        "/%2e%2e/x",
        "/.%2E/x",
        "/%252e%252e/x",
        "/%25252e./x",
        "/%2525252541",
        "/..%2fx",
        "/a%2F..%2f..%2fx",
        "/a%2fb/../..%2fc",
        "/..\\x",
        "/..%5cx",
        "/a\\b/../../x",
        "/a%5Cb/..%2F../private/secret.txt",
        "/a%5Cb/..%255C../x",
        "/..;a=b/x",
        "/a/..;/..;/x",
        "/..%3bx/y",
        "/..%3f/x",
        "/..%23",
        "/..%20/x",
        "/.%09./x",
        "/..+/x",
        "/.%0a.%20/x",
        "/. ../x",
        "/x%00",
        "/..%2500/x",
        "/%c0%ae%c0%ae/x",
        "/a/..%c0%afx",
        "/..%c1%9cx",
        "/%e0%80%ae./x",
        "/%f0%80%80%ae./x",
        "/%c0.%c0./x",
        "/%u002e%u002e/x",
        "/%ef%bc%8e%ef%bc%8e/x",
        "/%e2%80%a5/x",
        "/%ef%b8%b0/x",
        "/..%ff/x",
        "/..%cd%be/x",
        "/%2%ffe./x",
        "/%ef%bc%852e./x",
        "/..%ef%bc%8fx",
        "/%252525",
        "/.../x",
        "/.%2e./x",
    ],
)
@pytest.mark.parametrize("top", ["", "/blog"])
def test_path_that_somebody_reads_elsewhere(rest: str, top: str) -> None:
    """One reader who is led out is enough, however the path is written."""
    assert not stays_below(top + rest, top)


@pytest.mark.parametrize(
    ("path", "top", "expected"),
    [
        ("/blog", "/blog", True),
        ("/%62log/x", "/blog", True),
        ("/blogger", "/blog", False),
        ("/blo", "/blog", False),
        ("/blog;x/y", "/blog", False),
        ("/%2562log/x", "/blog", False),
        ("/blog%2fx", "/blog", False),
        ("//blog/x", "/blog", False),
        ("/x/../blog/x", "/blog", False),
        ("blog/x", "/blog", False),
        ("x", "", False),
        ("", "", True),
        ("", "/blog", False),
    ],
)
def test_top_is_matched_at_a_boundary(path: str, top: str, expected: bool) -> None:
    """The top itself has to stand in front, segment for segment."""
    assert stays_below(path, top) is expected


def resolve(path: str, *, backslash: bool, empty: bool, mangle: Reader) -> str | None:
    """Resolve dot segments; ``None`` where they lead out of the root."""
    segments: list[str] = []
    for segment in re.split(r"[/\\]" if backslash else "/", path)[1:]:
        for name in mangle(segment):
            if name == "..":
                if not segments:
                    return None
                segments.pop()
            elif name != "." and (name or empty):
                segments.append(name)
    return "/" + "/".join(segments)


MANGLERS: tuple[Reader, ...] = (
    lambda name: [name],
    lambda name: [name.partition(";")[0]],
    lambda name: [name.strip("\t\n\r ")],
    lambda name: [name if name in (".", "..") else name.rstrip(". ")],
    lambda name: [name if name in (".", "..") else name.removesuffix(".")],
    lambda name: [re.sub(r"[\x00-\x1f]", "", name)],
)
DECODERS: tuple[Callable[[str], str], ...] = (
    lambda path: path,
    partial(unquote, encoding="latin-1"),
    lambda path: path.partition("\x00")[0],
    lambda path: re.sub("[?#].*", "", path, flags=re.DOTALL),
    lambda path: path.replace("\xc0\xae", ".").replace("\xc0\xaf", "/"),
)
#: Single readers: the test lets up to three of them read one after another.
READERS = [
    (decode, partial(resolve, backslash=backslash, empty=empty, mangle=mangle))
    for decode, backslash, empty, mangle in product(
        DECODERS, (False, True), (False, True), MANGLERS
    )
]


def is_led_out(path: str, readers: Sequence[int]) -> bool:
    """Let *readers* read one after another, each what the last one made of it."""
    for number in readers:
        decode, resolve_dots = READERS[number]
        read = resolve_dots(decode(path))
        if read is None:
            return True
        path = read
    return False


PIECES = (
    *("/", "/", "..", "..", ".", "...", ";", "\\", "?", "a", "b"),
    *("%2e", "%2F", "%5c", "%252e", "%252f", "%255C", "%25", "%23"),
    *("%3b", "%00", "%20", "%0a", "%c0%ae", "%c0%af"),
)


@given(
    pieces=st.lists(
        st.sampled_from(PIECES),
        max_size=14,
    ),
    readers=st.lists(st.integers(0, len(READERS) - 1), min_size=1, max_size=3),
)
@example(["a", "\\", "b", "/", "..", "/", "..", "/"], [0])
@example([";", "%255C", "b", "%2F", "..", "%3b"], [4])
@example(["x", "\\", "y", "/", "..", "/", "..", "\\", "z"], [0, 5])
def test_path_that_stays_leads_no_reader_out(
    pieces: list[str], readers: list[int]
) -> None:
    """Whatever passes leads none of a hundred readers out, alone or in a chain."""
    path = "/" + "".join(pieces)

    assert not (stays_below(path, "") and is_led_out(path, readers))


@pytest.mark.parametrize(
    "unit", ["%25", "a/", "../", "a\\", "%5c", ";", "%c0", ".", "%"]
)
def test_cost_grows_no_faster_than_the_path(unit: str) -> None:
    """A path that is sixteen times as long takes about sixteen times as long."""

    def measure(count: int) -> float:
        path = "/" + unit * count + "/..%00"
        best = float("inf")
        for _ in range(5):
            begun = time.process_time()
            for _ in range(3):
                stays_below(path, "")
            best = min(best, time.process_time() - begun)
        return best

    assert measure(64_000) < 16**1.5 * max(measure(4_000), 1e-4)
