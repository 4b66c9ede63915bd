"""
Django's own settings for what stands behind a proxy.

In:  ``SECURE_PROXY_SSL_HEADER``, ``USE_X_FORWARDED_HOST`` and ``_PORT``,
     ``SECURE_SSL_REDIRECT`` and what belongs to it, ``SECURE_HSTS_…``,
     ``FORCE_SCRIPT_NAME``.
Out: headers, HTTPS only, the HSTS policy, the stated mount point.

Source: Django's ``http/request.py`` and ``middleware/security.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from ..record import Effect
from .hsts_policy import add_hsts
from .kind import Found, Kind
from .redirect_exempt import convert_pattern
from .scheme_header import read_scheme_header
from .setting_names import find_settings

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

HEADER = "SECURE_PROXY_SSL_HEADER"
REDIRECT = "SECURE_SSL_REDIRECT"
SSL_HOST = "SECURE_SSL_HOST"
EXEMPT = "SECURE_REDIRECT_EXEMPT"
SECONDS = "SECURE_HSTS_SECONDS"
SUBDOMAINS = "SECURE_HSTS_INCLUDE_SUBDOMAINS"
PRELOAD = "SECURE_HSTS_PRELOAD"
USE_HOST = "USE_X_FORWARDED_HOST"
USE_PORT = "USE_X_FORWARDED_PORT"
SCRIPT_NAME = "FORCE_SCRIPT_NAME"

_HSTS = (SECONDS, SUBDOMAINS, PRELOAD)
SETTINGS = (
    HEADER,
    USE_HOST,
    USE_PORT,
    REDIRECT,
    SSL_HOST,
    EXEMPT,
    *_HSTS,
    SCRIPT_NAME,
)

_FIXED_MOUNT_POINT = "TRUSTED_PROXY_FIXED_MOUNT_POINT"


def _find(source: Source) -> list[Found]:
    return find_settings(source, SETTINGS)


def _convert(reading: Reading) -> None:
    draft = reading.draft
    _convert_scheme(reading)
    if reading.flag(USE_HOST, False):
        draft.headers.append("X-Forwarded-Host")
    if reading.flag(USE_PORT, False):
        draft.headers.append("X-Forwarded-Port")
    _convert_script_name(reading)
    https_only = reading.flag(REDIRECT, False)
    if https_only:
        _convert_redirect(reading)
    _convert_hsts(reading, https_only=https_only)
    if draft.headers or draft.settings:
        _note_removal(reading, https_only=https_only)
    if draft.headers:
        _note_headers(reading)


def _note_removal(reading: Reading, *, https_only: bool) -> None:
    """Say which settings go."""
    gone = [
        name
        for name in SETTINGS
        if reading.has(name) and (https_only or name not in _HSTS)
    ]
    reading.note(
        Effect.TO_DO,
        "remove-settings",
        f"Take {', '.join(gone)} out of the settings. SecurityMiddleware can stay for "
        "its other headers.",
    )


def _convert_scheme(reading: Reading) -> None:
    value = reading.value(HEADER, None)
    if value is None:
        return
    if not isinstance(value, list) or [type(part) for part in value] != [str, str]:
        raise ConfigurationError(
            f"{reading.where(HEADER)}, {HEADER}",
            value,
            "a tuple such as ('HTTP_X_FORWARDED_PROTO', 'https')",
        )
    key, secure = value
    if not key.startswith("HTTP_"):
        reading.note(
            Effect.NO_EQUIVALENT,
            "server-variable",
            f"{key} is no request header but a variable of the server, which is "
            "trusted as it is: wsgi.url_scheme alone is looked at.",
            HEADER,
        )
        return
    header = read_scheme_header(key.removeprefix("HTTP_"), secure)
    if header is None:
        reading.note(
            Effect.NO_EQUIVALENT,
            "scheme-value",
            f"{key} with the value {secure!r} has no equivalent: a header says the "
            "scheme by http and https, or by on and off. Let the proxy send "
            "X-Forwarded-Proto.",
            HEADER,
        )
        return
    reading.draft.headers.append(header)


def _note_headers(reading: Reading) -> None:
    reading.note(
        Effect.TO_DO,
        "no-client",
        "Django never corrected the client's address. Add X-Forwarded-For to "
        "TRUSTED_PROXY_HEADERS if your proxy sets it.",
    )
    reading.note(
        Effect.CHANGES,
        "leftmost-scheme",
        "Of a list of schemes Django took the leftmost, which a client can have "
        "written. Here the element of the nearest proxy counts.",
        HEADER,
    )
    reading.note(
        Effect.STRICTER,
        "malformed",
        "A scheme that is neither http nor https leaves the connection's; Django takes "
        "it for http. A malformed host is not used; Django answers 400. Any case will "
        "do.",
    )


def _convert_script_name(reading: Reading) -> None:
    path = reading.text(SCRIPT_NAME, None)
    if path is None:
        return
    mount_point = path.rstrip("/")
    if not mount_point:
        reading.note(
            Effect.NO_EQUIVALENT,
            "empty-script-name",
            "An empty mount point need not be stated, unless the server sets "
            "SCRIPT_NAME: then leave FORCE_SCRIPT_NAME as it is.",
            SCRIPT_NAME,
        )
        return
    reading.draft.settings[_FIXED_MOUNT_POINT] = mount_point
    reading.note(
        Effect.CHANGES,
        "stated-mount-point",
        "The mount point holds for requests of trusted peers; a direct request has "
        "the server's own.",
        SCRIPT_NAME,
    )


def _convert_redirect(reading: Reading) -> None:
    settings = reading.draft.settings
    settings["TRUSTED_PROXY_HTTPS_ONLY"] = True
    host = reading.text(SSL_HOST, None)
    if host is not None:
        settings["TRUSTED_PROXY_HTTPS_HOST"] = host
    patterns: list[str] = []
    for expression in reading.strings(EXEMPT, []):
        converted = convert_pattern(expression)
        patterns.extend(p for p in converted if p not in patterns)
        if not converted:
            reading.note(
                Effect.NO_EQUIVALENT,
                "exempt-pattern",
                f"The regular expression {expression!r} has no equivalent: a pattern "
                "knows '*' for any characters, and nothing else.",
                EXEMPT,
            )
    if patterns:
        settings["TRUSTED_PROXY_HTTPS_EXEMPT"] = patterns
    reading.note(
        Effect.CHANGES,
        "redirect-status",
        "GET and HEAD are redirected with 301, other methods with 308, which keeps "
        "method and body; Django answers 301 to all. The port of the plain request is "
        "dropped.",
        REDIRECT,
    )


def _convert_hsts(reading: Reading, *, https_only: bool) -> None:
    seconds = reading.number(SECONDS, 0)
    if not seconds:
        return
    if not https_only:
        reading.note(
            Effect.CHANGES,
            "hsts-stays",
            "The HSTS header is sent here together with HTTPS only alone. Leave "
            "the SECURE_HSTS_ settings as they are: Django goes on sending it.",
            SECONDS,
        )
        return
    add_hsts(
        reading,
        seconds,
        include_subdomains=reading.flag(SUBDOMAINS, False),
        preload=reading.flag(PRELOAD, False),
        option=PRELOAD,
    )


KIND = Kind(
    "django",
    "Django's settings",
    "SECURE_… and USE_X_FORWARDED_… settings in a module of Django settings",
    _find,
    _convert,
)
