"""
What stays reachable over plain HTTP: paths, and peers that speak for themselves.

In:  the entries of ``TRUSTED_PROXY_HTTPS_EXEMPT``; the path, or the peer, of a request.
Out: `Exemptions`, compiled; whether one of them holds.

Every doubt counts against an exemption: at worst a request is redirected to HTTPS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeGuard
from urllib.parse import quote, unquote_to_bytes

from ..exceptions import ConfigurationError, name_nearest
from ..networks import NetworkEntry, TrustedNetworks
from ..options import split_entries
from ..parsing.lists import MAX_CHARACTERS
from ..parsing.paths import DECODINGS, stays_below

#: An entry: a path pattern, which begins with a slash, or a network.
ExemptEntry: TypeAlias = str | NetworkEntry

# Parameters of a segment, and what ends a path where percent-encoding is undone: to
# some readers the rest of the segment is nothing, to others the rest of the path.
_PARAMETERS = re.compile(rb"[;?#][^/]*")
_FROM_PARAMETERS_ON = re.compile(rb"[;?#].*", re.DOTALL)


def _is_path(entry: ExemptEntry) -> TypeGuard[str]:
    return isinstance(entry, str) and entry.startswith("/")


class Exemptions:
    """
    The paths and the networks that stay reachable over plain HTTP.

    Args:
        option: The setting's name, for errors.

        entries:
            Path patterns and networks, as `HTTPSOnly` describes them, or one string
            separated by blanks or commas.

    Raises:
        ConfigurationError: An entry is neither.
    """

    def __init__(self, option: str, entries: Sequence[ExemptEntry] | str) -> None:
        self.entries: tuple[ExemptEntry, ...] = tuple(split_entries(entries, option))
        self._patterns = {
            entry: _compile_pattern(f"{option}[{i}]", entry)
            for i, entry in enumerate(self.entries)
            if _is_path(entry)
        }
        #: The networks of peers that are exempt, or ``None``.
        self.networks: TrustedNetworks | None = _compile_networks(option, self.entries)

    def cover_path(
        self, mount_point: bytes, path: bytes, raw_path: bytes | None
    ) -> bool:
        """
        Say whether a path is exempt, whoever reads it.

        Args:
            mount_point: The mount point, percent-encoding undone.

            path: The path below it, percent-encoding undone.

            raw_path: The path as it was sent, or ``None`` where the server keeps none.
        """
        if not self._patterns:
            return False
        # What an application makes of "/public/../private", or of "/public%2Fprivate",
        # nobody here knows.
        sent = b"" if raw_path is None else raw_path
        if max(len(path), len(sent)) > MAX_CHARACTERS:
            return False
        if b"%2f" in sent.lower() or b"%2f" in path.lower():
            return False
        # The cheap question first: most paths are not exempt.
        if self._find(mount_point, path) is None:
            return False
        return _leads_down(quote(path)) and _leads_down(sent.decode("latin-1"))

    def find_near(self, mount_point: bytes, path: bytes) -> str | None:
        """Find an entry that has *path* but for its final slash."""
        other = path.removesuffix(b"/") if path.endswith(b"/") else path + b"/"
        return self._find(mount_point, other)

    def _find(self, mount_point: bytes, path: bytes) -> str | None:
        """Find an entry that has the path, the mount point in front or not."""
        readings = _list_readings(path)
        for entry, pattern in self._patterns.items():
            for front in (b"", mount_point):
                if all(pattern.fullmatch(front + reading) for reading in readings):
                    return entry
        return None

    def cover_peer(
        self, peer: str | None, is_unix: bool | None, signs: Sequence[str]
    ) -> bool:
        """
        Say whether a request of *peer* is exempt by its network.

        Args:
            peer: The other end of the connection.

            is_unix: Whether it came over a unix socket, where the server shows it.

            signs:
                Names of headers that say that the peer has passed the request on: then
                it is somebody else's.
        """
        return (
            self.networks is not None
            and not signs
            and self.networks.trusts(peer, is_unix)
        )

    def find_shared(self, proxies: TrustedNetworks | None) -> list[str]:
        """
        Find the exempt networks that have proxies in them, as they were written.

        A client can make a proxy drop what it says of the client, by ``Connection``;
        then nothing shows that the request is not the proxy's own (H-11).

        Args:
            proxies: The networks of the proxies; ``None`` where every peer is trusted.
        """
        return [
            str(entry)
            for entry in self.entries
            if not _is_path(entry)
            and (proxies is None or _overlap(TrustedNetworks([entry]), proxies))
        ]


def _overlap(some: TrustedNetworks, others: TrustedNetworks) -> bool:
    """Say whether there is a peer that is in both."""
    return (some.unix and others.unix) or any(
        one.version == other.version and one.overlaps(other)
        for one in some.networks
        for other in others.networks
    )


def _leads_down(path: str) -> bool:
    """Say whether each segment of *path* is one step down, to every reader."""
    # From a name, one step up leads to where it began, and not further.
    return all(
        stays_below(f"/{segment}/..", "") for segment in path.split("/") if segment
    )


def _list_readings(path: bytes) -> set[bytes]:
    """List what readers make of *path*: encoding undone again, parameters dropped."""
    decoded = [path]
    for _ in range(DECODINGS):
        decoded.append(unquote_to_bytes(decoded[-1]))
    return {
        *decoded,
        *(_PARAMETERS.sub(b"", reading) for reading in decoded),
        *(_FROM_PARAMETERS_ON.sub(b"", reading) for reading in decoded),
    }


def _compile_pattern(option: str, entry: str) -> re.Pattern[bytes]:
    if "?" in entry or "#" in entry:
        raise ConfigurationError(
            option, entry, "a path such as /healthz, without query and fragment"
        )
    pieces = [re.escape(unquote_to_bytes(piece)) for piece in entry.split("*")]
    # Each but the last at its first place, for good: nothing is tried twice.
    first, *others = pieces
    between = b"".join(b"(?>.*?" + piece + b")" for piece in others[:-1])
    last = b".*" + others[-1] if others else b""
    return re.compile(first + between + last, re.DOTALL)


def _compile_networks(
    option: str, entries: Iterable[ExemptEntry]
) -> TrustedNetworks | None:
    # One by one first, so that an error counts the entries as the user does.
    networks: list[NetworkEntry] = []
    for i, entry in enumerate(entries):
        if not _is_path(entry):
            try:
                TrustedNetworks([entry], option=option)
            except ConfigurationError as error:
                raise ConfigurationError(
                    f"{option}[{i}]", error.value, _expect(entry, error)
                ) from None
            networks.append(entry)
    return TrustedNetworks(networks, option=option) if networks else None


def _expect(entry: object, error: ConfigurationError) -> str:
    """Say what to write for an *entry* that is no network, by the *error* about it."""
    if error.nearest is None and isinstance(entry, str) and entry[:1].isalpha():
        # A word is a path without its slash; nobody exempts a machine by its name.
        _, is_url, rest = entry.partition("://")
        path = "/" + (rest.partition("/")[2] if is_url else entry)
        return f"a path that begins with a slash, or a network{name_nearest(path)}"
    return f"a path or {error.expected}"
