"""
Addresses to probe: what is one, and what each part of it is for.
"""

from __future__ import annotations

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.probe import parse_direct, parse_target

TARGET = parse_target("https://www.example.com/app/?a=b")


@pytest.mark.parametrize(
    ("url", "where", "authority", "path", "again"),
    [
        ("http://a.example", "a.example:80", "a.example", "/", "http://a.example/"),
        (
            "HTTPS://A.example:8443/x?y=z#part",
            "a.example:8443",
            "a.example:8443",
            "/x",
            "https://a.example:8443/x?y=z",
        ),
        (
            "http://[2001:db8::1]:8080/",
            "[2001:db8::1]:8080",
            "[2001:db8::1]:8080",
            "/",
            "http://[2001:db8::1]:8080/",
        ),
        (
            "https://bücher.example/ü b",
            "xn--bcher-kva.example:443",
            "xn--bcher-kva.example",
            "/%C3%BC%20b",
            "https://xn--bcher-kva.example/%C3%BC%20b",
        ),
    ],
)
def test_target_is_what_the_url_says(
    url: str, where: str, authority: str, path: str, again: str
) -> None:
    """Where to connect, what to ask for, and the address again."""
    target = parse_target(url)

    assert (target.where, target.authority, target.path) == (where, authority, path)
    assert target.url == again


@pytest.mark.parametrize(
    "url",
    [
        "",
        "www.example.com",
        "ftp://a.example/",
        "http:///path",
        "http://a.example:0/",
        "http://a.example:99999/",
        "http://[::1",
        "http://a b.example/",
        "http://" + "ü" * 70 + ".example/",
    ],
)
def test_target_that_is_none_is_refused(url: str) -> None:
    """The error says what an address is like."""
    with pytest.raises(ConfigurationError, match="such as https://www"):
        parse_target(url)


def test_password_of_a_url_is_refused_and_not_shown() -> None:
    """It would be sent to whoever answers, and stand in the card."""
    with pytest.raises(ConfigurationError) as caught:
        parse_target("https://user:secret@a.example/")

    assert "secret" not in str(caught.value)


def test_query_of_its_own_is_put_behind() -> None:
    """The address's own query stays."""
    assert TARGET.write_target(["x=1"]) == "/app/?a=b&x=1"
    assert parse_target("http://a.example/").write_target(["x=1"]) == "/?x=1"


@pytest.mark.parametrize(
    ("text", "where", "path", "scheme"),
    [
        ("10.0.0.5:8000", "10.0.0.5:8000", "/app/", "http"),
        ("[::1]:8000", "[::1]:8000", "/app/", "http"),
        ("unix:/run/app.sock", "unix:/run/app.sock", "/app/", "http"),
        ("https://10.0.0.5/page", "10.0.0.5:443", "/page", "https"),
        ("http://10.0.0.5:81", "10.0.0.5:81", "/", "http"),
    ],
)
def test_direct_address_is_asked_for_the_same_host(
    text: str, where: str, path: str, scheme: str
) -> None:
    """And for the same path, unless it is a URL."""
    direct = parse_direct(text, TARGET)

    assert (direct.where, direct.path, direct.scheme) == (where, path, scheme)
    assert direct.authority == "www.example.com"
    assert direct.is_secure == (scheme == "https")


@pytest.mark.parametrize("text", ["8000", "10.0.0.5", "unix:app.sock", "ftp://a:1/"])
def test_direct_address_that_is_none_is_refused(text: str) -> None:
    """The error names the option."""
    with pytest.raises(ConfigurationError, match="--direct"):
        parse_direct(text, TARGET)


def test_host_has_no_port() -> None:
    """Links in answers are compared by it."""
    assert parse_target("http://a.example:8080/").host == "a.example"
    assert parse_target("http://[::1]/").host == "[::1]"
