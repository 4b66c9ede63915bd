"""URLs and cookies of a backend, mapped back to what the client sees."""

from __future__ import annotations

import pytest

from trustedproxy.mount_points.heads import BackendRequest, Body
from trustedproxy.mount_points.points import compile_mount_points
from trustedproxy.mount_points.urls import map_cookie, map_url

from .planning import BACKEND, make_client, respond, send

BASED = {"/blog": "http://backend.example:8001/base/"}
SAME = {"/blog": "http://backend.example/blog"}
DEEP = {"/app": "http://backend.example/app/x"}
TLS = {"/blog": "https://backend.example"}
ROOT = {"/": "http://backend.example:8001/base/"}


@pytest.mark.parametrize(
    ("mapping", "url", "expected"),
    [
        pytest.param(None, "/y?q#f", "/blog/y?q#f", id="a path"),
        pytest.param(None, "/", "/blog/", id="the root"),
        pytest.param(None, "/blog/y", "/blog/y", id="the backend knows its prefix"),
        pytest.param(None, "/blog", "/blog", id="the prefix itself"),
        pytest.param(None, "/blogger", "/blog/blogger", id="only nearly the prefix"),
        pytest.param(None, "y", "y", id="relative"),
        pytest.param(None, "?q", "?q", id="a query alone"),
        pytest.param(None, "", "", id="nothing"),
        pytest.param(None, "../y", "../y", id="relative, upwards"),
        pytest.param(
            None,
            "http://127.0.0.1:8001/y?q",
            "https://app.example:8443/blog/y?q",
            id="the backend's host",
        ),
        pytest.param(
            None,
            "http://127.0.0.1:8001?q",
            "https://app.example:8443/blog/?q",
            id="the backend's host without a path",
        ),
        pytest.param(
            None,
            "HTTP://127.0.0.1:8001/blog/y",
            "https://app.example:8443/blog/y",
            id="the backend's host and the prefix",
        ),
        pytest.param(
            None,
            "//127.0.0.1:8001/y",
            "https://app.example:8443/blog/y",
            id="no scheme",
        ),
        pytest.param(
            None,
            "https://app.example:8443/blog/y",
            "https://app.example:8443/blog/y",
            id="the client's host",
        ),
        pytest.param(None, "https://127.0.0.1:8001/", None, id="another scheme"),
        pytest.param(None, "http://127.0.0.1/", None, id="another port"),
        pytest.param(None, "http://localhost:8001/", None, id="another name"),
        pytest.param(None, "http://u@127.0.0.1:8001/", None, id="a user"),
        pytest.param(None, "http://127.0.0.1:8001\\@x/", None, id="a backslash"),
        pytest.param(None, "//evil.example/y", None, id="another site"),
        pytest.param(None, "mailto:x@example.org", None, id="another kind"),
        pytest.param(
            None, "/\\evil.example", "/blog/\\evil.example", id="odd, but ours"
        ),
        pytest.param(BASED, "/base/y", "/blog/y", id="below the base"),
        pytest.param(BASED, "/base", "/blog/", id="the base"),
        pytest.param(BASED, "/y", None, id="beside the base"),
        pytest.param(BASED, "/basement", None, id="only nearly the base"),
        pytest.param(
            BASED, "http://Backend.example:8001/y", None, id="beside the base, in full"
        ),
        pytest.param(SAME, "/blog/y", "/blog/y", id="base and prefix agree"),
        pytest.param(DEEP, "/app/x/y", "/app/y", id="the base says more"),
        pytest.param(DEEP, "/app/z", None, id="only the prefix fits"),
        pytest.param(
            TLS,
            "https://backend.example:443/y",
            "https://app.example:8443/blog/y",
            id="the usual port said",
        ),
        pytest.param({"/": BACKEND}, "/y", "/y", id="the whole site"),
        pytest.param(None, "/../y", None, id="dots that lead out"),
        pytest.param(None, "/%2e%2e/y", None, id="encoded dots that lead out"),
        pytest.param(None, "/\\..\\y", None, id="dots behind a backslash"),
        pytest.param(None, "/.\t./y", None, id="dots about a tab"),
        pytest.param(None, "/blog/../y", "/blog/blog/../y", id="dots that stay"),
        pytest.param(
            None, "http://127.0.0.1:8001/blog/../../y", None, id="dots, in full"
        ),
        pytest.param(BASED, "/base/../y", None, id="dots that leave the base"),
        pytest.param(ROOT, "/base/", "/", id="the base for the whole site"),
        pytest.param(
            ROOT,
            "/base//evil.example/x/",
            "https://app.example:8443//evil.example/x/",
            id="what would become a host",
        ),
        pytest.param(
            ROOT,
            "/base/\\evil.example",
            "https://app.example:8443/\\evil.example",
            id="what a browser would make a host",
        ),
        pytest.param(
            ROOT,
            "/base/\t/evil.example",
            "https://app.example:8443/\t/evil.example",
            id="what a browser would read as a host",
        ),
    ],
)
def test_url_is_mapped_back(
    mapping: dict[str, str] | None, url: str, expected: str | None
) -> None:
    """The backend's own URLs become the client's, and all others stay."""
    path = "/app/z" if mapping is DEEP else "/blog/z"

    mapped = map_url(send(path, mapping=mapping), url)

    assert mapped == (url if expected is None else expected)


def test_url_is_mapped_below_the_applications_mount_point() -> None:
    """The application's own mount point is in front of the prefix."""
    request = send(client=make_client(mount_point="/outer"))

    assert map_url(request, "/y") == "/outer/blog/y"
    assert map_url(request, "/outer/blog/y") == "/outer/blog/y"
    assert map_url(request, "/blog/y") == "/outer/blog/blog/y"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Location", "/y", "/blog/y"),
        ("content-location", "/y", "/blog/y"),
        ("URI", "/y", "/blog/y"),
        ("Link", "</y>; rel=next", "</y>; rel=next"),
        ("Refresh", "5", "5"),
        ("Refresh", "5;", "5;"),
        ("Refresh", "5; url=/y", "5; url=/blog/y"),
        ("Refresh", "0;URL='/y'", "0;URL='/blog/y'"),
        ("Refresh", '1.5, "/y"', '1.5, "/blog/y"'),
        ("Refresh", '0; url="/y" and more', '0; url="/blog/y" and more'),
        ("Refresh", '0; url="/y', '0; url="/blog/y'),
        ("Refresh", "0; url=''", "0; url=''"),
        ("Refresh", "0 url = /y", "0 url = /blog/y"),
        ("Refresh", "0\t/y", "0\t/blog/y"),
        ("Refresh", "0;url=http:'y", "0;url=./'y"),
        ("Location", "http:/y", "/blog/y"),
        ("Location", "ht\ttp:?y", "?y"),
        ("Location", "HTTP:javascript:y", "./javascript:y"),
        ("Location", "http:", ""),
        ("Location", "https:/y", "https:/y"),
        ("Refresh", "0;urls=/y", "0;urls=/y"),
        ("Refresh", "5;/y", "5;/blog/y"),
        ("Refresh", "5; url=http://other.example/", "5; url=http://other.example/"),
        ("Refresh", "soon; url=/y", "soon; url=/y"),
    ],
)
def test_response_header_is_mapped_back(name: str, value: str, expected: str) -> None:
    """Every header that holds a URL of the backend is mapped, and no other."""
    assert respond(302, [(name, value)]).headers == [(name, expected)]


@pytest.mark.parametrize(
    ("mapping", "cookie", "expected"),
    [
        pytest.param(None, "a=1", None, id="no attributes"),
        pytest.param(None, "a=1; Path=/", "a=1; Path=/blog/", id="the whole backend"),
        pytest.param(
            None, "a=1; path=/x ;Secure", "a=1; path=/blog/x;Secure", id="below"
        ),
        pytest.param(
            None,
            "a=1; Path=/x; Path=/y",
            "a=1; Path=/blog/x; Path=/blog/y",
            id="several paths",
        ),
        pytest.param(
            None,
            "a=1; Domain=app.example; Domain=127.0.0.1; Secure",
            "a=1; Secure",
            id="several domains",
        ),
        pytest.param(
            None,
            "a=1; Domain=127.0.0.1; Domain=end.example",
            None,
            id="the last counts",
        ),
        pytest.param(
            None, "__host-a=1; Domain=127.0.0.1; Path=/", None, id="useless by its name"
        ),
        pytest.param(None, "a=1; Path=/blog", None, id="the prefix already"),
        pytest.param(None, "a=Path=/; Path", None, id="no path at all"),
        pytest.param(None, "a=1; Path=x", None, id="a path that is none"),
        pytest.param(None, "__Host-a=1; Path=/; Secure", None, id="fixed by its name"),
        pytest.param(None, "a=1; Domain=127.0.0.1", "a=1", id="the backend's host"),
        pytest.param(BASED, "a=1; Domain=.example", None, id="a domain of both"),
        pytest.param(BASED, "a=1; Domain=backend.example", "a=1", id="its own name"),
        pytest.param(BASED, "a=1; Domain=end.example", None, id="nobody's domain"),
        pytest.param(
            BASED, "a=1; Path=/base/x", "a=1; Path=/blog/x", id="below the base"
        ),
        pytest.param(BASED, "a=1; Path=/", "a=1; Path=/blog/", id="above the base"),
        pytest.param(BASED, "a=1; Path=/bas", None, id="beside the base"),
        pytest.param(DEEP, "a=1; Path=/app/", None, id="above base, and the prefix"),
    ],
)
def test_cookie_is_mapped_back(
    mapping: dict[str, str] | None, cookie: str, expected: str | None
) -> None:
    """A cookie comes back to its backend, and to no other part of the site."""
    path = "/app/z" if mapping is DEEP else "/blog/z"

    mapped = map_cookie(send(path, mapping=mapping), cookie)

    assert mapped == (cookie if expected is None else expected)


def test_cookie_with_a_domain_while_the_client_has_an_unusable_host() -> None:
    """Where the client has no host, the backend's domain goes all the same."""
    request = BackendRequest(
        mount_point=compile_mount_points(BASED)[0],
        client=make_client(host=""),
        prefix="/blog",
        method="GET",
        target="/",
        headers=[],
        body=Body.NONE,
    )

    assert map_cookie(request, "a=1; Domain=example") == "a=1"
