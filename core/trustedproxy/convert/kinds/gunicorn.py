"""
gunicorn's own scheme headers, from a list of proxies.

In:  ``gunicorn --forwarded-allow-ips``, ``gunicorn.conf.py``, environment variables.
Out: the scheme's header, or with a uvicorn worker what uvicorn reads; and the list.

Source: gunicorn's ``config.py`` and ``http/message.py``.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from ..entries import Spelling, add_proxies
from ..record import Effect
from ..sources.command_lines import find_commands, read_options
from ..sources.given import shown
from .kind import Found, Kind
from .proxy_list import ALLOW_IPS_VARIABLE, convert_list, read_variables
from .scheme_header import read_scheme_header

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.command_lines import Command
    from ..sources.source import Source

NAME = "gunicorn"

#: What gunicorn trusts if nobody says anything; a unix socket in any case.
DEFAULT = ["127.0.0.1", "::1"]
#: Header → the value by which it says https.
DEFAULT_SCHEME_HEADERS = {
    "X-FORWARDED-PROTOCOL": "ssl",
    "X-FORWARDED-PROTO": "https",
    "X-FORWARDED-SSL": "on",
}
SETTINGS = (
    "forwarded_allow_ips",
    "secure_scheme_headers",
    "forwarder_headers",
    "proxy_protocol",
    "proxy_allow_ips",
)
#: Settings that say more about the first ones, and nothing alone.
_BESIDES = ("bind", "worker_class")

_OPTIONS = {
    "--forwarded-allow-ips": ("forwarded_allow_ips", True),
    "--forwarder-headers": ("forwarder_headers", True),
    "--proxy-protocol": ("proxy_protocol", False),
    "--proxy-allow-from": ("proxy_allow_ips", True),
    "--bind": ("bind", True),
    "-b": ("bind", True),
    "--worker-class": ("worker_class", True),
    "-k": ("worker_class", True),
}
#: Those that uvicorn does not have.
_OWN_OPTIONS = ("--forwarder-headers", "--proxy-protocol", "--proxy-allow-from")


#: Ranks, as gunicorn reads: later ones replace what earlier ones say.
_VARIABLE, _FILE, _ARGUMENTS, _COMMAND = range(4)


def _find(source: Source) -> list[Found]:
    names = source.names
    found: list[Found] = []
    if any(name in names for name in SETTINGS):
        options = {n: names[n] for n in (*SETTINGS, *_BESIDES) if n in names}
        found.append(Found(next(iter(options.values())).where, options, _FILE))
    for command in source.commands:
        arguments = command.variables.get("GUNICORN_CMD_ARGS")
        if arguments is not None:
            options = read_options(_as_command(command, arguments), _OPTIONS)
            found.append(Found(command.where, options, _ARGUMENTS))
    own = source.named == NAME
    alone = _OPTIONS if own else _OWN_OPTIONS
    for command, options in find_commands(source.commands, [NAME], _OPTIONS, alone):
        found.append(Found(command.where, options, _COMMAND))
    variables = read_variables(
        source.commands, {ALLOW_IPS_VARIABLE: "forwarded_allow_ips"}
    )
    if variables and (found or own):
        found.append(Found(source.commands[0].where, variables, _VARIABLE))
    return found


def _as_command(command: Command, arguments: str) -> Command:
    """
    Read the text of GUNICORN_CMD_ARGS as gunicorn does.

    Raises:
        ConfigurationError: It has an open quote.
    """
    try:
        return replace(command, words=shlex.split(arguments))
    except ValueError as error:
        raise ConfigurationError(
            command.where, shown(arguments), "a text with its quotes closed"
        ) from error


def _convert(reading: Reading) -> None:
    entries = reading.words("forwarded_allow_ips", DEFAULT)
    _note_proxy_protocol(reading)
    if "uvicorn" in (reading.text("worker_class", "") or "").lower():
        convert_list(reading, "forwarded_allow_ips", entries)
        return
    _convert_scheme_headers(reading)
    draft = reading.draft
    if not draft.headers:
        reading.note(
            Effect.CHANGES, "nothing-trusted", "No header that is left was trusted."
        )
        return
    addresses = reading.words("bind", [])
    on_unix = [address for address in addresses if address.startswith("unix:")]
    if on_unix:
        # Whatever the list says, gunicorn trusts a unix socket.
        draft.proxies = ["unix"]
    if on_unix and on_unix == addresses:
        entries = []
    add_proxies(draft, entries, reading.where("forwarded_allow_ips"), Spelling())
    _note_switches(reading)


def _convert_scheme_headers(reading: Reading) -> None:
    """Convert ``secure_scheme_headers``: header → the value that says https."""
    option = "secure_scheme_headers"
    value = reading.value(option, DEFAULT_SCHEME_HEADERS)
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{reading.where(option)}, {option}", value, "a dictionary of texts"
        )
    if not reading.has(option):
        reading.draft.headers = ["X-Forwarded-Proto"]
        reading.note(
            Effect.TO_DO,
            "scheme-header",
            "gunicorn takes the scheme from X-Forwarded-Proto, X-Forwarded-Ssl or "
            "X-Forwarded-Protocol, whichever comes. Here X-Forwarded-Proto is listed; "
            "list another one if that is what your proxy sets, but only that: a client "
            "can send the ones that the proxy does not overwrite.",
        )
        return
    for name, secure in value.items():
        header = read_scheme_header(name, str(secure))
        if header is None:
            reading.note(
                Effect.NO_EQUIVALENT,
                "scheme-value",
                f"{name}: {secure} has no equivalent: a header says the scheme by "
                "http and https, or by on and off. Let the proxy send "
                "X-Forwarded-Proto.",
                option,
            )
        else:
            reading.draft.headers.append(header)


def _note_proxy_protocol(reading: Reading) -> None:
    if reading.has("proxy_protocol") and reading.value("proxy_protocol", "off") not in (
        "off",
        False,
        None,
    ):
        reading.note(
            Effect.NO_EQUIVALENT,
            "proxy-protocol",
            "The PROXY protocol is read by gunicorn itself, and goes on working: "
            "REMOTE_ADDR is then what it said, and the machine that said it is not "
            "the peer any more. List the proxies in front of that machine, if any.",
            "proxy_protocol",
        )


def _note_switches(reading: Reading) -> None:
    reading.note(
        Effect.TO_DO,
        "switch-gunicorn",
        'Start gunicorn with --forwarded-allow-ips ""; behind a unix socket that does '
        'nothing: write secure_scheme_headers = {} and forwarder_headers = "" into '
        "gunicorn.conf.py.",
    )
    reading.note(
        Effect.NO_EQUIVALENT,
        "script-name",
        "gunicorn takes a header SCRIPT_NAME from its proxies. If yours sets that, let "
        "it set X-Script-Name or X-Forwarded-Prefix, and list that.",
        "forwarder_headers",
    )
    reading.note(
        Effect.TO_DO,
        "no-client",
        "gunicorn never corrected the client's address. Add X-Forwarded-For to "
        "TRUSTED_PROXY_HEADERS if your proxies set it.",
    )
    reading.note(
        Effect.CHANGES,
        "contradiction",
        "Scheme headers that contradict each other, and a repeated one, get no 400: "
        "the last header in the list that is well-formed wins, and the others are "
        "removed.",
    )
    reading.note_mapped()


KIND = Kind(
    NAME,
    "gunicorn",
    "gunicorn's command line or variables, or gunicorn.conf.py",
    _find,
    _convert,
)
