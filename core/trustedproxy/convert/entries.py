"""
Proxies as other tools write them, as entries of ``TRUSTED_PROXIES``.

In:  an address, a network, a shortened one, or a word.
Out: the entry that means the same here, and a note where it is spelled differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from .record import EVERY_PEER, Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .record import Draft

# One to three octets, as Apache and others shorten networks.
_SHORTENED = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){0,2}(?:0|[1-9][0-9]{0,2})\.?")


@dataclass(frozen=True, slots=True)
class Spelling:
    """
    What a tool allows in its lists.

    Attributes:
        shortened: Whether ``10.1`` is ``10.1.0.0/16``.

        host_bits: Whether ``10.1.2.3/8`` is ``10.0.0.0/8``; else it matches nothing.

        names: Whether host names are looked up.
    """

    shortened: bool = False
    host_bits: bool = False
    names: bool = False


def add_proxies(
    draft: Draft, entries: Iterable[str], where: str, spelling: Spelling
) -> None:
    """
    Add proxies to a draft, those that have no equivalent as notes.

    Raises:
        ConfigurationError: An entry is nothing that the tool would take.
    """
    proxies = [] if draft.proxies is None else draft.proxies
    for entry in entries:
        found = read_entry(draft, entry, where, spelling)
        if found is not None and found not in proxies:
            proxies.append(found)
    draft.proxies = [EVERY_PEER] if EVERY_PEER in proxies else proxies


def read_entry(draft: Draft, entry: str, where: str, spelling: Spelling) -> str | None:
    """Read one entry; `None` for one that has no equivalent, which a note says."""
    if entry == EVERY_PEER:
        return EVERY_PEER
    if "%" in entry:
        raise ConfigurationError(where, entry, "an address without a zone")
    try:
        return _spell(entry)
    except ValueError:
        pass
    if spelling.shortened and _SHORTENED.fullmatch(entry):
        octets = entry.rstrip(".").split(".")
        try:
            whole = ".".join([*octets, *["0"] * (4 - len(octets))])
            return _respelled(draft, entry, f"{whole}/{8 * len(octets)}", where)
        except ValueError as error:
            raise ConfigurationError(where, entry, "an address or a network") from error
    try:
        masked = str(ip_network(entry, strict=False))
    except ValueError:
        _leave_out_word(draft, entry, where, spelling)
        return None
    if spelling.host_bits:
        return _respelled(draft, entry, masked, where)
    draft.note(
        Effect.NO_EQUIVALENT,
        "matches-nothing",
        f"{entry!r} has host bits and matched no proxy in {draft.title}; it was left "
        f"out. If the network {masked} was meant, add it to TRUSTED_PROXIES.",
        where,
    )
    return None


def _spell(entry: str) -> str:
    """Spell an address or a network as ``TRUSTED_PROXIES`` takes it."""
    if "/" not in entry:
        return str(ip_address(entry))
    network = ip_network(entry)
    return str(network) if network.num_addresses > 1 else str(network.network_address)


def _respelled(draft: Draft, entry: str, text: str, where: str) -> str:
    network = str(ip_network(text))
    draft.note(
        Effect.CHANGES,
        "respelled",
        f"{entry!r} is written {network!r} here.",
        where,
    )
    return network


def _leave_out_word(draft: Draft, entry: str, where: str, spelling: Spelling) -> None:
    """Leave out a host's name, and refuse what is nothing at all."""
    if spelling.names and not set(entry) & set(":/"):
        draft.note(
            Effect.NO_EQUIVALENT,
            "host-name",
            f"{entry!r} is a host's name. Names are never looked up here: add the "
            "addresses that it stands for to TRUSTED_PROXIES.",
            where,
        )
    else:
        raise ConfigurationError(
            where, entry, "an address or a network such as 10.0.0.0/8"
        )
