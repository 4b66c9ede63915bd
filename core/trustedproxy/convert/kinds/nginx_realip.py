"""
nginx's realip module: proxies, a header, and whether the walk goes on.

In:  ``set_real_ip_from``, ``real_ip_header``, ``real_ip_recursive``.
Out: the list, the header, and a count of one where the walk does not go on.

Source: https://nginx.org/en/docs/http/ngx_http_realip_module.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest
from ...headers import Form
from ..entries import Spelling, add_proxies
from ..record import Effect, find_client_header, form_of
from .front_ends import find_scopes, note_front_end
from .kind import Found, Kind

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

FROM, HEADER, RECURSIVE = "set_real_ip_from", "real_ip_header", "real_ip_recursive"
DIRECTIVES = (FROM, HEADER, RECURSIVE)
_DEFAULT_HEADER = "X-Real-IP"
_UNIX = "unix:"


def _find(source: Source) -> list[Found]:
    directives = []
    for directive in source.nginx:
        if directive.name in DIRECTIVES:
            directives.append(directive)
        elif directive.name.startswith(("real_ip", "set_real_ip")):
            raise ConfigurationError(
                directive.where,
                directive.name,
                f"a directive of nginx{nearest(directive.name, DIRECTIVES)}",
            )
    return find_scopes(directives, [FROM])


def _convert(reading: Reading) -> None:
    draft = reading.draft
    entries = reading.strings(FROM, [])
    name = _one(reading, HEADER, _DEFAULT_HEADER)
    recursive = _one(reading, RECURSIVE, "off")
    if recursive not in ("on", "off"):
        raise ConfigurationError(
            f"{reading.where(RECURSIVE)}, {RECURSIVE}", recursive, "on or off"
        )
    if not entries:
        reading.note(
            Effect.CHANGES,
            "nothing-trusted",
            "Without set_real_ip_from nginx trusts nobody, and nothing is trusted "
            "here.",
        )
        return
    if name == "proxy_protocol":
        reading.note(
            Effect.NO_EQUIVALENT,
            "proxy-protocol",
            "The PROXY protocol has no header that the application could read. Leave "
            "it to nginx, and let it send X-Forwarded-For.",
            HEADER,
        )
        return
    header = find_client_header(name)
    if header is None:
        reading.note(
            Effect.NO_EQUIVALENT,
            "no-client-header",
            f"{name} is no list of addresses, and was left out.",
            HEADER,
        )
        return
    draft.headers = [header]
    if _UNIX in entries:
        draft.proxies = ["unix"]
    spelling = Spelling(host_bits=True, names=True)
    networks = [entry for entry in entries if entry != _UNIX]
    add_proxies(draft, networks, reading.where(FROM), spelling)
    if recursive == "off" and form_of(header) is Form.ADDRESS_LIST:
        draft.hops = 1
        reading.note(
            Effect.CHANGES,
            "not-recursive",
            "The walk does not go on (real_ip_recursive off): the client is the "
            "rightmost element. Leave TRUSTED_PROXY_HOPS out to walk over every proxy "
            "that is in the list.",
            RECURSIVE,
        )
    note_front_end(reading, "nginx", "realip")
    reading.note_mapped()
    reading.note(
        Effect.CHANGES,
        "unknown-client",
        "Where the walk ends at something that is no address, the client is unknown "
        "and REMOTE_ADDR is the last address that was confirmed, as in nginx.",
    )


def _one(reading: Reading, name: str, default: str) -> str:
    """Read the one value of a directive."""
    values = reading.strings(name, [default])
    if len(values) != 1:
        raise ConfigurationError(f"{reading.where(name)}, {name}", values, "one value")
    return values[0]


KIND = Kind(
    "nginx-realip",
    "nginx's realip module",
    "nginx's configuration, or what nginx -T prints",
    _find,
    _convert,
)
