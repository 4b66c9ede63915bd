"""
What a setting is, and how values and texts are read, whatever they are about.

In:  the value of a setting, or its text in an environment variable.
Out: `Option`, one row of a table of settings; and the readers, which hand over the
     value or raise `ConfigurationError` with the setting's name.

The rows stand beside what they configure, and `option_table` adds them up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeGuard, TypeVar

from .exceptions import ConfigurationError, hide_userinfo, name_nearest, nearest
from .parsing.values import split_host

#: Names that begin like this are ours, so that a misspelled one is an error.
PREFIX = "TRUSTED_PROX"

# RFC 3986 section 3: what stands in front of the authority.
_URL_START = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")
_URL_BEGINS = re.compile(r"=(?=https?://|unix:/)")

# No setting has a number that long, and `int` takes its time over longer ones.
_MANY_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Option:
    """
    One setting.

    Attributes:
        name: In settings, config and environment.

        default: What holds where it is not set.

        meaning: One line, for the tables in the docs.

        argument: The argument of `ProxyPolicy` that it is, or ``None``.

        parse:
            How its text in an environment variable is read: the name and the text in,
            the value out. ``None`` for a list, which may stay one text.
    """

    name: str
    default: object
    meaning: str
    argument: str | None = None
    parse: Callable[[str, str], object] | None = None

    def read_text(self, text: str) -> object:
        """
        Read the *text* of an environment variable; of an empty one, a list is empty.

        Raises:
            ConfigurationError: The text is no value of this setting.
        """
        return text if self.parse is None else self.parse(self.name, text)


# -- texts of environment variables ----------------------------------------------------


def parse_word(name: str, text: str) -> str:
    """Read a word or a text, without the blanks around it."""
    return text.strip()


def parse_flag(name: str, text: str) -> bool:
    """Read yes or no in the words that people use, in any case."""
    word = text.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ConfigurationError(name, text, "true or false")


def parse_number(name: str, text: str) -> int:
    """Read a whole number of ASCII digits."""
    word = text.strip()
    if not (word.isascii() and word.isdigit() and len(word) < _MANY_DIGITS):
        raise ConfigurationError(name, text, "a whole number")
    return int(word)


def parse_pairs(name: str, text: str) -> dict[str, str]:
    """Read ``PATH=URL`` pairs, separated by blanks or commas."""
    pairs: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        # A path may have a "=" of its own, but what a URL begins with.
        begins = _URL_BEGINS.search(word)
        at = word.find("=") if begins is None else begins.start()
        path, url = word[:at], word[at + 1 :]
        if at < 0 or path in pairs:
            shown = hide_userinfo(word)
            raise ConfigurationError(name, shown, "one PATH=URL for each path")
        pairs[path] = url
    return pairs


# -- values ----------------------------------------------------------------------------


def read_flag(name: str, value: object) -> bool:
    """Read a flag, which is ``True`` or ``False`` and nothing like it."""
    if not isinstance(value, bool):
        raise ConfigurationError(name, value, "True or False")
    return value


Choice = TypeVar("Choice", bound=str)


def read_choice(name: str, value: object, choices: tuple[Choice, ...]) -> Choice:
    """Read one of a few words."""
    for choice in choices:
        if value == choice:
            return choice
    words = " or ".join(repr(choice) for choice in choices)
    raise ConfigurationError(name, value, words + nearest(str(value), choices))


def read_number(name: str, value: object, least: int, most: int) -> int:
    """Read a whole number between two bounds, both included."""
    # To Python, True is 1.
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and least <= value <= most
    ):
        return value
    raise ConfigurationError(name, value, f"a whole number from {least} to {most}")


def name_host_inside(value: object) -> str:
    """
    Name the host inside of a URL that was given in its place.

    Returns:
        A clause to append to the *expected* part of an error; empty where there is
        none. Of user and password nothing is in it, whatever they hold.
    """
    text = str(value)
    start = _URL_START.match(text)
    rest = text if start is None else text[start.end() :]
    authority = _cut_path(rest)
    inside = authority.rpartition("@")[2]
    if "@" in rest[len(authority) :]:
        # In the path, or in a password with a slash: nobody knows which.
        if "." in inside and split_host(inside) is not None:
            return ""
        inside = _cut_path(rest.rpartition("@")[2])
    return name_nearest(inside) if split_host(inside) is not None else ""


def _cut_path(text: str) -> str:
    """Cut off where the authority of a URL ends (RFC 3986 section 3.2)."""
    return re.split("[/?#]", text, maxsplit=1)[0]


def split_entries(value: object, name: str) -> list[Any]:
    """
    Read a list of entries, or one string separated by blanks or commas.

    Args:
        value: What was configured.

        name: The setting's name, for errors.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(value, str):
        return value.replace(",", " ").split()
    if not is_list(value):
        raise ConfigurationError(name, value, "a list of strings, or one string")
    return list(value)


def is_list(value: object) -> TypeGuard[Iterable[Any]]:
    """Say whether *value* holds entries; a text, a mapping and a network do not."""
    # A network can be gone through as well, address by address.
    alone = (str, bytes, Mapping, IPv4Network, IPv6Network)
    return isinstance(value, Iterable) and not isinstance(value, alone)
