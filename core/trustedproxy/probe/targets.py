"""
Whom to ask: one address, and perhaps the server behind it.

In:  a URL, and an address past the front end.
Out: `Target`; or a `ConfigurationError` that says what is no such address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from ..exceptions import ConfigurationError, hide_userinfo
from ..frontends.site import UNIX, parse_backend

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORTS = {"http": 80, "https": 443}
_EXPECTED = "an http or https address such as https://www.example.com/"
# What may stand in a request line; everything else is encoded (RFC 3986).
_SAFE = "/%!$&'()*+,;=:@~"
_UNSAID = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    Where requests go.

    Attributes:
        scheme: ``http`` or ``https``.

        server: The name or the address that is connected to; empty for a unix socket.

        port: The port that is connected to; 0 for a unix socket.

        socket: The path of a unix socket, or nothing.

        name: The name that TLS asks for.

        authority: What stands in ``Host``.

        path: What stands in the request line.

        query: The query of the address, without its question mark.
    """

    scheme: str
    server: str
    port: int
    socket: str = ""
    name: str
    authority: str
    path: str
    query: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"

    @property
    def host(self) -> str:
        """What stands in ``Host``, without the port."""
        return split_port(self.authority)[0]

    @property
    def where(self) -> str:
        """What is connected to, for people."""
        if self.socket:
            return f"{UNIX}{self.socket}"
        return f"{bracket(self.server)}:{self.port}"

    @property
    def url(self) -> str:
        """The address as it was meant."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.authority}{self.path}{query}"

    def write_target(self, parameters: Iterable[str]) -> str:
        """Write what stands in the request line, with a query of its own."""
        return f"{self.path}?{'&'.join([*filter(None, [self.query]), *parameters])}"


def parse_target(url: str) -> Target:
    """
    Read the address that is probed.

    Raises:
        ConfigurationError: It is not one of http or https, or it names a user.
    """
    parts = _split(url, "URL")
    scheme = parts.scheme.lower()
    port = parts.port or _PORTS[scheme]
    name = _spell_name(parts.hostname or "", url, "URL")
    suffix = "" if port == _PORTS[scheme] else f":{port}"
    return Target(
        scheme=scheme,
        server=name,
        port=port,
        name=name,
        authority=f"{bracket(name)}{suffix}",
        path=quote(parts.path or "/", safe=_SAFE),
        query=quote(parts.query, safe=_SAFE + "?"),
    )


def parse_direct(text: str, target: Target) -> Target:
    """
    Read the address of the server behind *target*.

    It is asked for the same host; and for the same path, unless a URL says another.

    Args:
        text: ``HOST:PORT``, ``unix:/PATH``, or a URL of the server's own.

        target: What is probed.

    Raises:
        ConfigurationError: It is none of these.
    """
    if "://" in text:
        parts = _split(text, "--direct")
        scheme = parts.scheme.lower()
        name = _spell_name(parts.hostname or "", text, "--direct")
        return Target(
            scheme=scheme,
            server=name,
            port=parts.port or _PORTS[scheme],
            name=name,
            authority=target.authority,
            path=quote(parts.path or "/", safe=_SAFE),
            query=quote(parts.query, safe=_SAFE + "?"),
        )
    backend = parse_backend(text, "--direct")
    return Target(
        scheme="http",
        server=backend.host,
        port=backend.port,
        socket=backend.socket,
        name=target.name,
        authority=target.authority,
        path=target.path,
        query=target.query,
    )


def split_port(authority: str) -> tuple[str, str]:
    """Split ``host:port``; a port that is not there is empty."""
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdecimal():
        return authority, ""
    return host, port


def bracket(host: str) -> str:
    """Put brackets around an IPv6 address."""
    return f"[{host}]" if ":" in host else host


def _split(url: str, option: str) -> SplitResult:
    """Split a URL, and refuse what is none that a probe may ask."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ConfigurationError(
            option, hide_userinfo(url), f"{_EXPECTED}, without a user or a password"
        )
    try:
        parts = urlsplit(url)
        port_is_good = parts.port != 0
    except ValueError:
        raise ConfigurationError(option, url, _EXPECTED) from None
    if parts.scheme.lower() not in _PORTS or not parts.hostname or not port_is_good:
        raise ConfigurationError(option, url, _EXPECTED)
    return parts


def _spell_name(host: str, url: str, option: str) -> str:
    """Spell a host as DNS has it."""
    if _UNSAID.search(host):
        raise ConfigurationError(option, url, _EXPECTED)
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ConfigurationError(option, url, _EXPECTED) from None
