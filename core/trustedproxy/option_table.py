"""
The one table of settings: the rows of every feature, in the order of the docs.

In:  a mapping that holds ``TRUSTED_PROXY_…`` names among others.
Out: our settings in it, by name; or a `ConfigurationError` for a name that is nearly
     one of ours.

What the values mean is the features' own business, and `settings` asks them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import policy_options, process, token_options
from .exceptions import ConfigurationError, nearest
from .https_only import options as https_only_options
from .mount_points import options as mount_points_options
from .options import PREFIX, Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._types import SettingsMapping

OPTIONS: tuple[Option, ...] = (
    *policy_options.OPTIONS,
    *https_only_options.OPTIONS,
    *mount_points_options.OPTIONS,
    *process.OPTIONS,
    *token_options.OPTIONS,
)

OPTION_OF = {option.name: option for option in OPTIONS}


def _letters(name: str) -> str:
    """Leave of *name* what a typing error seldom changes: its letters, in one case."""
    return "".join(filter(str.isalpha, name)).upper()


_OUR_LETTERS = tuple(map(_letters, OPTION_OF))
#: How near a name has to be to one of ours to be taken for a misspelled one, from 0 to
#: 1: two letters of twenty may differ.
_NEAR = 0.9


def is_ours(name: object) -> bool:
    """
    Say whether *name* is one of ours, or was probably meant to be.

    Nobody reads a misspelled setting, and what it should have kept out comes in.  It
    need not begin as ours do: ``TRUSTEDPROXY_HEADERS``, ``TRUST_PROXY_HEADERS``.
    """
    # A mapping of others may have keys that are no text.
    if not isinstance(name, str) or name[:1] not in ("T", "t"):
        return False
    letters = _letters(name)
    return letters.startswith(_letters(PREFIX)) or bool(
        nearest(letters, _OUR_LETTERS, cutoff=_NEAR)
    )


def select_settings(mapping: SettingsMapping) -> dict[str, Any]:
    """
    Pick our names out of *mapping*.

    Raises:
        ConfigurationError: A name is nearly ours, and is none of them.
    """
    given: dict[str, Any] = {}
    for name in mapping:
        if name in OPTION_OF:
            given[name] = mapping[name]
        elif is_ours(name):
            expected = "a known setting" + nearest(name, OPTION_OF)
            raise ConfigurationError(name, name, expected)
    return given


def read_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """
    Read environment variables: text to the values that settings have.

    An unset variable is not there, and neither is an empty one, unless it is an empty
    list: a compose file that hands on what is not set must not override a preset.
    Mount points are written ``PATH=URL``, separated by blanks or commas.
    """
    return {
        name: OPTION_OF[name].read_text(text)
        for name, text in select_settings(environment).items()
        if OPTION_OF[name].parse is None or text.strip()
    }


def unused_names(given: Mapping[str, Any]) -> list[str]:
    """Name the settings in *given* that a policy alone does not use."""
    return [
        option.name
        for option in OPTIONS
        if option.argument is None
        and given.get(option.name, option.default) != option.default
    ]
