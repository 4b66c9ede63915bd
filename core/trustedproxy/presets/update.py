"""
Refresh a ``file:`` list of networks from its provider's published address.

In:  a platform's name, and the path of the list.
Out: the list, written whole or not at all, and an `Update`; or an `UpdateError`, and
     the last good list is kept.

A server that trusts the list looks at it again by itself; nothing here is ever called
while requests are served.  The file is the command's own: a line that somebody added
to it is lost with the next update.
"""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError, hide_userinfo, nearest
from ..networks import parse_network
from ..whole_files import write_whole
from . import names, read_preset, read_unconfirmed, unconfirmed_names
from .failures import Failure, UpdateError
from .fetching import MOST_BYTES, WITHIN, fetch
from .lists import FORMS, parse_document, parse_lines, sorted_networks
from .records import OLD, Publication

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Sequence

    from .._types import Network

__all__ = [
    "FORMS",
    "Failure",
    "Publication",
    "Update",
    "UpdateError",
    "describe_list_age",
    "find_publication",
    "published_names",
    "read_list_date",
    "update_list",
]

_HEAD_DATE = re.compile(r"# \S+, (\d{4}-\d{2}-\d{2}), from ")


@dataclass(frozen=True, slots=True)
class Update:
    """
    What an update did.

    Attributes:
        path: The file that was written, links followed.

        url: Where the list came from.

        networks: What it holds now.

        added: What it did not hold before.

        removed: What it held before and no more.
    """

    path: Path
    url: str
    networks: tuple[Network, ...]
    added: tuple[Network, ...]
    removed: tuple[Network, ...]


def published_names() -> tuple[str, ...]:
    """List the platforms whose networks are published at a known address, sorted."""
    platforms = [
        *(read_preset(name) for name in names()),
        *(read_unconfirmed(name) for name in unconfirmed_names()),
    ]
    return tuple(sorted(p.name for p in platforms if p.publication is not None))


def find_publication(name: str) -> Publication:
    """
    Find where the platform *name* publishes its networks.

    Raises:
        UpdateError: It does not, or there is no such platform; the nearest is named.
    """
    if name in names():
        found = read_preset(name).publication
    elif name in unconfirmed_names():
        found = read_unconfirmed(name).publication
    else:
        found = None
    if found is None:
        near = nearest(name, published_names()) or (
            f" ({', '.join(published_names())} do)"
        )
        raise UpdateError(
            Failure.NOT_PUBLISHED,
            f"{name!r} does not publish its networks at a known address{near}",
        )
    return found


def update_list(
    name: str,
    path: str | os.PathLike[str],
    *,
    publication: Publication | None = None,
    allow_shrink: bool = False,
    today: date | None = None,
    ssl_context: ssl.SSLContext | None = None,
    most_bytes: int = MOST_BYTES,
    within: float = WITHIN,
) -> Update:
    """
    Write the networks that the platform *name* publishes to *path*.

    Args:
        name: A platform's name, which is also written into the file.

        path: The list; it is made where it is not there.

        publication: Where to fetch it; by default where the platform publishes it.

        allow_shrink: Whether more than half of the networks may go.

        today: The day that is written into the file; by default the present one.

        ssl_context: Which certificates are trusted; by default the system's.

        most_bytes: Bytes of the answer that are read at most.

        within: Seconds that the provider has for all of it.

    Raises:
        UpdateError: The list was not refreshed, and is as it was.
    """
    source = find_publication(name) if publication is None else publication
    try:
        # What a link leads to is replaced, and the link stays.
        target = Path(path).resolve()
        before = _read_list(target)
        document = fetch(
            source.url, ssl_context=ssl_context, most_bytes=most_bytes, within=within
        )
        after = parse_document(document, source.form, source.service)
        if not allow_shrink:
            _refuse_shrinking(before, after)
        write_whole(target, _spell(name, source.url, after, today or date.today()))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UpdateError(
            Failure.FILE, f"{path} cannot be read or written ({reason})"
        ) from error
    return Update(
        path=target,
        url=source.url,
        networks=after,
        added=sorted_networks(set(after) - before),
        removed=sorted_networks(before - set(after)),
    )


def read_list_date(path: str | os.PathLike[str]) -> date | None:
    """
    Read the day on which an update wrote the list at *path*, from its first line.

    Returns:
        ``None`` where no update wrote it; raises `OSError` where it cannot be read.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        head = _HEAD_DATE.match(file.readline(1000))
    if head is None:
        return None
    try:
        return date.fromisoformat(head[1])
    except ValueError:
        return None


def describe_list_age(path: str | os.PathLike[str], today: date) -> str | None:
    """Say that the list at *path* was not refreshed for half a year, or ``None``."""
    written = read_list_date(path)
    if written is None or (today - written).days <= OLD:
        return None
    return (
        f"the list {path} was last refreshed on {written}, {(today - written).days} "
        "days ago: run `trustedproxy networks update`, from a timer"
    )


def _read_list(path: Path) -> set[Network]:
    """Read the networks of the list that is there; none where there is no file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UpdateError(Failure.NOT_OURS, f"{path} is not a regular file")
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    try:
        return {parse_network(entry, "") for entry in parse_lines(text)}
    except ConfigurationError as error:
        raise UpdateError(
            Failure.NOT_OURS,
            f"{path} holds {str(error.value)[:100]!r}, which is not a network: it is "
            "kept as it is; name another file, or move this one away",
        ) from error


def _refuse_shrinking(before: set[Network], after: tuple[Network, ...]) -> None:
    """Refuse to lose more than half of what was there; merged networks are not lost."""
    lost = find_lost(before, after)
    if 2 * len(lost) > len(before):
        raise UpdateError(
            Failure.SHRUNK,
            f"{len(lost)} of the {len(before)} networks that were there are gone, more "
            "than half: look at the provider's page, and allow it if that is right",
        )


def find_lost(before: set[Network], after: Sequence[Network]) -> list[Network]:
    """Find the networks of *before* that no single one of *after* holds."""
    ranges = sorted(map(_range, after))
    firsts = [(version, first) for version, first, _ in ranges]
    # How far those reach that begin there or in front of it.
    ends = [*accumulate(((version, last) for version, _, last in ranges), max)]

    def is_held(network: Network) -> bool:
        version, first, last = _range(network)
        at = bisect_right(firsts, (version, first))
        return at > 0 and ends[at - 1] >= (version, last)

    return [old for old in before.difference(after) if not is_held(old)]


def _range(network: Network) -> tuple[int, int, int]:
    """Give a network's IP version, its first and its last address, as numbers."""
    last = int(network.broadcast_address)
    return network.version, int(network.network_address), last


def _spell(name: str, url: str, networks: Iterable[Network], today: date) -> str:
    """Spell a list: a line of where it is from, and one a network."""
    # Whatever they are, they end no line.
    origin = " ".join(f"{name}, {today.isoformat()}, from {hide_userinfo(url)}".split())
    return (
        f"# {origin}\n"
        "# Written by `trustedproxy networks update`: other lines are lost.\n"
        + "".join(f"{network}\n" for network in networks)
    )
