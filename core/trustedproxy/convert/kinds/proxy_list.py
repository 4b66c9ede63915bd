"""
The list of proxies that uvicorn reads, also as gunicorn's worker.

In:  entries of ``forwarded_allow_ips``, or of ``trusted_hosts``.
Out: the two headers that uvicorn reads, and the entries that can match an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..entries import Spelling, add_proxies
from ..record import EVERY_PEER, Effect
from ..sources.given import Given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..reading import Reading
    from ..sources.command_lines import Command

#: The list's variable, which both servers read.
ALLOW_IPS_VARIABLE = "FORWARDED_ALLOW_IPS"


def read_variables(
    commands: list[Command], names: Mapping[str, str]
) -> dict[str, Given]:
    """Read the environment variables that stand in front of *commands*."""
    return {
        names[name]: Given(name, value, command.where)
        for command in commands
        for name, value in command.variables.items()
        if name in names
    }


def convert_list(reading: Reading, option: str, entries: list[str]) -> None:
    """Convert a list of proxies, as uvicorn and its worker for gunicorn read it."""
    draft = reading.draft
    draft.headers = ["X-Forwarded-For", "X-Forwarded-Proto"]
    networks = [entry for entry in entries if _is_network(entry)]
    for entry in entries:
        if entry not in networks:
            reading.note(
                Effect.NO_EQUIVALENT,
                "literal",
                f"{entry!r} is no address. uvicorn compares it with the peer's text, "
                "which is never that; it was left out.",
                option,
            )
    add_proxies(draft, networks, reading.where(option), Spelling())
    reading.note(
        Effect.TO_DO,
        "switch-uvicorn",
        "Start uvicorn with --no-proxy-headers (uvicorn.run(proxy_headers=False); "
        'under gunicorn\'s uvicorn worker --forwarded-allow-ips ""), and take '
        "ProxyHeadersMiddleware away: otherwise the peer is rewritten before the "
        "policy sees it.",
    )
    reading.note(
        Effect.STRICTER,
        "malformed",
        "An element that is no address ends the walk: the client is unknown then, and "
        "its address is the last one that was confirmed. uvicorn took the text.",
    )
    reading.note_mapped()
    reading.note(
        Effect.CHANGES,
        "scheme-list",
        "Of several elements of X-Forwarded-Proto the one counts that the client's own "
        "proxy wrote; uvicorn takes a value with a comma for none. Any case will do.",
    )


def _is_network(entry: str) -> bool:
    """Say whether an entry is one that can match an address."""
    return entry == EVERY_PEER or all(c in "0123456789abcdefABCDEF.:/" for c in entry)
