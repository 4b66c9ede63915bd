"""
Text to address: one total reader for everything that may stand for a hop.

In:  text from a header, or from the server for a peer.
Out: the packed address (4 or 16 bytes), its canonical spelling, and a port.

`socket.inet_pton` does the reading.  It takes exactly four decimal octets or the forms
of RFC 4291 section 2.2, without leading zeros, zones or names, and never asks a
resolver; a test holds it against `ipaddress`.  IPv4-mapped addresses are IPv4 here.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TypeAlias

from .grammar import OBFUSCATED, PORT

#: An address longer than that is not read.  The longest has 53 characters: brackets,
#: a mapped address written out in full, and a port.
MAX_CHARACTERS = 64

_MAPPED = bytes(10) + b"\xff\xff"
_UNSPECIFIED_V4 = bytes(4)
_UNSPECIFIED_V6 = bytes(16)
_BROADCAST = b"\xff" * 4


#: What the element of ``Forwarded`` that names an address says besides: ``proto`` and
#: ``host``, as they came.
Said: TypeAlias = tuple["str | None", "str | None"]
#: An address in canonical spelling; the port beside it; the address packed, 4 or 16
#: bytes; and what its element says besides, if that is one of ``Forwarded``.
FoundHop: TypeAlias = tuple[str, "int | None", bytes, "Said | None"]


@dataclass(frozen=True, slots=True)
class Hop:
    """
    An element that names an address.

    Attributes:
        address: In canonical spelling.

        port: The port that was given beside it, or ``None``.

        packed: 4 or 16 bytes.
    """

    address: str
    port: int | None
    packed: bytes


def parse_packed(text: str) -> bytes | None:
    """
    Read a bare address: no port, no brackets, no zone.

    Returns:
        4 bytes for IPv4 and IPv4-mapped addresses, 16 for others, ``None`` for text
        that is no address.
    """
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        packed = inet_pton(AF_INET6, text)
    except (OSError, ValueError):
        return None
    # RFC 4291 section 2.5.5.2.  NAT64, 6to4 and Teredo addresses stay what they are.
    return packed[12:] if packed.startswith(_MAPPED) else packed


def spell(packed: bytes) -> str:
    """Spell an address canonically (RFC 5952), as `ipaddress` does."""
    if len(packed) == 4:
        return inet_ntop(AF_INET, packed)
    text = inet_ntop(AF_INET6, packed)
    # Some C libraries write ::/96 with a dotted tail, which RFC 5952 section 5 leaves
    # to known prefixes.
    return str(IPv6Address(packed)) if "." in text else text


def is_client_address(packed: bytes) -> bool:
    """
    Say whether a client can have this address.

    Nobody connects from the unspecified address, from broadcast (RFC 919) or from
    multicast (RFC 5771, RFC 4291 section 2.7).
    """
    first = packed[0]
    if len(packed) == 4:
        return not 224 <= first < 240 and packed not in (_UNSPECIFIED_V4, _BROADCAST)
    return packed != _UNSPECIFIED_V6 and first != 0xFF


def parse_port(text: str) -> int | None:
    """Read a port from 1 to 65535, decimal ASCII digits without a leading zero."""
    if PORT.fullmatch(text) and (port := int(text)) <= 65535:
        return port
    return None


def find_hop(text: str, *, forwarded: bool = False) -> FoundHop | None:
    """
    Read an element: an address, optionally in brackets, optionally with a port.

    Args:
        text: The element, without blanks around it.

        forwarded:
            Whether it is a node of RFC 7239 section 6: IPv6 only in brackets, and the
            port may be an obfuscated identifier, which is then no port.

    Returns:
        The hop, or ``None`` where the text names no address that a client can have.
    """
    if ":" not in text:
        if text > ":":
            # No digit in front.  An exception would take longer to say so.
            return None
        # What most elements are.  Four octets without leading zeros are canonical.
        try:
            packed = inet_pton(AF_INET, text)
        except (OSError, ValueError):
            return None
        if 0 < packed[0] < 224 or is_client_address(packed):
            return text, None, packed, None
        return None
    if len(text) > MAX_CHARACTERS:
        return None
    bare, port_text = text, ""
    if text.startswith("["):
        bare, bracket, rest = text[1:].partition("]")
        # Brackets are for IPv6 alone (RFC 3986 section 3.2.2).
        if not bracket or ":" not in bare or (rest and not rest.startswith(":")):
            return None
        if rest and not (port_text := rest[1:]):
            return None
    elif text.count(":") == 1:
        bare, _, port_text = text.partition(":")
        if not port_text:
            return None
    elif forwarded:
        return None
    found = parse_packed(bare)
    if found is None or not is_client_address(found):
        return None
    port = None
    if port_text and not (forwarded and OBFUSCATED.fullmatch(port_text)):
        port = parse_port(port_text)
        if port is None:
            return None
    return spell(found), port, found, None


def find_hop_colon_port(text: str) -> FoundHop | None:
    """
    Read an address, a colon and a port, IPv6 without brackets.

    Source: CloudFront's documentation of ``CloudFront-Viewer-Address``.
    """
    bare, _, port_text = text.rpartition(":")
    if len(text) > MAX_CHARACTERS or "[" in bare:
        return None
    packed, port = parse_packed(bare), parse_port(port_text)
    if packed is None or port is None or not is_client_address(packed):
        return None
    return spell(packed), port, packed, None


def as_hop(found: FoundHop | None) -> Hop | None:
    """Make a record of what was found."""
    if found is None:
        return None
    address, port, packed, _ = found
    return Hop(address, port, packed)


def parse_hop(text: str) -> Hop | None:
    """Read an element as `find_hop` does, and make a record of it."""
    return as_hop(find_hop(text))


#: What servers report for a peer without an IP address (docs/servers.md).
UNIX_PEERS = frozenset({"", "unix", "localhost", "<local>", "0.0.0.0"})
UNIX_PEER_BEGINNINGS = ("/", "unix:", "@", "\0")


def is_unix_peer(peer: str | None) -> bool:
    """Say whether *peer* is what a server reports for a unix socket."""
    return peer is None or peer in UNIX_PEERS or peer.startswith(UNIX_PEER_BEGINNINGS)


def came_over_unix(peer: str | None, is_unix: bool | None) -> bool:
    """
    Say whether a request came over a unix socket.

    Args:
        peer: The peer as the server reports it.

        is_unix: What the server's socket says; ``None`` where only the text can.
    """
    return is_unix_peer(peer) if is_unix is None else is_unix


def parse_peer(peer: str | None) -> bytes | None:
    """
    Read the peer as the server reports it; the zone of a link-local one is cut off.

    Returns:
        The packed address, or ``None`` for a peer without one.
    """
    try:
        packed = inet_pton(AF_INET, peer or "")
    except (OSError, ValueError):
        return parse_packed(peer.partition("%")[0]) if peer and ":" in peer else None
    # uWSGI's word for a unix socket reads like an address, and is none.
    return None if packed == _UNSPECIFIED_V4 else packed


def spell_peer(peer: str | None) -> str | None:
    """Spell the peer as a client's address; a zone stays in its text."""
    packed = parse_peer(peer)
    if packed is None or peer is None:
        return None
    _, percent, zone = peer.partition("%")
    return spell(packed) + percent + zone
