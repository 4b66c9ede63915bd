"""
Werkzeug's ProxyFix: a count for each header.

In:  ``ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)``.
Out: the headers with a count, and one count for all of them.

Source: Werkzeug's ``middleware/proxy_fix.py``; ``num_proxies`` is from before 1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record import Effect
from ..sources.python_source import find_arguments
from .kind import Found, Kind

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

PARAMETERS = ("app", "x_for", "x_proto", "x_host", "x_port", "x_prefix", "num_proxies")

#: Argument → its default, and the header that it counts.
COUNTS = {
    "x_for": (1, "X-Forwarded-For"),
    "x_proto": (1, "X-Forwarded-Proto"),
    "x_host": (0, "X-Forwarded-Host"),
    "x_port": (0, "X-Forwarded-Port"),
    "x_prefix": (0, "X-Forwarded-Prefix"),
}


def _find(source: Source) -> list[Found]:
    return [
        Found(call.where, source.python.arguments(call, parameters))
        for call, parameters in find_arguments(source.python, {"ProxyFix": PARAMETERS})
    ]


def _convert(reading: Reading) -> None:
    counts = {
        argument: reading.number(argument, default, needed=True)
        for argument, (default, _) in COUNTS.items()
    }
    if reading.has("num_proxies"):
        counts["x_for"] = reading.number("num_proxies", 1, needed=True)
        reading.note(
            Effect.CHANGES,
            "num-proxies",
            "num_proxies was read as x_for. Before Werkzeug 0.15 it took "
            "X-Forwarded-Proto and X-Forwarded-Host as well: list them if your proxies "
            "set them.",
            "num_proxies",
        )
    counted = {argument: n for argument, n in counts.items() if n}
    draft = reading.draft
    draft.headers = [COUNTS[argument][1] for argument in counted]
    if not counted:
        return
    # The smaller count is the one that reaches no element of a client's.
    draft.hops = counts["x_for"] or min(counted.values())
    draft.note(
        Effect.TO_DO,
        "remove-proxyfix",
        "Take ProxyFix away: after it, nobody sees the proxy's own address any more.",
    )
    uneven = [a for a, n in counted.items() if n != draft.hops]
    if uneven:
        _note_uneven(reading, counted, uneven)
    _note_values(reading, counted)


def _note_uneven(reading: Reading, counted: dict[str, int], uneven: list[str]) -> None:
    hops = reading.draft.hops
    shown = " and ".join(f"{argument}={counted[argument]}" for argument in uneven)
    names = " and ".join(COUNTS[argument][1] for argument in uneven)
    reading.note(
        Effect.TO_DO,
        "uneven-counts",
        f"One count holds for every header here, {hops}; ProxyFix had {shown}. Where "
        f"{names} has several elements, the one at place {hops} from the right counts, "
        "and the leftmost where there are fewer: so the outermost of your proxies has "
        "to overwrite what a client sends in it.",
        uneven[0],
    )


def _note_values(reading: Reading, counted: dict[str, int]) -> None:
    """Say what is different about the values of each header."""
    if max(counted.values()) > 1:
        reading.note(
            Effect.CHANGES,
            "fewer-elements",
            "With fewer elements than the count, ProxyFix used no header. Here the "
            "client is unknown then and REMOTE_ADDR stays the peer's, but the leftmost "
            "element of the other headers is used: proxies that overwrite "
            "X-Forwarded-Proto leave one element in it.",
        )
    if "x_for" in counted:
        reading.note_bare_address()
    if "x_host" in counted:
        reading.note(
            Effect.CHANGES,
            "server-name",
            "X-Forwarded-Host sets HTTP_HOST; SERVER_NAME and SERVER_PORT stay the "
            "server's own. Flask and Werkzeug look at HTTP_HOST first.",
            "x_host",
        )
    if "x_port" in counted:
        reading.draft.settings["TRUSTED_PROXY_PORT_IN_HOST"] = True
        reading.note(
            Effect.CHANGES,
            "port-in-host",
            "X-Forwarded-Port is written into a host without a port; where the host "
            "has one, that stays. ProxyFix replaced it.",
            "x_port",
        )
    if "x_prefix" in counted:
        reading.note(
            Effect.STRICTER,
            "mount-point-form",
            "A mount point has no slash at its end, and one that is no plain path "
            "('//evil', dots, quotes) is not used.",
            "x_prefix",
        )
    reading.note(
        Effect.STRICTER,
        "malformed",
        "A value that is malformed (text for an address, a scheme that is neither http "
        "nor https, a host with a path) is not used. ProxyFix took any text.",
    )


KIND = Kind(
    "proxyfix",
    "ProxyFix",
    "a call of ProxyFix in Python source",
    _find,
    _convert,
    function="ProxyFix",
)
