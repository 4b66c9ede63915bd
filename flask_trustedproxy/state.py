"""
What the extension knows about one application.

In:  its configuration, and the settings in force.
Out: `State`, which is kept in ``app.extensions["trustedproxy"]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trustedproxy import Settings
from trustedproxy.log import warn
from trustedproxy.option_table import is_ours

#: Where the state of an application is kept: ``app.extensions[EXTENSION]``.
EXTENSION = "trustedproxy"


@dataclass(frozen=True, slots=True)
class State:
    """
    What the extension knows about one application.

    Attributes:
        settings: What is in force.

        configured:
            The part of the configuration that was read when the extension was
            initialised, to find later changes. It may hold secrets, so it is never
            shown.

        logged: Codes of what was logged of this application; another may have its name.
    """

    settings: Settings
    configured: Mapping[str, Any] = field(repr=False)
    logged: set[str] = field(default_factory=set, repr=False, compare=False)

    def warn_once(self, code: str, message: str, *args: object) -> None:
        """Log *message* at WARNING, once for this application and a *code*."""
        if code not in self.logged:
            self.logged.add(code)
            warn(code, None, message, *args, about=f"application {id(self)}")


def select_configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """Take from *config* what is this extension's, misspelled names included."""
    return {name: value for name, value in config.items() if is_ours(name)}
