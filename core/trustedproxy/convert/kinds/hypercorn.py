"""
Hypercorn's ProxyFixMiddleware: a mode and a count.

In:  ``ProxyFixMiddleware(app, mode="legacy", trusted_hops=1)``.
Out: ``Forwarded``, or the three headers of the legacy mode, and the count.

Source: hypercorn's ``middleware/proxy_fix.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest
from ..record import Effect
from ..sources.python_source import find_arguments
from .kind import Found, Kind

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

PARAMETERS = ("app", "mode", "trusted_hops")

#: Mode → the headers that it reads.
MODES: dict[str, list[str]] = {
    "legacy": ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
    "modern": ["Forwarded"],
}


def _find(source: Source) -> list[Found]:
    functions = {"ProxyFixMiddleware": PARAMETERS}
    return [
        Found(call.where, source.python.arguments(call, parameters))
        for call, parameters in find_arguments(source.python, functions)
    ]


def _convert(reading: Reading) -> None:
    mode = reading.text("mode", "legacy") or "legacy"
    if mode not in MODES:
        raise ConfigurationError(
            f"{reading.where('mode')}, mode",
            mode,
            f"{' or '.join(map(repr, MODES))}{nearest(mode, MODES)}",
        )
    hops = reading.number("trusted_hops", 1, needed=True)
    if not hops:
        reading.note(
            Effect.CHANGES,
            "nothing-trusted",
            "With trusted_hops=0 nothing was trusted, and nothing is here.",
            "trusted_hops",
        )
        return
    reading.draft.headers = [*MODES[mode]]
    reading.draft.hops = hops
    reading.note(
        Effect.TO_DO,
        "remove-proxyfix",
        "Take ProxyFixMiddleware away: after it, nobody sees the proxy's own address "
        "any more.",
    )
    _NOTES[mode](reading)
    reading.note_bare_address()
    reading.note(
        Effect.CHANGES,
        "websocket-scheme",
        "The scheme of a websocket is ws or wss; ProxyFixMiddleware writes http and "
        "https there, too.",
    )
    reading.note(
        Effect.STRICTER,
        "malformed",
        "A value that is malformed is not used; ProxyFixMiddleware takes any text.",
    )


def _note_legacy(reading: Reading) -> None:
    if reading.draft.hops != 1:
        reading.note(
            Effect.CHANGES,
            "fewer-elements",
            "With fewer elements than the count, ProxyFixMiddleware used no header. "
            "Here the client is unknown then and its address stays the peer's, but the "
            "leftmost element of the other headers is used: proxies that overwrite "
            "X-Forwarded-Proto leave one element in it.",
        )


def _note_modern(reading: Reading) -> None:
    reading.note(
        Effect.STRICTER,
        "no-falling-back",
        "Without a Forwarded header nothing is used. ProxyFixMiddleware then looked "
        "for X-Forwarded-For, -Proto and -Host, which any client can send through a "
        "proxy that sets Forwarded alone.",
        "mode",
    )
    reading.note(
        Effect.CHANGES,
        "forwarded-grammar",
        "Quoted values, ports, brackets and names in any case are read as RFC 7239 "
        "writes them. ProxyFixMiddleware keeps the quotes.",
        "mode",
    )


_NOTES = {"legacy": _note_legacy, "modern": _note_modern}

KIND = Kind(
    "hypercorn",
    "Hypercorn's ProxyFixMiddleware",
    "a call of ProxyFixMiddleware in Python source",
    _find,
    _convert,
    function="ProxyFixMiddleware",
)
