"""
Proxy mount points around a WSGI application (PEP 3333).

In:  requests, as any server hands them over.
Out: the backend's response below a mount point, the application's elsewhere.

Bodies pass in blocks, in both directions.  A body that ends too early raises out of the
iterator, on which a server closes the connection: half an answer never looks whole.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote

from .._types import WSGIApp
from ..decision import DECISION_KEY, Connection
from ..parsing.grammar import MOUNT_POINT_SAFE
from ..request_target import read_raw_target
from ..responses import Answer, bad_request, refuse, send_wsgi
from ..wsgi import shows_unix
from .client_side import describe_client_side
from .heads import BLOCK, BackendError, Body, RequestHead
from .paths import find_raw_path
from .response_plan import plan_response
from .shell import MountPointsShell, load_client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from .._types import Environ, StartResponse
    from .blocking_client import Backend, Exchange
    from .heads import BackendRequest, ClientSide
    from .points import MountPoint

# The standard library's server, and what is made of it, closes by itself and fails on
# an application that says so.
_SERVERS_WITHOUT_CLOSE = "WSGIServer/"


class _ClientError(Exception):
    """The client's body broke off; the cause is what the server raised, if it did."""


class ProxyMountPointsMiddleware(MountPointsShell[WSGIApp, "Backend"]):
    """
    Proxy what is below some URL paths of a WSGI application to backends.

    Args:
        app: The application that answers everything else.

        mount_points:
            URL path → backend URL: ``{"/blog/": "http://127.0.0.1:8001/"}``, or
            ``unix:/run/blog.sock|http://blog/`` for a unix socket.

        policy:
            Whom to trust. It is applied here to requests to which none was applied
            yet.

        allowed_hosts:
            Hosts whose requests are proxied, others get 400: exact names,
            ``.example.com`` for it and every name below, or ``*``. ``None``: all.

        limits: The fields of `Limits`, by their names.

    Raises:
        ConfigurationError: A path, a URL, a host or a limit is wrong.

        ImportError: The extra ``mount`` is not installed.

    Source: ``--proxy-mount-point`` of mod_wsgi-express.
    """

    def _prepare(self) -> None:
        self._client = load_client("blocking_client")
        self._pid = os.getpid()
        self._backends: dict[MountPoint, Backend] = {}

    def _own_backends(self) -> dict[MountPoint, Backend]:
        if self._pid != os.getpid():
            # A forked child must not speak on its parent's connections, nor keep its
            # copies of them open.
            self.close()
            self._pid, self._backends = os.getpid(), {}
        return self._backends

    def _make_backend(self, mount_point: MountPoint) -> Backend:
        backend: Backend = self._client.Backend(mount_point, self.limits)
        return backend

    def close(self) -> None:
        """Close the connections that wait for later."""
        for backend in self._backends.values():
            backend.close()

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if not self.was_applied(environ):
            decision = self.policy.apply(environ)
            if self.policy.rejects(decision):
                return send_wsgi(bad_request(), environ, start_response)
        planned = self.plan(read_head(environ), _read_client_side(environ))
        if planned is None:
            return self.app(environ, start_response)
        if isinstance(planned, Answer):
            return send_wsgi(planned, environ, start_response)
        try:
            return self._proxy(planned, environ, start_response)
        except BackendError as error:
            answer = self.answer_failure(planned, error)
        except _ClientError as error:
            if error.__cause__ is not None:
                # The server knows best what its own exception means.
                raise error.__cause__ from None
            answer = refuse(HTTPStatus.BAD_REQUEST, "The body ends too early.")
        return send_wsgi(answer, environ, start_response)

    def _proxy(
        self, request: BackendRequest, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Send a request, and begin the response; fail before the head, or later."""
        backend = self.find_backend(request.mount_point)
        exchange = backend.send(request, _read_body(environ, request))
        body = _ResponseBody(exchange)
        try:
            head = plan_response(request, exchange.head)
            if not head.has_body:
                # Read to its end: only then may the connection serve another request.
                next(body, None)
                body.close()
            start_response(f"{head.status} {head.reason}", head.headers)
        except BaseException:
            body.close()
            raise
        if not head.has_body:
            return []
        # A server that is given an empty block sends the head at once, which a stream
        # of events needs; where the length is known, the body comes soon enough.
        body.flushes = head.length is None
        return body


class _ResponseBody:
    """The body of a backend's response, block by block."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._blocks = exchange.read_blocks()
        self.flushes = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.flushes:
            self.flushes = False
            return b""
        try:
            return next(self._blocks)
        except BaseException:
            # At its end, too: a server may take its time before it closes.
            self._exchange.close()
            raise

    def close(self) -> None:
        self._exchange.close()


def _read_client_side(environ: Environ) -> ClientSide:
    connection = Connection(
        peer=environ.get("REMOTE_ADDR"),
        scheme=environ.get("wsgi.url_scheme", "http"),
        host=environ.get("HTTP_HOST"),
        server=environ.get("SERVER_NAME"),
        port=environ.get("SERVER_PORT"),
        mount_point=quote(environ.get("SCRIPT_NAME", ""), MOUNT_POINT_SAFE, "latin-1"),
        peer_is_unix=shows_unix(environ),
    )
    return describe_client_side(
        environ.get(DECISION_KEY), connection, environ.get("HTTP_X_FORWARDED_FOR")
    )


def read_head(environ: Environ) -> RequestHead:
    """Read the head of a request from *environ*, as far as a proxy needs it."""
    headers = [
        # "X_Forwarded_For" and "X-Forwarded-For" are one here (rule R20).
        (key[5:].replace("_", "-").title(), value)
        for key, value in environ.items()
        if key.startswith("HTTP_") and isinstance(value, str)
    ]
    # What came as "Content_Length" is not the length (docs/servers.md).
    headers = [
        pair for pair in headers if pair[0] not in ("Content-Length", "Content-Type")
    ]
    for key, name in (
        ("CONTENT_TYPE", "Content-Type"),
        ("CONTENT_LENGTH", "Content-Length"),
    ):
        if environ.get(key):
            headers.append((name, str(environ[key])))
    ends = bool(environ.get("wsgi.input_terminated"))
    server = str(environ.get("SERVER_SOFTWARE", ""))
    return RequestHead(
        method=environ["REQUEST_METHOD"],
        path=_read_path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        ends_chunked=ends,
        may_say_close=not server.startswith(_SERVERS_WITHOUT_CLOSE),
        undeclared=ends and not environ.get("SERVER_PROTOCOL", "").startswith("HTTP/1"),
    )


def _read_path(environ: Environ) -> str:
    """Find the path below the mount point as it was sent; else quote it again."""
    path: str = environ.get("PATH_INFO", "")
    raw = find_raw_path(read_raw_target(environ) or "", path, "latin-1")
    return quote(path, encoding="latin-1", errors="replace") if raw is None else raw


def _read_body(environ: Environ, request: BackendRequest) -> Iterator[bytes] | None:
    """Read the body of a request in blocks; ``None`` where there is none."""
    if request.body is Body.NONE:
        return None
    stream = environ["wsgi.input"]
    if request.body is Body.LENGTH:
        return _read_blocks(stream, request.length)
    blocks = _read_blocks(stream, None)
    if request.body is Body.CHUNKED:
        return blocks
    first = next(blocks, None)
    return chain([first], blocks) if first else None


def _read_blocks(stream: BinaryIO, length: int | None) -> Iterator[bytes]:
    while length is None or length > 0:
        try:
            block = stream.read(BLOCK if length is None else min(BLOCK, length))
        except Exception as error:
            raise _ClientError from error
        if block:
            yield block
            length = None if length is None else length - len(block)
        elif length is None:
            return
        else:
            raise _ClientError
