"""
What a front end does with each header, before it is written in anybody's syntax.

In:  a policy and a site.
Out: `Plan`: for each known header whether it is set and to what, appended to, handed
     on or removed, at each application of the site.

Whatever front end writes it, the same policy gives the same plan; a front end that
cannot do a part of it refuses that part by name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from ..headers import Category, Form, ProxyHeader

if TYPE_CHECKING:
    from ..policy import ProxyPolicy
    from .site import Listener, Location, Site


class Value(Enum):
    """What a header is set to; most are the same for every request of a listener."""

    #: The header is removed.
    NOTHING = "nothing"
    #: The address that connected to the front end.
    PEER = "the peer's address"
    #: The same, a colon and the peer's port.
    PEER_AND_PORT = "the peer's address and port"
    #: ``http`` or ``https``.
    SCHEME = "the scheme"
    #: ``on`` or ``off``.
    FLAG = "whether TLS is spoken"
    #: What the client asked for in ``Host``.
    HOST = "the host"
    #: The number of the port that was connected to.
    PORT = "the port"
    #: An element of RFC 7239.
    FORWARDED = "an element of Forwarded"
    #: A text of the site's own: a name, a mount point, a secret.
    TEXT = "a text"


_VALUE_OF: dict[Form, Value] = {
    Form.ADDRESS_LIST: Value.PEER,
    Form.ADDRESS: Value.PEER,
    Form.ADDRESS_COLON_PORT: Value.PEER_AND_PORT,
    Form.SCHEME: Value.SCHEME,
    Form.FLAG: Value.FLAG,
    Form.HOST: Value.HOST,
    Form.PORT: Value.PORT,
    Form.FORWARDED: Value.FORWARDED,
    Form.SERVER: Value.TEXT,
    Form.MOUNT_POINT: Value.TEXT,
}
_NAME = re.compile(r"[A-Za-z0-9-]+")
_SAYABLE = "a name of letters, digits and hyphens, which every front end"
# A proxy adds its own element to these, on the right.
_LISTS = (Form.ADDRESS_LIST, Form.FORWARDED)


@dataclass(frozen=True, slots=True)
class Header:
    """
    One header that is set or removed.

    Attributes:
        appends: Whether what came stays, and the value is put behind it.

        text: The value, for `Value.TEXT`.

        is_secret: Whether the text must not be shown in an error.
    """

    name: str
    value: Value
    appends: bool = False
    text: str = ""
    is_secret: bool = False

    def spell(self, listener: Listener) -> str | None:
        """Spell the value as it is for every request of *listener*, if it is one."""
        if self.value is Value.TEXT:
            return self.text
        if self.value is Value.SCHEME:
            return listener.scheme
        if self.value is Value.FLAG:
            return "on" if listener.is_secure else "off"
        return str(listener.port) if self.value is Value.PORT else None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What becomes of every known header.

    Attributes:
        common: Headers that are set in the same way for every application, in order.

        mount_points: Trusted mount-point headers, which each application has its own.

        handed_on: Trusted headers of the outer proxies, left as they came.

        removed: Every other known header.

        variants: Names with underscores that a server may take for a known header.
    """

    site: Site
    common: tuple[Header, ...]
    mount_points: tuple[str, ...]
    handed_on: tuple[str, ...]
    removed: tuple[str, ...]
    variants: tuple[str, ...]

    @property
    def is_inner(self) -> bool:
        """Whether outer proxies stand in front."""
        return bool(self.site.behind)

    def list_mounts(self, location: Location) -> list[Header]:
        """List what the mount-point headers are set to at *location*."""
        return [self._mount(name, location) for name in self.mount_points]

    def _mount(self, name: str, location: Location) -> Header:
        from_outer = name in self.handed_on
        if location.path and (location.strip_path or not from_outer):
            return Header(name, Value.TEXT, appends=from_outer, text=location.path)
        if from_outer:
            # Nothing is put behind what the outer proxies said.
            return Header(name, Value.TEXT, appends=True)
        return Header(name, Value.NOTHING)

    def list_headers(self, location: Location) -> list[Header]:
        """List everything that is set or removed at *location*, in order."""
        mounts = [one for one in self.list_mounts(location) if not _is_kept(one)]
        gone = [Header(name, Value.NOTHING) for name in self.removed]
        return [*self.common, *mounts, *gone]

    @property
    def forwarding(self) -> tuple[str, ...]:
        """The names of all trusted headers, for a log."""
        names = [header.name for header in self.common if not header.is_secret]
        return tuple(dict.fromkeys((*names, *self.mount_points, *self.handed_on)))


def _is_kept(header: Header) -> bool:
    return header.appends and not header.text and header.value is Value.TEXT


def spell_variants(name: str) -> Iterator[str]:
    """Spell *name* with underscores for some or all of its hyphens."""
    parts = name.split("-")
    for signs in itertools.product("-_", repeat=len(parts) - 1):
        if "_" in signs:
            yield "".join(
                part + sign for part, sign in zip(parts, [*signs, ""], strict=True)
            )


def make_plan(policy: ProxyPolicy, site: Site) -> Plan:
    """
    Work out what becomes of each header.

    Raises:
        ConfigurationError:
            No front end can set a header that the policy trusts, or the site cannot
            be served under this policy; the text says what to change.
    """
    outer = _find_outer(policy, site)
    common: list[Header] = []
    for header in policy.headers:
        is_list = header.form in _LISTS
        if header.category is not Category.MOUNT_POINT and (
            header.name not in outer or is_list
        ):
            common.append(_set(header, site, appends=header.name in outer))
    if policy.secret_header is not None:
        common.append(_send_secret(policy.secret_header, site))
    trusted = {header.name.lower() for header in policy.headers}
    names = [header.name for header in policy.known_headers]
    _check_names(policy)
    said = [*names, *([policy.secret_header] if policy.secret_header else [])]
    plan = Plan(
        site,
        tuple(common),
        tuple(h.name for h in policy.headers if h.category is Category.MOUNT_POINT),
        tuple(outer),
        tuple(name for name in names if name.lower() not in trusted),
        tuple(variant for name in said for variant in spell_variants(name)),
    )
    for check in _CHECKS:
        check(policy, plan)
    return plan


def _check_names(policy: ProxyPolicy) -> None:
    """Refuse names that are syntax somewhere: a token of HTTP may have quotes."""
    for header in policy.headers:
        if not _NAME.fullmatch(header.name):
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS", header.name, f"{_SAYABLE} can say"
            )
    if policy.secret_header is not None and not _NAME.fullmatch(policy.secret_header):
        raise ConfigurationError(
            "TRUSTED_PROXY_SECRET_HEADER", policy.secret_header, f"{_SAYABLE} can say"
        )


def _find_outer(policy: ProxyPolicy, site: Site) -> list[str]:
    """List the trusted headers that the outer proxies set, as the policy has them."""
    if not site.behind:
        return []
    trusted = {header.name.lower(): header.name for header in policy.headers}
    if site.outer_headers is None:
        return list(trusted.values())
    for name in site.outer_headers:
        if name.lower() not in trusted:
            raise ConfigurationError(
                "outer_headers",
                name,
                "a header that the policy trusts: " + (", ".join(trusted.values())),
            )
    return [trusted[name.lower()] for name in site.outer_headers]


def _set(header: ProxyHeader, site: Site, *, appends: bool) -> Header:
    value = _VALUE_OF.get(header.form)
    if value is None:
        raise ConfigurationError(
            "TRUSTED_PROXY_HEADERS",
            header.name,
            "a header that a front end of one's own can set; behind proxies that set "
            "it, say so with behind=",
        )
    text = ""
    if header.form is Form.SERVER:
        if not site.server_names:
            raise ConfigurationError(
                "server_names",
                (),
                f"enough for {header.name}, which says the server's name: give one",
            )
        text = site.server_names[0]
    return Header(header.name, value, appends=appends, text=text)


def _send_secret(name: str, site: Site) -> Header:
    if site.secret is None:
        raise ConfigurationError(
            "secret",
            None,
            f"possible: the policy takes a request for a direct one without "
            f"{name}, so the front end has to send it",
        )
    return Header(name, Value.TEXT, text=site.secret, is_secret=True)


# Both halves have to say the same. Where they contradict each other beyond doubt, no
# configuration is better than one that seems to work.


def _check_peer(policy: ProxyPolicy, plan: Plan) -> None:
    if policy.networks is None:
        return
    for location in plan.site.locations:
        server = location.server
        if server.socket and not policy.networks.trusts(""):
            raise ConfigurationError(
                "TRUSTED_PROXIES",
                policy.proxies,
                f"enough for {location.backend}, whose peer has no address: add 'unix'",
            )
        local = server.address in ("127.0.0.1", "::1")
        if local and not policy.networks.trusts(server.address):
            raise ConfigurationError(
                "TRUSTED_PROXIES",
                policy.proxies,
                f"enough for {location.backend}, whose peer is {server.address}: add "
                f"'loopback'",
            )


def _check_outer_networks(policy: ProxyPolicy, plan: Plan) -> None:
    if policy.networks is None or policy.hops is not None:
        return
    lists = [one for one in plan.common if one.appends]
    for network in plan.site.outer_networks if lists else ():
        if not policy.networks.trusts(network.partition("/")[0]):
            raise ConfigurationError(
                "TRUSTED_PROXIES",
                policy.proxies,
                f"enough behind {network}: without it the outer proxy is the client",
            )


def _check_hops(policy: ProxyPolicy, plan: Plan) -> None:
    lists = [one for one in policy.headers if one.form in _LISTS]
    if policy.hops is None or not lists:
        return
    if plan.is_inner and policy.hops == 1:
        raise ConfigurationError(
            "TRUSTED_PROXY_HOPS",
            policy.hops,
            "right behind two proxies: each of them adds an element, so count 2",
        )
    if not plan.is_inner and policy.hops > 1:
        raise ConfigurationError(
            "TRUSTED_PROXY_HOPS",
            policy.hops,
            "right behind one proxy, which writes one element: count 1, or say which "
            "proxies stand in front of this one, with behind=",
        )


def _check_mount_points(policy: ProxyPolicy, plan: Plan) -> None:
    if policy.strip_mount_point or not plan.mount_points:
        return
    for location in plan.site.locations:
        says_path = any(header.text for header in plan.list_mounts(location))
        if location.path and not location.strip_path and says_path:
            raise ConfigurationError(
                "TRUSTED_PROXY_STRIP_MOUNT_POINT",
                False,
                f"right where the front end leaves {location.path} in the path: set it "
                f"to True, or let the front end take the path off",
            )


_CHECKS: Sequence[Callable[[ProxyPolicy, Plan], None]] = (
    _check_peer,
    _check_outer_networks,
    _check_hops,
    _check_mount_points,
)
