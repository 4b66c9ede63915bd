"""
What a client forges: every known header, with a value that would be trusted.

In:  the table of headers of the core.
Out: header lines, and the questions a test asks about an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustedproxy.headers import KNOWN_HEADERS, Category, Form

from .client import Line
from .fronts import SET_BY_THE_FRONT_END, VARIANTS

FORGED_ADDRESS = "198.51.100.66"
FORGED_HOST = "evil.example"
FORGED_PORT = "6666"
FORGED_PATH = "/evil"

_BY_CATEGORY = {
    Category.CLIENT: FORGED_ADDRESS,
    Category.HOST: FORGED_HOST,
    Category.SERVER: FORGED_HOST,
    Category.PORT: FORGED_PORT,
    Category.MOUNT_POINT: FORGED_PATH,
    Category.OTHER: FORGED_PATH,
}


def forge(name: str, scheme: str) -> Line:
    """Forge the header *name* in a request that really came over *scheme*."""
    header = next(h for h in KNOWN_HEADERS if h.name == name)
    other = "http" if scheme == "https" else "https"
    match header.form:
        case Form.FORWARDED:
            value = f"for={FORGED_ADDRESS};proto={other};host={FORGED_HOST}"
        case Form.CF_VISITOR:
            value = f'{{"scheme":"{other}"}}'
        case Form.FLAG:
            value = "on" if other == "https" else "off"
        case Form.ADDRESS_COLON_PORT:
            value = f"{FORGED_ADDRESS}:4711"
        case _ if header.category is Category.SCHEME:
            value = other
        case _:
            value = _BY_CATEGORY[header.category]
    return name, value


KNOWN_NAMES = tuple(header.name for header in KNOWN_HEADERS)


def forge_all(scheme: str) -> list[Line]:
    """Forge every known header, and the name that gunicorn reads."""
    return [*(forge(n, scheme) for n in KNOWN_NAMES), ("SCRIPT_NAME", FORGED_PATH)]


def forge_variants(scheme: str) -> list[Line]:
    """Forge every spelling with underscores of what the front end sets."""
    values = dict(forge(name, scheme) for name in SET_BY_THE_FRONT_END)
    return [(one, values[one.replace("_", "-")]) for one in VARIANTS]


def forge_twice(scheme: str) -> list[Line]:
    """Forge each header that the front end sets, on two lines."""
    lines = [forge(name, scheme) for name in SET_BY_THE_FRONT_END]
    return [*lines, *lines]


OBSERVED = ("address", "scheme", "host", "port", "mount_point", "path")
_KNOWN = {name.lower() for name in KNOWN_NAMES}


def observe(answer: Mapping[str, Any], names: Sequence[str] = OBSERVED) -> list[Any]:
    """Pick from an application's answer what a proxy is there to tell."""
    return [answer[name] for name in names]


def list_known(answer: Mapping[str, Any]) -> dict[str, str]:
    """List the known headers, in any spelling, that the application still sees."""
    return {
        name: value
        for name, value in answer["headers"]
        if name.lower().replace("_", "-") in _KNOWN
    }
