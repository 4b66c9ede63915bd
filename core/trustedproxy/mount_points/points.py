"""
Compile what is configured: which paths lead to which backend.

In:  the mapping of URL paths to backend URLs, as it was typed.
Out: `MountPoint` records, the longest first, and `find_mount_point` among them.  What
     is invalid raises `ConfigurationError` here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError, hide_userinfo
from ..parsing.grammar import MOUNT_POINT
from ..parsing.values import DEFAULT_PORTS, split_host
from .paths import decode, has_dot_segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


#: The setting, as errors name it.
OPTION = "TRUSTED_PROXY_MOUNT_POINTS"

# RFC 3986 section 3.3, path-abempty: segments of pchar, here never empty ones, since
# servers disagree about "//".
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?")
# Apache's spelling of a backend behind a unix socket, and of any other.
_URL = re.compile(
    r"(?:unix:(?P<socket>/[^|\x00-\x1f\x7f]+)\|)?"
    r"(?P<scheme>https?)://(?P<authority>[^/?#]+)(?P<path>/[^?#]*)?"
)


@dataclass(frozen=True, slots=True)
class MountPoint:
    """
    One row of the mapping, compiled.

    Attributes:
        path: The URL path, without its final slash: ``/blog``, or ``""`` for ``/``.

        segments: The segments of the path; none for ``/``.

        url: The backend's URL as it was given.

        scheme: ``http`` or ``https``.

        host: The backend's host in lower case, brackets included.

        port: The backend's port.

        base: The path of the backend's URL, without its final slash.

        socket: The path of a unix socket, or ``None``.
    """

    path: str
    segments: tuple[str, ...]
    url: str
    scheme: str
    host: str
    port: int
    base: str
    socket: str | None

    @property
    def authority(self) -> str:
        """The ``Host`` header for the backend: its own name, as mod_wsgi sends it."""
        if str(self.port) == DEFAULT_PORTS[self.scheme]:
            return self.host
        return f"{self.host}:{self.port}"


def compile_mount_points(mapping: Mapping[str, str]) -> tuple[MountPoint, ...]:
    """
    Check and compile the setting ``TRUSTED_PROXY_MOUNT_POINTS``.

    Args:
        mapping:
            URL path → backend URL: ``{"/blog/": "http://127.0.0.1:8001/"}``. A final
            slash changes nothing, in neither. A unix socket is written as Apache does:
            ``unix:/run/blog.sock|http://blog/``.

    Returns:
        The mount points, the longest first.

    Raises:
        ConfigurationError: Its option names the row: ``…MOUNT_POINTS["/blog/"]``.
    """
    if not hasattr(mapping, "items"):
        shown = hide_userinfo(mapping)
        raise ConfigurationError(OPTION, shown, "a mapping of URL paths to URLs")
    compiled: dict[str, MountPoint] = {}
    for path, url in mapping.items():
        mount_point = _compile_row(path, url)
        if mount_point.path in compiled:
            raise ConfigurationError(OPTION, path, "a path that is not there twice")
        compiled[mount_point.path] = mount_point
    return tuple(
        sorted(compiled.values(), key=lambda row: len(row.segments), reverse=True)
    )


def _compile_row(path: object, url: object) -> MountPoint:
    # The path is sent as X-Forwarded-Prefix, so it has to be a mount point by the
    # grammar that policies on the backend read.
    if not isinstance(path, str) or not path or not MOUNT_POINT.fullmatch(path):
        raise ConfigurationError(
            OPTION,
            hide_userinfo(path),
            "a URL path such as '/blog/', of letters, digits and any of -._~@+:=!$*",
        )
    option = f'{OPTION}["{path}"]'
    expected = "a URL such as 'http://127.0.0.1:8001/' or 'unix:/path|http://host/'"
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise ConfigurationError(option, hide_userinfo(url), expected)
    split = split_host(match["authority"])
    base = match["path"] or ""
    plain = _PATH.fullmatch(base) and not has_dot_segment(base)
    over_tls = match["scheme"] == "https"
    if split is None or not plain or (match["socket"] and over_tls):
        raise ConfigurationError(option, hide_userinfo(url), expected)
    host, port = split
    return MountPoint(
        path=path.removesuffix("/"),
        segments=tuple(path.removesuffix("/").split("/")[1:]),
        url=match[0],
        scheme=match["scheme"],
        host=host.lower(),
        port=int(port or DEFAULT_PORTS[match["scheme"]]),
        base=base.removesuffix("/"),
        socket=match["socket"],
    )


def find_mount_point(
    mount_points: Sequence[MountPoint], path: str
) -> tuple[MountPoint, str] | None:
    """
    Find the longest mount point that *path* is below, at a segment boundary.

    Returns:
        The mount point, and the rest of the path as it came, which begins with a slash
        or is empty; or ``None``.
    """
    if path and not path.startswith("/"):
        return None
    segments = path.split("/")[1:]
    for mount_point in mount_points:
        depth = len(mount_point.segments)
        # A letter may come percent-encoded, which changes nothing (RFC 3986 6.2.2.2).
        if tuple(map(decode, segments[:depth])) == mount_point.segments:
            return mount_point, "".join("/" + part for part in segments[depth:])
    return None
