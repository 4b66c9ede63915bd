"""
What is mapped back leads a browser nowhere that the backend's own value did not.

In:  values of response headers, made of every piece that readers do not agree on.
Out: where a browser is led by the value, and where by what is made of it: the same
     place, or the client's own site where it was the backend's.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trustedproxy.mount_points.heads import BackendRequest
from trustedproxy.mount_points.urls import map_header

from ...reading.browsers import (
    Kept,
    find_origin,
    keep_cookie,
    lead_alike,
    open_refresh,
    open_url,
)
from .leading import (
    REQUESTS,
    SITE,
    client_page,
    keeps_for_others,
    leads_elsewhere,
    own_page,
)

PIECES: Final = (
    *("/", "/", "//", "\\", "/\\", "\\/", "///", "..", "/../", "/./", ".", "%2e%2e/"),
    *("http:", "https:", "HTTP:", "javascript:", "data:", "ftp:", ":", "@", "?", "#"),
    *("//backend.example", "//backend.example:8001", "//BACKEND.example:8001/"),
    *("http://backend.example:8001/base", "http://backend.example/a", "http:/base"),
    *("//app.example", "https://app.example/base", "//127.0.0.1:8001", "//0x7f.1:8001"),
    *("//evil.example", "/evil.example", "evil.example", "user:pass@", "[::1]", "."),
    *("/base", "base", "/base/of", "/base/", "/blog", "/blog/", "/a", "/a/b", "/dir/"),
    *("\t", "\n", "\r", " ", "\x0c", "\x00", "\x0b", "\x1f", "\xa0", "\xff", "%5c"),
    *("%2f", "%2F%2F", "%09", ";", ",", "'", '"', "=", "url", "0", "x"),
)
VALUES: Final = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
REFRESHES: Final = st.tuples(
    st.sampled_from(["0;", "5; url=", "0,", "0 ", "0;URL = ", "1.5;'", "0; url='", ""]),
    VALUES,
    st.sampled_from(["", "'", '"', " "]),
).map("".join)
bounded: Final = settings(max_examples=600, deadline=None)


@bounded
@given(st.sampled_from(REQUESTS), st.sampled_from(["location", "uri"]), VALUES)
@example(REQUESTS[2], "location", "/base//evil.example/x/")
@example(REQUESTS[2], "content-location", "/base/\\evil.example/x/")
@example(REQUESTS[2], "location", "http://backend.example:8001/base//evil.example")
def test_url_leads_to_no_other_site(
    request: BackendRequest, name: str, value: str
) -> None:
    """A browser stays where the backend's own URL leads (H-05, H-18)."""
    assert leads_elsewhere(request, name, value) is None


@bounded
@given(st.sampled_from(REQUESTS), REFRESHES)
@example(REQUESTS[2], "0;url=/base//evil.example/x/")
@example(REQUESTS[2], "0;url='/base/\\evil.example'")
@example(REQUESTS[2], "0 /base//evil.example")
@example(REQUESTS[0], "0;url=/x'http://evil.example")
@example(REQUESTS[0], "1.5;' http:/base")
def test_refresh_leads_to_no_other_site(request: BackendRequest, value: str) -> None:
    """Whatever stands around the URL, a browser is led where the backend said."""
    assert leads_elsewhere(request, "refresh", value) is None


@bounded
@given(
    st.sampled_from(REQUESTS),
    st.lists(st.sampled_from([*"ab/.;?#", "%41", "%C3%A9", "/../", "//"])).map("".join),
)
def test_url_below_the_base_leads_below_the_prefix(
    request: BackendRequest, tail: str
) -> None:
    """A path below the backend's own is the same path below the mount point."""
    value = f"{request.mount_point.base}/{tail}"
    own = open_url(value, own_page(request))
    if own is None or find_origin(own) != find_origin(own_page(request)):
        return

    got = open_url(map_header(request, "location", value), client_page(request))

    assert got is not None
    path = urlsplit(own).path
    if path.startswith(request.mount_point.base + "/") and "." not in tail:
        below = path[len(request.mount_point.base) :]
        # A path below the prefix is the client's already.
        as_it_was = value.partition("?")[0].partition("#")[0]
        assert urlsplit(got).path in (request.prefix + below, as_it_was)


ATTRIBUTES: Final = st.sampled_from(
    [
        *("Path=/", "path=/base", "Path=/base/", "PATH = /base/of", "Path", "Path="),
        *("Path=/other", "Path=//base", "path=\t/base", "Path=base", "Path=/base/../x"),
        *("Domain=backend.example", "Domain=.example", "domain=app.example", "Domain="),
        *(
            "Domain=evil.example",
            "Domain =.backend.example",
            "domain=example",
            "Domain",
        ),
        *("Secure", "HttpOnly", "Max-Age=0", "x=Path=/", " Path=/base/x", "=", ""),
    ]
)
COOKIES: Final = st.tuples(
    st.sampled_from(["a=b", "__Host-a=b", "__Secure-a=b", "a", "=b", "", ' a="x"']),
    st.lists(ATTRIBUTES, max_size=5).map(";".join),
).map(";".join)


@bounded
@given(st.sampled_from(REQUESTS), COOKIES)
@example(REQUESTS[1], "a=b;Domain=app.example;Domain=backend.example")
@example(REQUESTS[1], "a=b;Path=/base;Path=")
def test_cookie_is_kept_for_nobody_else(request: BackendRequest, value: str) -> None:
    """Its domain is the backend's own word or none, its path no wider than mapped."""
    assert keeps_for_others(request, value) is None


@pytest.mark.parametrize("name", ["location", "content-location", "uri", "refresh"])
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r.mount_point.url}")
@pytest.mark.parametrize("tail", ["", "x", "x/y?a=b#c", "ü", "a%2Fb", "a\\b", "a:b"])
def test_url_of_the_backend_is_mapped(
    name: str, request_: BackendRequest, tail: str
) -> None:
    """The property is not bought with less: the backend's URLs reach the client."""
    top = request_.mount_point
    front = "0;url=" if name == "refresh" else ""
    read = open_refresh if name == "refresh" else open_url

    for origin in ("", f"{top.scheme}://{top.authority}"):
        value = f"{front}{origin}{top.base}/{tail}"
        got = read(map_header(request_, name, value), client_page(request_))

        assert got == open_url(f"{request_.prefix}/{tail}", SITE)


# -- the tests of the browser ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "https://app.example:8443/blog/dir/x"),
        ("/\\evil.example", "https://evil.example/"),
        ("/\t/evil.example", "https://evil.example/"),
        ("https:x", "https://app.example:8443/blog/dir/x"),
        ("http:x", "http://x/"),
        ("http://[", None),
        ("javascript:x", "javascript:x"),
    ],
)
def test_browser_opens_a_url(text: str, expected: str | None) -> None:
    """As the standard says, not as RFC 3986 does."""
    assert open_url(text, client_page(REQUESTS[0])) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example:443/x", "https://app.example"),
        ("http://u:p@Evil.example:8001/", "http://evil.example:8001"),
        ("javascript:x", "javascript"),
    ],
)
def test_browser_knows_an_origin(url: str, expected: str) -> None:
    """Scheme, host and port; the scheme alone where there is no host."""
    assert find_origin(url) == expected


@pytest.mark.parametrize(
    ("url", "other", "expected"),
    [
        ("http://a.example:80/x", "https://a.example/y", True),
        ("https://a.example:80/", "http://a.example/", True),
        ("http://a.example:81/", "http://a.example/", False),
        ("http://a.example/", "https://b.example/", False),
        ("javascript:x", "http://a.example/", False),
        ("javascript:x", "javascript:y", True),
    ],
)
def test_browser_takes_sites_for_one(url: str, other: str, expected: bool) -> None:
    """The scheme may be the page's own, the host may not."""
    assert lead_alike(url, other) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0;url=x", "/blog/dir/x"),
        (" 1.5 , URL = 'x'y", "/blog/dir/x"),
        (".;x", "/blog/dir/x"),
        ('0 "x', "/blog/dir/x"),
        ("0;urls=x", "/blog/dir/urls=x"),
        ("0;url x", "/blog/dir/url%20x"),
        ("5", "/blog/dir/page"),
        ("5;", "/blog/dir/page"),
        ("x", None),
        ("0x", None),
    ],
)
def test_browser_opens_a_refresh(value: str, expected: str | None) -> None:
    """Numbers, separators and quotes may be left out, and some may not."""
    found = open_refresh(value, client_page(REQUESTS[0]))

    assert found == (None if expected is None else SITE + expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a=b", Kept("a=b", "app.example", True, "/blog/dir")),
        ("a=b;Path=/x; path=/y", Kept("a=b", "app.example", True, "/y")),
        ("a=b;Path=/x;Path=y", Kept("a=b", "app.example", True, "/blog/dir")),
        ("a=b; Domain = .Example", Kept("a=b", "example", False, "/blog/dir")),
        (
            "a=b;Domain=app.example;Domain=",
            Kept("a=b", "app.example", True, "/blog/dir"),
        ),
        ("a=b;Domain=ample", None),
        ("a=b;Domain=evil.example;", None),
        ("a=\x7fb", None),
        (" ;Path=/", None),
        ("__Host-a=b;Path=/", Kept("__Host-a=b", "app.example", True, "/")),
        ("__host-a=b;Path=/x", None),
        ("__Host-a=b;Path=/;Domain=app.example", None),
    ],
)
def test_browser_keeps_a_cookie(value: str, expected: Kept | None) -> None:
    """The last of several attributes counts, and names make rules."""
    assert keep_cookie(value, client_page(REQUESTS[0])) == expected
