"""
The differences that a conversion owns up to, by the codes of its notes.

In:  a conversion, a request, what the tool and what this project made of it.
Out: the fields that differ and that no note explains: they have to be none.

A row says which fields may differ, and for which requests; a note that is not here
explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeAlias

from .honest import FOR, HOST, ODD_CLIENTS, PORT, PROTO

if TYPE_CHECKING:
    from trustedproxy.convert import Conversion

    from .honest import Request

#: Field → value, of what an application sees.
Seen: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs."""

    field: str
    request: Request
    hops: int
    theirs: Any
    ours: Any

    @property
    def counts(self) -> list[int]:
        """How many elements each header of the request has."""
        return list(self.request.elements.values())


@dataclass(frozen=True, slots=True)
class Explained:
    """Which fields may differ, and how."""

    fields: frozenset[str]
    how: Callable[[Difference], bool]


def _explain(fields: str, how: Callable[[Difference], bool]) -> Explained:
    return Explained(frozenset(fields.split()), how)


def _bare(text: str) -> str:
    """Read an address as people write it, with a port or brackets."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _elements(request: Request) -> list[str]:
    return ", ".join(request.headers.values()).split(", ")


def _is_private(element: str) -> bool:
    return element.startswith(("10.", "127.", "192.168."))


def _has_port(request: Request) -> bool:
    """The host that is used has a port, or is not the client's at all."""
    return ":" in request.headers.get(HOST, ":")


def _has_list(*names: str) -> Callable[[Difference], bool]:
    return lambda d: any(d.request.elements.get(name, 0) > 1 for name in names)


LEDGER: Mapping[str, Explained] = {
    "uneven-counts": _explain(
        "host port mount_point scheme", lambda d: any(n > 1 for n in d.counts)
    ),
    "fewer-elements": _explain(
        "client host port mount_point scheme status",
        lambda d: any(n < d.hops for n in d.counts),
    ),
    "port-in-host": _explain(
        "host port",
        lambda d: PORT in d.request.elements and _has_port(d.request),
    ),
    "server-name": _explain("server port", lambda d: True),
    "scheme-list": _explain("scheme port status", _has_list(PROTO, PORT)),
    "leftmost-scheme": _explain("scheme", _has_list(PROTO)),
    "websocket-scheme": _explain(
        "scheme", lambda d: d.theirs.replace("http", "ws") == d.ours
    ),
    "forwarded-grammar": _explain(
        "client host", lambda d: d.theirs.replace('"', "") == d.ours
    ),
    "bare-address": _explain("client", lambda d: _bare(d.theirs) == d.ours),
    "bracketed-port": _explain("client", lambda d: _bare(d.theirs) == d.ours),
    "mapped": _explain(
        "client", lambda d: any(e.startswith("::ffff:") for e in _elements(d.request))
    ),
    "private-elements": _explain(
        "client", lambda d: any(map(_is_private, _elements(d.request)))
    ),
    "element-forms": _explain(
        "client", lambda d: any(e in ODD_CLIENTS for e in _elements(d.request))
    ),
    "more-elements": _explain(
        "client status", lambda d: d.request.elements.get(FOR, 0) > d.hops
    ),
}


def unexplained(
    conversion: Conversion, request: Request, theirs: Seen, ours: Seen
) -> dict[str, tuple[object, object]]:
    """List the fields that differ although no note says so."""
    hops = int(str(conversion.settings.get("TRUSTED_PROXY_HOPS", 1)))
    rows = [LEDGER[note.code] for note in conversion.notes if note.code in LEDGER]
    left: dict[str, tuple[object, object]] = {}
    for name, value in theirs.items():
        difference = Difference(name, request, hops, value, ours[name])
        if value != ours[name] and not any(
            name in row.fields and row.how(difference) for row in rows
        ):
            left[name] = (value, ours[name])
    return left
