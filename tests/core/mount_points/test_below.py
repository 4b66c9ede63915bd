"""
What reaches a backend lies below its mount point, whoever reads it.

In:  paths of every piece that readers do not agree on.
Out: for each planned request and each reader, or chain of readers: names that begin
     with those of the backend's own path.
"""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trustedproxy.mount_points.heads import BackendRequest

from ...reading.paths import DECODERS, ENDS, NAMES, PATHS, READERS, Reader, follow
from .planning import plan

BASE: Final = ["base", "of"]
MAPPING: Final = {"/blog/": "http://127.0.0.1:8001/base/of/"}


def read_below(path: str) -> str | None:
    """Plan a request for *path* below the mount point; its target's path, if any."""
    planned = plan("/blog/" + path, mapping=MAPPING)
    if not isinstance(planned, BackendRequest):
        return None
    return planned.target.partition("?")[0]


@settings(max_examples=150, deadline=None)
@given(PATHS)
@example("a\\b/../../private/secret.txt")
@example("a%5Cb/..%2F../private/secret.txt")
@example("..;/..;/admin")
@example("%252e%252e/private")
@example("..%ff")
@example("..%cd%be")
@example("%ef%b8%b0")
@example("%ef%bc%852e.")
@example("%25%ef%bc%92%ef%bd%85.")
def test_target_lies_below_for_every_reader(path: str) -> None:
    """No reader of any kind is led out of the backend's path (H-02, H-17)."""
    target = read_below(path)
    if target is None:
        return

    led_out = [
        reader.name for reader in READERS if reader.read(target)[: len(BASE)] != BASE
    ]

    assert led_out == [], target


@settings(max_examples=400, deadline=None)
@given(PATHS, st.lists(st.sampled_from(READERS), min_size=2, max_size=4))
def test_target_lies_below_for_readers_in_a_row(
    path: str, readers: list[Reader]
) -> None:
    """A proxy, a server and a framework one after another are not led out, either."""
    target = read_below(path)
    if target is None:
        return

    names = follow(target, readers)

    assert names[: len(BASE)] == BASE, [reader.name for reader in readers]


@pytest.mark.parametrize(
    "path",
    [
        *("", "a", "a/", "a/b.c", "a//b", "a/./b", "a/../b", "a/b/../..", "..a", "a.."),
        *(
            "a%20b",
            "%C3%BC",
            "\xc3\xbc",
            "a%2Fb",
            "a%5Cb",
            "a;v=1",
            "a,b",
            "~a",
            "@a:1",
        ),
        *("100%25", "a+b", "a&b=c", "%zz", "%", "a.b.", "1...5"),
        *("100%ef%bc%85/%ef%bc%91", "%e6%97%a5%e6%9c%ac/%e2%80%a6x", "%D0%BF/%E9/%C0"),
        *("%e6%97%a5/..", "%C3%BC/../x"),
    ],
)
def test_path_that_leads_nowhere_else_is_passed_on(path: str) -> None:
    """What no reader is led out by goes on to the backend, byte for byte."""
    target = read_below(path)

    assert target is not None
    assert target.removeprefix("/base/of/") == path.replace("\xc3\xbc", "%C3%BC")


# -- the tests of the readers ----------------------------------------------------------


def test_readers_are_many_and_differ() -> None:
    """Each choice makes a difference for some path, to every combination."""
    path = "/a%252e%2e/..;x/%5C..//b%c0%ae/..%20/%2e%2e%00/c%3fd/%u002e./.../e+/."
    seen = {tuple(reader.read(path)) for reader in READERS}

    assert len(READERS) == len(DECODERS) * len(ENDS) * len(NAMES) * 4 > 30
    assert len(seen) > 30
    assert len({reader.name for reader in READERS}) == len(READERS)


@pytest.mark.parametrize(
    ("choices", "path", "expected"),
    [
        ("as it is, all, kept", "/a/../b/./c", ["b", "c"]),
        ("as it is, all, kept", "/a//../b", ["a", "b"]),
        ("as it is, all, kept, merged", "/a//../b", ["b"]),
        ("as it is, all, kept", "/../b", ["..", "b"]),
        ("as it is, all, kept, backslash", "/a\\..\\b", ["b"]),
        ("as it is, all, parameters", "/a/..;x/b", ["b"]),
        ("as it is, all, final dots and blanks", "/a/.. /b./...", []),
        ("as it is, all, blanks", "/a/..+/b", ["b"]),
        ("decoded, all, controls", "/a/.%09./b", ["b"]),
        ("decoded, all, kept", "/a/%2e%2e/%252e", ["%2e"]),
        ("decoded twice, all, kept", "/a/%252e%2e/b", ["b"]),
        ("decoded, to a NUL, kept", "/a/..%00/b", []),
        ("decoded, to a question mark, kept", "/a%3f/..", ["a"]),
        ("decoded, to a semicolon, kept", "/a/..%3b/b", []),
        ("slashes kept, all, kept", "/a%2f..", ["a%2F.."]),
        ("escape(), all, kept", "/a/%u002e%uff0e/b", ["b"]),
        ("overlong UTF-8, all, kept", "/a/%c0%ae%e0%80%ae%c0%afb", ["b"]),
        ("overlong UTF-8, all, kept, backslash", "/a%c1%9c%f0%80%80%ae.", []),
        ("folded, all, kept", "/a/%ef%bc%8e%e2%80%a4/b", ["b"]),
        ("ignoring, all, kept", "/a/.%ff./b", ["b"]),
    ],
)
def test_reader_reads(choices: str, path: str, expected: list[str]) -> None:
    """A reader is led where its choices lead."""
    (reader,) = (reader for reader in READERS if reader.name == choices)

    assert reader.read(path) == expected
