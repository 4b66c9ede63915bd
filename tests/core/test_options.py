"""
What a setting is, and how values and texts are read, whatever they are about.

In:  values as settings hold them, and texts as environment variables do.
Out: the value, or an error with the setting's name.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.options import (
    Option,
    is_list,
    parse_flag,
    parse_number,
    parse_pairs,
    parse_word,
    read_choice,
    read_flag,
    read_number,
    split_entries,
)

NAME = "TRUSTED_PROXY_X"


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_word, " all\n", "all"),
        (parse_flag, " ON ", True),
        (parse_flag, "False", False),
        (parse_number, " 64 ", 64),
        (parse_number, "007", 7),
        (parse_pairs, "/a=b=c, /d=", {"/a": "b=c", "/d": ""}),
        (parse_pairs, "/a=b=http://h/", {"/a=b": "http://h/"}),
        (parse_pairs, "/a==https://h/?b=http://c", {"/a=": "https://h/?b=http://c"}),
        (parse_pairs, "/=a=unix:/s=t|http://h/", {"/=a": "unix:/s=t|http://h/"}),
        (parse_pairs, " , ", {}),
    ],
)
def test_text_is_read_as_a_value(
    parse: Callable[[str, str], object], text: str, value: object
) -> None:
    """Blanks around it do not count."""
    assert parse(NAME, text) == value


@pytest.mark.parametrize(
    ("parse", "text", "shown", "expected"),
    [
        (parse_flag, "maybe", "'maybe'", "true or false"),
        (parse_number, "1e3", "'1e3'", "a whole number"),
        (parse_number, "-1", "'-1'", "a whole number"),
        (parse_number, "\u0661", "'\u0661'", "a whole number"),
        (
            parse_number,
            "1" * 5000,
            "'" + "1" * 399 + "… (5002 characters)",
            "a whole number",
        ),
        (parse_pairs, "/a", "'/a'", "one PATH=URL for each path"),
        (parse_pairs, "/a=b /a=c", "'/a=c'", "one PATH=URL for each path"),
        (
            parse_pairs,
            "/a:http://u:p@b",
            "'/a:http://***@b'",
            "one PATH=URL for each path",
        ),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_text_that_is_no_value_is_refused(
    parse: Callable[[str, str], object], text: str, shown: str, expected: str
) -> None:
    """The error shows what is wrong, and no password."""
    with pytest.raises(ConfigurationError) as caught:
        parse(NAME, text)

    assert str(caught.value) == f"{NAME}: {shown} is not {expected}."


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        (Option(NAME, (), "a list"), "", ""),
        (Option(NAME, (), "a list"), " a b", " a b"),
        (Option(NAME, "listed", "a word", parse=parse_word), "all ", "all"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_text_of_an_option(option: Option, text: str, value: object) -> None:
    """A list may stay one text, and an empty one has no entries."""
    assert option.read_text(text) == value


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        ("a, b\nc", ["a", "b", "c"]),
        (" ,", []),
        (("a", 5), ["a", 5]),
        ({"a": 1}.keys(), ["a"]),
        (iter(["a"]), ["a"]),
        ({"a"}, ["a"]),
    ],
    ids=repr,
)
def test_list_is_split_into_entries(value: object, entries: list[object]) -> None:
    """One string is separated by blanks or commas; entries stay what they are."""
    assert split_entries(value, NAME) == entries


@pytest.mark.parametrize(
    "value", [None, 5, b"a", {"a": 1}, ip_network("10.0.0.0/8"), ip_network("fc00::/7")]
)
def test_value_that_is_no_list_is_refused(value: Any) -> None:
    """A network alone could be gone through, address by address, and is no list."""
    with pytest.raises(ConfigurationError) as caught:
        split_entries(value, NAME)

    assert not is_list(value)
    assert str(caught.value) == (
        f"{NAME}: {value!r} is not a list of strings, or one string."
    )


def test_value_is_read_as_it_is() -> None:
    """Nothing is converted: settings are written in Python."""
    assert read_flag(NAME, True) is True
    assert read_choice(NAME, "b", ("a", "b")) == "b"
    assert [read_number(NAME, number, 1, 3) for number in (1, 3)] == [1, 3]


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda value: read_flag(NAME, value), 1, "True or False"),
        (lambda value: read_flag(NAME, value), None, "True or False"),
        (lambda value: read_number(NAME, value, 1, 3), 0, "a whole number from 1 to 3"),
        (lambda value: read_number(NAME, value, 1, 3), 4, "a whole number from 1 to 3"),
        (
            lambda value: read_number(NAME, value, 1, 3),
            True,
            "a whole number from 1 to 3",
        ),
        (lambda value: read_choice(NAME, value, ("one", "two")), 5, "'one' or 'two'"),
        (
            lambda value: read_choice(NAME, value, ("one", "two")),
            "ONE",
            "'one' or 'two' (the nearest is 'one')",
        ),
    ],
)
def test_value_of_a_wrong_kind_is_refused(
    read: Callable[[object], object], value: object, expected: str
) -> None:
    """The error says what it may be, and the nearest word."""
    with pytest.raises(ConfigurationError) as caught:
        read(value)

    assert str(caught.value) == f"{NAME}: {value!r} is not {expected}."
