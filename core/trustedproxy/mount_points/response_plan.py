"""
Plan a response from a backend to the client: pure, as `request_plan` is.

In:  the request that was sent, and the head of what came back.
Out: the head for the client, its URLs mapped back by `urls`; or `BackendError`, where
     the head is one that two readers may understand differently.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..parsing.grammar import TOKEN
from .header_lines import (
    HANDSHAKE,
    HOP_BY_HOP,
    LENGTH,
    NOT_IN_VALUE,
    name_in_connection,
)
from .heads import BackendError, ResponseHead
from .urls import map_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .heads import BackendRequest, Headers

_NAME = re.compile(TOKEN)
# RFC 9112 section 5.2: obs-fold, which a proxy may replace by a blank.
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
# The server in front says these by itself; two of either would contradict each other.
_NOT_TO_CLIENT = frozenset({"date", "server"})


def plan_response(
    request: BackendRequest,
    status: int,
    reason: str,
    headers: Iterable[tuple[str, str]],
) -> ResponseHead:
    """
    Plan the head of the response for the client.

    Args:
        request: The request that was sent.

        status: The backend's status code.

        reason: The backend's reason phrase.

        headers: The backend's headers, one pair a line.

    Raises:
        BackendError: The head is one that must not be passed on.
    """
    if not 200 <= status <= 599:
        # Nobody asked for 101, and an interim answer is not the final one.
        raise BackendError(HTTPStatus.BAD_GATEWAY, f"the status is {status}")
    lines = [
        (name, _FOLD.sub(" ", value).strip(" \t"), name.lower())
        for name, value in headers
    ]
    for name, value, _ in lines:
        if not _NAME.fullmatch(name) or NOT_IN_VALUE.search(value):
            raise BackendError(HTTPStatus.BAD_GATEWAY, f"header {name!r} is malformed")
    codings = [value.lower() for _, value, key in lines if key == "transfer-encoding"]
    if codings not in ([], ["chunked"]):
        raise BackendError(HTTPStatus.BAD_GATEWAY, f"the coding is {codings!r}")
    lengths = {value for _, value, key in lines if key == "content-length"}
    if len(lengths) > 1 or not all(map(LENGTH.fullmatch, lengths)):
        raise BackendError(HTTPStatus.BAD_GATEWAY, f"the length is {lengths!r}")
    length = int(lengths.pop()) if lengths and not codings else None
    has_body = request.method != "HEAD" and status not in (204, 304)
    dropped = HOP_BY_HOP | _NOT_TO_CLIENT | {"content-length"}
    dropped |= name_in_connection((name, value) for name, value, _ in lines)
    mapped = [
        (name, map_header(request, key, value))
        for name, value, key in lines
        if key not in dropped
    ]
    # RFC 9110 section 8.6: none with 204. With 304 it would be that of a body which
    # does not come, and servers wait for one.
    if length is not None and status not in (204, 304):
        mapped.append(("Content-Length", str(length)))
    return ResponseHead(
        status=status,
        reason=_read_reason(status, reason),
        headers=mapped,
        has_body=has_body,
        length=length,
    )


def plan_handshake(
    request: BackendRequest, headers: Iterable[tuple[str, str]]
) -> Headers:
    """Plan the headers with which a websocket is accepted."""
    kept = plan_response(request, 200, "", headers).headers
    dropped = HANDSHAKE | {"content-length"}
    return [(name, value) for name, value in kept if name.lower() not in dropped]


def _read_reason(status: int, reason: str) -> str:
    reason = reason.strip(" \t")
    if reason and not NOT_IN_VALUE.search(reason):
        return reason
    known = [known.phrase for known in HTTPStatus if known == status]
    return known[0] if known else "Unknown"
