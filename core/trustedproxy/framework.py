"""
What the application around a policy does by itself.

In:  nothing; this is a record.
Out: `Framework`, which an adapter fills in and tools look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._types import Site


def _exempts_nothing(_: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """
    What the application around the policy does by itself.

    Attributes:
        name: The framework's name for people, or ``None`` where there is none.

        site: What is asked for its hosts and views; ``None`` where there is nobody.

        allowed_hosts: The hosts that are configured; ``None`` where none is refused.

        hosts_setting: What that list is called.

        forced_mount_point: The mount point that its settings force; ``None`` for none.

        forced_by: The setting that forces it.

        forces_before_https_only:
            Whether HTTPS only stands where the forced one is in force already.

        redirects: The setting by which it redirects to https by itself, or ``None``.

        exempts: Says whether it leaves the request of an environ over plain HTTP alone.

        own_settings: Its own settings about proxies that are set, name → value.
    """

    name: str | None = None
    site: Site | None = field(default=None, compare=False)
    allowed_hosts: Sequence[str] | None = None
    hosts_setting: str = "allowed_hosts"
    forced_mount_point: str | None = None
    forced_by: str = ""
    forces_before_https_only: bool = False
    redirects: str | None = None
    exempts: Callable[[Mapping[str, Any]], bool] = field(
        default=_exempts_nothing, compare=False, repr=False
    )
    own_settings: Mapping[str, object] = field(default_factory=dict)


#: Nothing is known of the application.
NO_FRAMEWORK = Framework()
