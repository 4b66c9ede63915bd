"""
Speak HTTP/1.1 to a server with exactly the bytes that a test wants sent.

In:  an address, header lines as bytes, the client's own loopback address.
Out: a `Reply`: status (0 where the server closed without an answer), headers, body;
or the first message of a websocket.

The request is written by hand, since no client library sends malformed names or a
line twice; the response is read by `http.client`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import connect as open_websocket

from .processes import ANSWER_SECONDS, Address, connect

Line = tuple[str, str]
"""One header line; sent as Latin-1, so that any byte can be named."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: *status* is 0 where the connection was closed silently."""

    status: int
    headers: Sequence[Line]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the application's answer; an error page is an assertion error."""
        assert self.status == 200, (self.status, self.body[:2000])
        answer: dict[str, Any] = json.loads(self.body)
        return answer

    def header(self, name: str) -> str | None:
        """Return the first value of the response header *name*."""
        wanted = name.lower()
        return next((v for n, v in self.headers if n.lower() == wanted), None)


def encode(lines: Iterable[Line]) -> bytes:
    """Write header lines as they stand on the wire, unchecked."""
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode("latin-1")


def trusting(certificate: str) -> ssl.SSLContext:
    """Make a context for TLS that trusts *certificate*, the test's own authority."""
    return ssl.create_default_context(cafile=certificate)


def send(
    address: Address,
    block: bytes,
    *,
    source: str | None = None,
    tls: ssl.SSLContext | None = None,
    method: str = "GET",
    later: bytes = b"",
) -> Reply:
    """
    Send the bytes *block*, and read one response.

    *later* is sent when *block*, which expects that, is answered with ``100 Continue``.
    """
    with connect(address, source) as plain:
        if later:
            plain.sendall(block)
            interim = b""
            while not interim.endswith(b"\r\n\r\n"):
                byte = plain.recv(1)
                assert byte, interim
                interim += byte
            assert interim.startswith(b"HTTP/1.1 100 "), interim
            return _exchange(plain, later, method)
        if tls is None:
            return _exchange(plain, block, method)
        with tls.wrap_socket(plain, server_hostname="localhost") as secured:
            return _exchange(secured, block, method)


def _exchange(connection: socket.socket, block: bytes, method: str) -> Reply:
    try:
        connection.sendall(block)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        body = response.read()
    except (http.client.BadStatusLine, ConnectionError):
        return Reply(0, (), b"")
    return Reply(response.status, tuple(response.getheaders()), body)


def get(
    address: Address,
    target: str = "/",
    lines: Iterable[Line] = (),
    *,
    host: str | None = "app.example",
    source: str | None = None,
    tls: ssl.SSLContext | None = None,
    method: str = "GET",
    raw: bytes = b"",
    close: bool = True,
) -> Reply:
    """
    Send one request.

    Args:
        lines: Header lines besides ``Host`` and ``Connection``.

        host: The value of ``Host``, or ``None`` to send none.

        source: The client's own address, one of 127.0.0.0/8.

        raw: Bytes put behind the header lines, for what is no header line.

        close: Whether ``Connection: close`` is sent.
    """
    first = [("Host", host)] if host is not None else []
    last = [("Connection", "close")] if close else []
    block = (
        f"{method} {target} HTTP/1.1\r\n".encode("latin-1")
        + encode([*first, *lines, *last])
        + raw
        + b"\r\n"
    )
    return send(address, block, source=source, tls=tls, method=method)


def hear(
    address: Address,
    target: str,
    lines: Iterable[Line] = (),
    *,
    host: str,
    source: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> str | bytes:
    """
    Open a websocket and return its first message.

    Everything happens in one thread. The synchronous client reads in a thread of its
    own, and OpenSSL does not allow that while another thread writes: once in hundreds
    of handshakes over TLS 1.3 the request is lost, or the connection breaks.
    """
    plain = connect(address, source)

    async def listen() -> str | bytes:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            open_websocket(
                f"{'wss' if tls else 'ws'}://{host}{target}",
                sock=plain,
                ssl=tls,
                server_hostname="localhost" if tls else None,
                additional_headers=list(lines),
                compression=None,
                open_timeout=ANSWER_SECONDS,
                ping_interval=None,
            ) as websocket,
        ):
            return await websocket.recv()

    with plain:
        return asyncio.run(listen())
