"""
What a header line may hold, and which ones are meant for one connection only.

In:  nothing, or the headers of a request or a response.
Out: patterns, meant for `fullmatch` unless they begin with ``NOT_IN``; names in lower
     case.  `request_plan` and `response_plan` say what else they do not pass on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 9110 section 8.6: Content-Length = 1*DIGIT; no more of them than 64 bits hold.
LENGTH = re.compile(r"[0-9]{1,18}")
# RFC 9110 section 5.5: no control character but the tab; and what no header can hold.
NOT_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")

# RFC 9110 section 7.6.1, with what older proxies meant for one connection only.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Each end of a tunnel makes its own.
HANDSHAKE = frozenset(
    {
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
    }
)


def name_in_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    """Collect the headers that are for one connection only (RFC 9110 7.6.1)."""
    return {
        option.strip(" \t").lower()
        for name, value in headers
        if name.lower() == "connection"
        for option in value.split(",")
    }
