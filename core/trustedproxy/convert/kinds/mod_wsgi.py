"""
mod_wsgi's directives, and the options of mod_wsgi-express.

In:  Apache's configuration, or the command line of mod_wsgi-express.
Out: what `trustedproxy.mod_wsgi` reads, and what is different besides.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError, nearest
from ...headers import Category
from ...mod_wsgi import parse_mod_wsgi
from ..entries import Spelling, add_proxies
from ..record import (
    EVERY_PEER,
    HEADERS,
    PROXIES,
    Effect,
    category_of,
    find_header,
)
from ..sources.given import Given, place, refuse_near
from .kind import Found, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading import Reading
    from ..sources.source import Source

DIRECTIVES = ("WSGITrustedProxyHeaders", "WSGITrustedProxies", "WSGIRestrictSignal")
#: Option → how many values it has.
OPTIONS = {
    "--trust-proxy-header": 1,
    "--trust-proxy": 1,
    "--https-only": 0,
    "--hsts-policy": 1,
    "--server-name": 1,
    "--https-port": 1,
    "--proxy-mount-point": 2,
    "--proxy-url-alias": 2,
}
#: The headers that mod_wsgi 6 knows; it skips every other name.
KNOWN = frozenset(
    {
        *("x-forwarded-for", "x-client-ip", "x-real-ip"),
        *("x-forwarded-proto", "x-forwarded-scheme", "x-scheme"),
        *("x-forwarded-https", "x-forwarded-ssl", "x-https"),
        *("x-forwarded-host", "x-host", "x-forwarded-server", "x-forwarded-port"),
        *("x-script-name", "x-forwarded-script-name"),
    }
)
_PROGRAM = "mod_wsgi-express"
_TRUSTED = "wsgitrusted"
_SPELLED = {name.lower() for name in DIRECTIVES}

# The settings that the text as a whole was read as, under names of their own.
_WHOLE = "the text"


def _find(source: Source) -> list[Found]:
    lines: dict[int, str] = {}
    scopes: dict[tuple[str, ...], int] = {}
    for directive in source.apache:
        lower = directive.name.lower()
        if lower in _SPELLED:
            lines[directive.line] = shlex.join([directive.name, *directive.values])
            scopes.setdefault(directive.scope, directive.line)
        elif lower.startswith(_TRUSTED):
            raise ConfigurationError(
                directive.where,
                directive.name,
                f"a directive of mod_wsgi{nearest(directive.name, DIRECTIVES)}",
            )
    if len(scopes) > 1:
        first, second, *_ = scopes.values()
        raise ConfigurationError(
            place(source.name, second),
            "a second section",
            f"one policy with line {first}: give the lines of one section alone",
        )
    for command in source.commands:
        own = any(word.partition("=")[0] in OPTIONS for word in command.words)
        if command.program == _PROGRAM or (not command.program and own):
            words = _choose_options(command.words, command.where)
            lines[command.line] = shlex.join(words)
    if not any(lines.values()):
        return []
    first_line = min(lines)
    settings = parse_mod_wsgi(_at_their_lines(lines))
    where = place(source.name, first_line)
    return [Found(where, {n: Given(n, value, where) for n, value in settings.items()})]


def _choose_options(words: Sequence[str], where: str) -> list[str]:
    """Choose the options that are read, with their values."""
    chosen: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in OPTIONS:
            if name.startswith("--"):
                refuse_near(name, where, OPTIONS)
            continue
        chosen.append(word)
        wanted = OPTIONS[name] - bool(equals)
        chosen.extend(value for _, value in zip(range(wanted), rest, strict=False))
    return chosen


def _at_their_lines(lines: dict[int, str]) -> str:
    """Write lines at their numbers, so that an error names the right one."""
    return "\n".join(lines.get(n, "") for n in range(1, max(lines) + 1))


def _convert(reading: Reading) -> None:
    draft = reading.draft
    headers = reading.strings(HEADERS, [])
    for name in headers:
        header = find_header(name)
        if header is None or name.lower() not in KNOWN:
            reading.note(
                Effect.NO_EQUIVALENT,
                "unknown-header",
                f"mod_wsgi does not know the header {name!r} and skips it; it was left "
                "out.",
            )
        else:
            draft.headers.append(header.name)
    for name in _OTHERS:
        if reading.has(name):
            draft.settings[name] = reading.value(name, None)
    if draft.headers:
        _convert_proxies(reading)
        _note_headers(reading)
    _note_features(reading)


_OTHERS = (
    "TRUSTED_PROXY_HTTPS_ONLY",
    "TRUSTED_PROXY_HTTPS_HOST",
    "TRUSTED_PROXY_HSTS_POLICY",
    "TRUSTED_PROXY_MOUNT_POINTS",
    "TRUSTED_PROXY_RESTRICT_SIGNALS",
)


def _convert_proxies(reading: Reading) -> None:
    entries = reading.words(PROXIES, [EVERY_PEER])
    spelling = Spelling(shortened=True, host_bits=True)
    add_proxies(reading.draft, entries, reading.where(PROXIES), spelling)


def _note_headers(reading: Reading) -> None:
    if Category.CLIENT in map(category_of, reading.draft.headers):
        reading.note_bare_address()
    reading.note(
        Effect.TO_DO,
        "switch-mod_wsgi",
        "If the application stays on mod_wsgi, take the directives out, so that the "
        "peer is still there to be looked at.",
    )
    reading.note(
        Effect.STRICTER,
        "malformed",
        "A value that is malformed is not used; mod_wsgi copies it into the environ. "
        "docs/mod_wsgi.md names every difference.",
    )


def _note_features(reading: Reading) -> None:
    if reading.has("TRUSTED_PROXY_HTTPS_ONLY"):
        reading.note(
            Effect.CHANGES,
            "redirect-status",
            "The client's scheme decides, not the connection's. GET and HEAD are "
            "redirected with 301, other methods with 308; mod_wsgi-express answers 302 "
            "to all, and redirects nothing without --server-name.",
        )
    elif reading.has("TRUSTED_PROXY_HSTS_POLICY"):
        reading.note(
            Effect.CHANGES,
            "hsts-needs-https-only",
            "The policy is sent together with HTTPS only alone, as by "
            "mod_wsgi-express.",
        )
    if reading.has("TRUSTED_PROXY_MOUNT_POINTS"):
        reading.note(
            Effect.CHANGES,
            "mount-points",
            "A mount point is a path, not a regular expression; the longest of nested "
            "ones wins; the redirect to the final slash keeps the client's scheme.",
        )
    if not reading.has("TRUSTED_PROXY_RESTRICT_SIGNALS"):
        reading.note(
            Effect.CHANGES,
            "signals",
            "mod_wsgi refuses signal.signal() unless that is switched off. "
            "TRUSTED_PROXY_RESTRICT_SIGNALS = True does so on another server.",
        )


KIND = Kind(
    "mod_wsgi",
    "mod_wsgi",
    "Apache's configuration, or mod_wsgi-express's command line",
    _find,
    _convert,
)
