"""
One row of the conformance table, and the three mechanical variants of it.

In:  nothing of the packages but the words of their vocabulary.
Out: `Case`, `Given`, and what the rows are written with.

A row states what it is about; everything else is expected to be as the server gave it.
What a row leaves open is filled in here and nowhere else, so that every way in is held
to the same expectation.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from trustedproxy import Reason

#: What a policy of these keywords says: the proxies are those in 10.0.0.0/8.
PROXIES: Final = ("10.0.0.0/8",)

FOR: Final = "X-Forwarded-For"
REAL: Final = "X-Real-IP"
PROTO: Final = "X-Forwarded-Proto"
SSL: Final = "X-Forwarded-SSL"
HOST: Final = "X-Forwarded-Host"
SERVER: Final = "X-Forwarded-Server"
PORT: Final = "X-Forwarded-Port"
SCRIPT: Final = "X-Script-Name"
FORWARDED: Final = "Forwarded"

#: What the test's proxy would prove itself with.
SECRET_HEADER: Final = "X-Proxy-Secret"
SECRET: Final = "correct-horse-battery-staple"

Line = tuple[str, str]
Lines = tuple[Line, ...]


def ours(*headers: Any, **more: Any) -> dict[str, Any]:
    """Make a policy that trusts *headers* from the proxies in 10.0.0.0/8."""
    return {"headers": list(headers), "proxies": list(PROXIES), **more}


def anybody(*headers: Any, **more: Any) -> dict[str, Any]:
    """Make a policy that trusts *headers* from every peer."""
    return {"headers": list(headers), "proxies": "*", **more}


def stating(*headers: Any, **facts: Any) -> dict[str, Any]:
    """Make a policy of `ours` that states *facts*, by the names without ``fixed_``."""
    return ours(*headers, **{f"fixed_{name}": fact for name, fact in facts.items()})


def sent(name: str, *values: str) -> Lines:
    """Make one header line of *name* for each of *values*."""
    return tuple((name, value) for value in values)


class Unstated(Enum):
    """What a row does not state: it is derived, or as the server gave it."""

    UNSTATED = "unstated"


UNSTATED: Final = Unstated.UNSTATED


class Way(Enum):
    """A family of ways in, for rows that cannot be asked everywhere."""

    DECIDE = "decide"
    WSGI = "wsgi"
    ASGI = "asgi"
    #: Behind Django's ASGI handler.
    DJANGO_ASGI = "django asgi"


EVERY_WAY: Final = frozenset(Way)
WSGI_ONLY: Final = frozenset({Way.WSGI})
ASGI_ONLY: Final = frozenset({Way.ASGI})
DECIDE_ONLY: Final = frozenset({Way.DECIDE})
#: Where a header's name arrives as it was sent; WSGI servers fold names together.
NAMES_AS_SENT: Final = frozenset({Way.ASGI, Way.DJANGO_ASGI})

DIRECT: Final = frozenset(
    {Reason.PEER_NOT_TRUSTED, Reason.SECRET_MISSING, Reason.NO_TRUSTED_HEADERS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """
    What the server says by itself, besides the peer.

    Attributes:
        environ: Keys of a WSGI environ besides the usual ones; ``None`` removes a key.

        scope: Keys of an ASGI scope besides the usual ones.

        names_as_written: ASGI gets the header names as the row writes them.
    """

    scheme: str = "http"
    host: str | None = "backend.internal:8000"
    server: str = "127.0.0.1"
    port: str = "8000"
    mount_point: str = ""
    path: str = "/page"
    peer_port: str = "50000"
    environ: Mapping[str, Any] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=dict)
    names_as_written: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """
    One row: a policy, a connection, the header lines; and the outcome.

    Attributes:
        name: A sentence. It begins with "rejects" where 400 is expected.

        policy: Keyword arguments of `ProxyPolicy`.

        headers: The header lines in the order in which they arrive.

        peer: The peer's address; ``None`` for an unnamed unix socket.

        client: Unstated: the peer of a direct request, else unknown.

        address: Unstated: the client, else the peer as the server gave it.

        remaining:
            The known headers that remain, and their values. Unstated: as sent.

        winners: Unstated: each header that remains in an opted-in category.

        problems: Codes, in any order.

        rejected: The code of the problem for which the answer is 400.

        original: Environ key → value before; asked of the WSGI ways only.

        after: Environ key → value after, ``None`` if gone; asked of the WSGI ways only.

        attack: The attacks that the row holds off, by their ids, separated by blanks.

        clause: The clause of a standard that the row is about.

        ways: Where the row can be asked.

        mapped, mounted, split: Whether the row admits that variant.

        loose: Blanks around commas are not compared: servers join lines differently.
    """

    name: str
    policy: Mapping[str, Any]
    headers: Lines = ()
    peer: str | None = "10.0.0.1"
    given: Given = Given()
    client: str | Unstated | None = UNSTATED
    client_port: int | None = None
    address: str | Unstated | None = UNSTATED
    scheme: str | Unstated = UNSTATED
    host: str | Unstated | None = UNSTATED
    server: str | Unstated = UNSTATED
    port: str | Unstated = UNSTATED
    mount_point: str | Unstated = UNSTATED
    path: str | Unstated = UNSTATED
    reason: Reason = Reason.NO_CLIENT_HEADER
    winners: Mapping[str, str] | Unstated = UNSTATED
    problems: tuple[str, ...] = ()
    rejected: str | None = None
    remaining: Mapping[str, str] | Unstated = UNSTATED
    original: Mapping[str, Any] | None = None
    after: Mapping[str, Any] = field(default_factory=dict)
    ways: frozenset[Way] = EVERY_WAY
    mapped: bool = True
    mounted: bool = True
    split: bool = True
    loose: bool = False
    attack: str = ""
    clause: str = ""

    @property
    def peer_trusted(self) -> bool:
        """Whether the row expects the peer's headers to be read."""
        return self.reason not in DIRECT

    @property
    def report_only(self) -> bool:
        """Whether the policy only decides: nothing may change but the secret."""
        return bool(self.policy.get("report_only"))

    @property
    def listed(self) -> list[str]:
        """The names of the trusted headers, in lower case."""
        headers = self.policy.get("headers", ())
        if isinstance(headers, str):
            headers = headers.replace(",", " ").split()
        names = (str(getattr(header, "name", header)) for header in headers)
        # A custom one in text has its form behind it.
        return [name.partition("=")[0].lower() for name in names]

    @property
    def says_mount_point(self) -> bool:
        """Whether the policy says where the application is mounted."""
        return "fixed_mount_point" in self.policy or any(
            "mount point" in CATEGORIES[name] for name in self.listed
        )

    @property
    def expected_client(self) -> str | None:
        """The client, where the row does not state it too."""
        if not isinstance(self.client, Unstated):
            return self.client
        return None if self.peer_trusted else canonical(self.peer)

    @property
    def expected_address(self) -> str | None:
        """The address, where the row does not state it too."""
        if not isinstance(self.address, Unstated):
            return self.address
        client = self.expected_client
        return client if self.peer_trusted and client is not None else self.peer

    @property
    def sent_headers(self) -> dict[str, str]:
        """The known headers as a WSGI server joins them, by lower-case name."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            key = name.lower()
            if key in CATEGORIES:
                joined[key] = f"{joined[key]},{value}" if key in joined else value
        return joined

    @property
    def expected_remaining(self) -> dict[str, str]:
        """The headers that remain, by lower-case name."""
        if isinstance(self.remaining, Unstated):
            return self.sent_headers
        return {name.lower(): value for name, value in self.remaining.items()}

    @property
    def expected_winners(self) -> dict[str, str]:
        """The winners by category, names in lower case."""
        if not isinstance(self.winners, Unstated):
            return {key: name.lower() for key, name in self.winners.items()}
        if not self.peer_trusted or self.rejected:
            return {}
        opted = {category for name in self.listed for category in CATEGORIES[name]}
        return {
            category: name
            for name in self.expected_remaining
            for category in CATEGORIES[name]
            if category in opted
        }


def canonical(peer: str | None) -> str | None:
    """Spell the address *peer* canonically; ``None`` for what is no IP address."""
    try:
        address = ipaddress.ip_address((peer or "").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


# What the specification says each known header is for.  The last one of a category's
# names is made up: rows about a custom header list it.
CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    name.lower(): categories
    for categories, names in (
        (
            ("client",),
            "X-Forwarded-For X-Original-Forwarded-For X-Real-IP X-Client-IP "
            "CF-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 True-Client-IP "
            "X-True-Client-IP Fastly-Client-IP Fly-Client-IP DO-Connecting-IP "
            "X-Azure-ClientIP X-Azure-SocketIP X-Appengine-User-IP "
            "X-Cluster-Client-IP X-Envoy-External-Address X-Vercel-Forwarded-For "
            "X-FAH-Client-IP X-Original-For X-ProxyUser-IP WL-Proxy-Client-IP "
            "Proxy-Client-IP Client-IP X-Forwarded Forwarded-For "
            "CloudFront-Viewer-Address X-Edge-Client X-Edge-Chain",
        ),
        (
            ("scheme",),
            "X-Forwarded-Proto X-Forwarded-Protocol X-Forwarded-Scheme X-Scheme "
            "X-Url-Scheme CloudFront-Forwarded-Proto Fly-Forwarded-Proto "
            "X-Forwarded-SSL X-Forwarded-HTTPS X-HTTPS Front-End-Https Fastly-SSL "
            "X-AppEngine-Https Fly-Forwarded-Ssl CF-Visitor X-ARR-SSL X-Edge-TLS",
        ),
        (
            ("host",),
            "X-Forwarded-Host X-Host X-Original-Host X-Original-Forwarded-Host "
            "X-HTTP-Host-Override Forwarded-Host X-Edge-Host",
        ),
        (("server",), "X-Forwarded-Server X-Edge-Server"),
        (("port",), "X-Forwarded-Port Fly-Forwarded-Port X-Edge-Port"),
        (
            ("mount point",),
            "X-Script-Name X-Forwarded-Script-Name X-Forwarded-Prefix "
            "X-Forwarded-Path Script-Name X-Edge-Mount",
        ),
        (("client", "scheme", "host"), "Forwarded"),
        (
            ("other",),
            "X-Original-URL X-Original-URI X-Rewrite-URL X-Forwarded-Uri "
            "X-Forwarded-Method X-Forwarded-By",
        ),
    )
    for name in names.split()
}

#: Where the server mounted the application in the second variant.
OUTER: Final = "/outer"


def variants(case: Case) -> Iterator[Case]:
    """Give *case* and the mechanical variants that it admits."""
    yield case
    if case.mapped and "." in (case.peer or "") and case.peer == canonical(case.peer):
        yield replace(
            case,
            name=f"{case.name} [mapped peer]",
            peer=f"::ffff:{case.peer}",
            client=case.expected_client,
        )
    if case.mounted and not case.given.mount_point and not case.says_mount_point:
        yield replace(
            case,
            name=f"{case.name} [mounted]",
            given=replace(case.given, mount_point=OUTER),
        )
    if case.split and any("," in value for _, value in case.headers):
        yield replace(
            case,
            name=f"{case.name} [split lines]",
            headers=tuple(
                (name, element.strip(" "))
                for name, value in case.headers
                for element in value.split(",")
            ),
            loose=True,
        )
