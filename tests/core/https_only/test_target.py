"""Where a redirect leads: mount point, path and query, as they were sent."""

from __future__ import annotations

import string
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trustedproxy.https_only import (
    HTTPSOnly,
    build_target,
    read_environ,
    read_scope,
)

from ...attacks_https import Row, make_environ, make_scope
from .making import PLAIN_GOT, locate


@pytest.mark.parametrize(
    ("mount_point", "path", "raw_path", "query", "target"),
    [
        (b"", b"/a b", b"/a%20b", None, "/a%20b"),
        (b"", b"/a/b", b"/a%2Fb", b"x=%2F&y=/?", "/a%2Fb?x=%2F&y=/?"),
        (b"", b"/a", b"/a", b"", "/a?"),
        (b"", b"//evil.example/x", b"//evil.example/x", None, "//evil.example/x"),
        (b"", b"/", b"/\xc3\xa9 x", b"\xe9", "/%C3%A9%20x?%E9"),
        (b"", b'/"<>^`{|}\\', b'/"<>^`{|}\\', b"'\"", '/"<>^`{|}\\?\'"'),
        # Below a mount point that the proxy took off, or left in.
        (b"/app", b"/x", b"/x", None, "/app/x"),
        (b"/app", b"/x", b"/app/x", None, "/app/x"),
        (b"/app", b"", b"/app", None, "/app"),
        (b"/app", b"/", b"/", None, "/app/"),
        (b"/app/", b"/x", b"/x", None, "/app/x"),
        (b"/app", b"/application", b"/application", None, "/app/application"),
        (b"/a/b", b"/x", b"/a/b/x", None, "/a/b/x"),
        (b"/a/b", b"/x", b"/a/x", None, "/a/b/a/x"),
        (b"/m", b"/a/b", b"/%6d/a%2Fb", None, "/%6d/a%2Fb"),
        (b"/m", b"/a", b"//m/a", None, "//m/a"),
        (b"/caf\xc3\xa9", b"/x", b"/caf%c3%a9/x", None, "/caf%c3%a9/x"),
        (b"/caf\xc3\xa9", b"/x", b"/x", None, "/caf%C3%A9/x"),
        # Quoted again, where the server gives no raw path.
        (
            b"",
            b"/a b;p=1,2/\xe2\x82\xac",
            None,
            b"q=%2F",
            "/a%20b;p=1,2/%E2%82%AC?q=%2F",
        ),
        (b"", b"/100%/?#", None, None, "/100%25/%3F%23"),
        (b"", b"/a\r\nb\x00", None, None, "/a%0D%0Ab%00"),
        (b"/app", b"/x", None, None, "/app/x"),
        (b"/app", b"", None, None, "/app"),
        (b"", b"", None, None, "/"),
        # No path: never pasted behind a host.
        (b"", b"*", None, None, None),
        (b"", b"*", b"*", None, None),
        (b"", b"/*", b"*", None, None),
        (b"", b"a/b", None, None, None),
        (b"/app", b"x/a", b"/appx/a", None, None),
        (b"", b"/a", b"http://evil.example/a", None, None),
        (b"", b"http://evil.example/a", None, None, None),
        (b"", b"www.example.com:443", None, None, None),
        (b"evil", b"/x", None, None, None),
        (b"@evil", b"", None, None, None),
        (b"evil", b"/x", b"/x", None, None),
        # Never sent: control characters, a fragment.
        (b"", b"/", b"/a\r\nSet-Cookie: x", None, None),
        (b"", b"/", b"/a\x7f", None, None),
        (b"", b"/a", b"/a#b", None, None),
        (b"", b"/a", b"/a", b"x\ny", None),
        (b"", b"/a", None, b"x#y", None),
    ],
)
def test_target(
    mount_point: bytes,
    path: bytes,
    raw_path: bytes | None,
    query: bytes | None,
    target: str | None,
) -> None:
    """The target is what was sent, with the mount point in front, or there is none."""
    assert build_target(mount_point, path, raw_path, query) == target


SENT = "".join(sorted(set(string.printable) - set(string.whitespace) - set("#?%")))
ENCODED = st.integers(0, 255).flatmap(
    lambda number: st.sampled_from([f"%{number:02x}", f"%{number:02X}"])
)
PIECES = st.lists(st.sampled_from(SENT) | ENCODED, max_size=30).map("".join)
PATHS = PIECES.map("/".__add__)
QUERIES = st.none() | st.lists(st.sampled_from(SENT + "?") | ENCODED, max_size=30).map(
    "".join
)

ANYWHERE = HTTPSOnly()


@given(path=PATHS, query=QUERIES)
def test_wsgi_location_is_what_was_sent(path: str, query: str | None) -> None:
    """Under WSGI with a raw target, any path and query come back byte for byte."""
    target = path if query is None else f"{path}?{query}"
    environ = make_environ(Row("S-59", "any", PLAIN_GOT, target=target))

    location = locate(ANYWHERE, read_environ(environ))

    assert location == f"https://www.example.com{target}"


@given(path=PATHS, query=QUERIES)
def test_asgi_location_is_what_was_sent(path: str, query: str | None) -> None:
    """Under ASGI too, but for an empty query, which no server shows."""
    target = f"{path}?{query}" if query else path
    scope = make_scope(Row("S-59", "any", PLAIN_GOT, target=target))

    location = locate(ANYWHERE, read_scope(scope))

    assert location == f"https://www.example.com{target}"


@given(path=PATHS, mount=st.sampled_from(["/app", "/a/b", "/a"]))
def test_location_below_mount_point(path: str, mount: str) -> None:
    """A mount point that the proxy left in is not doubled, one it took off is added."""
    decoded = unquote_to_bytes(path)
    assume(not decoded.lstrip(b"/").startswith(mount[1:].encode()))

    left_in = build_target(mount.encode(), decoded, (mount + path).encode(), None)
    taken_off = build_target(mount.encode(), decoded, path.encode(), None)

    assert left_in == mount + path
    assert taken_off == mount + path


@given(st.binary(max_size=40), st.binary(max_size=20))
def test_location_is_one_line_on_the_host(path: bytes, query: bytes) -> None:
    """Whatever a server hands over, the target is ASCII from a slash on, or none."""
    for raw in (None, path):
        target = build_target(b"", path, raw, query)

        if target is not None:
            assert target.startswith("/")
            assert all(0x20 < ord(character) < 0x7F for character in target)


@given(PATHS)
def test_location_quoted_again_names_the_same_path(path: str) -> None:
    """Without a raw path, the redirect asks for what the application would see."""
    decoded = unquote_to_bytes(path)

    target = build_target(b"", decoded, None, None)

    assert target is not None
    assert unquote_to_bytes(target) == decoded
