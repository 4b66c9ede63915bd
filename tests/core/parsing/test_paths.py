"""
Paths that stay below another one for everybody, and paths that do not.

In:  paths as a client may send them.
Out: which of them pass; `tests.reading` has the readers that could be led out.
"""

from __future__ import annotations

import pytest

from trustedproxy.parsing.paths import stays_below


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
