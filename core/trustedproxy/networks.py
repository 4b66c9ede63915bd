"""
Networks, and the one question about them: is this address one of ours?

In:  entries as the user writes them: addresses, networks, names, ``unix``, files.
Out: `TrustedNetworks`, compiled; `trusts` for peers, `contains` for elements; and
     `is_too_wide`, for those who look a configuration over.

An entry that is not exactly a network is an error, with the nearest one that is.  What
stands in ``file:`` lists may change while requests are served (`network_files`);
everything else is fixed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from time import monotonic
from typing import Protocol, TypeAlias

from ._types import Network
from .exceptions import ConfigurationError, name_nearest, nearest
from .memo import Memo
from .network_files import FILE, LOOK_INTERVAL, Found, NetworkFile
from .parsing.addresses import (
    MAX_CHARACTERS,
    came_over_unix,
    parse_hop,
    parse_packed,
    parse_peer,
)
from .parsing.values import split_host

#: What may be given for one entry.
NetworkEntry: TypeAlias = str | IPv4Network | IPv6Network | IPv4Address | IPv6Address

#: Names for networks, from RFC 1122, 1918, 3927, 4193, 4291 and 6598.
NAMED_NETWORKS: dict[str, tuple[Network, ...]] = {
    name: tuple(ip_network(text) for text in texts.split())
    for name, texts in {
        "loopback": "127.0.0.0/8 ::1/128",
        "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",
        "linklocal": "169.254.0.0/16 fe80::/10",
        "shared": "100.64.0.0/10",
    }.items()
}
#: Nobody's proxies are spread over more of the public internet than that: IP version →
#: the shortest prefix length, in bits.  The largest platforms publish /13 and /29.
WIDEST = {4: 12, 6: 20}
#: Of these, so many are named in a warning.
_MOST_SHOWN = 5
UNIX = "unix"
EXPECTED = "an IP network such as 10.0.0.0/8"


def parse_network(entry: object, option: str) -> Network:
    """
    Read one address or network.

    Raises:
        ConfigurationError: It is none, or has host bits, a host mask or a zone.
    """
    if isinstance(entry, (IPv4Address, IPv6Address, IPv4Network, IPv6Network)):
        entry = str(entry)
    if not isinstance(entry, str):
        raise ConfigurationError(option, entry, EXPECTED)
    base, slash, mask = entry.partition("/")
    packed = parse_packed(base)
    if packed is None:
        raise ConfigurationError(option, entry, EXPECTED + _expect_entry(entry))
    mapped = len(packed) == 4 and ":" in base
    bits = 128 if ":" in base else 32
    length = _parse_prefix_length(mask, bits) if slash else bits
    if length is None:
        meant = _guess_prefix_length(mask, bits)
        raise ConfigurationError(
            option, entry, EXPECTED + _nearest_network(packed, meant, mapped=mapped)
        )
    if mapped and length < 96:
        raise ConfigurationError(
            option,
            entry,
            "an IPv4-mapped network of /96 or longer"
            + _nearest_network(packed, length, mapped=True),
        )
    if mapped:
        length -= 96
    network = _network_of(packed, length)
    if network.network_address.packed != packed:
        raise ConfigurationError(
            option,
            entry,
            "a network without host bits" + name_nearest(network),
        )
    return network


# A peer that connects over a socket has no address, whatever the socket's path is.
_SOCKET_PATHS = (f"{UNIX}:", "/", "@")
# A container's name is near to ours only if it is nearly ours: nginx is not unix.
_NEAR_WORD = 0.8
_NAMES = (
    "; names are never looked up: write the address that the server sees in "
    "REMOTE_ADDR, or the network of the containers, such as '172.16.0.0/12' or "
    "'private'"
)


def _expect_entry(entry: str) -> str:
    """Say what to write for an entry that is no address: a clause to append."""
    if entry.startswith(_SOCKET_PATHS):
        return name_nearest(UNIX)
    # What servers and front ends write with an address: brackets, a port, a zone.
    base, slash, mask = entry.partition("/")
    hop = parse_hop(base.partition("%")[0])
    if hop is None:
        name = _find_name(entry)
        if name == "localhost":
            return name_nearest("loopback")
        known = (*NAMED_NETWORKS, UNIX, f"{FILE}PATH")
        near = nearest(entry, known, cutoff=_NEAR_WORD)
        return near or (_NAMES if name else "")
    bare = hop.address + slash + mask
    try:
        parse_network(bare, "")
    except ConfigurationError:
        return ""
    return name_nearest(bare)


def _find_name(entry: str) -> str | None:
    """Find a host's name in *entry*: alone, with a port, or in a URL."""
    split = split_host(entry.rpartition("//")[2].removesuffix("/"))
    # What ends in a number is a mistyped address.
    if split is None or split[0].rpartition(".")[2].isdigit():
        return None
    return split[0].lower()


def _nearest_network(packed: bytes, length: int | None, *, mapped: bool) -> str:
    """
    Say, as `nearest` does, which network was meant by one that is none.

    Args:
        packed: Its address, IPv4 for an IPv4-mapped one.

        length: The length that its prefix can have been meant to have, or ``None``.

        mapped: Whether that length counts an IPv4-mapped network's bits.
    """
    if mapped and length is not None:
        if length >= 96:
            length -= 96
        elif length > 32:
            # The nearest one of /96 is everybody, which nobody should be led to.
            length = None
    if length is None:
        return ""
    return name_nearest(_network_of(packed, length))


def _network_of(packed: bytes, length: int) -> Network:
    """Make the network of *length* that an address lies in."""
    kind = IPv4Network if len(packed) == 4 else IPv6Network
    return kind((packed, length), strict=False)


def _guess_prefix_length(text: str, bits: int) -> int | None:
    """Guess what was meant by a number that is odd or too large, or a host mask."""
    digits = text.strip(" +")
    if digits.isascii() and digits.isdigit():
        digits = digits.lstrip("0") or "0"
        return min(int(digits), bits) if len(digits) <= 3 else bits
    mask = parse_packed(text) if bits == 32 and ":" not in text else None
    if mask is None:
        return None
    hosts = int.from_bytes(mask, "big")
    return 32 - hosts.bit_length() if hosts & (hosts + 1) == 0 else None


def _parse_prefix_length(text: str, bits: int) -> int | None:
    """Read ``8`` or, for IPv4, ``255.0.0.0``; a host mask is neither."""
    if text.isascii() and text.isdigit():
        length = int(text) if len(text) <= 3 else bits + 1
        return length if length <= bits and str(length) == text else None
    mask = parse_packed(text) if bits == 32 and ":" not in text else None
    if mask is None:
        return None
    holes = int.from_bytes(mask, "big") ^ 0xFFFFFFFF
    return 32 - holes.bit_length() if holes & (holes + 1) == 0 else None


def is_too_wide(network: Network) -> bool:
    """
    Say whether *network* has room for strangers: it is wider than `WIDEST`.

    What lies inside of one of the `NAMED_NETWORKS` belongs to nobody on the public
    internet, and may be as wide as it is.
    """
    if network.prefixlen >= WIDEST[network.version]:
        return False
    first, last = network.network_address.packed, network.broadcast_address.packed
    return not any(
        named.version == network.version
        and named.network_address.packed <= first
        and last <= named.broadcast_address.packed
        for networks in NAMED_NETWORKS.values()
        for named in networks
    )


def _compile_edges(networks: Iterable[Network], size: int) -> list[bytes]:
    """
    Merge networks into the sorted edges of their ranges: in, out, in, out, …

    A packed address lies inside where an odd number of edges is not above it.
    """
    edges: list[int] = []
    for first, last in sorted(
        (int(network.network_address), int(network.broadcast_address))
        for network in networks
    ):
        if edges and first <= edges[-1]:
            edges[-1] = max(edges[-1], last + 1)
        else:
            edges += (first, last + 1)
    if edges and edges[-1] >> (8 * size):
        # The last range of all has no end.
        edges.pop()
    return [edge.to_bytes(size, "big") for edge in edges]


class Trusts(Protocol):
    """Say whether a peer is trusted: see `TrustedNetworks.trusts`."""

    def __call__(self, peer: str | None, is_unix: bool | None = None) -> bool: ...


class _Compiled:
    """Networks in the order of their addresses, and peers that were found in them."""

    __slots__ = ("_edges", "_known_peers", "_unix", "networks")

    def __init__(self, networks: Iterable[Network], *, unix: bool) -> None:
        self.networks = tuple(dict.fromkeys(networks))
        self._unix = unix
        # Length of a packed address → the edges.
        self._edges: dict[int, list[bytes]] = {
            size: _compile_edges(
                (n for n in self.networks if n.max_prefixlen == 8 * size), size
            )
            for size in (4, 16)
        }
        #: Proxies are few and come again; clients are many, and not remembered.
        self._known_peers: Memo[str | None, bool] = Memo()

    def contains(self, packed: bytes) -> bool:
        """Say whether *packed* is in a network: logarithmic in their number."""
        return bisect_right(self._edges[len(packed)], packed) & 1 == 1

    def trusts(self, peer: str | None, is_unix: bool | None = None) -> bool:
        """Say whether *peer*, as the server reports it, is one of ours."""
        if is_unix:
            return self._unix
        if peer in self._known_peers:
            return True
        packed = parse_peer(peer)
        if packed is None:
            return self._unix and came_over_unix(peer, is_unix)
        trusted = self.contains(packed)
        if trusted and peer is not None and len(peer) <= MAX_CHARACTERS:
            self._known_peers.remember(peer, True)
        return trusted


class TrustedNetworks:
    """
    The addresses that our own proxies answer from.

    Args:
        entries:
            Addresses, networks, ``unix``, the names of `NAMED_NETWORKS`, and
            ``file:PATH``.

        option: The setting's name, for errors.

    Raises:
        ConfigurationError: An entry is none of these, or a file is no list.
    """

    def __init__(
        self, entries: Sequence[NetworkEntry], *, option: str = "TRUSTED_PROXIES"
    ) -> None:
        self.entries: tuple[NetworkEntry, ...] = tuple(entries)
        #: Whether a peer of a unix socket is trusted.
        self.unix: bool = False
        self._fixed: list[Network] = []
        self._files: list[NetworkFile] = []
        for i, entry in enumerate(self.entries):
            self._add(entry, f"{option}[{i}]")
        found = tuple(file.load(monotonic()) for file in self._files)
        for file, one in zip(self._files, found, strict=True):
            _warn_if_too_wide(file, one)
        self._next_look = monotonic() + LOOK_INTERVAL
        # Swapped together, so that no peer is remembered longer than its list.
        self._now: tuple[_Compiled, tuple[Found, ...]] = (self._compile(found), found)
        #: Whether a packed address, from a header, is one of our proxies.
        self.contains: Callable[[bytes], bool] = self._now[0].contains
        #: Whether a peer is one of our proxies: its text as the server reports it, the
        #: zone of a link-local address aside; and whether it came over a unix socket,
        #: ``None`` where its text alone shows it.  One that did is trusted as ``unix``
        #: and whatever its text, since a client may choose that; one that did not, by
        #: its address alone.
        self.trusts: Trusts = self._now[0].trusts
        if self._files:
            self.contains = self._contains_now
            self.trusts = self._trusts_now

    def _add(self, entry: NetworkEntry, option: str) -> None:
        if entry == UNIX:
            self.unix = True
        elif isinstance(entry, str) and entry in NAMED_NETWORKS:
            self._fixed += NAMED_NETWORKS[entry]
        elif isinstance(entry, str) and entry.startswith(FILE):
            path = entry.removeprefix(FILE)
            self._files.append(NetworkFile(path, option, _parse_line))
        else:
            self._fixed.append(parse_network(entry, option))

    @property
    def networks(self) -> tuple[Network, ...]:
        """All networks that are trusted at this moment."""
        return self._current().networks

    def _compile(self, found: Iterable[Found]) -> _Compiled:
        listed = (network for one in found for network in one.networks)
        return _Compiled([*self._fixed, *listed], unix=self.unix)

    def _current(self) -> _Compiled:
        if self._files and monotonic() >= self._next_look:
            self._look()
        return self._now[0]

    def _look(self) -> None:
        """Look at the files again; swap everything where a list changed."""
        now = monotonic()
        # Set first, so that other threads go on with what is there.
        self._next_look = now + LOOK_INTERVAL
        compiled, before = self._now
        looks = zip(self._files, before, strict=True)
        after = tuple(file.follow(found, now) for file, found in looks)
        for file, new, old in zip(self._files, after, before, strict=True):
            if new.networks is not old.networks:
                _warn_if_too_wide(file, new)
                compiled = self._compile(after)
        self._now = (compiled, after)

    def _contains_now(self, packed: bytes) -> bool:
        return self._current().contains(packed)

    def _trusts_now(self, peer: str | None, is_unix: bool | None = None) -> bool:
        return self._current().trusts(peer, is_unix)


def _warn_if_too_wide(file: NetworkFile, found: Found) -> None:
    """Log the networks of a list that have room for strangers, which are trusted."""
    wide = list(map(str, filter(is_too_wide, found.networks)))
    if wide:
        shown = ", ".join(wide[:_MOST_SHOWN]) + (" …" if wide[_MOST_SHOWN:] else "")
        file.warn(
            "list-file-wide",
            "%s: %s%s trusts everybody in %s, which is wider than anybody's proxies "
            "are spread",
            file.option,
            FILE,
            file.path,
            shown,
        )


def _parse_line(entry: str, option: str) -> tuple[Network, ...]:
    """Read one entry of a ``file:`` list."""
    if entry in NAMED_NETWORKS:
        return NAMED_NETWORKS[entry]
    if entry in (UNIX, "*") or entry.startswith(FILE):
        words = ", ".join(NAMED_NETWORKS)
        raise ConfigurationError(
            option, entry, f"an entry for a file: a network, or {words}"
        )
    return (parse_network(entry, option),)


#: Where an operator's own machines answer from, and nobody on the public internet.
OWN_NETWORKS = TrustedNetworks((*NAMED_NETWORKS, UNIX))


def is_own_peer(peer: str | None, is_unix: bool | None) -> bool:
    """
    Say whether a peer is one of the operator's own machines, and no stranger (R17).

    A stranger always has an address; without one, the server does not say who it is.
    """
    return peer is None or OWN_NETWORKS.trusts(peer, is_unix)
