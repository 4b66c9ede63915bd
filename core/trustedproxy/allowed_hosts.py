"""
Which hosts are the site's own: the one rule for redirects and for proxy mount points.

In:  a list of hosts as it was typed; the host of a request.
Out: the list, compiled; the host's name and port if it is on it.  An entry that no
     request could name raises `ConfigurationError` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exceptions import ConfigurationError
from .options import split_entries
from .parsing.values import split_host

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The argument, as errors name it.
OPTION = "allowed_hosts"

_EXPECTED = "a host such as www.example.com, or .example.com for all below"


def compile_allowed_hosts(
    allowed_hosts: Sequence[str] | str | None,
) -> tuple[str, ...] | None:
    """
    Check and compile a list of hosts.

    Args:
        allowed_hosts:
            Exact names, ``.example.com`` for it and every name below, or ``*``; ports
            are ignored. ``None``: every well-formed host.

    Raises:
        ConfigurationError: An entry is no host, or the whole is no list.
    """
    if allowed_hosts is None:
        return None
    entries = split_entries(allowed_hosts, OPTION)
    return tuple(_compile_entry(entry, i) for i, entry in enumerate(entries))


def _compile_entry(entry: object, index: int) -> str:
    if entry == "*":
        return "*"
    if isinstance(entry, str):
        dot = "." if entry.startswith(".") else ""
        split = split_host(entry.removeprefix("."))
        if split is not None:
            return dot + _fold(split[0])
    raise ConfigurationError(f"{OPTION}[{index}]", entry, _EXPECTED)


def split_allowed_host(
    host: str, allowed_hosts: Sequence[str] | None
) -> tuple[str, str | None] | None:
    """
    Split the host of a request, if it is allowed.

    Args:
        host: With or without a port.

        allowed_hosts: From `compile_allowed_hosts`.

    Returns:
        The name as it came, and the port or ``None``; ``None`` for a host that is
        malformed or not on the list.
    """
    split = split_host(host)
    if split is None or allowed_hosts is None:
        return split
    name = _fold(split[0])
    is_allowed = any(
        entry in ("*", name) or (entry.startswith(".") and f".{name}".endswith(entry))
        for entry in allowed_hosts
    )
    return split if is_allowed else None


def _fold(name: str) -> str:
    """Spell a host's name so that equal names are equal: case and final dot."""
    return name.lower().removesuffix(".")
