"""
What gunicorn and uvicorn serve in the tests: an application with mount points.

In:  the environment variable ``FRONT``: JSON of mount points, policy and options.
Out: `wsgi` and `asgi`.
"""

from __future__ import annotations

import json
import os
from typing import Any

from trustedproxy import (
    ProxyMountPointsASGIMiddleware,
    ProxyMountPointsMiddleware,
    ProxyPolicy,
)

FRONT = json.loads(os.environ["FRONT"])
POLICY = ProxyPolicy(**FRONT["policy"])


def answer() -> bytes:
    """Say which process answers."""
    return json.dumps({"pid": os.getpid()}).encode("ascii")


def wsgi_application(environ: Any, start_response: Any) -> list[bytes]:
    """Answer what is below no mount point."""
    body = answer()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi_application(scope: Any, receive: Any, send: Any) -> None:
    """Answer what is below no mount point."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    body = answer()
    headers = [(b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if FRONT["kind"] == "wsgi":
    wsgi = ProxyMountPointsMiddleware(
        wsgi_application, FRONT["mount_points"], POLICY, **FRONT["options"]
    )
else:
    asgi = ProxyMountPointsASGIMiddleware(
        asgi_application, FRONT["mount_points"], POLICY, **FRONT["options"]
    )
