"""
A fast backend for the load test: it reads the body, and says how long it was.

In:  any request.
Out: `asgi`.
"""

from __future__ import annotations

from typing import Any


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the length of the body."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode("ascii")
    headers = [(b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
