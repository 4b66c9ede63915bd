"""
What a front end is to serve, in words that every front end has.

In:  what an operator says: a backend, a path, names, ports, a certificate.
Out: `Site`, checked, so that none of its texts can end a line, a string or a word of
     a configuration.

What one front end's syntax cannot say is refused by that front end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address, ip_address
from itertools import count
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from ..hsts import HSTSPolicy
from ..networks import NAMED_NETWORKS, parse_network
from ..parsing.values import parse_mount_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A file's path as it can stand in every configuration without quotes.
_FILE = re.compile(r"/[A-Za-z0-9._/@+=~-]*[A-Za-z0-9._@+=~-]")
# A DNS name (RFC 1123 section 2.1), and the underscore that container names have.
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.(?!-)[A-Za-z0-9_-]{1,63})*")
_WORD = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
# RFC 9110 section 5.5 without blanks, as for the secrets of a policy.
_SECRET = re.compile(r"[\x21-\x7e]+")

UNIX = "unix:"
ANY_FAMILY = "::"
"""The address that means every address of IPv6 and of IPv4."""


@dataclass(frozen=True, slots=True)
class Backend:
    """
    Where the application's server listens: at a host and port, or at a socket.

    Attributes:
        host: An address without brackets, or a name; empty for a unix socket.

        port: From 1 to 65535; 0 for a unix socket.

        socket: The path of a unix socket, or nothing.
    """

    host: str
    port: int
    socket: str

    @property
    def authority(self) -> str:
        """Host and port as in a URL, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def address(self) -> str:
        """The host, if it is an address and no name; else nothing."""
        return self.host if _is_address(self.host) else ""


def parse_backend(text: str, option: str = "backend") -> Backend:
    """
    Read ``127.0.0.1:8000``, ``[::1]:8000``, ``app:8000`` or ``unix:/run/app.sock``.

    Raises:
        ConfigurationError: It is none of these.
    """
    expected = "HOST:PORT or unix:/PATH, such as 127.0.0.1:8000 or unix:/run/app.sock"
    if text.startswith(UNIX):
        socket = text.removeprefix(UNIX)
        _check_file(socket, option, text)
        return Backend("", 0, socket)
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    is_host = _is_address(bare) if bare != host else _NAME.fullmatch(bare)
    if not colon or not is_host or not re.fullmatch(r"[1-9][0-9]{0,4}", port):
        raise ConfigurationError(option, text, expected)
    check_port(int(port), option)
    return Backend(bare, int(port), "")


@dataclass(frozen=True, slots=True)
class Location:
    """
    One application of a site: a URL path, and the server behind it.

    Args:
        backend: ``HOST:PORT`` or ``unix:/PATH``.

        path: Where the application lives: empty for the root, or such as ``/app``.

        strip_path:
            Whether the front end takes *path* off, so that the server sees what is
            below it; otherwise the path is handed on as it came.

        name:
            Its name in the configuration; by default made of the path, with a number
            behind it where another application of its site has that name.

    Attributes:
        is_named: Whether the name was given.

    Raises:
        ConfigurationError: One of them is invalid.
    """

    backend: str
    path: str = ""
    strip_path: bool = True
    name: str = ""
    is_named: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_named", bool(self.name))
        parse_backend(self.backend)
        path = parse_mount_point(self.path)
        if path is None:
            raise ConfigurationError(
                "path", self.path, "a URL path such as /app, or empty for the root"
            )
        object.__setattr__(self, "path", path)
        name = self.name or re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")
        # A name begins with a letter wherever names are restricted.
        name = f"app-{name}" if name[:1].isdigit() else name or "app"
        if not _WORD.fullmatch(name):
            raise ConfigurationError(
                "name", self.name, "a word of small letters, digits and hyphens"
            )
        object.__setattr__(self, "name", name)

    @property
    def server(self) -> Backend:
        """The server behind it."""
        return parse_backend(self.backend)

    @property
    def prefix(self) -> str:
        """What is taken off the front of a path: *path*, or nothing."""
        return self.path if self.strip_path else ""


@dataclass(frozen=True, slots=True)
class TLS:
    """
    The certificate that a front end shows.

    Args:
        certificate: A PEM file with the certificate and its chain.

        key: A PEM file with the key; it may be the same file.
    """

    certificate: str
    key: str

    def __post_init__(self) -> None:
        _check_file(self.certificate, "certificate", self.certificate)
        _check_file(self.key, "key", self.key)


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of the front end, and the scheme that is spoken there."""

    port: int
    scheme: str

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """
    One site: the front end's half of a deployment.

    Args:
        backend: Where the application listens, as in `Location`.

        path: The path that it lives at, as in `Location`.

        strip_path: Whether the front end takes that path off, as in `Location`.

        others: Further applications of the same site, at other paths.

        name: What the site is called in the configuration.

        server_names: The host names that are served; none for every name.

        address: The address to listen on; empty for all, ``::`` for both families.

        http_port: The port for plain HTTP; ``None`` for none.

        https_port: The port for TLS, where *tls* is given.

        tls: The certificate; ``None`` for no TLS.

        hsts: The value of ``Strict-Transport-Security``, sent over TLS alone.

        websockets: Whether websockets are handed on.

        behind:
            For an inner proxy: the addresses and networks of the outer ones, the only
            ones that may connect; none for the first proxy.

        outer_headers:
            For an inner proxy: the trusted headers that the outer proxies set, so
            that they are handed on; ``None`` for all of them.

        secret: The secret that the front end sends, where the policy asks for one.

        access_log: The file of an access log that `explain` can read; or nothing.

    Raises:
        ConfigurationError: One of them is invalid, or two contradict each other.
    """

    backend: str
    path: str = ""
    strip_path: bool = True
    others: Sequence[Location] = ()
    name: str = "app"
    server_names: Sequence[str] | str = ()
    address: str = ""
    http_port: int | None = 80
    https_port: int = 443
    tls: TLS | None = None
    hsts: str | None = None
    websockets: bool = False
    behind: Sequence[str] | str = ()
    outer_headers: Sequence[str] | str | None = None
    secret: str | None = field(default=None, repr=False)
    access_log: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "others", tuple(_distinguish(self.name, self.others)))
        put(self, "server_names", _split(self.server_names))
        put(self, "behind", _split(self.behind))
        if self.outer_headers is not None:
            put(self, "outer_headers", _split(self.outer_headers))
        _check_names(self)
        _check_listeners(self)
        _check_inner(self)
        _check_texts(self)

    @property
    def locations(self) -> tuple[Location, ...]:
        """All applications, the longest paths first, each under a name of its own."""
        first = Location(self.backend, self.path, self.strip_path, self.name)
        return tuple(
            sorted((first, *self.others), key=lambda one: len(one.path), reverse=True)
        )

    @property
    def host(self) -> str:
        """The address to listen on, with brackets around IPv6, or nothing."""
        return f"[{self.address}]" if ":" in self.address else self.address

    def name_of(self, location: Location) -> str:
        """
        Name *location* by its site and itself, as ``shop-blog``.

        A site may have that very name: then one of the two has to be given another.
        """
        if location.name == self.name:
            return self.name
        return f"{self.name}-{location.name}"

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The ports, plain HTTP first."""
        plain = [] if self.http_port is None else [Listener(self.http_port, "http")]
        secure = [] if self.tls is None else [Listener(self.https_port, "https")]
        return (*plain, *secure)

    @property
    def outer_networks(self) -> tuple[str, ...]:
        """The networks of the outer proxies, named ones spelled out."""
        return tuple(
            str(network)
            for entry in self.behind
            for network in NAMED_NETWORKS.get(entry) or [parse_network(entry, "behind")]
        )


def check_port(port: object, option: str) -> None:
    """Refuse what is no TCP port."""
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise ConfigurationError(option, port, "a port from 1 to 65535")


def _distinguish(first: str, others: Sequence[Location]) -> Iterator[Location]:
    """Number the names that were made of paths, and that another one has already."""
    taken = {first, *(one.name for one in others if one.is_named)}
    for one in others:
        if one.is_named:
            yield one
            continue
        name = one.name
        numbers = count(2)
        while name in taken:
            name = f"{one.name}-{next(numbers)}"
        taken.add(name)
        yield replace(one, name=name)


def _split(value: Sequence[str] | str) -> tuple[str, ...]:
    """Read a list, or one text separated by blanks or commas."""
    return tuple(value.replace(",", " ").split() if isinstance(value, str) else value)


def _is_address(text: str) -> bool:
    try:
        parsed = ip_address(text)
    except ValueError:
        return False
    # A zone is the machine's own affair, and no syntax agrees on how to write one.
    return not (isinstance(parsed, IPv6Address) and parsed.scope_id)


def _check_file(path: str, option: str, shown: str) -> None:
    if not _FILE.fullmatch(path) or ".." in path:
        raise ConfigurationError(
            option,
            shown,
            "the absolute path of a file, of letters, digits and . _ / @ + = ~ -",
        )


def _check_names(site: Site) -> None:
    for name in site.server_names:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                "server_names", name, "a host name such as www.example.com"
            )
    locations = site.locations
    for what in ("path", "name"):
        said = [getattr(one, what) for one in locations]
        for value in said:
            if said.count(value) > 1:
                raise ConfigurationError(
                    what, value, "one application's alone: give each its own"
                )


def _check_listeners(site: Site) -> None:
    if site.address and not _is_address(site.address):
        raise ConfigurationError("address", site.address, "an IP address")
    if site.http_port is not None:
        check_port(site.http_port, "http_port")
    check_port(site.https_port, "https_port")
    if not site.listeners:
        raise ConfigurationError("http_port", None, "possible without TLS")
    if site.tls is not None and site.http_port == site.https_port:
        raise ConfigurationError(
            "https_port", site.https_port, "another port than that of plain HTTP"
        )


def _check_inner(site: Site) -> None:
    for entry in site.behind:
        if entry not in NAMED_NETWORKS:
            parse_network(entry, "behind")
    if site.outer_headers is not None and not site.behind:
        raise ConfigurationError(
            "outer_headers", site.outer_headers, "possible without behind="
        )


def _check_texts(site: Site) -> None:
    if site.hsts is not None:
        HSTSPolicy.parse(site.hsts, option="hsts")
        if site.tls is None:
            raise ConfigurationError(
                "hsts", site.hsts, "sent by a front end that speaks no TLS: give tls="
            )
    if site.secret is not None and not _SECRET.fullmatch(site.secret):
        raise ConfigurationError(
            "secret", "(the secret)", "printable ASCII without blanks"
        )
    if site.access_log is not None:
        _check_file(site.access_log, "access_log", site.access_log)
