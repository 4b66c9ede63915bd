"""
An HSTS policy from its parts, as Django and Talisman have them.

In:  seconds and two flags.
Out: the setting, without ``preload`` where browsers would not take it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...hsts import YEAR, HSTSPolicy
from ..record import Effect

if TYPE_CHECKING:
    from ..reading import Reading


def add_hsts(
    reading: Reading,
    seconds: int,
    *,
    include_subdomains: bool,
    preload: bool,
    option: str,
) -> None:
    """Add an HSTS policy, without ``preload`` where that may not be said."""
    if preload and not (include_subdomains and seconds >= YEAR):
        preload = False
        reading.note(
            Effect.STRICTER,
            "no-preload",
            "preload was left out: browsers build a host in only with "
            f"includeSubDomains and a max-age of a year ({YEAR}) or more.",
            option,
        )
    policy = HSTSPolicy(seconds, include_subdomains=include_subdomains, preload=preload)
    reading.draft.settings["TRUSTED_PROXY_HSTS_POLICY"] = str(policy)
