"""
uvicorn's own proxy headers, from a list of proxies.

In:  ``uvicorn --forwarded-allow-ips``, ``uvicorn.run(forwarded_allow_ips=...)``,
     ``ProxyHeadersMiddleware(trusted_hosts=...)``, environment variables.
Out: the two headers that it reads, and its list.

Source: uvicorn's ``middleware/proxy_headers.py`` and ``config.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..entries import Spelling, add_proxies
from ..record import EVERY_PEER, Effect
from ..sources.command_lines import read_options
from ..sources.given import Given
from ..sources.python_source import find_arguments
from .kind import Found, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..reading import Reading
    from ..sources.command_lines import Command
    from ..sources.source import Source

#: What uvicorn trusts if nobody says anything.
DEFAULT = ["127.0.0.1", "::1"]

_RUN = ("app", "proxy_headers", "forwarded_allow_ips", "uds")
_MIDDLEWARE = ("app", "trusted_hosts")

_OPTIONS = {
    "--proxy-headers": ("proxy_headers", False),
    "--no-proxy-headers": ("no_proxy_headers", False),
    "--forwarded-allow-ips": ("forwarded_allow_ips", True),
    "--uds": ("uds", True),
}
#: The list's variable, which gunicorn reads as well.
ALLOW_IPS_VARIABLE = "FORWARDED_ALLOW_IPS"
_VARIABLES = {
    ALLOW_IPS_VARIABLE: "forwarded_allow_ips",
    "UVICORN_FORWARDED_ALLOW_IPS": "forwarded_allow_ips",
    "UVICORN_PROXY_HEADERS": "proxy_headers",
    "UVICORN_UDS": "uds",
}


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


def _find(source: Source) -> list[Found]:
    found = [
        Found(call.where, source.python.arguments(call, parameters, others=True))
        for call, parameters in find_arguments(
            source.python,
            {
                "uvicorn.run": _RUN,
                "uvicorn.Config": _RUN,
                "ProxyHeadersMiddleware": _MIDDLEWARE,
            },
        )
    ]
    variables = read_variables(source.commands, _VARIABLES)
    for command in source.commands:
        options = read_options(command, _OPTIONS)
        own = "proxy_headers" in options or "no_proxy_headers" in options
        if command.program == "uvicorn" or (not command.program and own):
            found.append(Found(command.where, {**variables, **options}))
    if not found and variables and not any(c.program for c in source.commands):
        found.append(Found(source.commands[0].where, variables))
    return found


def _convert(reading: Reading) -> None:
    on = reading.flag("proxy_headers", True)
    if reading.has("no_proxy_headers") or not on:
        reading.note(
            Effect.CHANGES,
            "nothing-trusted",
            "uvicorn's proxy headers are off, so that nothing was trusted, and nothing "
            "is here.",
        )
        return
    option = "trusted_hosts" if reading.has("trusted_hosts") else "forwarded_allow_ips"
    convert_list(reading, option, reading.words(option, DEFAULT))
    if reading.text("uds", None) and EVERY_PEER not in (reading.draft.proxies or ()):
        reading.note(
            Effect.NO_EQUIVALENT,
            "unix-never-trusted",
            "uvicorn trusts nobody behind a unix socket but with '*'. If a proxy of "
            "yours connects there, add 'unix' to TRUSTED_PROXIES.",
            "uds",
        )


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


KIND = Kind(
    "uvicorn",
    "uvicorn",
    "uvicorn's command line or variables, a call of uvicorn.run or of "
    "ProxyHeadersMiddleware",
    _find,
    _convert,
    function="uvicorn.run",
)
