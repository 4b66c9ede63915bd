"""
Setting names to settings, the same for Django, Flask, the environment and mod_wsgi.

In:  a mapping that holds ``TRUSTED_PROXY_…`` names among others.
Out: `Settings`, validated; or a `ConfigurationError` that names what is wrong.

The names, defaults and meanings are in `option_table`.  What a value must be is checked
by the feature that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .exceptions import ConfigurationError, hide_userinfo
from .hsts import HSTSPolicy
from .https_only import HTTPSOnly
from .option_table import OPTION_OF, OPTIONS, select_settings
from .option_table import read_environment as read_environment
from .options import read_flag
from .policy import ProxyPolicy

if TYPE_CHECKING:
    from ._types import SettingsMapping


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Everything that the settings say.

    Attributes:
        policy: Whom to trust.

        https_only: The redirect to https, or ``None``.

        hsts: The Strict-Transport-Security policy, or ``None``.

        mount_points: URL path → backend URL.

        restrict_signals: Whether server processes refuse ``signal.signal()``.
    """

    policy: ProxyPolicy
    https_only: HTTPSOnly | None = None
    hsts: HSTSPolicy | None = None
    mount_points: Mapping[str, str] = field(default_factory=dict)
    restrict_signals: bool = False


def read_settings(mapping: SettingsMapping) -> Settings:
    """
    Read the settings from *mapping*; names that are not ours are not looked at.

    Raises:
        ConfigurationError: A name is unknown, or a value cannot be.
    """
    given = select_settings(mapping)
    policy = make_policy(given)
    return Settings(
        policy=policy,
        https_only=_read_https_only(given, policy),
        hsts=_read_hsts(given),
        mount_points=_read_mount_points(given),
        restrict_signals=_read_flag(given, "TRUSTED_PROXY_RESTRICT_SIGNALS"),
    )


def make_policy(given: Mapping[str, Any]) -> ProxyPolicy:
    """Make the policy of the settings that are the policy's."""
    return ProxyPolicy(
        **{
            option.argument: given[option.name]
            for option in OPTIONS
            if option.argument is not None and option.name in given
        }
    )


def _read_flag(given: Mapping[str, Any], name: str) -> bool:
    return read_flag(name, given.get(name, OPTION_OF[name].default))


def _read_https_only(given: Mapping[str, Any], policy: ProxyPolicy) -> HTTPSOnly | None:
    wanted = _read_flag(given, "TRUSTED_PROXY_HTTPS_ONLY")
    # Made in any case, so that a wrong value is told before it is switched on.
    https_only = HTTPSOnly(
        host=given.get("TRUSTED_PROXY_HTTPS_HOST"),
        status=given.get("TRUSTED_PROXY_HTTPS_STATUS", 301),
        exempt=given.get("TRUSTED_PROXY_HTTPS_EXEMPT", ()),
        hsts=_read_hsts(given),
        report_only=policy if policy.report_only else False,
    )
    return https_only if wanted else None


def _read_hsts(given: Mapping[str, Any]) -> HSTSPolicy | None:
    name = "TRUSTED_PROXY_HSTS_POLICY"
    value = given.get(name)
    if value is None or isinstance(value, HSTSPolicy):
        return value
    if not isinstance(value, str):
        raise ConfigurationError(name, value, "the text of an HSTS policy")
    return HSTSPolicy.parse(value)


def _read_mount_points(given: Mapping[str, Any]) -> Mapping[str, str]:
    name = "TRUSTED_PROXY_MOUNT_POINTS"
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        shown = hide_userinfo(value)
        raise ConfigurationError(name, shown, "a mapping of URL paths to URLs")
    # Nobody needs the mount points but those who use the setting.
    from .mount_points.points import compile_mount_points

    compile_mount_points(value)
    return dict(value)
