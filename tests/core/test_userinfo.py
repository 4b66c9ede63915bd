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
