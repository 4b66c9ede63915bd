"""
The target of a request, as servers have it (docs/servers.md).

In:  an environ, or a scope.
Out: the target's text as it was sent, or ``None`` where a WSGI server does not keep it,
     for which ASGI has ``raw_path``; a scope's mount point, and the path below it.
"""

from __future__ import annotations

from ._types import Environ, Scope
from .parsing.values import strip_mount_point

#: gunicorn, Werkzeug and mod_wsgi; uWSGI, waitress, cheroot, mod_wsgi and Werkzeug.
RAW_TARGET_KEYS = ("RAW_URI", "REQUEST_URI")


def read_raw_target(environ: Environ) -> str | None:
    """
    Read the request target as it was sent, query included.

    Returns:
        One character a byte (PEP 3333): a path and its query, a whole URL where one was
        sent, ``*``; ``None`` where the server does not keep it.
    """
    for key in RAW_TARGET_KEYS:
        if target := environ.get(key):
            return str(target)
    return None


def split_scope_path(scope: Scope) -> tuple[str, str]:
    """
    Split a scope's path into the mount point, without a final slash, and the rest.

    The path contains the mount point, unless the server leaves that to the proxy; there
    are servers that keep a final slash of their option, and some say ``None``.
    """
    mount_point = (scope.get("root_path") or "").rstrip("/")
    return mount_point, strip_mount_point(scope.get("path", "/"), mount_point)
