"""
Both middlewares in this process, asked in one way.

In:  a request as a test writes it down.
Out: a `Reply`: the response as a server would have sent it, or how it broke off.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from trustedproxy import (
    ProxyMountPointsASGIMiddleware,
    ProxyMountPointsMiddleware,
    ProxyPolicy,
)

from .backend import PATIENCE

PEER = "10.0.0.9"
#: What the application answers.
OWN = b"the application"


@dataclass(slots=True)
class Reply:
    """What came back; `broken` is what was raised after the head was sent."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    broken: BaseException | None = None

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.blocks)

    @property
    def named(self) -> dict[str, str]:
        """The headers by their names in lower case."""
        return {name.lower(): value for name, value in self.headers}


class WSGIFront:
    """`ProxyMountPointsMiddleware`, given environs as gunicorn makes them."""

    kind = "wsgi"

    def __init__(self, mapping: Mapping[str, str], policy: ProxyPolicy, **options: Any):
        def application(environ: Any, start_response: Any) -> list[bytes]:
            self.passed.append(environ)
            start_response("200 OK", [("Content-Length", str(len(OWN)))])
            return [OWN]

        self.passed: list[Any] = []
        #: Set when the head of a response has come, and when a part of its body has.
        self.begun, self.flowing = threading.Event(), threading.Event()
        self.middleware = ProxyMountPointsMiddleware(
            application, mapping, policy, **options
        )

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] | None = None,
        **changed: Any,
    ) -> Reply:
        bare, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(bare).decode("latin-1"),
            "RAW_URI": path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "front.example",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": PEER,
            "HTTP_HOST": "app.example",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body if isinstance(body, bytes) else b""),
            "wsgi.input_terminated": True,
        }
        if isinstance(body, bytes):
            environ["CONTENT_LENGTH"] = str(len(body))
        elif body is not None:
            environ["wsgi.input"] = io.BytesIO(b"".join(body))
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        for name, value in headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        environ.update(changed.get("environ", {}))
        reply = Reply()

        def start_response(status: str, lines: Any) -> Any:
            reply.status = int(status[:3])
            assert status[3] == " " and status[4:]
            reply.headers = list(lines)
            self.begun.set()

        response = self.middleware(environ, start_response)
        try:
            for block in response:
                reply.blocks.append(block)
                if block:
                    self.flowing.set()
        except Exception as error:
            reply.broken = error
        finally:
            close = getattr(response, "close", None)
            if close is not None:
                close()
        return reply

    def close(self) -> None:
        """Close the middleware's connections."""
        self.middleware.close()


class ASGIFront:
    """`ProxyMountPointsASGIMiddleware`, given scopes as uvicorn makes them."""

    kind = "asgi"

    def __init__(self, mapping: Mapping[str, str], policy: ProxyPolicy, **options: Any):
        async def application(scope: Any, receive: Any, send: Any) -> None:
            self.passed.append(scope)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": OWN})

        self.passed: list[Any] = []
        #: Set when the head of a response has come, and when a part of its body has.
        self.begun, self.flowing = threading.Event(), threading.Event()
        self.runner = asyncio.Runner()
        self.middleware = ProxyMountPointsASGIMiddleware(
            application, mapping, policy, **options
        )

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] | None = None,
        **changed: Any,
    ) -> Reply:
        return self.runner.run(
            self.ask_async(path, method=method, headers=headers, body=body, **changed)
        )

    async def ask_async(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] | None = None,
        **changed: Any,
    ) -> Reply:
        """Ask in the running event loop, as many at once as are wanted."""
        bare, _, query = path.partition("?")
        lines = [(b"host", b"app.example")]
        if isinstance(body, bytes):
            lines.append((b"content-length", str(len(body)).encode()))
        elif body is not None:
            lines.append((b"transfer-encoding", b"chunked"))
        lines += [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers
        ]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(bare).decode("utf-8", "replace"),
            "raw_path": bare.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": lines,
            "client": (PEER, 4711),
            "server": ("front.example", 80),
        }
        scope.update(changed.get("scope", {}))
        blocks = [body] if isinstance(body, bytes) else list(body or [b""])
        messages = [
            {"type": "http.request", "body": block, "more_body": i < len(blocks) - 1}
            for i, block in enumerate(blocks)
        ]
        messages = changed.get("messages", messages)
        return await self._ask(scope, list(messages))

    async def _ask(self, scope: Any, messages: list[Any]) -> Reply:
        reply = Reply()
        never = asyncio.Event()

        async def receive() -> Any:
            if not messages:
                await never.wait()
            message = messages.pop(0)
            if "after" in message:
                # A threading.Event of the backend's.
                await asyncio.to_thread(message.pop("after").wait, PATIENCE)
            return message

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                assert not reply.status
                reply.status = message["status"]
                reply.headers = [
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message["headers"]
                ]
                self.begun.set()
            else:
                assert message["type"] == "http.response.body"
                reply.blocks.append(message.get("body", b""))
                if message.get("body"):
                    self.flowing.set()

        try:
            await self.middleware(scope, receive, send)
        except Exception as error:
            reply.broken = error
        return reply

    def close(self) -> None:
        """Close the middleware's connections, and its loop."""
        self.runner.run(self.middleware.close())
        self.runner.close()


FRONTS: dict[str, Any] = {"wsgi": WSGIFront, "asgi": ASGIFront}


@contextmanager
def run_front(
    kind: str,
    mapping: Mapping[str, str],
    policy: ProxyPolicy | None = None,
    **options: Any,
) -> Iterator[Any]:
    """Make one of the middlewares, and close its connections afterwards."""
    front = FRONTS[kind](
        mapping,
        policy or ProxyPolicy(headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"]),
        **options,
    )
    try:
        yield front
    finally:
        front.close()
