"""
The error of a wrong setting: a sentence, and its parts.

In:  an option, a value, what was expected.
Out: `ConfigurationError` and the clause with the nearest word.
"""

from __future__ import annotations

import copy
import pickle

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.exceptions import name_nearest, nearest


def test_error_reads_as_a_sentence() -> None:
    """The text names the setting, the value and what it should have been."""
    error = ConfigurationError(
        "TRUSTED_PROXIES[1]", "10.0.0.0/33", "an IP network such as 10.0.0.0/8"
    )

    assert str(error) == (
        "TRUSTED_PROXIES[1]: '10.0.0.0/33' is not an IP network such as 10.0.0.0/8."
    )


def test_error_names_the_argument_that_the_setting_is() -> None:
    """Whoever gave the value in Python finds it there."""
    error = ConfigurationError("TRUSTED_PROXIES[1]", "x", "a network", "proxies")

    assert str(error) == "TRUSTED_PROXIES[1] (proxies=): 'x' is not a network."
    assert (error.option, error.keyword) == ("TRUSTED_PROXIES[1]", "proxies")
    assert ConfigurationError("TRUSTED_PROXIES", "x", "a network").keyword is None


def test_error_shows_no_more_of_a_value_than_anybody_reads() -> None:
    """What was given is in its `value`, whole; the sentence stays one."""
    long = ["10.0.0.0/33"] * 1000

    error = ConfigurationError("TRUSTED_PROXIES", long, "a list of networks")

    assert str(error).endswith(
        "'10.0.0.0… (15000 characters) is not a list of networks."
    )
    assert len(str(error)) < 500
    assert error.value == long


def test_error_keeps_its_parts() -> None:
    """Callers match on fields, not on text."""
    error = ConfigurationError("TRUSTED_PROXY_HOPS", 0, "a whole number")

    assert isinstance(error, ValueError)
    assert (error.option, error.value, error.expected) == (
        "TRUSTED_PROXY_HOPS",
        0,
        "a whole number",
    )


@pytest.mark.parametrize("again", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_error_survives_being_copied(again: object) -> None:
    """An error that crosses a process says there what it said here."""
    error = ConfigurationError("TRUSTED_PROXY_HOPS", 0, "a whole number", "hops")
    assert callable(again)

    assert str(again(error)) == str(error)


@pytest.mark.parametrize(
    ("word", "clause"),
    [
        ("loopbak", " (the nearest is 'loopback')"),
        ("LOOPBACK", " (the nearest is 'loopback')"),
        ("privat", " (the nearest is 'private')"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_nearest_word_is_named_where_one_is_near(word: str, clause: str) -> None:
    """A typing error is answered with the word that was meant."""
    assert nearest(word, ("loopback", "private", "shared")) == clause


def test_nearest_word_is_named_only_where_it_is_near_enough() -> None:
    """Where another cause is likelier, a word has to be nearer."""
    known = ("unix", "loopback")

    assert nearest("nginx", known) == " (the nearest is 'unix')"
    assert nearest("nginx", known, cutoff=0.8) == ""


@pytest.mark.parametrize("value", ["10.0.0.0/32", "it's", "a) (b", "two\nlines"])
def test_error_gives_the_nearest_value_as_it_is_typed(value: str) -> None:
    """Whoever shows the error can show that as well."""
    expected = "an IP network" + name_nearest(value)

    assert ConfigurationError("TRUSTED_PROXIES", "x", expected).nearest == value
    assert ConfigurationError("TRUSTED_PROXIES", "x", "a list").nearest is None
