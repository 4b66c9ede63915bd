"""
Plan a request from the client to a backend: pure, so that it can be tried in a REPL.

In:  the mount points, the head of a request, what its client asked for.
Out: the request for the backend, or an `Answer` that is made here: the redirect to the
     final slash, and what must not reach a backend.

The shells in `wsgi` and `asgi` move the bytes, and hold no opinion about them; what the
backend says is for `response_plan`.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..allowed_hosts import split_allowed_host
from ..headers import KNOWN_HEADERS
from ..parsing.grammar import TOKEN
from ..parsing.paths import stays_below
from ..responses import Answer, redirect, refuse
from .header_lines import (
    HANDSHAKE,
    HOP_BY_HOP,
    LENGTH,
    NOT_IN_VALUE,
    name_in_connection,
)
from .heads import BackendRequest, Body
from .paths import QUOTED_SLASH
from .points import find_mount_point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._types import AppliesPolicy
    from .heads import ClientSide, Headers, RequestHead
    from .points import MountPoint

_METHOD = _NAME = _CODING = re.compile(TOKEN)
# What mod_wsgi lets through, too: an underscore collides with a hyphen in CGI naming,
# and no header in use has anything else.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+")
_NOT_IN_TARGET = re.compile(r"[\x00-\x20\x7f]|[^\x00-\xff]")

# Kept as it came; everything else is percent-encoded (RFC 3986 section 2.1).
_PATH_SAFE = "!\"$%&'()*+,/:;<=>@[\\]^`{|}"
_QUERY_SAFE = _PATH_SAFE + "?"

# `Host` and the framing are made anew, `Expect` is between the client and its server,
# and `Proxy` becomes HTTP_PROXY in a CGI environ (httpoxy).
_NOT_TO_BACKEND = frozenset({"host", "content-length", "expect", "proxy"})
_KNOWN = frozenset(header.name.lower() for header in KNOWN_HEADERS)


def name_own_headers(policy: AppliesPolicy) -> list[str]:
    """Name the headers that *policy* reads, and no backend is to see."""
    names = [header.name for header in policy.known_headers]
    return names if policy.secret_header is None else [*names, policy.secret_header]


def plan_request(
    mount_points: Sequence[MountPoint],
    head: RequestHead,
    client: ClientSide,
    own_headers: Iterable[str] = (),
    allowed_hosts: Sequence[str] | None = None,
) -> BackendRequest | Answer | None:
    """
    Plan the request for the backend.

    Args:
        mount_points: From `compile_mount_points`.

        head: The request as it came.

        client: What the client asked for.

        own_headers: Names of further headers that stay here, as a policy may know.

        allowed_hosts: From `compile_allowed_hosts`.

    Returns:
        The backend's request; an answer where a backend must not be asked; ``None``
        where the path is below no mount point.
    """
    found = find_mount_point(mount_points, head.path)
    if "%" in head.path:
        # "/blog%2Fx": to us it is one segment, to the application it is "/blog/x".
        other = find_mount_point(mount_points, QUOTED_SLASH.sub("/", head.path))
        if (found and found[0]) != (other and other[0]):
            return refuse(HTTPStatus.BAD_REQUEST, "The path means two things.")
    if found is None:
        return None
    mount_point, rest = found
    refusal = _refuse(head, client, rest, allowed_hosts)
    if refusal is not None:
        return refusal
    prefix = client.mount_point + mount_point.path
    # A URL without a path is a URL with "/" (RFC 9110 section 4.2.3).
    rest = rest or ("" if prefix else "/")
    path = quote(rest, _PATH_SAFE, encoding="latin-1")
    query = quote(head.query, _QUERY_SAFE, encoding="latin-1")
    tail = path + ("?" + query if query else "")
    if not rest:
        origin = f"{client.scheme}://{client.host}"
        return redirect(head.method, f"{origin}{prefix}/{tail}")
    framing = _read_framing(head)
    if isinstance(framing, Answer):
        return framing
    body, length = framing
    headers = [("Host", mount_point.authority)]
    if body is Body.LENGTH:
        headers.append(("Content-Length", str(length)))
    headers += _keep_headers(head, own_headers)
    headers += _forward(client, prefix)
    return BackendRequest(
        mount_point=mount_point,
        client=client,
        prefix=prefix,
        method=head.method,
        target=mount_point.base + tail,
        headers=headers,
        body=body,
        length=length,
    )


def _refuse(
    head: RequestHead,
    client: ClientSide,
    rest: str,
    allowed_hosts: Sequence[str] | None,
) -> Answer | None:
    """Answer what must not reach a backend, or cannot be answered by one."""
    if not _METHOD.fullmatch(head.method):
        return refuse(HTTPStatus.BAD_REQUEST, "The method is malformed.")
    if head.method.upper() in ("CONNECT", "TRACE"):
        # TRACE would show the client what only backends should see.
        return refuse(HTTPStatus.NOT_IMPLEMENTED, "The method is not supported.")
    if _NOT_IN_TARGET.search(head.path) or _NOT_IN_TARGET.search(head.query):
        return refuse(HTTPStatus.BAD_REQUEST, "The URL is malformed.")
    if not stays_below(rest, ""):
        return refuse(HTTPStatus.BAD_REQUEST, "The path leaves its mount point.")
    if split_allowed_host(client.host, allowed_hosts) is None:
        return refuse(HTTPStatus.BAD_REQUEST, "The host is not served here.")
    if not all(
        _NAME.fullmatch(name) and not NOT_IN_VALUE.search(value)
        for name, value in head.headers
    ):
        return _close(head, HTTPStatus.BAD_REQUEST, "A header is malformed.")
    if len(_values_of(head, "host")) > 1:
        return refuse(HTTPStatus.BAD_REQUEST, "There are several hosts.")
    return None


def _values_of(head: RequestHead, key: str) -> list[str]:
    return [value.strip(" \t") for name, value in head.headers if name.lower() == key]


def _close(head: RequestHead, status: HTTPStatus, sentence: str) -> Answer:
    """Answer a request of which nobody knows where it ends: nothing may follow it."""
    if head.may_say_close:
        return refuse(status, sentence, ("Connection", "close"))
    return refuse(status, sentence)


def _read_framing(head: RequestHead) -> tuple[Body, int] | Answer:
    """Read how the body is framed (RFC 9112 section 6), strictly."""
    if head.websocket:
        return Body.NONE, 0
    lengths = _values_of(head, "content-length")
    codings = [coding.lower() for coding in _values_of(head, "transfer-encoding")]
    if len(lengths) > 1 or not all(map(LENGTH.fullmatch, lengths)):
        return _close(head, HTTPStatus.BAD_REQUEST, "The body's length is malformed.")
    if codings and lengths:
        return _close(head, HTTPStatus.BAD_REQUEST, "The body has two lengths.")
    if len(codings) > 1 or not all(map(_CODING.fullmatch, codings)):
        return _close(head, HTTPStatus.BAD_REQUEST, "The coding is malformed.")
    if codings and codings != ["chunked"]:
        return _close(head, HTTPStatus.NOT_IMPLEMENTED, "The coding is not supported.")
    if codings and not head.ends_chunked:
        return _close(head, HTTPStatus.LENGTH_REQUIRED, "The body has no length.")
    if codings:
        return Body.CHUNKED, 0
    if lengths:
        return Body.LENGTH, int(lengths[0])
    return (Body.UNDECLARED if head.undeclared else Body.NONE), 0


def _keep_headers(head: RequestHead, own_headers: Iterable[str]) -> Headers:
    dropped = HOP_BY_HOP | _NOT_TO_BACKEND | _KNOWN
    dropped |= {name.lower() for name in own_headers}
    dropped |= name_in_connection(head.headers)
    if head.websocket:
        dropped |= HANDSHAKE
    kept = [
        (name, value.strip(" \t"))
        for name, value in head.headers
        if _PLAIN_NAME.fullmatch(name) and name.lower() not in dropped
    ]
    cookies = [value for name, value in kept if name.lower() == "cookie"]
    if len(cookies) > 1:
        # RFC 9113 section 8.2.3: several lines are for HTTP/2 alone; some readers of
        # HTTP/1 take one of them, some make a list of them, which no cookie is.
        kept = [(name, value) for name, value in kept if name.lower() != "cookie"]
        kept.append(("Cookie", "; ".join(filter(None, cookies))))
    return kept


def _forward(client: ClientSide, prefix: str) -> Headers:
    """Say to the backend what the client asked for."""
    values = (
        ("X-Forwarded-For", client.forwarded_for),
        ("X-Forwarded-Host", client.host),
        ("X-Forwarded-Proto", client.scheme),
        ("X-Forwarded-Port", client.port),
        ("X-Forwarded-Server", client.server),
        ("X-Forwarded-Prefix", prefix),
        ("X-Forwarded-Script-Name", prefix),
    )
    return [(name, value) for name, value in values if value]
