"""
The settings in force, in words.

In:  a `ProxyPolicy` or `Settings`.
Out: `Row` records, one a setting, and text of two lines each.  Secrets are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..headers import Category
from ..responses import REDIRECT_STATUSES
from ..setting_lines import spell_headers
from .header_verdicts import SETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..headers import ProxyHeader
    from ..https_only import HTTPSOnly
    from ..policy import ProxyPolicy
    from ..settings import Settings

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Row:
    """
    One setting.

    Attributes:
        setting: Its name.

        value: Its value as text.

        meaning: What that means.
    """

    setting: str
    value: str
    meaning: str


def list_rows(settings: Settings) -> tuple[Row, ...]:
    """List every setting: the policy's, and what stands on the policy."""
    return (*_list_policy(settings.policy), *_list_features(settings))


def describe_policy(policy: ProxyPolicy) -> str:
    """Describe a policy: two lines a setting, its name and value, and its meaning."""
    return _write(_list_policy(policy))


def describe_settings(settings: Settings) -> str:
    """Describe everything that is configured, as `describe_policy` does."""
    return _write(list_rows(settings))


def _write(rows: Iterable[Row]) -> str:
    return "\n".join(
        f"{row.setting} = {row.value}\n{_INDENT}{row.meaning}" for row in rows
    )


def _join(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "nothing"


# -- the policy ------------------------------------------------------------------------


def _list_policy(policy: ProxyPolicy) -> Iterator[Row]:
    if policy.preset is not None:
        meaning = "the name of the platform that the other values are from"
        yield Row("TRUSTED_PROXY_PRESET", policy.preset, meaning)
    yield Row(
        "TRUSTED_PROXY_HEADERS",
        _join(spell_headers(policy.headers)),
        _describe_headers(policy.headers),
    )
    yield Row("TRUSTED_PROXIES", *_describe_proxies(policy))
    yield Row("TRUSTED_PROXY_HOPS", str(policy.hops), _describe_hops(policy.hops))
    yield Row(
        "TRUSTED_PROXY_SECRET_HEADER",
        str(policy.secret_header),
        _describe_secret(policy),
    )
    for name, meanings in _CHOICES.items():
        value = getattr(policy, name.removeprefix("TRUSTED_PROXY_").lower())
        shown = repr(value) if isinstance(value, str) else str(value)
        yield Row(name, shown, meanings[value])
    for category, name in _FIXED.items():
        fixed = policy.fixed.get(category)
        yield Row(name, str(fixed), _describe_fixed(category, fixed))


#: Settings with few values → what each means.
_CHOICES: dict[str, dict[object, str]] = {
    "TRUSTED_PROXY_STRIP": {
        "listed": "the other known headers of the categories in use are removed",
        "all": "every known header that was not used is removed, from any peer",
    },
    "TRUSTED_PROXY_MALFORMED": {
        "ignore": "a malformed trusted header counts as absent",
        "reject": "a request with a malformed trusted header is answered with 400",
    },
    "TRUSTED_PROXY_MISSING": {
        "ignore": "without a trusted client header the client is unknown",
        "reject": "a request whose client is unknown is answered with 400",
    },
    "TRUSTED_PROXY_PORT_IN_HOST": {
        False: "the host stays as it came",
        True: "a trusted port is written into a host that has none, and the scheme's "
        "own port is taken off",
    },
    "TRUSTED_PROXY_STRIP_MOUNT_POINT": {
        False: "the path stays as it came",
        True: "the mount point is taken off the front of the path",
    },
    "TRUSTED_PROXY_REPORT_ONLY": {
        False: "requests are corrected",
        True: "nothing is changed: what would differ is only logged",
    },
}
_FIXED = {
    Category.SCHEME: "TRUSTED_PROXY_FIXED_SCHEME",
    Category.HOST: "TRUSTED_PROXY_FIXED_HOST",
    Category.PORT: "TRUSTED_PROXY_FIXED_PORT",
    Category.MOUNT_POINT: "TRUSTED_PROXY_FIXED_MOUNT_POINT",
}


def _describe_headers(headers: tuple[ProxyHeader, ...]) -> str:
    if not headers:
        return "nothing is trusted, and nothing corrected"
    return "; ".join(
        f"{SETS[category]} from {header.name}"
        for header in headers
        for category in header.categories
    )


def _describe_proxies(policy: ProxyPolicy) -> tuple[str, str]:
    if policy.proxies is None:
        return repr("*"), _describe_every_peer(policy)
    if not policy.proxies:
        return "nothing", "nobody is trusted"
    return _join(policy.proxies), "only these peers are trusted"


def _describe_every_peer(policy: ProxyPolicy) -> str:
    if policy.secret_header is not None:
        return "every peer that knows the secret is trusted"
    return (
        "every peer is trusted: right only where nothing but the proxy can reach this "
        "server"
    )


def _describe_hops(hops: int | None) -> str:
    if hops is None:
        return "addresses are not counted"
    return f"the client is element number {hops} from the right"


def _describe_secret(policy: ProxyPolicy) -> str:
    if policy.secret_header is None:
        return "no secret is asked for"
    count = len(policy.secrets)
    which = "the secret" if count == 1 else f"one of {count} secrets"
    return (
        f"a request without {which} in it is a direct one; the header is removed from "
        "every request"
    )


def _describe_fixed(category: Category, value: str | None) -> str:
    if value is None:
        return f"the {SETS[category]} is not stated"
    return f"the {SETS[category]} of every request of a trusted peer is this"


# -- what stands on it -----------------------------------------------------------------


def _list_features(settings: Settings) -> Iterator[Row]:
    https = settings.https_only
    yield Row(
        "TRUSTED_PROXY_HTTPS_ONLY",
        str(https is not None),
        "plain HTTP is served"
        if https is None
        else "plain HTTP is redirected to HTTPS by the client's scheme",
    )
    if https is not None:
        yield from _list_https(https)
    yield Row("TRUSTED_PROXY_HSTS_POLICY", str(settings.hsts), _describe_hsts(settings))
    yield Row(
        "TRUSTED_PROXY_MOUNT_POINTS",
        _join(f"{path} → {url}" for path, url in settings.mount_points.items()),
        "requests below these paths go to other servers"
        if settings.mount_points
        else "no path is proxied",
    )
    yield Row(
        "TRUSTED_PROXY_RESTRICT_SIGNALS",
        str(settings.restrict_signals),
        "signal.signal() is refused from the first request on"
        if settings.restrict_signals
        else "signal handlers are left alone",
    )
    yield Row(
        "TRUSTED_PROXY_TOKEN_FILE",
        str(settings.token_file),
        "no file says which tokens of the page were used"
        if settings.token_file is None
        else "every process sees there which tokens of the page were used",
    )


def _list_https(https: HTTPSOnly) -> Iterator[Row]:
    where = "redirects go to this host"
    if https.host is None:
        where = "redirects go to the request's host"
    elif https.host.startswith(":"):
        where = "redirects go to this port of the request's host"
    yield Row("TRUSTED_PROXY_HTTPS_HOST", str(https.host), where)
    yield Row(
        "TRUSTED_PROXY_HTTPS_STATUS",
        str(https.status),
        f"the answer to GET and HEAD; other methods get "
        f"{REDIRECT_STATUSES[https.status]}",
    )
    yield Row(
        "TRUSTED_PROXY_HTTPS_EXEMPT",
        _join(https.exempt),
        "these paths and direct peers stay reachable over HTTP"
        if https.exempt
        else "nothing stays reachable over HTTP",
    )


def _describe_hsts(settings: Settings) -> str:
    if settings.hsts is None:
        return "browsers do not learn to stay on HTTPS"
    if settings.https_only is None:
        return "not sent, since TRUSTED_PROXY_HTTPS_ONLY is off"
    return "sent with every answer to a secure request"
