"""
One total parser a form: text of one value in, the value or ``None`` out (rule R10).

In:  the text of one value, blanks and tabs around it already trimmed.
Out: what the variable gets, or ``None`` for text that does not match its grammar.

No parser ever raises, and every pattern is matched in full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..headers import Form
from .addresses import parse_packed, parse_port
from .grammar import CF_VISITOR, MOUNT_POINT, REG_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

#: A longer host is not read: RFC 1035 section 2.3.4 gives a name 255 octets.
MAX_HOST_CHARACTERS = 255
#: White space that HTTP allows around a value (RFC 9110 section 5.6.3).
BLANKS = " \t"

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
FLAGS = {
    "on": "https",
    "true": "https",
    "1": "https",
    "off": "http",
    "false": "http",
    "0": "http",
}
DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
#: How a websocket's connection says http and https.
WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}


_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")


def parse_scheme(text: str) -> str | None:
    """Read ``http``, ``https``, ``ws`` or ``wss`` in any case, as http or https."""
    return SCHEMES.get(text) or SCHEMES.get(text.lower())


def parse_flag(text: str) -> str | None:
    """Read on, true, 1 as https and off, false, 0 as http, in any case."""
    return FLAGS.get(text.lower())


def parse_cf_visitor(text: str) -> str | None:
    """Read ``{"scheme":"http"}`` or ``{"scheme":"https"}``; blanks are allowed."""
    visitor = CF_VISITOR.fullmatch(text)
    return visitor and visitor[1]


def split_host(text: str) -> tuple[str, str | None] | None:
    """
    Split a host from its port (RFC 3986 section 3.2).

    Returns:
        The host as it came, brackets included, and the port's text or ``None``; or
        ``None`` where the text is not a host with an optional port.
    """
    if len(text) > MAX_HOST_CHARACTERS:
        return None
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        inner = name[1:]
        if not bracket or ":" not in inner or parse_packed(inner) is None:
            return None
        name += bracket
        colon, port = rest[:1], rest[1:]
        if colon not in ("", ":"):
            return None
    else:
        name, colon, port = text.partition(":")
        if not REG_NAME.fullmatch(name):
            return None
    if not colon:
        return name, None
    return (name, port) if parse_port(port) is not None else None


def parse_host(text: str) -> str | None:
    """Read a host with an optional port; it is kept as it came."""
    return text if split_host(text) is not None else None


def parse_server(text: str) -> str | None:
    """Read a host without a port."""
    split = split_host(text)
    return text if split is not None and split[1] is None else None


def parse_port_text(text: str) -> str | None:
    """Read a port, and keep it as text."""
    return text if parse_port(text) is not None else None


def parse_mount_point(text: str) -> str | None:
    """
    Read a mount point: ``""``, or segments without a slash at the end.

    A character that it may hold may come percent-encoded, and is decoded; every other
    encoding is malformed, ``%2F`` and ``%25`` among them.
    """
    if "%" in text:
        text = _ENCODED.sub(_decode_allowed, text)
    return text.removesuffix("/") if MOUNT_POINT.fullmatch(text) else None


def _decode_allowed(encoded: re.Match[str]) -> str:
    character = chr(int(encoded[1], 16))
    # What is left encoded breaks the grammar.
    return character if MOUNT_POINT.fullmatch(f"/{character}_") else encoded[0]


#: The parsers of the forms that hold one value.
PARSERS: dict[Form, Callable[[str], str | None]] = {
    Form.SCHEME: parse_scheme,
    Form.FLAG: parse_flag,
    Form.CF_VISITOR: parse_cf_visitor,
    Form.HOST: parse_host,
    Form.SERVER: parse_server,
    Form.PORT: parse_port_text,
    Form.MOUNT_POINT: parse_mount_point,
}


def merge_port(host: str, scheme: str, port: str | None) -> str:
    """
    Say a host and a port in one text, the scheme's default port left out.

    A port that the host names itself comes first.  A host that is none is not touched.
    """
    split = split_host(host)
    if split is None:
        return host
    name, own = split
    wanted = own or port
    if wanted is None or wanted == DEFAULT_PORTS.get(scheme):
        return name
    return f"{name}:{wanted}"


def strip_mount_point(path: str, mount_point: str) -> str:
    """Take the mount point off the front of *path*, at a segment boundary only."""
    rest = path.removeprefix(mount_point)
    return rest if rest == "" or rest.startswith("/") else path
