"""The configuration of mount points: what is compiled, what stops the application."""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.allowed_hosts import compile_allowed_hosts
from trustedproxy.mount_points.points import (
    MountPoint,
    compile_mount_points,
    find_mount_point,
)
from trustedproxy.responses import Answer

from .planning import BACKEND, plan


def test_mount_points_are_compiled() -> None:
    """The longest path comes first, and final slashes change nothing."""
    compiled = compile_mount_points(
        {
            "/": "https://Root.Example",
            "/blog/": "http://127.0.0.1:8001",
            "/blog/shop": "http://[2001:DB8::1]:80/base/",
            "/sock/": "unix:/run/my blog.sock|http://blog/",
        }
    )

    assert compiled == (
        MountPoint(
            "/blog/shop",
            ("blog", "shop"),
            "http://[2001:DB8::1]:80/base/",
            "http",
            "[2001:db8::1]",
            80,
            "/base",
            None,
        ),
        MountPoint(
            "/blog",
            ("blog",),
            "http://127.0.0.1:8001",
            "http",
            "127.0.0.1",
            8001,
            "",
            None,
        ),
        MountPoint(
            "/sock",
            ("sock",),
            "unix:/run/my blog.sock|http://blog/",
            "http",
            "blog",
            80,
            "",
            "/run/my blog.sock",
        ),
        MountPoint(
            "", (), "https://Root.Example", "https", "root.example", 443, "", None
        ),
    )
    assert [row.authority for row in compiled] == [
        "[2001:db8::1]",
        "127.0.0.1:8001",
        "blog",
        "root.example",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "blog/",
        "//blog/",
        "/blog//",
        "/../blog/",
        "/a/./b/",
        "/bl og/",
        "/bl%6Fg/",
        "/blog;x/",
        "/blog?x",
        "/caf\xe9/",
        "/blog/\n",
        7,
        None,
    ],
)
def test_mount_points_reject_a_path(path: Any) -> None:
    """A path that could not be sent as X-Forwarded-Prefix stops the application."""
    with pytest.raises(ConfigurationError) as caught:
        compile_mount_points({path: BACKEND})

    assert caught.value.option == "TRUSTED_PROXY_MOUNT_POINTS"
    assert caught.value.value == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8001",
        "ftp://127.0.0.1/",
        "http://",
        "http:///x",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:/",
        "http://a b/",
        "http://127.0.0.1/?x",
        "http://127.0.0.1/#x",
        "http://127.0.0.1/a/../b",
        "http://127.0.0.1/a/%2e%2e/b",
        "http://127.0.0.1/a//b",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/%zz",
        "http://127.0.0.1/\n",
        "unix:relative.sock|http://host/",
        "unix:/run/blog.sock",
        "unix:/run/blog.sock|https://host/",
        None,
        8001,
    ],
)
def test_mount_points_reject_a_url(url: Any) -> None:
    """A URL that is invalid stops the application, and the row is named."""
    with pytest.raises(ConfigurationError) as caught:
        compile_mount_points({"/x": url})

    assert caught.value.option == 'TRUSTED_PROXY_MOUNT_POINTS["/x"]'
    assert caught.value.value == url
    assert "http://127.0.0.1:8001/" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:pw@host/", "http://***@host/"),
        ("http://user@127.0.0.1/", "http://***@127.0.0.1/"),
        ("http://user:p/w@host/", "http://***@host/"),
        ("http://user:p@w@host/", "http://***@host/"),
        ("http://user:p//w@host/?x", "http://***@host/?x"),
        ("user:pw@host", "***@host"),
        ("unix:/run/b.sock|http://user:pw@host/", "unix:/run/b.sock|http://***@host/"),
        ("unix:/run//b.sock|http://user:pw@host/", "unix:/run//***@host/"),
        (["http://user:pw@host/"], "['http://***@host/']"),
    ],
)
def test_mount_points_show_no_password(url: Any, shown: str) -> None:
    """User and password of a URL are refused, and hidden in the error."""
    with pytest.raises(ConfigurationError) as caught:
        compile_mount_points({"/b/": url})

    assert caught.value.value == shown
    assert str(caught.value).startswith(
        f'TRUSTED_PROXY_MOUNT_POINTS["/b/"]: {shown!r} is not a URL such as'
    )
    assert "user" not in str(caught.value)


@pytest.mark.parametrize(
    "mapping", [{"http://user:pw@host/": "/b/"}, [("/b/", "http://user:pw@host/")]]
)
def test_mount_points_show_no_password_elsewhere(mapping: Any) -> None:
    """Nor where the URL stands in another place than it should."""
    with pytest.raises(ConfigurationError, match=r"\*\*\*@host") as caught:
        compile_mount_points(mapping)

    assert "user" not in str(caught.value)


def test_mount_points_reject_the_same_path_twice() -> None:
    """With and without the final slash it is one path."""
    with pytest.raises(ConfigurationError, match="twice"):
        compile_mount_points({"/blog": BACKEND, "/blog/": BACKEND})


def test_mount_points_reject_what_is_no_mapping() -> None:
    """A list says what is wrong, not an AttributeError."""
    value: Any = ["/blog/"]

    with pytest.raises(ConfigurationError, match="a mapping of URL paths to URLs"):
        compile_mount_points(value)


@pytest.mark.parametrize(
    ("allowed", "passes"),
    [
        (["app.example"], True),
        (["other.example", ".example"], True),
        ([".app.example"], True),
        ("*", True),
        ([], False),
        (["example"], False),
        ([".pp.example"], False),
        (["app.example.evil"], False),
    ],
)
def test_other_hosts_are_refused(allowed: Any, passes: bool) -> None:
    """A host that is not on the list gets neither a redirect nor a backend."""
    hosts = compile_allowed_hosts(allowed)

    planned = [plan(path, allowed_hosts=hosts) for path in ("/blog", "/blog/x")]

    assert [isinstance(one, Answer) and one.status == 400 for one in planned] == [
        not passes,
        not passes,
    ]
    assert plan("/x", allowed_hosts=hosts) is None


def test_find_mount_point_of_nothing() -> None:
    """Without mount points nothing is found."""
    assert find_mount_point((), "/blog/") is None
