"""
The setting of the proxy mount points: a mapping, or pairs in text.

In:  values of the setting, and texts of its environment variable.
Out: the mapping, and errors that name the setting that was meant.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.mount_points.options import (
    NAME,
    OPTIONS,
    parse_mount_points,
    read_mount_points,
)

OTHER = (
    "; the URL path at which this application itself lives belongs in "
    "TRUSTED_PROXY_FIXED_MOUNT_POINT"
)
A_MAPPING = "a mapping of URL paths to URLs"
A_PAIR = "one PATH=URL for each path"


@pytest.mark.parametrize("value", [None, {}, {"/b/": "http://127.0.0.1:8001/"}])
def test_value_is_a_mapping_or_nothing(value: Any) -> None:
    """A new one, which nobody changes from outside."""
    mapping = read_mount_points(value)

    assert mapping == (value or {})
    assert mapping is not value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], f"[] is not {A_MAPPING}"),
        ("/dev", f"'/dev' is not {A_MAPPING}{OTHER}"),
        ("dev/", f"'dev/' is not {A_MAPPING}{OTHER}"),
        ("/a=http://b/", f"'/a=http://b/' is not {A_MAPPING}"),
        ("http://user:pw@b/", f"'http://***@b/' is not {A_MAPPING}"),
    ],
)
def test_value_that_is_no_mapping_is_refused(value: Any, text: str) -> None:
    """A path alone is answered with the setting that it belongs in."""
    with pytest.raises(ConfigurationError) as caught:
        read_mount_points(value)

    assert str(caught.value) == f"{NAME}: {text}."


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ({"blog": "http://127.0.0.1/"}, NAME),
        ({"/blog": "gopher://127.0.0.1/"}, f'{NAME}["/blog"]'),
    ],
)
def test_row_that_is_invalid_is_refused(value: Any, option: str) -> None:
    """When the settings are read, and not when the middleware is made."""
    with pytest.raises(ConfigurationError) as caught:
        read_mount_points(value)

    assert caught.value.option == option


@pytest.mark.parametrize(
    ("text", "shown", "expected"),
    [
        ("/dev", "/dev", A_PAIR + OTHER),
        ("/a=http://b /dev", "/dev", A_PAIR + OTHER),
        ("/a:http://user:pw@b/", "/a:http://***@b/", A_PAIR),
        ("/a=http://b/ /a=http://c/", "/a=http://c/", A_PAIR),
    ],
)
def test_text_that_is_no_pair_is_refused(text: str, shown: str, expected: str) -> None:
    """The error shows the word that is wrong, and no password."""
    with pytest.raises(ConfigurationError) as caught:
        parse_mount_points(NAME, text)

    assert str(caught.value) == f"{NAME}: {shown!r} is not {expected}."


def test_setting_is_one_row_of_the_table() -> None:
    """Its text is read as pairs."""
    [option] = OPTIONS

    assert option.name == NAME
    assert option.read_text("/a=http://b/") == {"/a": "http://b/"}
    assert option.read_text(" ") == {}
