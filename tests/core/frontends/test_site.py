"""What is asked for is checked before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy.exceptions import ConfigurationError
from trustedproxy.frontends import TLS, Location, Site
from trustedproxy.frontends.site import Backend, parse_backend

from .making import CERTIFICATE, make_site


@pytest.mark.parametrize(
    ("text", "expected", "authority"),
    [
        ("127.0.0.1:8000", Backend("127.0.0.1", 8000, ""), "127.0.0.1:8000"),
        ("[::1]:8000", Backend("::1", 8000, ""), "[::1]:8000"),
        ("app_1.local:80", Backend("app_1.local", 80, ""), "app_1.local:80"),
    ],
)
def test_backend_is_a_host_and_a_port(
    text: str, expected: Backend, authority: str
) -> None:
    """An address, with brackets for IPv6, or a name."""
    backend = parse_backend(text)

    assert backend == expected
    assert backend.authority == authority
    assert backend.address == ("" if "app" in text else expected.host)


def test_backend_is_a_unix_socket() -> None:
    """An absolute path behind ``unix:``."""
    assert parse_backend("unix:/run/app.sock") == Backend("", 0, "/run/app.sock")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8000",
        ":8000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:08",
        "127.0.0.1:65536",
        "127.0.0.1:8000; evil",
        "[127.0.0.x]:80",
        "[fe80::1%eth0]:80",
        "::1:8000",
        "http://app:80",
        "a b:80",
        "-app:80",
        "app\n:80",
        "unix:run/app.sock",
        "unix:/run/app.sock;",
        "unix:/run/../app.sock",
        "unix:/run/a b",
        "unix:",
        "unix:/run/",
    ],
)
def test_backend_refuses_what_is_none(text: str) -> None:
    """The error shows it, and what to write."""
    with pytest.raises(ConfigurationError) as refused:
        parse_backend(text)

    assert refused.value.option == "backend"
    assert refused.value.value in (text, 65536)


@pytest.mark.parametrize(
    ("path", "kept", "name"),
    [
        ("", "", "app"),
        ("/", "", "app"),
        ("/app/", "/app", "app"),
        ("/Team/a.b", "/Team/a.b", "team-a-b"),
        ("/2024", "/2024", "app-2024"),
        ("/~", "/~", "app"),
    ],
)
def test_location_has_a_path_and_a_name_of_it(path: str, kept: str, name: str) -> None:
    """A slash at the end is dropped; a name begins with a letter."""
    location = Location("127.0.0.1:8000", path)

    assert (location.path, location.name, location.prefix) == (kept, name, kept)
    assert Location("127.0.0.1:8000", path, strip_path=False).prefix == ""


@pytest.mark.parametrize(
    "path",
    [
        "app",
        "//app",
        "/a/../b",
        '/a"b',
        "/a b",
        "/a\n",
        "/a;b",
        "/a{b}",
        "/a#b",
        "/a`b",
    ],
)
def test_location_refuses_a_path_that_is_none(path: str) -> None:
    """Nothing that could end a word or a line gets through."""
    with pytest.raises(ConfigurationError) as refused:
        Location("127.0.0.1:8000", path)

    assert refused.value.option == "path"


@pytest.mark.parametrize("name", ["App", "a b", "a;", "-a", "a-", "a\n"])
def test_location_refuses_a_name_that_is_no_word(name: str) -> None:
    """Names stand unquoted in configurations."""
    with pytest.raises(ConfigurationError):
        Location("127.0.0.1:8000", name=name)


def test_site_lists_its_locations_longest_path_first() -> None:
    """So that a front end that takes the first match takes the right one."""
    site = make_site(
        path="/a",
        others=[Location("127.0.0.1:1", "/a/b"), Location("127.0.0.1:2", name="home")],
    )

    assert [one.path for one in site.locations] == ["/a/b", "/a", ""]
    assert [site.name_of(one) for one in site.locations] == [
        "app-a-b",
        "app",
        "app-home",
    ]


def test_site_has_a_listener_for_each_port() -> None:
    """Plain HTTP, TLS, or both."""
    both = make_site(tls=CERTIFICATE)
    secure = make_site(tls=CERTIFICATE, http_port=None)

    assert [(one.port, one.is_secure) for one in both.listeners] == [
        (80, False),
        (443, True),
    ]
    assert [one.scheme for one in secure.listeners] == ["https"]
    assert [one.scheme for one in make_site().listeners] == ["http"]


def test_names_made_of_paths_are_distinguished() -> None:
    """The site is called app by default, and so may a path be."""
    paths = ("/app", "/a.b", "/a-b", "/A-b", "/a-b-2", "/@")
    others = [Location(f"127.0.0.1:{n}", path) for n, path in enumerate(paths, 1)]
    given = Location("127.0.0.1:9", "/x", name="app-2")

    site = make_site(others=[*others, given])

    names = {one.path: one.name for one in site.locations}
    assert len(set(names.values())) == len(names) == 8
    assert (names[""], names["/x"], names["/app"]) == ("app", "app-2", "app-3")
    assert (names["/a.b"], names["/a-b"], names["/A-b"]) == ("a-b", "a-b-2", "a-b-3")
    assert make_site(others=site.others) == site


def test_site_spells_named_networks_out() -> None:
    """Front ends know networks only."""
    site = make_site(behind="10.0.0.5, loopback")

    assert site.outer_networks == ("10.0.0.5/32", "127.0.0.0/8", "::1/128")


REFUSED: dict[str, dict[str, Any]] = {
    "path": {"others": [Location("127.0.0.1:1", "")]},
    "name": {"others": [Location("127.0.0.1:1", "/x", name="app")]},
    "server_names": {"server_names": ["a.example", "b;c"]},
    "address": {"address": "localhost"},
    "http_port": {"http_port": 0},
    "https_port": {"https_port": True},
    "behind": {"behind": ["10.0.0.0/33"]},
    "outer_headers": {"outer_headers": ["X-Forwarded-For"]},
    "hsts": {"hsts": "max-age=1"},
    "secret": {"secret": "a secret"},
    "access_log": {"access_log": "log"},
}


@pytest.mark.parametrize("option", REFUSED)
def test_site_refuses_what_is_invalid(option: str) -> None:
    """The error names the field."""
    with pytest.raises(ConfigurationError) as refused:
        make_site(**REFUSED[option])

    assert refused.value.option == option


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ({"http_port": None}, "http_port"),
        ({"tls": CERTIFICATE, "https_port": 80}, "https_port"),
        ({"tls": CERTIFICATE, "hsts": "max-age"}, "hsts"),
    ],
)
def test_site_refuses_what_contradicts_itself(said: Any, option: str) -> None:
    """No listener, one port twice, a policy that is none."""
    with pytest.raises(ConfigurationError) as refused:
        make_site(**said)

    assert refused.value.option == option


def test_secret_is_in_no_representation_and_no_error() -> None:
    """It is printed in the configuration alone."""
    with pytest.raises(ConfigurationError) as refused:
        make_site(secret="s\x7fcret")

    assert "s\x7fcret" not in str(refused.value)
    assert "hidden-secret" not in repr(make_site(secret="hidden-secret"))


@pytest.mark.parametrize("path", ["a.crt", "/a b.crt", "/a.crt\n", "/../a", "/a;b"])
def test_certificate_refuses_what_is_no_path(path: str) -> None:
    """Both files are named by absolute paths."""
    with pytest.raises(ConfigurationError):
        TLS(path, "/a.key")
    with pytest.raises(ConfigurationError):
        TLS("/a.crt", path)


def test_site_is_comparable_and_unchangeable() -> None:
    """Two that say the same are the same."""
    site = make_site(server_names=["a.example", "b.example"])

    assert site == make_site(server_names="a.example b.example")
    assert isinstance(site, Site)
    frozen: Any = site
    with pytest.raises(AttributeError):
        frozen.path = "/x"
