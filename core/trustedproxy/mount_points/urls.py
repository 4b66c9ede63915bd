"""
Map what a backend says about itself to what its client sees: URLs, paths of cookies.

In:  the request that was sent, and the value of a header of the response.
Out: the value for the client, which leads below the mount point; or the value as it
     came, where it is not about the backend, or readers might not agree that it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..parsing.paths import stays_below
from ..parsing.values import BLANKS, DEFAULT_PORTS, split_host

if TYPE_CHECKING:
    from .heads import BackendRequest
    from .points import MountPoint

#: Response headers that hold one URL (RFC 9110 sections 10.2.2, 8.7; RFC 2068).
_URL_HEADERS = frozenset({"location", "content-location", "uri"})

# "http://host" or "//host"; the path, or what browsers take for one, follows.
_ABSOLUTE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#\\]*)")
_AFTER_PATH = re.compile(r"[?#]")
# HTML, "shared declarative refresh steps": what stands in front of the URL.
_REFRESH = re.compile(
    r"[0-9.]+(?:[ \t]*[;,]|[ \t])[ \t]*(?:[Uu][Rr][Ll][ \t]*=[ \t]*)?(['\"]?)"
)


def map_header(request: BackendRequest, key: str, value: str) -> str:
    """Map the value of the header whose name in lower case is *key*."""
    if key in _URL_HEADERS:
        return map_url(request, value)
    if key == "refresh":
        return _map_refresh(request, value)
    if key == "set-cookie":
        return map_cookie(request, value)
    return value


def map_url(request: BackendRequest, url: str) -> str:
    """
    Map a URL of the backend to the client's; any other one stays as it is.

    The backend's own are those with its scheme, host and port, and absolute paths,
    below the path at which it is mounted. A path that begins with the prefix already
    is the client's: the backend has read ``X-Forwarded-Prefix``.
    """
    # Browsers pass over blanks around it, which the quotes of a Refresh may hold.
    url = _drop_scheme(request.mount_point, url.strip(BLANKS))
    absolute = _ABSOLUTE.match(url)
    scheme, authority = absolute.groups() if absolute else (None, "")
    tail = url[absolute.end() :] if absolute else url
    if absolute and not _is_backend(request.mount_point, scheme, authority):
        return url
    # A relative one is relative to the client's URL already.
    if not absolute and not url.startswith("/"):
        return url
    path = _AFTER_PATH.split(tail, maxsplit=1)[0]
    mapped = _map_path(request, path)
    if mapped is None:
        return url
    mapped += tail[len(path) :]
    if absolute or not _is_site_path(mapped):
        return f"{request.client.scheme}://{request.client.host}{mapped}"
    return mapped


def _drop_scheme(mount_point: MountPoint, url: str) -> str:
    """
    Drop the scheme of a URL that is relative all the same.

    ``http:x`` is ``x`` to a browser on a page of http, and the host ``x`` on a page of
    https (WHATWG URL, "special relative or authority state"); tabs are dropped before.
    """
    scheme, colon, rest = url.replace("\t", "").partition(":")
    if not colon or scheme.lower() != mount_point.scheme or rest.startswith("//"):
        return url
    # What follows may look like a scheme, or like the quote of a Refresh.
    return rest if rest[:1] in ("", "/", "\\", "?", "#") else f"./{rest}"


def _is_site_path(url: str) -> bool:
    """
    Say whether browsers take *url*, which begins with a slash, for a path of this site.

    Behind a second slash comes a host, a backslash is a slash, and tabs are dropped
    (WHATWG URL, "relative slash state").
    """
    return url.replace("\t", "")[1:2] not in ("/", "\\")


def _is_backend(mount_point: MountPoint, scheme: str | None, authority: str) -> bool:
    wanted = (scheme or mount_point.scheme).lower()
    split = split_host(authority)
    if wanted != mount_point.scheme or split is None:
        return False
    host, port = split
    return (host.lower(), int(port or DEFAULT_PORTS[wanted])) == (
        mount_point.host,
        mount_point.port,
    )


def _map_path(request: BackendRequest, path: str) -> str | None:
    """Map a path of the backend; ``None`` for one that is not below its base."""
    base, prefix = request.mount_point.base, request.prefix
    # Where both fit, the longer one says more.
    if len(prefix) > len(base) and _is_below(path, prefix):
        return path
    if _is_below(path, base):
        return prefix + (path[len(base) :] or "/")
    return None


def _is_below(path: str, top: str) -> bool:
    """Say whether *path* is *top*, to the letter, or something below it."""
    rest = path.removeprefix(top)
    is_there = len(rest) + len(top) == len(path)
    return is_there and stays_below(rest, "")


def _map_refresh(request: BackendRequest, value: str) -> str:
    front = _REFRESH.match(value)
    if front is None:
        return value
    rest = value[front.end() :]
    url, quote, behind = rest.partition(front[1]) if front[1] else (rest, "", "")
    return front[0] + map_url(request, url) + quote + behind if url else value


def map_cookie(request: BackendRequest, cookie: str) -> str:
    """
    Map the path of a cookie to the client's, and take the backend's domain off.

    A cookie for a path above the backend's base is for the whole backend, so the client
    gets it for the whole mount point, and no other mount point sees it. ``__Host-``
    cookies are for ``/`` and for no domain by their name (RFC 6265bis 4.1.3.2).
    """
    name, *attributes = cookie.split(";")
    if name.strip(" \t").lower().startswith("__host-"):
        return cookie
    pairs = [attribute.partition("=") for attribute in attributes]
    words = [key.strip(" \t").lower() for key, _, _ in pairs]
    # Browsers take the last of several domains: if that one goes, all do, so that the
    # cookie is for this host alone.
    domains = [
        value.strip(" \t")
        for word, (_, _, value) in zip(words, pairs, strict=True)
        if word == "domain"
    ]
    without_domain = _is_backends_domain(request, domains[-1]) if domains else False
    parts = [name]
    for word, (key, equals, value) in zip(words, pairs, strict=True):
        path = value.strip(" \t")
        if word == "domain" and without_domain:
            continue
        if word == "path" and path.startswith("/"):
            value = _map_cookie_path(request, path)
        parts.append(key + equals + value)
    return ";".join(parts)


def _map_cookie_path(request: BackendRequest, path: str) -> str:
    mapped = _map_path(request, path)
    if mapped is not None:
        return mapped
    above = request.mount_point.base.startswith(path.rstrip("/") + "/")
    return request.prefix + "/" if above else path


def _is_backends_domain(request: BackendRequest, domain: str) -> bool:
    domain = domain.removeprefix(".").lower()
    split = split_host(request.client.host)
    client = split[0].lower() if split is not None else ""
    backend = request.mount_point.host
    return _matches_domain(backend, domain) and not _matches_domain(client, domain)


def _matches_domain(host: str, domain: str) -> bool:
    """Match as RFC 6265 section 5.1.3 does."""
    return host == domain or host.endswith("." + domain)
