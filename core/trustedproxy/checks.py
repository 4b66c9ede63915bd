"""
The one table of checks: what is risky in the settings, or will surprise.

In:  settings, and what is known of the framework around them.
Out: `Remark` records, each with what to type instead.

A mistake is a row of `CHECKS`: a function that looks for it, and the words for what it
finds.  Django's system checks, Flask's, and ``trustedproxy check`` are this table; what
a framework alone can see, it adds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from .advice.scheme import STATE_SCHEME
from .framework import NO_FRAMEWORK, Framework
from .headers import Category
from .hsts import is_about_preload
from .network_files import FILE
from .networks import is_too_wide
from .presets import read_preset

if TYPE_CHECKING:
    from .exceptions import ConfigurationError
    from .policy import ProxyPolicy
    from .settings import Settings


class Level(StrEnum):
    """How bad it is."""

    #: Nothing works like that.
    ERROR = "error"
    #: Risky, or without the effect that was wanted.
    WARNING = "warning"
    #: To know, where it depends on what no setting says.
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Remark:
    """
    One finding.

    Attributes:
        code: Stable, for filters and for what silences it.

        level: How bad it is.

        message: What is wrong.

        hint: What to type.
    """

    code: str
    level: Level
    message: str
    hint: str

    def as_dict(self) -> dict[str, str]:
        """Say the same in plain values."""
        return {
            "code": self.code,
            "level": str(self.level),
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """
    What is looked at.

    Attributes:
        settings: What is in force.

        framework: What the application does by itself.

        today: The day from which ages are counted.
    """

    settings: Settings
    framework: Framework = NO_FRAMEWORK
    today: date = field(default_factory=date.today)

    @property
    def policy(self) -> ProxyPolicy:
        """The policy in force."""
        return self.settings.policy

    def trusts(self, category: Category) -> bool:
        """Say whether a header of *category* is listed."""
        return any(category in header.categories for header in self.policy.headers)

    def knows(self, category: Category) -> bool:
        """Say whether a listed header, or a stated fact, says the *category*."""
        return category in self.policy.rules.opted_in


@dataclass(frozen=True, slots=True)
class Check:
    """
    One mistake.

    Attributes:
        code: Stable.

        look: Yields the words for what it finds.

        message: What is wrong; ``{}`` stands for the word.

        hint: What to type.

        level: How bad it is.

        deploy: Whether it matters only where others can reach the server.
    """

    code: str
    look: Callable[[Subject], Iterator[str]]
    message: str
    hint: str
    level: Level = Level.WARNING
    deploy: bool = False

    def run(self, subject: Subject) -> Iterator[Remark]:
        """Yield a remark for each mistake of this kind."""
        for word in self.look(subject):
            message = self.message.replace("{}", word)
            hint = self.hint.replace("{}", word)
            yield Remark(self.code, self.level, message, hint)


# What is wrong: each yields, for every mistake, the word that the message is about.


def _no_header(subject: Subject) -> Iterator[str]:
    if subject.policy.changes_nothing:
        yield "TRUSTED_PROXY_HEADERS"


def _no_proxy(subject: Subject) -> Iterator[str]:
    proxies = subject.policy.proxies
    if subject.policy.rules.opted_in and proxies is not None and not proxies:
        yield "TRUSTED_PROXIES"


def _every_peer(subject: Subject) -> Iterator[str]:
    if subject.policy.trusts_every_peer and subject.policy.hops is None:
        yield "TRUSTED_PROXIES"


def _count_alone(subject: Subject) -> Iterator[str]:
    if subject.policy.trusts_every_peer and subject.policy.hops is not None:
        yield f"TRUSTED_PROXY_HOPS = {subject.policy.hops}"


def _wide_networks(subject: Subject) -> Iterator[str]:
    trusted = subject.policy.networks
    for network in () if trusted is None else trusted.networks:
        if is_too_wide(network):
            yield str(network)


def _synonyms(subject: Subject) -> Iterator[str]:
    for category in Category:
        names = [
            header.name
            for header in subject.policy.headers
            if category in header.categories
        ]
        if len(names) > 1:
            yield ", ".join(names)


def _fixed_port(subject: Subject) -> Iterator[str]:
    if subject.policy.fixed_port is not None and not subject.policy.port_in_host:
        yield f"TRUSTED_PROXY_FIXED_PORT = {subject.policy.fixed_port}"


def _open_files(subject: Subject) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    for path in list_files(subject.policy):
        for each in _list_the_way(path):
            found = _look_at(each)
            # One directory has many names where there are links.
            if found is None or (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            if _is_open(found.st_mode):
                yield str(each)


def list_files(policy: ProxyPolicy) -> list[Path]:
    """List the files of ``file:`` entries, as they are written there."""
    return [
        Path(entry.removeprefix(FILE)).absolute()
        for entry in policy.proxies or ()
        if isinstance(entry, str) and entry.startswith(FILE)
    ]


def _list_the_way(path: Path) -> Iterator[Path]:
    """
    List what leads to a file: whoever can write there can put another in its place.

    That is the file, and every directory in which the system looks up a name on its
    way there, through links to files and to directories.
    """
    here, names = Path(path.anchor), [*path.parts[:0:-1]]
    links = 0
    while names:
        yield here
        name = names.pop()
        if name == os.pardir:
            here = here.parent
            continue
        try:
            target = (here / name).readlink()
        except OSError:
            here /= name
            continue
        links += 1
        if links > _MOST_LINKS:
            return
        if target.is_absolute():
            here = Path(target.anchor)
        names += [each for each in reversed(target.parts) if each != target.anchor]
    yield here


# On the way to a file that can be read, there are no more: Linux follows 40.
_MOST_LINKS = 40


def _follow(path: Path) -> Path:
    """Follow every link; one that leads to itself stays what it is."""
    return Path(os.path.realpath(path))


def _look_at(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        # It was there at start; the last good list is in force.
        return None


def _is_open(mode: int) -> bool:
    """Say whether anybody on this machine can write there."""
    sticky = stat.S_ISDIR(mode) and mode & stat.S_ISVTX
    return bool(mode & stat.S_IWOTH) and not sticky


def _old_networks(subject: Subject) -> Iterator[str]:
    policy = subject.policy
    if policy.preset is None:
        return
    networks = read_preset(policy.preset).networks
    # Networks that were given beside the preset are the user's, and have no age here.
    if networks is None or policy.proxies != networks.entries:
        return
    if networks.is_old(subject.today):
        yield policy.preset


def _old_files(subject: Subject) -> Iterator[str]:
    paths = [_follow(path) for path in list_files(subject.policy)]
    if not paths:
        return
    # It loads an HTTP client's module, and few have such a list.
    from .presets.update import describe_list_age

    for path in paths:
        if _look_at(path) is not None and describe_list_age(path, subject.today):
            yield str(path)


def _scheme_unknown(subject: Subject) -> Iterator[str]:
    if (
        subject.settings.https_only is not None
        and subject.policy.rules.opted_in
        and not subject.knows(Category.SCHEME)
    ):
        yield "TRUSTED_PROXY_HTTPS_ONLY"


def _hsts_alone(subject: Subject) -> Iterator[str]:
    if subject.settings.hsts and not subject.settings.https_only:
        yield "TRUSTED_PROXY_HSTS_POLICY"


def _exempt_proxies(subject: Subject) -> Iterator[str]:
    https_only, policy = subject.settings.https_only, subject.policy
    if https_only is not None and not policy.changes_nothing:
        yield from https_only.exemptions.find_shared(policy.networks)


def _any_host(subject: Subject) -> Iterator[str]:
    https_only = subject.settings.https_only
    if (
        https_only is not None
        and https_only.redirects_to_any_host
        and subject.framework.allowed_hosts is None
    ):
        yield subject.framework.hosts_setting


def _report_only(subject: Subject) -> Iterator[str]:
    if subject.policy.report_only:
        yield "TRUSTED_PROXY_REPORT_ONLY"


def _shared_cookies(subject: Subject) -> Iterator[str]:
    if subject.trusts(Category.MOUNT_POINT) or subject.policy.fixed_mount_point:
        yield "SESSION_COOKIE_PATH"


CHECKS: tuple[Check, ...] = (
    Check(
        "no-header",
        _no_header,
        "{} is empty, so nothing is corrected.",
        "List the headers that your proxy sets: {} = ['X-Forwarded-For', "
        "'X-Forwarded-Proto']. If no proxy stands in front: TRUSTED_PROXY_STRIP = "
        "'all'.",
    ),
    Check(
        "no-proxy",
        _no_proxy,
        "{} is empty, so nobody is trusted: every request is a direct one, and what "
        "the proxy says is removed.",
        "List the addresses of your proxies: {} = ['10.0.0.0/8']. If no proxy stands "
        "in front, ignore this.",
        deploy=True,
    ),
    Check(
        "every-peer",
        _every_peer,
        "{} is '*', so every peer is trusted, and whoever reaches this server directly "
        "can forge the trusted headers.",
        "List the addresses of your proxies: {} = ['10.0.0.0/8']. Where nothing but "
        "the proxy can reach this server, ignore this.",
        deploy=True,
    ),
    Check(
        "count-alone",
        _count_alone,
        "{} is all that says whom to trust: whoever reaches this server directly can "
        "send as many elements, and is whoever those say.",
        "Add the networks that your proxies connect from: TRUSTED_PROXIES = "
        "['10.0.0.0/8']. Where nothing but the platform can reach this server, ignore "
        "this.",
        deploy=True,
    ),
    Check(
        "wide-network",
        _wide_networks,
        "TRUSTED_PROXIES trusts the whole of {}, which is too wide for proxies.",
        "Replace '{}' by the networks that your proxies answer from, such as "
        "'10.0.0.0/8' or 'private'. To trust everybody on purpose: TRUSTED_PROXIES = "
        "'*'.",
    ),
    Check(
        "synonyms",
        _synonyms,
        "Several trusted headers say the same thing: {}. A client can send the one "
        "that the proxy does not set.",
        "Keep the one that your proxy sets in TRUSTED_PROXY_HEADERS, of these: {}.",
    ),
    Check(
        "fixed-port",
        _fixed_port,
        "{} is not seen in URLs, since the host that came has no port.",
        "Add TRUSTED_PROXY_PORT_IN_HOST = True, or remove {}.",
    ),
    Check(
        "open-list",
        _open_files,
        "Every user of this machine can write to {}, and with it decide whom to trust.",
        "Take that right away: chmod o-w '{}'.",
    ),
    Check(
        "old-networks",
        _old_networks,
        "The networks of the preset '{}' are older than half a year: requests through "
        "newer ones count as direct.",
        "Upgrade trustedproxy, or keep a list of your own: `trustedproxy networks "
        "update {} PATH`, and TRUSTED_PROXIES = ['file:PATH'].",
        deploy=True,
    ),
    Check(
        "old-list",
        _old_files,
        "The list {} was not refreshed for half a year.",
        "Run `trustedproxy networks update` for '{}' from a timer.",
        deploy=True,
    ),
    Check(
        "scheme-unknown",
        _scheme_unknown,
        "{} is on, and nothing says the client's scheme: behind a proxy that ends TLS, "
        "browsers are redirected for ever.",
        "List the scheme header that your proxy sets: TRUSTED_PROXY_HEADERS = [..., "
        f"'X-Forwarded-Proto']. {STATE_SCHEME}",
    ),
    Check(
        "hsts-alone",
        _hsts_alone,
        "{} has no effect without TRUSTED_PROXY_HTTPS_ONLY.",
        "Type TRUSTED_PROXY_HTTPS_ONLY = True beside {}.",
    ),
    Check(
        "exempt-proxies",
        _exempt_proxies,
        "TRUSTED_PROXY_HTTPS_EXEMPT has the network {}, and peers in it are trusted "
        "proxies: a client can make a proxy drop what it says of the client, and is "
        "then exempt as the proxy itself.",
        "Exempt the path that is asked over plain HTTP, instead of '{}': "
        "TRUSTED_PROXY_HTTPS_EXEMPT = ['/healthz'].",
    ),
    Check(
        "any-host",
        _any_host,
        "HTTPS only redirects to whatever host a request names.",
        "Name the site's host: TRUSTED_PROXY_HTTPS_HOST = 'www.example.com'; or its "
        "hosts: {} = ['www.example.com'].",
        deploy=True,
    ),
    Check(
        "report-only",
        _report_only,
        "{} is on, so nothing is corrected: what would differ is only logged.",
        "Remove {} once the log is what you want.",
        Level.HINT,
        deploy=True,
    ),
    Check(
        "shared-cookies",
        _shared_cookies,
        "The application lives below a path. Another deployment on the same host, "
        "below another path, gets and replaces its cookies where their path is '/': "
        "each logs the other's users out.",
        "Where there is another, give each its own: {} = '/app', and the same for "
        "other cookies; or names of their own.",
        Level.HINT,
        deploy=True,
    ),
)


def run_checks(subject: Subject, *, deploy: bool = True) -> list[Remark]:
    """
    Look for every mistake.

    Args:
        subject: What is looked at.

        deploy: Whether others can reach the server.
    """
    checks = (check for check in CHECKS if deploy or not check.deploy)
    return [remark for check in checks for remark in check.run(subject)]


#: The codes of settings that are invalid.
CONFIGURATION_ERROR = "invalid-setting"
PRELOAD_ERROR = "invalid-preload"


def describe_error(error: ConfigurationError) -> Remark:
    """Describe settings that are invalid."""
    if is_about_preload(error):
        hint = (
            "Browsers preload a policy of at least a year for all subdomains: "
            "TRUSTED_PROXY_HSTS_POLICY = 'max-age=31536000; includeSubDomains; "
            "preload'. Until you want that, leave 'preload' out."
        )
        return Remark(PRELOAD_ERROR, Level.ERROR, str(error), hint)
    hint = f"Correct {error.option} in the settings"
    if error.nearest is not None:
        hint += f": type {error.nearest!r} in place of {error.value!r}"
    return Remark(CONFIGURATION_ERROR, Level.ERROR, str(error), f"{hint}.")
