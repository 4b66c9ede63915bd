"""
waitress's trusted proxy: one address, a count, and a set of headers.

In:  ``waitress-serve --trusted-proxy``, ``waitress.serve(trusted_proxy=...)``, an INI
     file for PasteDeploy.
Out: the same headers, the address, the count, and what waitress answers with 400.

Source: waitress's ``adjustments.py`` and ``proxy_headers.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest
from ..entries import Spelling, add_proxies
from ..record import EVERY_PEER, Effect
from ..sources.command_lines import find_commands
from ..sources.python_source import find_arguments
from .kind import Found, Kind

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

SETTINGS = (
    "trusted_proxy",
    "trusted_proxy_count",
    "trusted_proxy_headers",
    "clear_untrusted_proxy_headers",
    "log_untrusted_proxy_headers",
)
#: Header as waitress writes it → the one that is listed here.
HEADERS = {
    "x-forwarded-for": "X-Forwarded-For",
    "x-forwarded-proto": "X-Forwarded-Proto",
    "x-forwarded-host": "X-Forwarded-Host",
    "x-forwarded-port": "X-Forwarded-Port",
    "x-forwarded-by": "",
    "forwarded": "Forwarded",
}
#: How waitress calls a peer behind a unix socket.
_UNIX_PEER = "localhost"

_CLEAR, _LOG = SETTINGS[3:]
_OPTIONS = {
    **{f"--{name.replace('_', '-')}": (name, True) for name in SETTINGS[:3]},
    f"--{_CLEAR.replace('_', '-')}": (_CLEAR, False),
    f"--no-{_CLEAR.replace('_', '-')}": (f"no_{_CLEAR}", False),
    f"--{_LOG.replace('_', '-')}": (_LOG, False),
    f"--no-{_LOG.replace('_', '-')}": (f"no_{_LOG}", False),
}
_PROGRAMS = ("waitress-serve", "waitress")


def _find(source: Source) -> list[Found]:
    functions = {"waitress.serve": ("app", *SETTINGS)}
    found = [
        Found(call.where, source.python.arguments(call, parameters, others=True))
        for call, parameters in find_arguments(source.python, functions)
    ]
    commands = find_commands(source.commands, _PROGRAMS, _OPTIONS, _OPTIONS)
    found += [Found(command.where, options) for command, options in commands]
    for section, keys in source.sections.items():
        options = {name: keys[name] for name in SETTINGS if name in keys}
        if options and section.startswith("server"):
            found.append(Found(next(iter(options.values())).where, options))
    return found


def _convert(reading: Reading) -> None:
    proxy = reading.text("trusted_proxy", None)
    cleared = reading.flag(_CLEAR, True) and not reading.has(f"no_{_CLEAR}")
    if proxy is None:
        _refuse_alone(reading)
        if cleared:
            # Waitress goes on doing it, whatever is set here.
            reading.note(
                Effect.CHANGES,
                "nothing-trusted",
                "Without trusted_proxy waitress trusts nobody and removes the headers. "
                "Nothing has to be set here.",
            )
        return
    draft = reading.draft
    _convert_headers(reading)
    draft.hops = reading.number("trusted_proxy_count", 1, needed=True) or 1
    if proxy == _UNIX_PEER:
        draft.proxies = ["unix"]
    elif proxy != EVERY_PEER:
        add_proxies(draft, [proxy], reading.where("trusted_proxy"), Spelling())
    if not draft.headers:
        return
    draft.settings["TRUSTED_PROXY_MALFORMED"] = "reject"
    if cleared:
        draft.settings["TRUSTED_PROXY_STRIP"] = "all"
        reading.note(
            Effect.STRICTER,
            "strip-all",
            "waitress removed six headers that were not trusted; here every known "
            "header that is not used is removed, from any peer.",
        )
    if "X-Forwarded-Port" in draft.headers:
        draft.settings["TRUSTED_PROXY_PORT_IN_HOST"] = True
    _note_differences(reading)


def _refuse_alone(reading: Reading) -> None:
    """Refuse, as waitress does, what has no meaning without ``trusted_proxy``."""
    for option in ("trusted_proxy_count", "trusted_proxy_headers"):
        if reading.has(option):
            raise ConfigurationError(
                f"{reading.where(option)}, {option}",
                reading.value(option, None),
                "of any use without trusted_proxy, which waitress needs beside it",
            )


def _convert_headers(reading: Reading) -> None:
    option = "trusted_proxy_headers"
    names = [name.lower() for name in reading.words(option, [], needed=True)]
    if not names:
        names = ["x-forwarded-proto"]
        reading.note(
            Effect.TO_DO,
            "proto-alone",
            "No header was named, and waitress then trusts X-Forwarded-Proto alone. "
            "Add X-Forwarded-For if your proxy sets it.",
        )
    # The order is waitress's own: one set has none.
    for name in sorted(names, key=lambda name: [*HEADERS, name].index(name)):
        listed = HEADERS.get(name)
        if listed is None:
            raise ConfigurationError(
                f"{reading.where(option)}, {option}",
                name,
                f"one of {', '.join(HEADERS)}{nearest(name, HEADERS)}",
            )
        if listed:
            reading.draft.headers.append(listed)
        else:
            reading.note(
                Effect.NO_EQUIVALENT,
                "forwarded-by",
                "X-Forwarded-By changes nothing, in waitress neither, and cannot be "
                "listed.",
                option,
            )


def _note_differences(reading: Reading) -> None:
    reading.note(
        Effect.TO_DO,
        "switch-waitress",
        "Start waitress with clear_untrusted_proxy_headers=False "
        "(--no-clear-untrusted-proxy-headers) and without the trusted_proxy options: "
        "otherwise the headers never arrive.",
    )
    headers = reading.draft.headers
    if "X-Forwarded-For" in headers or "Forwarded" in headers:
        reading.note(
            Effect.STRICTER,
            "fewer-elements",
            "With fewer elements than the count, waitress takes the leftmost for the "
            "client. Here the client is unknown then.",
            "trusted_proxy_count",
        )
        reading.note_mapped()
    if "X-Forwarded-For" in headers:
        reading.note(
            Effect.CHANGES,
            "bracketed-port",
            "A client that is named [2001:db8::7]:4711 is 2001:db8::7, and its port "
            "stands in REMOTE_PORT. waitress keeps the whole text for its address.",
        )
    if "Forwarded" in headers:
        reading.note(
            Effect.CHANGES,
            "forwarded-own-element",
            "Scheme and host are those of the client's own element of Forwarded. "
            "waitress looks for each further to the right where that has none.",
        )
    if headers != ["X-Forwarded-For"]:
        reading.note(
            Effect.CHANGES,
            "server-name",
            "The host is in HTTP_HOST; SERVER_NAME stays the server's own, and "
            "SERVER_PORT changes with X-Forwarded-Port alone. waitress derives them "
            "from the host and the scheme.",
        )
    reading.note(
        Effect.CHANGES,
        "scheme-list",
        "A list of schemes or ports is read at the client's place; waitress answers "
        "400 to it.",
    )
    reading.note(
        Effect.STRICTER,
        "malformed",
        "Every malformed value of a trusted header gets 400, addresses and hosts, too; "
        "waitress takes any text for these.",
    )


KIND = Kind(
    "waitress",
    "waitress",
    "waitress-serve's command line, a call of waitress.serve, or a [server:] section",
    _find,
    _convert,
    function="waitress.serve",
)
