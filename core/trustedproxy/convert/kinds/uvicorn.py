"""
uvicorn's own proxy headers, from a list of proxies.

In:  ``uvicorn --forwarded-allow-ips``, ``uvicorn.run(forwarded_allow_ips=...)``,
     ``ProxyHeadersMiddleware(trusted_hosts=...)``, environment variables.
Out: the two headers that it reads, and its list.

Source: uvicorn's ``middleware/proxy_headers.py`` and ``config.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record import EVERY_PEER, Effect
from ..sources.command_lines import find_commands
from ..sources.python_source import find_arguments
from .kind import Found, Kind
from .proxy_list import ALLOW_IPS_VARIABLE, convert_list, read_variables

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

NAME = "uvicorn"

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
_VARIABLES = {
    ALLOW_IPS_VARIABLE: "forwarded_allow_ips",
    "UVICORN_FORWARDED_ALLOW_IPS": "forwarded_allow_ips",
    "UVICORN_PROXY_HEADERS": "proxy_headers",
    "UVICORN_UDS": "uds",
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
    own = source.named == NAME
    alone = _OPTIONS if own else ("--proxy-headers", "--no-proxy-headers")
    commands = find_commands(source.commands, [NAME], _OPTIONS, alone)
    found += [Found(c.where, {**variables, **options}) for c, options in commands]
    if variables and not found and (own or _has_own_variable(source)):
        found.append(Found(source.commands[0].where, variables))
    return found


def _has_own_variable(source: Source) -> bool:
    """Say whether there is a variable that only uvicorn reads, and no program."""
    return not any(command.program for command in source.commands) and any(
        name in command.variables
        for command in source.commands
        for name in _VARIABLES
        if name != ALLOW_IPS_VARIABLE
    )


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


KIND = Kind(
    NAME,
    "uvicorn",
    "uvicorn's command line or variables, a call of uvicorn.run or of "
    "ProxyHeadersMiddleware",
    _find,
    _convert,
    function="uvicorn.run",
)
