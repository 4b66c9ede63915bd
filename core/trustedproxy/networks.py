"""
Networks, and the one question about them: is this address one of ours?

In:  entries as the user writes them: addresses, networks, names, ``unix``, files.
Out: `TrustedNetworks`, compiled; `trusts` for peers, `contains` for elements; and
     `is_too_wide`, for those who look a configuration over.

An entry that is not exactly a network is an error, with the nearest one that is.
``file:`` lists are looked at again while requests are served; everything else is fixed.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from pathlib import Path
from string import hexdigits
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .exceptions import ConfigurationError, name_nearest, nearest
from .log import tell
from .memo import Memo
from .parsing.addresses import is_unix_peer, parse_hop, parse_packed, parse_peer, spell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .parsing.addresses import Hop

Network: TypeAlias = IPv4Network | IPv6Network
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
UNIX = "unix"
FILE = "file:"
EXPECTED = "an IP network such as 10.0.0.0/8"

#: Seconds between two looks at a ``file:`` list.
LOOK_INTERVAL = 1.0

# To try more beginnings of a text than that takes as long as to read it.
_MOST_BEGINNINGS = 8


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
        raise ConfigurationError(option, entry, EXPECTED + _nearest_entry(entry))
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
    network = ip_network(f"{spell(packed)}/{length}", strict=False)
    if network.network_address.packed != packed:
        raise ConfigurationError(
            option,
            entry,
            "a network without host bits" + name_nearest(network),
        )
    return network


def _nearest_entry(entry: str) -> str:
    """Say, as `nearest` does, which entry was meant by one that is no address."""
    # What servers and front ends write with an address: brackets, a port, a zone.
    base, slash, mask = entry.partition("/")
    hop = parse_hop(base.partition("%")[0])
    if hop is None:
        near = "loopback" if entry.lower() == "localhost" else entry
        return nearest(near, (*NAMED_NETWORKS, UNIX, "file:PATH"))
    bare = hop.address + slash + mask
    try:
        parse_network(bare, "")
    except ConfigurationError:
        return ""
    return name_nearest(bare)


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
    network = ip_network(f"{spell(packed)}/{length}", strict=False)
    return name_nearest(network)


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


class _List(NamedTuple):
    """What a ``file:`` list held: its networks, and the file's marks at that time."""

    marks: tuple[int, int, int]
    networks: tuple[Network, ...]


class _Snapshot:
    """
    What is trusted at one moment, compiled.

    A new list makes a new snapshot, so that no memo outlives the list it came from.
    The lists are kept with it: were a thread to put an older snapshot back, the next
    look would find the file changed again.
    """

    __slots__ = ("_edges_v4", "_edges_v6", "_known_peers", "_unix", "lists", "networks")

    def __init__(
        self, fixed: Iterable[Network], lists: Iterable[_List], *, unix: bool
    ) -> None:
        self.lists = tuple(lists)
        listed = (network for one in self.lists for network in one.networks)
        self.networks = tuple(dict.fromkeys([*fixed, *listed]))
        self._unix = unix
        v4, v6 = ([n for n in self.networks if n.version == v] for v in (4, 6))
        self._edges_v4 = _compile_edges(v4, 4)
        self._edges_v6 = _compile_edges(v6, 16)
        #: Proxies are few and come again; clients are many, and not remembered.
        self._known_peers: Memo[str | None, bool] = Memo()

    def contains(self, packed: bytes) -> bool:
        """Say whether *packed* is in a network: logarithmic in their number."""
        edges = self._edges_v4 if len(packed) == 4 else self._edges_v6
        return bisect_right(edges, packed) & 1 == 1

    def trusts(self, peer: str | None) -> bool:
        """Say whether *peer*, as the server reports it, is one of ours."""
        if peer in self._known_peers:
            return True
        packed = parse_peer(peer)
        if packed is None:
            trusted = self._unix and is_unix_peer(peer)
        else:
            edges = self._edges_v4 if len(packed) == 4 else self._edges_v6
            trusted = bisect_right(edges, packed) & 1 == 1
        if trusted:
            self._known_peers.remember(peer, True)
        return trusted


@dataclass(frozen=True, slots=True)
class _ListFile:
    """One ``file:`` list: its path, and the entry's place for errors."""

    path: Path
    option: str

    def look(self) -> tuple[int, int, int]:
        """Look at the file's date, size and identity; raises `OSError`."""
        stat = os.stat(self.path)
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def load(self) -> _List:
        """Read the file; raises `ConfigurationError` or `OSError`."""
        # Looked at first: what is written while it is read is read again.
        marks = self.look()
        networks: list[Network] = []
        text = self.path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            entry = line.partition("#")[0].strip()
            if not entry:
                continue
            where = f"{self.option}, line {number}"
            if entry in NAMED_NETWORKS:
                networks += NAMED_NETWORKS[entry]
            elif entry in (UNIX, "*") or entry.startswith(FILE):
                words = ", ".join(NAMED_NETWORKS)
                raise ConfigurationError(
                    where, entry, f"an entry for a file: a network, or {words}"
                )
            else:
                networks.append(parse_network(entry, where))
        if not networks:
            raise ConfigurationError(
                self.option, f"{FILE}{self.path}", "a file with a network in it"
            )
        return _List(marks, tuple(networks))


class TrustedNetworks:
    """
    The addresses that our own proxies answer from.

    Args:
        entries:
            Addresses, networks, ``unix``, the names of `NAMED_NETWORKS`, and
            ``file:PATH``.

        option: The setting's name, for errors.

    Raises:
        ConfigurationError: An entry is none of these, or a file is missing or empty.
    """

    def __init__(
        self, entries: Sequence[NetworkEntry], *, option: str = "TRUSTED_PROXIES"
    ) -> None:
        self.entries = tuple(entries)
        self.unix = False
        self._fixed: list[Network] = []
        self._files: list[_ListFile] = []
        lists: list[_List] = []
        for i, entry in enumerate(self.entries):
            self._add(entry, f"{option}[{i}]", lists)
        self._snapshot = self._compile(lists)
        self._next_look = monotonic() + LOOK_INTERVAL
        #: Whether a packed address, from a header, is one of our proxies.
        self.contains: Callable[[bytes], bool] = self._snapshot.contains
        #: Elements that were found to be trusted proxies, by their text: few, and come
        #: again.  ``None`` where a file may change the verdict.
        self.known_hops: Memo[str, Hop] | None = None if self._files else Memo()
        #: Whether a peer, as the server reports it, is one of our proxies.  The zone
        #: of a link-local one is not looked at; one without an IP address is trusted
        #: only as ``unix``.
        self.trusts: Callable[[str | None], bool] = self._snapshot.trusts
        if self._files:
            self.contains = self._contains_now
            self.trusts = self._trusts_now

    def _add(self, entry: NetworkEntry, option: str, lists: list[_List]) -> None:
        if entry == UNIX:
            self.unix = True
        elif isinstance(entry, str) and entry in NAMED_NETWORKS:
            self._fixed += NAMED_NETWORKS[entry]
        elif isinstance(entry, str) and entry.startswith(FILE):
            # The process may go to another directory before it looks again.
            file = _ListFile(Path(entry.removeprefix(FILE)).absolute(), option)
            try:
                lists.append(file.load())
            except ConfigurationError:
                raise
            except (OSError, ValueError) as error:
                # A path with a NUL is no path, and that is no OSError.
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise ConfigurationError(
                    option, entry, f"a file that can be read ({reason})"
                ) from error
            self._files.append(file)
        else:
            self._fixed.append(parse_network(entry, option))

    def _compile(self, lists: Iterable[_List]) -> _Snapshot:
        return _Snapshot(self._fixed, lists, unix=self.unix)

    def list_beginnings(self) -> tuple[str, ...]:
        """
        List what the text of a trusted peer can begin with, for a quick no.

        A peer whose text begins otherwise is not trusted; of one that begins so,
        nothing is known yet.  Where there are too many beginnings to save anything,
        the empty one stands for all.
        """
        beginnings: set[str] = set()
        for network in self.networks:
            first = network.network_address.packed
            last = network.broadcast_address.packed
            if network.version == 4:
                beginnings |= {f"{octet}." for octet in range(first[0], last[0] + 1)}
            else:
                group, highest = (
                    int.from_bytes(end[:2], "big") for end in (first, last)
                )
                digits = hexdigits
                if group == highest:
                    digits = f"{group:x}"[:1]
                elif group >> 12:
                    digits = hexdigits[group >> 12 : (highest >> 12) + 1]
                beginnings |= {*digits.lower(), *digits.upper()}
            # Leading zeros, and IPv4-mapped addresses.
            beginnings |= {"0", ":"}
        if self.unix or len(beginnings) > _MOST_BEGINNINGS:
            return ("",)
        return tuple(sorted(beginnings))

    @cached_property
    def extraordinary(self) -> list[bytes]:
        """
        The edges of the IPv4 ranges that are trusted, or that nobody has.

        Outside of them (see `_compile_edges`) is every ordinary client; as long as no
        file changes what is trusted.
        """
        nobody = (IPv4Network("0.0.0.0/8"), IPv4Network("224.0.0.0/3"))
        ours = (n for n in self.networks if n.version == 4)
        return _compile_edges([*ours, *nobody], 4)

    @property
    def is_fixed(self) -> bool:
        """Whether no file can change what is trusted."""
        return not self._files

    @property
    def networks(self) -> tuple[Network, ...]:
        """All networks that are trusted at this moment."""
        return self._current().networks

    def _current(self) -> _Snapshot:
        if self._files and monotonic() >= self._next_look:
            self._look()
        return self._snapshot

    def _look(self) -> None:
        """Look at the files again; swap the whole snapshot where one changed."""
        # Set first, so that other threads go on with the snapshot that is there.
        self._next_look = monotonic() + LOOK_INTERVAL
        lists = list(self._snapshot.lists)
        changed = False
        for i, file in enumerate(self._files):
            try:
                if file.look() == lists[i].marks:
                    continue
                lists[i] = file.load()
                changed = True
            except (OSError, ConfigurationError) as error:
                tell(
                    "list-file",
                    str(file.path),
                    "%s: the last good list is kept, since %s%s cannot be used: %s",
                    file.option,
                    FILE,
                    file.path,
                    error,
                )
        if changed:
            self._snapshot = self._compile(lists)

    def _contains_now(self, packed: bytes) -> bool:
        return self._current().contains(packed)

    def _trusts_now(self, peer: str | None) -> bool:
        return self._current().trusts(peer)
