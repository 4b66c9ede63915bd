"""
Users and passwords in URLs, which no error may show.

In:  settings and variables with such URLs in the wrong places.
Out: errors that name the setting and not the password.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ConfigurationError, read_settings
from trustedproxy.exceptions import hide_userinfo
from trustedproxy.option_table import read_environment

NAME = "TRUSTED_PROXY_MOUNT_POINTS"


@pytest.mark.parametrize("value", ["http://host/", "", None, 7, ["http://host/"]])
def test_value_without_userinfo_is_shown_as_it_is(value: Any) -> None:
    """Errors keep the value that was given wherever they can."""
    assert hide_userinfo(value) is value


@pytest.mark.parametrize(
    "text",
    [
        "/b/:http://user:pw@host/",
        "/a=http://a/ /a=http://user:pw@host/",
    ],
)
def test_variable_that_is_no_mapping(text: str) -> None:
    """Of a variable, too, only the host is shown."""
    with pytest.raises(ConfigurationError, match=NAME) as caught:
        read_environment({NAME: text})

    assert "http://***@host/" in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "/b/=http://user:pw@host/",
        ["http://user:pw@host/"],
        {"/b/": "http://user:pw@host/"},
        {"http://user:pw@host/": "/b/"},
    ],
)
def test_setting_that_is_invalid(value: Any) -> None:
    """Wherever in the setting the URL stands."""
    with pytest.raises(ConfigurationError, match=NAME) as caught:
        read_settings({NAME: value})

    assert "http://***@host/" in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("password", ["pw", "80/pw", "p@w", "p//w", "p?w", "p@w/x"])
@pytest.mark.parametrize(
    "name", ["TRUSTED_PROXY_HTTPS_HOST", "TRUSTED_PROXY_FIXED_HOST"]
)
def test_url_in_the_place_of_a_host(name: str, password: str) -> None:
    """Its host is named as the nearest one, and nothing of what stands before it."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        read_settings({name: f"https://user:{password}@www.example.com/x"})

    assert caught.value.nearest == "www.example.com"
    assert caught.value.value == "https://***@www.example.com/x"
    assert "user" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "nearest"),
    [
        ("https://www.example.com?x=1", "www.example.com"),
        ("https://www.example.com//", "www.example.com"),
        ("https://www.example.com#x", "www.example.com"),
        ("https://www.example.com/?next=https://evil.example/", "www.example.com"),
        ("//www.example.com:8443/x", "www.example.com:8443"),
        ("www.example.com/x", "www.example.com"),
        ("https://www.example.com/@me", None),
        ("https://user:pw@www.example.com/@me", None),
        ("https://first.last:80/pw@www.example.com/", None),
        ("https://a b/", None),
    ],
)
@pytest.mark.parametrize(
    "name", ["TRUSTED_PROXY_HTTPS_HOST", "TRUSTED_PROXY_FIXED_HOST"]
)
def test_nearest_host_is_that_of_the_url(
    name: str, value: str, nearest: str | None
) -> None:
    """Where an ``@`` may stand in the path or in a password, none is named."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        read_settings({name: value})

    assert caught.value.nearest == nearest
    for secret in ("pw", "user", "first"):
        assert secret not in str(caught.value)


def test_other_value_in_the_place_of_a_host() -> None:
    """Whatever it is, its text may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        read_settings({"TRUSTED_PROXY_HTTPS_HOST": ["https://user:pw@www.example.com"]})

    assert "pw" not in str(caught.value)
