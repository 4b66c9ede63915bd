"""
Setting names to settings, the same for Django, Flask, the environment and mod_wsgi.

In:  a mapping that holds ``TRUSTED_PROXY_…`` names among others.
Out: `Settings`, validated; or a `ConfigurationError` that names what is wrong.

`OPTIONS` is the one table of names, defaults and meanings.  What a value must be to
make a policy is checked by `policy`; what belongs to HTTPS and mount points, there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .exceptions import ConfigurationError, hide_userinfo, nearest
from .hsts import HSTSPolicy
from .https_only import HTTPSOnly
from .policy import ProxyPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import SettingsMapping

#: Names that begin like this are ours, so that a typing error is one.
PREFIX = "TRUSTED_PROX"


@dataclass(frozen=True, slots=True)
class Option:
    """
    One setting.

    Attributes:
        name: In settings, config and environment.

        default: What holds where it is not set.

        meaning: One line, for the tables in the docs.

        argument: The argument of `ProxyPolicy` that it is, or ``None``.

        parse: How its text in an environment variable is read.
    """

    name: str
    default: object
    meaning: str
    argument: str | None = None
    parse: Callable[[str, str], object] = field(default=lambda name, text: text)


# No setting has a number that long, and `int` takes its time over longer ones.
_MANY_DIGITS = 10


def _parse_flag(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0", ""):
        return False
    raise ConfigurationError(name, text, "true or false")


def _parse_number(name: str, text: str) -> int | None:
    word = text.strip()
    if not word:
        return None
    if not (word.isascii() and word.isdigit() and len(word) < _MANY_DIGITS):
        raise ConfigurationError(name, text, "a whole number")
    return int(word)


def _parse_text(name: str, text: str) -> str | None:
    return text.strip() or None


def _parse_pairs(name: str, text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        path, equals, url = word.partition("=")
        if not equals or path in pairs:
            shown = hide_userinfo(word)
            raise ConfigurationError(name, shown, "one PATH=URL for each path")
        pairs[path] = url
    return pairs


OPTIONS: tuple[Option, ...] = (
    Option("TRUSTED_PROXY_HEADERS", (), "the trusted headers", "headers"),
    Option(
        "TRUSTED_PROXIES",
        None,
        "addresses and networks of the proxies; None or '*' for every peer",
        "proxies",
    ),
    Option(
        "TRUSTED_PROXY_HOPS",
        None,
        "how many elements from the right your own proxies wrote",
        "hops",
        _parse_number,
    ),
    Option(
        "TRUSTED_PROXY_SECRET_HEADER",
        None,
        "the header that your proxy sets to a secret",
        "secret_header",
        _parse_text,
    ),
    Option(
        "TRUSTED_PROXY_SECRETS",
        (),
        "the secrets that it may hold, several for rotation",
        "secrets",
    ),
    Option(
        "TRUSTED_PROXY_STRIP",
        "listed",
        "which headers are removed: of the listed categories, or 'all' known ones",
        "strip",
        lambda name, text: text.strip() or "listed",
    ),
    Option(
        "TRUSTED_PROXY_MALFORMED",
        "ignore",
        "what a malformed listed header gets: 'ignore', or 'reject' with 400",
        "malformed",
        lambda name, text: text.strip() or "ignore",
    ),
    Option(
        "TRUSTED_PROXY_MISSING",
        "ignore",
        "what an unknown client gets: 'ignore', or 'reject' with 400",
        "missing",
        lambda name, text: text.strip() or "ignore",
    ),
    Option(
        "TRUSTED_PROXY_PORT_IN_HOST",
        False,
        "whether a trusted port is written into the host",
        "port_in_host",
        _parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_STRIP_MOUNT_POINT",
        False,
        "whether the mount point is taken off the front of the path",
        "strip_mount_point",
        _parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_REPORT_ONLY",
        False,
        "whether decisions are only logged, and nothing is changed",
        "report_only",
        _parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_ONLY",
        False,
        "whether plain HTTP is redirected",
        parse=_parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_HOST",
        None,
        "host, host:port or :port of the redirect; the request's host by default",
        parse=_parse_text,
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_STATUS",
        301,
        "status of the redirect for GET and HEAD: 301, 302, 307 or 308",
        parse=lambda name, text: 301 if not text.strip() else _parse_number(name, text),
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_EXEMPT",
        (),
        "path patterns and networks of direct peers that stay reachable over HTTP",
    ),
    Option(
        "TRUSTED_PROXY_HSTS_POLICY",
        None,
        "the value of Strict-Transport-Security",
        parse=_parse_text,
    ),
    Option(
        "TRUSTED_PROXY_MOUNT_POINTS",
        {},
        "URL path → URL of the backend that is proxied there",
        parse=_parse_pairs,
    ),
    Option(
        "TRUSTED_PROXY_RESTRICT_SIGNALS",
        False,
        "whether signal.signal() is refused in server processes",
        parse=_parse_flag,
    ),
)

OPTION_OF = {option.name: option for option in OPTIONS}


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


def select_settings(mapping: SettingsMapping) -> dict[str, Any]:
    """
    Pick our names out of *mapping*.

    Raises:
        ConfigurationError: A name begins like ours and is none of them.
    """
    given: dict[str, Any] = {}
    for name in mapping:
        # A mapping of others may have keys that are no text.
        if str(name).startswith(PREFIX):
            if name not in OPTION_OF:
                raise ConfigurationError(
                    name, name, "a known setting" + nearest(name, OPTION_OF)
                )
            given[name] = mapping[name]
    return given


def read_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """
    Read environment variables: text to the values that settings have.

    An unset variable is not there; an empty one is an empty list, or else unset.
    Mount points are written ``PATH=URL``, separated by blanks or commas.
    """
    given = select_settings(environment)
    return {name: OPTION_OF[name].parse(name, text) for name, text in given.items()}


def make_policy(given: Mapping[str, Any]) -> ProxyPolicy:
    """Make the policy of the settings that are the policy's."""
    return ProxyPolicy(
        **{
            option.argument: given[option.name]
            for option in OPTIONS
            if option.argument is not None and option.name in given
        }
    )


def unused_names(given: Mapping[str, Any]) -> list[str]:
    """Name the settings in *given* that a policy alone does not use."""
    return [
        option.name
        for option in OPTIONS
        if option.argument is None
        and given.get(option.name, option.default) != option.default
    ]


def _read_flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, OPTION_OF[name].default)
    if not isinstance(value, bool):
        raise ConfigurationError(name, value, "True or False")
    return value


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
