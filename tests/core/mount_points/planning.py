"""
Makers of planned requests and responses, for the tests of the mount points.

In:  a path below ``/blog/``, and whatever else differs.
Out: what is planned: a `BackendRequest`, an `Answer`, or the head of a response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustedproxy.mount_points.heads import (
    BackendRequest,
    ClientSide,
    RequestHead,
    ResponseHead,
)
from trustedproxy.mount_points.points import compile_mount_points
from trustedproxy.mount_points.request_plan import plan_request
from trustedproxy.mount_points.response_plan import plan_response
from trustedproxy.responses import Answer

PEER = "10.0.0.9"
BACKEND = "http://127.0.0.1:8001/"
CLIENT = ClientSide(
    forwarded_for="203.0.113.7, 10.0.0.9",
    scheme="https",
    host="app.example:8443",
    server="front.example",
    port="8443",
    mount_point="",
)


def make_client(**changed: Any) -> ClientSide:
    """Make a client's side that differs from `CLIENT` in some fields."""
    fields = {name: getattr(CLIENT, name) for name in ClientSide.__slots__}
    return ClientSide(**{**fields, **changed})


def plan(
    path: str,
    *,
    mapping: Mapping[str, str] | None = None,
    client: ClientSide = CLIENT,
    own_headers: Sequence[str] = (),
    allowed_hosts: Sequence[str] | None = None,
    method: str = "GET",
    **head: Any,
) -> BackendRequest | Answer | None:
    """Plan one request."""
    return plan_request(
        compile_mount_points({"/blog/": BACKEND} if mapping is None else mapping),
        RequestHead(method=method, path=path, **head),
        client,
        own_headers,
        allowed_hosts,
    )


def send(path: str = "/blog/x", **options: Any) -> BackendRequest:
    """Plan one request that reaches a backend."""
    planned = plan(path, **options)
    assert isinstance(planned, BackendRequest)
    return planned


def refuse(path: str = "/blog/x", **options: Any) -> int:
    """Plan one request that is answered here, and return the status."""
    planned = plan(path, **options)
    assert isinstance(planned, Answer)
    return planned.status


def respond(
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
    *,
    request: BackendRequest | None = None,
    reason: str = "",
    has_body: bool = True,
    length: int | None = None,
) -> ResponseHead:
    """Plan one response to a head that `wire` has checked."""
    head = ResponseHead(status, reason, list(headers), has_body, length)
    return plan_response(request or send(), head)
