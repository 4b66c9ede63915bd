"""
The signs that a peer has passed a request on: headers that proxies add.

In:  the names of a request's headers, its ``Connection`` header, the decision about it.
Out: the names of those that say that somebody stands behind the peer.

Whoever is trusted has no influence here: a header that no policy lists is a sign too,
and one that was removed still is.  So is a ``Connection`` header that names one, which
asks the next proxy to drop it (RFC 9110 section 7.6.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..decision import Decision
from ..headers import KNOWN_HEADERS, Category, Form, ProxyHeader

#: What proxies add besides the headers that this project knows: RFC 9110 section 7.6.3
#: and RFC 8586.
_ADDED_BY_PROXIES = ("Via", "CDN-Loop")
_CONNECTION = "Connection"
_SPELLED = {
    name.lower(): name
    for name in (*(header.name for header in KNOWN_HEADERS), *_ADDED_BY_PROXIES)
}
#: Whatever a proxy says under a name that begins so.
_PREFIX = "x-forwarded-"


def says_scheme(header: ProxyHeader) -> bool:
    """Say whether a proxy may say the scheme by *header*, so that it can be read."""
    return Category.SCHEME in header.categories and header.form is not Form.NEVER


def list_signs(
    names: Iterable[str], connection: str, decision: Decision | None
) -> tuple[str, ...]:
    """
    List the names of the headers that say that the peer has passed a request on.

    Args:
        names: Names of the headers that are there, in any case, with ``_`` or ``-``.

        connection: The value of the ``Connection`` header, lines joined by commas.

        decision: What was decided, or ``None``.

    Returns:
        Each once: those that the decision knows of, then those that are there.
    """
    found: list[str] = []
    if decision is not None:
        found += (*decision.removed, *decision.winners.values())
        if any(each.code == "named-in-connection" for each in decision.problems):
            found.append(_CONNECTION)
    found += filter(None, map(_spell_sign, names))
    if any(_spell_sign(option.strip(" \t")) for option in connection.split(",")):
        found.append(_CONNECTION)
    return tuple(dict.fromkeys(found))


def _spell_sign(name: str) -> str | None:
    """Spell the *name* of a header that is a sign; ``None`` for any other."""
    plain = name.lower().replace("_", "-")
    if plain in _SPELLED:
        return _SPELLED[plain]
    return plain if plain.startswith(_PREFIX) else None
