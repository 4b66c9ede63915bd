"""
Plan a response from a backend to the client: pure, as `request_plan` is.

In:  the request that was sent, and the head of what came back, checked by `wire`.
Out: the head for the client, its URLs mapped back by `urls`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from .header_lines import HANDSHAKE, HOP_BY_HOP, name_in_connection
from .heads import ResponseHead
from .urls import map_header
from .wire import WITHOUT_BODY

if TYPE_CHECKING:
    from .heads import BackendRequest, Headers

# The server in front says these by itself, and two of either would contradict each
# other; the length is said anew; and a CGI gateway takes ``Status`` for its own.
_NOT_TO_CLIENT = frozenset({"content-length", "date", "server", "status"})
# Orders to a web server in front: to send another page or file instead, or to treat
# this one in another way.  A backend orders nothing here.
_ORDERS = ("x-accel-", "x-lighttpd-", "x-litespeed-", "x-reproxy-", "x-sendfile")
# Whether a stream is held back on its way is for whoever makes it to say.
_HARMLESS_ORDER = "x-accel-buffering"


def plan_response(request: BackendRequest, head: ResponseHead) -> ResponseHead:
    """
    Plan the head of the response for the client.

    Args:
        request: The request that was sent.

        head: The backend's head, as `wire` has checked it.
    """
    dropped = HOP_BY_HOP | _NOT_TO_CLIENT | name_in_connection(head.headers)
    reason = head.reason
    if head.status == HTTPStatus.OK:
        # A location means nothing there (RFC 9110 section 10.2.2); to a CGI gateway and
        # to mod_wsgi's daemons it is an order to serve that path instead, and so are
        # some phrases an order to try again.
        dropped |= {"location"}
        reason = HTTPStatus.OK.phrase
    mapped = [
        (name, map_header(request, key, value))
        for name, value in head.headers
        if (key := name.lower()) not in dropped and not _is_order(key)
    ]
    # RFC 9110 section 8.6: none with 204. With 304 it would be that of a body which
    # does not come, and servers wait for one.
    if head.length is not None and head.status not in WITHOUT_BODY:
        mapped.append(("Content-Length", str(head.length)))
    return ResponseHead(
        status=head.status,
        reason=reason or _find_phrase(head.status),
        headers=mapped,
        has_body=head.has_body,
        length=head.length,
    )


def _is_order(key: str) -> bool:
    return key.startswith(_ORDERS) and key != _HARMLESS_ORDER


def plan_handshake(request: BackendRequest, head: ResponseHead) -> Headers:
    """Plan the headers with which a websocket is accepted."""
    dropped = HANDSHAKE | {"content-length"}
    return [
        (name, value)
        for name, value in plan_response(request, head).headers
        if name.lower() not in dropped
    ]


def _find_phrase(status: int) -> str:
    """Find a reason phrase: WSGI demands one."""
    known = [known.phrase for known in HTTPStatus if known == status]
    return known[0] if known else "Unknown"
