"""
Put a preset and what is said beside it together.

In:  a `Preset`, and arguments of `ProxyPolicy` that were given beside it.
Out: the arguments of a policy, which checks their values; and a warning where the
     networks in force are old.

Every argument that is given takes the place of the preset's whole argument, ``None``
too: lists are not joined.  A preset's count stays beside the user's own ``proxies``,
since the two answer different questions: the list says who may speak, the count how
many elements the platform writes.  For the same reason a preset's count alone never
says whom to trust (rule R4 of the design): where the preset has no networks, the user
has to, by ``proxies`` (``"*"`` for every peer) or by a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from .records import Preset


def combine(preset: Preset, overrides: Mapping[str, object]) -> dict[str, object]:
    """
    Combine *preset* with the arguments that were given beside it.

    Raises:
        ConfigurationError: Nothing says whom to trust, or a secret is missing.
    """
    combined = {**preset.arguments, **overrides}
    secrets = combined.get("secrets")
    if combined.get("secret_header") is not None and not secrets:
        needed = preset.needed if preset.needs == "secrets" else "one secret or more"
        raise ConfigurationError(
            setting_of("secrets"),
            secrets,
            f"enough for the preset {preset.name!r}: it needs {needed}",
            "secrets",
        )
    if combined.get("proxies") is None and not secrets:
        needed = preset.needed if preset.needs == "proxies" else "your proxies"
        raise ConfigurationError(
            setting_of("proxies"),
            combined.get("proxies"),
            f"enough for the preset {preset.name!r}, which does not say whom to "
            f"trust: write {needed}, or '*' if nothing else can reach this server",
            "proxies",
        )
    return combined


def describe_age(
    preset: Preset, overrides: Mapping[str, object], today: date
) -> str | None:
    """
    Say that the networks in force are old, and what to do, or ``None``.

    Networks that were given beside the preset are the user's, and have no age here.
    """
    networks = preset.networks
    if networks is None or "proxies" in overrides or not networks.is_old(today):
        return None
    return (
        f"the networks of the preset {preset.name!r} are those of "
        f"{networks.published}, {networks.age(today)} days old: requests through "
        "newer ones count as direct. Upgrade trustedproxy, or keep a list of your own: "
        f"`trustedproxy networks update {preset.name}` writes it, and "
        f"{setting_of('proxies')} = ['file:PATH'] reads it"
    )


def setting_of(argument: str) -> str:
    """Name the setting that an argument of `ProxyPolicy` is."""
    if argument == "proxies":
        return "TRUSTED_PROXIES"
    return f"TRUSTED_PROXY_{argument.upper()}"
