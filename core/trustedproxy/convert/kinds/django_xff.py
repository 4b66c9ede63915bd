"""
django-xff: the depth of X-Forwarded-For, and what is refused.

In:  ``XFF_…`` settings, or the middleware in ``MIDDLEWARE``.
Out: the header, the count, and whether a request without it gets 400.

Source: django-xff's ``middleware.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record import EVERY_PEER, Effect
from .kind import Found, Kind
from .setting_names import find_settings

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

MIDDLEWARE = "xff.middleware.XForwardedForMiddleware"
DEPTH = "XFF_TRUSTED_PROXY_DEPTH"
SETTINGS = (
    DEPTH,
    "XFF_STRICT",
    "XFF_ALWAYS_PROXY",
    "XFF_NO_SPOOFING",
    "XFF_HEADER_REQUIRED",
    "XFF_CLEAN",
    "XFF_REWRITE_REMOTE_ADDR",
    "XFF_LOOSE_UNSAFE",
    "XFF_EXEMPT_URLS",
    "XFF_EXEMPT_STEALTH",
)


def _find(source: Source) -> list[Found]:
    return find_settings(source, SETTINGS, "XFF_", middleware=MIDDLEWARE)


def _convert(reading: Reading) -> None:
    draft = reading.draft
    draft.headers = ["X-Forwarded-For"]
    depth = reading.number(DEPTH, 0, needed=True)
    loose = reading.flag("XFF_LOOSE_UNSAFE", False)
    if depth and not loose:
        draft.hops = depth
    else:
        draft.proxies = [EVERY_PEER]
        reading.note(
            Effect.TO_DO,
            "leftmost",
            "The leftmost element was the client, which any client can write itself. "
            'TRUSTED_PROXIES = "*" does the same. Set TRUSTED_PROXY_HOPS to the number '
            'of your proxies, or TRUSTED_PROXIES to their networks, in place of "*".',
            "XFF_LOOSE_UNSAFE" if loose else DEPTH,
        )
    _convert_refusals(reading, depth, loose=loose)
    reading.note(
        Effect.TO_DO,
        "remove-middleware",
        f"Take {MIDDLEWARE} out of MIDDLEWARE, and the XFF_ settings away.",
    )
    reading.note_bare_address()
    for name, default, code, text in _WITHOUT_EQUIVALENT:
        if reading.flag(name, default) is not default:
            reading.note(Effect.NO_EQUIVALENT, code, text, name)
    if reading.words("XFF_EXEMPT_URLS", []):
        reading.note(
            Effect.NO_EQUIVALENT,
            "exempt-urls",
            'No path is exempt. Without TRUSTED_PROXY_MISSING = "reject" none needs '
            "to be; with it, let the health checker send the header, too.",
            "XFF_EXEMPT_URLS",
        )


def _convert_refusals(reading: Reading, depth: int, *, loose: bool) -> None:
    """Convert the settings that answer 400."""
    strict = reading.flag("XFF_STRICT", False)
    always = reading.flag("XFF_ALWAYS_PROXY", False)
    required = reading.flag("XFF_HEADER_REQUIRED", strict or always)
    spoofing = reading.flag("XFF_NO_SPOOFING", False)
    if (strict or always or required) and not loose:
        reading.draft.settings["TRUSTED_PROXY_MISSING"] = "reject"
        if not (strict or always):
            reading.note(
                Effect.STRICTER,
                "too-few-rejected",
                "Too few elements get 400 as well, not the missing header alone.",
                "XFF_HEADER_REQUIRED",
            )
        elif not required:
            reading.note(
                Effect.STRICTER,
                "missing-rejected",
                "A missing header gets 400 as well, not too few elements alone.",
                "XFF_HEADER_REQUIRED",
            )
    elif depth and not loose:
        reading.note(
            Effect.STRICTER,
            "fewer-elements",
            "With fewer elements than the depth, django-xff takes the leftmost for the "
            "client. Here the client is unknown then, and REMOTE_ADDR stays the "
            'peer\'s. TRUSTED_PROXY_MISSING = "reject" answers 400.',
            DEPTH,
        )
    if (strict or spoofing) and not loose:
        reading.note(
            Effect.NO_EQUIVALENT,
            "more-elements",
            "More elements than the count get no 400: those on the left are what a "
            "client may send, they change nothing, and they are removed.",
            "XFF_STRICT" if strict else "XFF_NO_SPOOFING",
        )


#: Setting, its default, the note's code and text for any other value.
_WITHOUT_EQUIVALENT = (
    (
        "XFF_CLEAN",
        True,
        "always-rewritten",
        "The header always begins at the client's element afterwards.",
    ),
    (
        "XFF_REWRITE_REMOTE_ADDR",
        True,
        "remote-addr",
        "REMOTE_ADDR is always the client's. The proxy's address is "
        "get_decision(request).peer.",
    ),
    (
        "XFF_EXEMPT_STEALTH",
        False,
        "stealth",
        "No path answers 404 to those who come through the proxies.",
    ),
)

KIND = Kind(
    "django-xff",
    "django-xff",
    "XFF_ settings in a module of Django settings",
    _find,
    _convert,
)
