"""
Settings of Django, by their names.

In:  a settings module's source, and the names that somebody reads.
Out: those that are assigned there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest
from ..sources.given import refuse_near
from .kind import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..sources.source import Source

MIDDLEWARE = "MIDDLEWARE"


def find_settings(
    source: Source,
    known: Sequence[str],
    prefix: str = "",
    *,
    middleware: str = "",
) -> list[Found]:
    """
    Find the settings that are *known* in a module's source.

    Args:
        source: The module.

        known: Their names.

        prefix: What no other setting begins with; one that does is a typing error.

        middleware: A middleware that says that the tool is there.

    Raises:
        ConfigurationError: A name is nearly one that is known.
    """
    names = source.names
    options = {name: names[name] for name in known if name in names}
    for name, given in names.items():
        if prefix and name.startswith(prefix) and name not in known:
            raise ConfigurationError(
                given.where, name, f"a setting that is known here{nearest(name, known)}"
            )
        refuse_near(name, given.where, known)
    if not options:
        listed = names.get(MIDDLEWARE)
        value = None if listed is None else listed.value
        if not middleware or not isinstance(value, list) or middleware not in value:
            return []
        return [Found(names[MIDDLEWARE].where)]
    return [Found(next(iter(options.values())).where, options)]
