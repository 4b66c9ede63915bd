"""
The setting of the proxy mount points.

In:  the setting's value, or its text in an environment variable.
Out: `OPTIONS`, its row in the table of settings, and the mapping that it is, in which
     `points` has found nothing wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..exceptions import ConfigurationError, hide_userinfo
from ..options import Option, parse_pairs
from .points import compile_mount_points

NAME = "TRUSTED_PROXY_MOUNT_POINTS"


def parse_mount_points(name: str, text: str) -> dict[str, str]:
    """Read ``PATH=URL`` pairs, separated by blanks or commas."""
    try:
        return parse_pairs(name, text)
    except ConfigurationError as error:
        expected = error.expected + _name_other_setting(error.value)
        raise ConfigurationError(name, error.value, expected) from None


def read_mount_points(value: object) -> dict[str, str]:
    """
    Read the mapping of URL paths to backend URLs; ``None`` is an empty one.

    Raises:
        ConfigurationError: It is no mapping, or a row of it is invalid.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        expected = "a mapping of URL paths to URLs" + _name_other_setting(value)
        raise ConfigurationError(NAME, hide_userinfo(value), expected)
    # The middlewares compile it again; an invalid one is an error at start.
    compile_mount_points(value)
    return dict(value)


def _name_other_setting(value: object) -> str:
    """Name the setting that was meant by a path alone: a clause to append."""
    if not isinstance(value, str) or "=" in value or "//" in value:
        return ""
    return (
        "; the URL path at which this application itself lives belongs in "
        "TRUSTED_PROXY_FIXED_MOUNT_POINT"
    )


OPTIONS: tuple[Option, ...] = (
    Option(
        NAME,
        {},
        "URL path → URL of the backend that is proxied there",
        parse=parse_mount_points,
    ),
)
