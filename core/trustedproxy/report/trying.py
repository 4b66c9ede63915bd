"""
A request that somebody describes in the box of the page.

In:  the fields of the form.
Out: the `Request` to explain; and the fields that describe a request which came.

Nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..explain.masks import HIDDEN
from ..explain.requests import DEFAULT, RequestError, join_headers, make_request
from ..wsgi_text import read_path

if TYPE_CHECKING:
    from ..explain import Explanation, Request
    from ..policy import ProxyPolicy

__all__ = ["FIELDS", "Field", "RequestError", "describe_fields", "read_request"]


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field of the form.

    Attributes:
        name: The field of `Connection` that it is.

        label: What people call it.

        default: What stands for nothing.
    """

    name: str
    label: str
    default: str


#: What a server says by itself, in the order of the form.
FIELDS = (
    Field("peer", "Peer: who connects to this server", ""),
    Field("scheme", "The connection's own scheme", DEFAULT.scheme),
    Field("server", "The server's own name", ""),
    Field("port", "The server's own port", ""),
    Field("mount_point", "The server's own mount point", ""),
    Field("path", "Path", DEFAULT.path),
)


def describe_fields(explanation: Explanation) -> dict[str, str]:
    """Describe the request of an explanation in the fields of the form."""
    said = explanation.connection
    fields = {each.name: said[each.name] or each.default for each in FIELDS}
    # To people they are text, and not the bytes that WSGI has.
    fields |= {name: read_path(fields[name]) for name in ("mount_point", "path")}
    headers = {
        header.name: header.value
        for header in explanation.headers
        if header.value is not None
    }
    fields["headers"] = "\n".join(
        f"{name}: {' '.join(value.split())}" for name, value in headers.items()
    )
    return fields


def read_request(policy: ProxyPolicy, fields: Mapping[str, str]) -> Request:
    """
    Read the request that the form describes.

    The secret, which the page never shows, is taken for the right one where the form
    still has what is shown in its place.

    Raises:
        RequestError: A line is no header; it says which.
    """
    text = fields.get("headers", "")
    headers = join_headers(
        (line for line in text.splitlines() if line.strip()), option="the line"
    )
    for name, value in headers.items():
        if name.lower() == (policy.secret_header or "").lower() and value == HIDDEN:
            headers[name] = policy.secrets[0]
    said = {
        each.name: value
        for each in FIELDS
        if (value := fields.get(each.name, each.default).strip())
    }
    # Nobody knows a peer that was left out: to a server it is a unix socket.
    said.setdefault("peer", "")
    return make_request(headers, said=said, where="the box of this page")
