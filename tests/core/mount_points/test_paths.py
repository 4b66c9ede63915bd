"""Paths as they were sent, found again in a target."""

from __future__ import annotations

import pytest

from trustedproxy.mount_points.paths import find_raw_path


@pytest.mark.parametrize(
    ("raw", "path", "expected"),
    [
        ("/blog/a%2Fb", "/blog/a/b", "/blog/a%2Fb"),
        ("/blog/%e2%82%ac?q=/blog", "/blog/\u20ac", "/blog/%e2%82%ac"),
        ("/outer/blog/a%2fb%20", "/blog/a%2Fb ", "/blog/a%2fb%20"),
        ("/blog/a%252Fb", "/blog/a%2Fb", "/blog/a%252Fb"),
        ("/outer/blog/x", "/blog/x", "/blog/x"),
        ("http://a.example/blog/x", "/blog/x", "/blog/x"),
        ("/outer", "", ""),
        ("/b/c", "/a/b/c", None),
        ("/x/../b", "/b", "/b"),
        ("/b/./c", "/b/c", None),
        ("", "/blog", None),
    ],
)
def test_raw_path_is_found(raw: str, path: str, expected: str | None) -> None:
    """The path as it was sent is used only where it says the same."""
    assert find_raw_path(raw, path, "utf-8") == expected


def test_raw_path_in_bytes_of_wsgi() -> None:
    """PEP 3333 hands bytes over as latin-1."""
    assert find_raw_path("/%C3%A9", "/\xc3\xa9", "latin-1") == "/%C3%A9"
