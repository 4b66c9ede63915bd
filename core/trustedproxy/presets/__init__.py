"""
Named policies for real platforms.

In:  a preset's name.
Out: what a policy is made of, and everything that is known of the platform.

Nothing is read before a preset is asked for.  Reading order: `records`, `reading`,
`combining`; `lists`, `fetching` and `update` refresh a provider's networks and are
loaded only by those who want that.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..exceptions import ConfigurationError, nearest
from ..log import warn_once
from .combining import combine, describe_age, setting_of
from .records import GROUPS, Networks, Preset, Publication, Source, Unconfirmed, Vector

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "GROUPS",
    "Networks",
    "Preset",
    "Publication",
    "Source",
    "Unconfirmed",
    "Vector",
    "arguments_of",
    "combine",
    "describe_age",
    "load",
    "names",
    "read_preset",
    "read_unconfirmed",
    "unconfirmed_names",
]

_SETTING = "TRUSTED_PROXY_PRESET"


@cache
def names() -> tuple[str, ...]:
    """List the names of the presets, sorted."""
    from .reading import PLATFORMS, list_names

    return list_names(PLATFORMS)


@cache
def unconfirmed_names() -> tuple[str, ...]:
    """List the names of the platforms that have no preset, sorted."""
    from .reading import UNCONFIRMED, list_names

    return list_names(UNCONFIRMED)


def read_preset(name: object) -> Preset:
    """
    Read the preset *name*, whatever a setting holds.

    Raises:
        ConfigurationError: There is none of that name; the nearest is named.
    """
    if name in names():
        return _read_preset(str(name))
    if name in unconfirmed_names():
        raise ConfigurationError(
            _SETTING,
            name,
            "a preset: what that platform sends is not confirmed, and "
            "docs/platforms.md says what to measure",
        )
    near = _name_nearest(name) if isinstance(name, str) else ""
    raise ConfigurationError(
        _SETTING, name, f"a preset{near or ': ' + ', '.join(names())}"
    )


def _name_nearest(name: str) -> str:
    """Name the nearest preset, or the nearest platform that has none."""
    found = nearest(name, names())
    if found:
        return found
    # Loaded for an error alone.
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), unconfirmed_names(), n=1)
    # In words of its own: a nearest right value would be said to be typed instead.
    return f": {close[0]!r} is near, a platform that has none" if close else ""


@cache
def _read_preset(name: str) -> Preset:
    from .reading import read_platform

    return read_platform(name)


@cache
def read_unconfirmed(name: str) -> Unconfirmed:
    """Read the platform *name*, one of `unconfirmed_names`."""
    from .reading import read_unconfirmed

    return read_unconfirmed(name)


def load(name: object) -> Mapping[str, object]:
    """
    Load the preset *name* as settings: setting name → value.

    Raises:
        ConfigurationError: There is none of that name.
    """
    arguments = read_preset(name).arguments
    return MappingProxyType(
        {setting_of(argument): value for argument, value in arguments.items()}
    )


def arguments_of(
    name: object, overrides: Mapping[str, object], *, today: date | None = None
) -> dict[str, Any]:
    """
    Give the arguments of `ProxyPolicy` for a preset and what is said beside it.

    Networks that are older than half a year are logged at WARNING, once a process.

    Args:
        name: A preset's name.

        overrides: Arguments that take the place of the preset's.

        today: The day from which ages are counted; by default the present one.

    Raises:
        ConfigurationError: There is no such preset, or it needs more than was said.
    """
    preset = read_preset(name)
    combined = combine(preset, overrides)
    warning = describe_age(preset, overrides, today or date.today())
    if warning is not None:
        warn_once(f"old-networks:{preset.name}", "%s", warning)
    return combined
