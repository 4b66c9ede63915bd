"""
Apache's mod_remoteip: a header, internal and trusted proxies.

In:  ``RemoteIPHeader``, ``RemoteIPInternalProxy``, ``RemoteIPTrustedProxy``, lists in
     files.
Out: the header and one list.

Source: https://httpd.apache.org/docs/2.4/mod/mod_remoteip.html, mod_remoteip.c
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest
from ..entries import Spelling, add_proxies
from ..record import EVERY_PEER, Effect, find_client_header
from .front_ends import find_scopes, note_front_end
from .kind import Found, Kind

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

HEADER = "RemoteIPHeader"
INTERNAL, TRUSTED = "RemoteIPInternalProxy", "RemoteIPTrustedProxy"
INTERNAL_LIST, TRUSTED_LIST = "RemoteIPInternalProxyList", "RemoteIPTrustedProxyList"
PROXIES_HEADER = "RemoteIPProxiesHeader"
PROTOCOL, EXCEPTIONS = "RemoteIPProxyProtocol", "RemoteIPProxyProtocolExceptions"
DIRECTIVES = (
    HEADER,
    INTERNAL,
    TRUSTED,
    INTERNAL_LIST,
    TRUSTED_LIST,
    PROXIES_HEADER,
    PROTOCOL,
    EXCEPTIONS,
)
_SPELLED = {name.lower(): name for name in DIRECTIVES}
_LISTS = (INTERNAL, TRUSTED, INTERNAL_LIST, TRUSTED_LIST, EXCEPTIONS)


def _find(source: Source) -> list[Found]:
    directives = []
    for directive in source.apache:
        name = _SPELLED.get(directive.name.lower())
        if name is not None:
            directives.append(replace(directive, name=name))
        elif directive.name.lower().startswith("remoteip"):
            raise ConfigurationError(
                directive.where,
                directive.name,
                f"a directive of mod_remoteip{nearest(directive.name, DIRECTIVES)}",
            )
    return find_scopes(directives, _LISTS)


def _convert(reading: Reading) -> None:
    names = reading.strings(HEADER, [])
    if reading.has(PROTOCOL):
        reading.note(
            Effect.NO_EQUIVALENT,
            "proxy-protocol",
            "The PROXY protocol has no header that the application could read. Leave "
            "it to Apache, and let it send X-Forwarded-For.",
            PROTOCOL,
        )
    if not names:
        reading.note(
            Effect.CHANGES,
            "nothing-trusted",
            "Without RemoteIPHeader no header is looked at, and none is trusted here.",
        )
        return
    if len(names) != 1:
        raise ConfigurationError(f"{reading.where(HEADER)}, {HEADER}", names, "a name")
    header = find_client_header(names[0])
    if header is None:
        reading.note(
            Effect.NO_EQUIVALENT,
            "no-client-header",
            f"{names[0]} is no list of addresses, and was left out.",
            HEADER,
        )
        return
    reading.draft.headers = [header]
    _convert_proxies(reading)
    if reading.has(PROXIES_HEADER):
        reading.note(
            Effect.NO_EQUIVALENT,
            "proxies-header",
            "The proxies that were passed are in no header; the decision names the "
            "peer.",
            PROXIES_HEADER,
        )
    note_front_end(reading, "Apache", "mod_remoteip")
    reading.note(
        Effect.STRICTER,
        "resolver",
        "No element is looked up: host names, shortened and octal addresses are no "
        "addresses. Where the walk ends at one, the client is unknown.",
    )
    reading.note(
        Effect.CHANGES,
        "element-forms",
        "An element with a port or in brackets is read, and an empty one is passed "
        "over; mod_remoteip stops in front of these.",
    )
    reading.note(
        Effect.CHANGES,
        "header-stays",
        "The header begins at the client's element afterwards; mod_remoteip leaves "
        "what stands left of that, and removes the header where nothing does.",
    )


def _convert_proxies(reading: Reading) -> None:
    draft = reading.draft
    given = [name for name in _LISTS[:4] if reading.has(name)]
    spelling = Spelling(shortened=True, host_bits=True, names=True)
    for name in (INTERNAL, TRUSTED):
        if reading.has(name):
            where = reading.where(name)
            add_proxies(draft, reading.strings(name, []), where, spelling)
    for name in (INTERNAL_LIST, TRUSTED_LIST):
        for path in reading.strings(name, []):
            _add_file(reading, name, path)
    if not given:
        draft.proxies = [EVERY_PEER]
        reading.note(
            Effect.CHANGES,
            "private-elements",
            "Without a list every peer and every element is trusted. The client is the "
            "leftmost element here; mod_remoteip stops in front of a private address.",
        )
    elif TRUSTED in given or TRUSTED_LIST in given:
        reading.note(
            Effect.CHANGES,
            "private-elements",
            "A private address that a RemoteIPTrustedProxy names is the client here, "
            "or a proxy if it is in the list; mod_remoteip stops in front of it.",
            TRUSTED,
        )


def _add_file(reading: Reading, name: str, path: str) -> None:
    """Add a list in a file, which has to have one network a line here."""
    if not PurePosixPath(path).is_absolute():
        raise ConfigurationError(
            f"{reading.where(name)}, {name}",
            path,
            "an absolute path, which a ``file:`` list needs: put Apache's ServerRoot "
            "in front of it",
        )
    draft = reading.draft
    draft.proxies = [*(draft.proxies or []), f"file:{path}"]
    reading.note(
        Effect.CHANGES,
        "file-list",
        f"{path} is read again when it changes. It may hold one address or network a "
        "line, no host names and no shortened addresses.",
        name,
    )


KIND = Kind(
    "mod_remoteip",
    "Apache's mod_remoteip",
    "Apache's configuration",
    _find,
    _convert,
)
