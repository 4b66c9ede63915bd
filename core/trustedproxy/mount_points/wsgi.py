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

from ..decision import DECISION_KEY, Connection
from ..log import warn
from ..middleware import TrustedProxyMiddleware
from ..parsing.hosts import compile_allowed_hosts
from .answers import answer_error, refuse
from .client_side import describe_client_side
from .heads import BLOCK, Answer, BackendError, Body, RequestHead
from .paths import find_raw_path
from .points import MISSING_EXTRA, compile_mount_points
from .request_plan import name_own_headers, plan_request
from .response_plan import plan_response

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType
    from typing import BinaryIO

    from urllib3.response import BaseHTTPResponse

    from .._types import Environ, StartResponse, WSGIApp
    from ..policy import ProxyPolicy
    from .heads import BackendRequest
    from .points import MountPoint
    from .urllib3_client import Backend

# Where servers keep the target as it was sent (docs/servers.md).
_RAW_TARGETS = ("RAW_URI", "REQUEST_URI")


class _ClientError(Exception):
    """The client's body broke off; the cause is what the server raised, if it did."""


class ProxyMountPointsMiddleware:
    """
    Proxy what is below some URL paths of the WSGI application *app* to backends.

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

        connect_timeout: Seconds until a connection has to be there, else 504.

        timeout:
            Seconds that a backend may stay silent. Before its head: 504; in the body:
            the connection to the client is closed.

        idle_connections: How many connections to a backend are kept for later.

        ssl_context: For backends over TLS; ``None``: the system's certificates.

    Raises:
        ConfigurationError: A path, a URL or a host is wrong.

        ImportError: The extra ``mount`` is not installed.

    Source: ``--proxy-mount-point`` of mod_wsgi-express.
    """

    def __init__(
        self,
        app: WSGIApp,
        mount_points: Mapping[str, str],
        policy: ProxyPolicy,
        *,
        allowed_hosts: Sequence[str] | str | None = None,
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        idle_connections: int = 100,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        try:
            from . import urllib3_client
        except ModuleNotFoundError as error:
            raise ImportError(MISSING_EXTRA.format(error.name)) from error
        self.app = app
        self.mount_points = compile_mount_points(mount_points)
        self.allowed_hosts = compile_allowed_hosts(allowed_hosts)
        self.policy = policy
        self._client = urllib3_client
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._idle_connections = idle_connections
        self._ssl_context = ssl_context
        self._decide_first = TrustedProxyMiddleware(self._serve, policy)
        self._own_headers = name_own_headers(policy)
        self._pid = os.getpid()
        self._backends: dict[MountPoint, Backend] = {}

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if DECISION_KEY in environ:
            return self._serve(environ, start_response)
        return self._decide_first(environ, start_response)

    def _serve(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        connection = Connection(
            environ.get("REMOTE_ADDR"),
            environ.get("wsgi.url_scheme", "http"),
            environ.get("HTTP_HOST"),
            environ.get("SERVER_NAME"),
            environ.get("SERVER_PORT"),
            quote(environ.get("SCRIPT_NAME", ""), "/", "latin-1"),
        )
        client = describe_client_side(
            environ.get(DECISION_KEY), connection, environ.get("HTTP_X_FORWARDED_FOR")
        )
        planned = plan_request(
            self.mount_points,
            read_head(environ),
            client,
            self._own_headers,
            self.allowed_hosts,
        )
        if planned is None:
            return self.app(environ, start_response)
        if isinstance(planned, Answer):
            return _send(planned, environ, start_response)
        try:
            return self._proxy(planned, environ, start_response)
        except BackendError as error:
            where = planned.mount_point
            warn(
                "mount point",
                where.url,
                "The backend %s of the mount point %s failed: %s",
                where.url,
                where.path + "/",
                error,
            )
            return _send(answer_error(error), environ, start_response)
        except _ClientError as error:
            if error.__cause__ is not None:
                # The server knows best what its own exception means.
                raise error.__cause__ from None
            refusal = refuse(HTTPStatus.BAD_REQUEST, "The body ends too early.")
            return _send(refusal, environ, start_response)

    def _proxy(
        self, request: BackendRequest, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Send a request, and begin the response; fail before the head, or later."""
        backend = self._find_backend(request.mount_point)
        response = backend.send(request, _read_body(environ, request))
        body = _ResponseBody(self._client, response)
        try:
            head = plan_response(
                request,
                response.status,
                response.reason or "",
                response.headers.items(),
            )
            if not head.has_body:
                # The connection is ready for the next request.
                self._client.read_block(response)
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

    def _find_backend(self, mount_point: MountPoint) -> Backend:
        if self._pid != os.getpid():
            # A forked child must not speak on its parent's connections.
            self._pid = os.getpid()
            self._backends = {}
        backend = self._backends.get(mount_point)
        if backend is None:
            backend = self._client.Backend(
                mount_point,
                connect_timeout=self._connect_timeout,
                timeout=self._timeout,
                idle_connections=self._idle_connections,
                ssl_context=self._ssl_context,
            )
            # Two threads may have made one each; both are to use the same.
            backend = self._backends.setdefault(mount_point, backend)
        return backend

    def close(self) -> None:
        """Close the connections that wait for later."""
        for backend in self._backends.values():
            backend.close()


class _ResponseBody:
    """The body of a backend's response, block by block."""

    def __init__(self, client: ModuleType, response: BaseHTTPResponse) -> None:
        self._client = client
        self._response = response
        self.flushes = False
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.flushes:
            self.flushes = False
            return b""
        block: bytes = self._client.read_block(self._response)
        if not block:
            self._ended = True
            raise StopIteration
        return block

    def close(self) -> None:
        if not self._ended:
            self._ended = True
            self._client.discard(self._response)


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
    return RequestHead(
        method=environ["REQUEST_METHOD"],
        path=_read_path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        ends_chunked=ends,
        undeclared=ends and not environ.get("SERVER_PROTOCOL", "").startswith("HTTP/1"),
    )


def _read_path(environ: Environ) -> str:
    """Find the path below the mount point as it was sent; else quote it again."""
    path: str = environ.get("PATH_INFO", "")
    for key in _RAW_TARGETS:
        raw = find_raw_path(str(environ.get(key, "")), path, "latin-1")
        if raw is not None:
            return raw
    return quote(path, encoding="latin-1", errors="replace")


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


def _send(
    answer: Answer, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    start_response(f"{answer.status} {answer.reason}", answer.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]
