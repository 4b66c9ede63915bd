"""
Where a mapped header leads a browser, beside what the backend itself said.

In:  the request that was planned, and a header's value as the backend wrote it.
Out: `leads_elsewhere` and `keeps_for_others`: what is wrong, or nothing.
"""

from __future__ import annotations

from typing import Final

from trustedproxy.mount_points.header_lines import NOT_IN_VALUE
from trustedproxy.mount_points.heads import BackendRequest
from trustedproxy.mount_points.urls import map_header

from ...reading.browsers import (
    find_origin,
    keep_cookie,
    lead_alike,
    open_refresh,
    open_url,
)
from .planning import make_client, send

#: URL path of the mount point → backend URL.
MAPPINGS: Final = (
    {"/blog/": "http://backend.example:8001/"},
    {"/blog/": "http://backend.example:8001/base/"},
    {"/": "http://backend.example:8001/base/"},
    {"/": "http://backend.example:8001/"},
    {"/a/b/": "http://backend.example/a/"},
    {"/base/": "http://backend.example/base/of/"},
    {"/blog/": "https://app.example/base/"},
    {"/blog/": "http://127.0.0.1:8001/base/"},
)
CLIENT: Final = make_client(scheme="https", host="app.example:8443")
#: The client's site.
SITE: Final = "https://app.example:8443"
#: A request for a page in a folder, for each of the mappings.
REQUESTS: Final = [
    send(next(iter(mapping)) + "dir/page", mapping=mapping, client=CLIENT)
    for mapping in MAPPINGS
]


def own_page(request: BackendRequest) -> str:
    """The URL of the page as the backend knows it."""
    top = request.mount_point
    return f"{top.scheme}://{top.authority}{top.base}/dir/page"


def client_page(request: BackendRequest) -> str:
    """The URL of the page as its client knows it."""
    return f"{SITE}{request.prefix}/dir/page"


def may_come(value: str) -> bool:
    """Say whether a header may have the value: of others, the whole head is refused."""
    return not NOT_IN_VALUE.search(value) and value == value.strip(" \t")


def leads_elsewhere(request: BackendRequest, name: str, value: str) -> str | None:
    """Say where the mapped value leads that the backend's own one did not lead to."""
    if not may_come(value):
        return None
    read = open_refresh if name == "refresh" else open_url
    mapped = map_header(request, name, value)
    assert not NOT_IN_VALUE.search(mapped), mapped
    own, got = read(value, own_page(request)), read(mapped, client_page(request))
    if got is None or find_origin(got) == SITE:
        return None
    return None if own is not None and lead_alike(got, own) else got


def keeps_for_others(request: BackendRequest, value: str) -> str | None:
    """
    Say for whom a browser keeps a cookie that the backend did not mean.

    A domain is the backend's own word or none; a path is its own word, or below the
    mount point.
    """
    if not may_come(value):
        return None
    mapped = map_header(request, "set-cookie", value)
    page = client_page(request)
    got, as_it_was = keep_cookie(mapped, page), keep_cookie(value, page)
    if got is None:
        return None
    meant = None if as_it_was is None or as_it_was.host_only else as_it_was.domain
    if not got.host_only and got.domain != meant:
        return f"the domain {got.domain}"
    own = keep_cookie(value, own_page(request))
    paths = [kept.path for kept in (as_it_was, own) if kept is not None]
    if got.path in paths or f"{got.path}/".startswith(f"{request.prefix}/"):
        return None
    return f"the path {got.path}"
