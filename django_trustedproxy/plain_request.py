"""
Say what Django's own settings alone make of a request: ``python -m`` of this module.

In:  JSON on standard input: ``settings``, and the text variables of an ``environ``.
Out: JSON on standard output: what a view would see.

It configures Django for itself, and is run in an interpreter of its own by
`trustedproxy.explain.others`.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from typing import Any

_HOSTS = ("HTTP_HOST", "HTTP_X_FORWARDED_HOST")


def read_request(given: dict[str, Any]) -> dict[str, object]:
    """
    Read what a view would see.

    Args:
        given: ``settings``: name → value; ``environ``: its variables that are texts.
    """
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIRequest

    names = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given["settings"].items()
    }
    settings.configure(ALLOWED_HOSTS=["*"], **names)
    request = WSGIRequest({**given["environ"], "wsgi.input": BytesIO()})
    # Where nothing says the host, Django makes one of the server's own name.
    is_said = any(name in request.META for name in _HOSTS)
    return {
        "client address": request.META.get("REMOTE_ADDR"),
        "scheme": request.scheme,
        "host": request.get_host() if is_said else None,
        "mount point": request.META["SCRIPT_NAME"],
        "path": request.path_info,
    }


if __name__ == "__main__":
    json.dump(read_request(json.load(sys.stdin)), sys.stdout)
