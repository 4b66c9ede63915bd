"""
The request target as it was sent, where a WSGI server keeps it (docs/servers.md).

In:  an environ.
Out: the target's text, or ``None``; ASGI has ``raw_path`` for it.
"""

from __future__ import annotations

from ._types import Environ

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
