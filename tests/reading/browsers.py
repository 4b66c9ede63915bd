"""
Where a browser is led by a header, by the letter of the standards.

In:  the value of a header, and the URL of the page that it came with.
Out: the URL that a browser goes to, the path and domain that it keeps a cookie for.

URLs are parsed by a library that follows https://url.spec.whatwg.org; the algorithms
around it are those of https://html.spec.whatwg.org and RFC 6265bis section 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ada_url import URL

_SPACE = "\t\n\x0c\r "


def open_url(text: str, page: str) -> str | None:
    """Resolve a URL as a browser does; ``None`` for one that leads nowhere."""
    try:
        return URL(text, page).href
    except ValueError:
        return None


def find_origin(url: str) -> str:
    """Say the origin of an absolute URL: scheme, host and port."""
    origin: str = URL(url).origin
    return origin if origin != "null" else url.partition(":")[0]


def lead_alike(url: str, other: str) -> bool:
    """
    Say whether two URLs lead to one site.

    One without a scheme has that of the page that it is on, so that http and https of
    one host are alike, and its usual port is left out or not.
    """
    if find_origin(url) == find_origin(other):
        return True
    schemes = {find_origin(each).partition(":")[0] for each in (url, other)}
    return schemes == {"http", "https"} and URL(url).hostname == URL(other).hostname


def open_refresh(value: str, page: str) -> str | None:
    """
    Find where ``Refresh`` leads: HTML's "shared declarative refresh steps".

    Returns:
        The URL; the page's own where the value names none; ``None`` for a value that
        is not one.
    """
    rest = value.lstrip(_SPACE)
    digits = re.match("[0-9]*", rest)
    assert digits is not None
    rest = rest[digits.end() :]
    if not digits[0] and not rest.startswith("."):
        return None
    rest = rest.lstrip("0123456789.")
    if rest and rest[0] not in ";," + _SPACE:
        return None
    rest = rest.lstrip(_SPACE)
    if rest[:1] in (";", ","):
        rest = rest[1:]
    rest = rest.lstrip(_SPACE)
    if not rest:
        return open_url("", page)
    if rest[:3].lower() == "url":
        behind = rest[3:].lstrip(_SPACE)
        if behind.startswith("="):
            rest = behind[1:].lstrip(_SPACE)
    if rest[:1] in ("'", '"'):
        rest = rest[1:].partition(rest[0])[0]
    return open_url(rest, page)


@dataclass(frozen=True, slots=True)
class Kept:
    """A cookie that a browser keeps: its pair, and for whom."""

    pair: str
    domain: str
    host_only: bool
    path: str


def keep_cookie(value: str, page: str) -> Kept | None:
    """
    Keep a cookie as RFC 6265bis section 5.6 and 5.7 say.

    Returns:
        What is kept; ``None`` for a cookie that is thrown away.
    """
    # A NUL, CR or LF ends up in no header; other controls throw the cookie away.
    if re.search("[\x00-\x08\x0a-\x1f\x7f]", value):
        return None
    pair, *parts = value.split(";")
    if not pair.strip(" \t="):
        return None
    host = urlsplit(page).hostname or ""
    domain, path = "", ""
    for part in parts:
        name, _, text = part.partition("=")
        name, text = name.strip(" \t").lower(), text.strip(" \t")
        if name == "domain":
            domain = text.removeprefix(".").lower()
        elif name == "path":
            path = text if text.startswith("/") else ""
    if domain and not (host == domain or host.endswith("." + domain)):
        return None
    if not path:
        path = urlsplit(page).path.rpartition("/")[0] or "/"
    lower = pair.strip(" \t").lower()
    if lower.startswith("__host-") and (domain or path != "/"):
        return None
    return Kept(pair.strip(" \t"), domain or host, not domain, path)
