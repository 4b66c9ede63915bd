"""
Mount points behind the real gunicorn and the real uvicorn.

In:  bytes from clients over sockets.
Out: bytes from them, what the backend saw, and the memory that it took.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..servers.processes import find_free_port
from .backend import PATIENCE, Backend, Handler, be_slow
from .fronts import FRONTS
from .running import Running, run_server
from .test_shells import BROKEN, wait_until

MEGABYTE = 1024 * 1024
#: What a body of any size may cost at its peak.
ALLOWED = 24 * MEGABYTE


@pytest.fixture(scope="module", params=sorted(FRONTS))
def server(
    request: pytest.FixtureRequest,
    _one_backend: Backend,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """gunicorn or uvicorn, with the backend at /blog and nobody at /down."""
    mapping = {
        "/blog/": _one_backend.url,
        "/down/": f"http://127.0.0.1:{find_free_port()}",
    }
    folder = tmp_path_factory.mktemp(request.param)
    with run_server(request.param, mapping, folder) as running:
        yield running


@pytest.fixture
def backend(_one_backend: Backend) -> Backend:
    """The backend of the running server, which has seen nothing of this test yet."""
    _one_backend.clear()
    return _one_backend


def ask(
    server: Running, method: str, path: str, body: Any = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request on a connection of its own."""
    connection = server.connect()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def send_raw(server: Running, sent: bytes) -> bytes:
    """Send bytes as they are, and read until the connection is closed."""
    with open_socket(server) as sock:
        received = b""
        try:
            sock.sendall(sent)
            while block := sock.recv(65536):
                received += block
        except ConnectionError:
            return received
    return received


def open_socket(server: Running) -> socket.socket:
    """Open a connection to send bytes as they are."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


# Bodies, and what they cost.


@pytest.mark.parametrize("chunked", [False, True])
def test_upload_of_100_megabytes(
    chunked: bool, server: Running, backend: Backend
) -> None:
    """A body arrives whole, and takes no memory that grows with it."""
    block, count = os.urandom(MEGABYTE), 100
    crc = 0
    for _ in range(count):
        crc = zlib.crc32(block, crc)
    length = {} if chunked else {"Content-Length": str(MEGABYTE * count)}
    before = server.reset_peak()
    connection = server.connect()

    connection.request(
        "POST",
        "/blog/x",
        iter([block] * count),
        length,
        encode_chunked=chunked,
    )
    response = connection.getresponse()

    assert response.status == 200
    connection.close()
    seen = backend.last
    assert (seen.length, seen.crc) == (MEGABYTE * count, crc)
    assert seen.framing == ("chunked" if chunked else "length")
    assert server.read_peak() - before < ALLOWED


@pytest.mark.parametrize("chunked", [False, True])
def test_download_of_any_size(chunked: bool, server: Running, backend: Backend) -> None:
    """A response arrives whole, and takes no memory that grows with it."""
    block, count = bytes(MEGABYTE), 128 if chunked else 1024

    def answer(handler: Handler) -> None:
        if chunked:
            handler.respond(200, [("Transfer-Encoding", "chunked")], None)
            for _ in range(count):
                handler.send_raw(b"100000\r\n" + block + b"\r\n")
            handler.send_raw(b"0\r\n\r\n")
        else:
            length = str(MEGABYTE * count)
            handler.respond(200, [("Content-Length", length)], None)
            for _ in range(count):
                handler.send_raw(block)

    backend.routes["/x"] = answer
    before = server.reset_peak()
    connection = server.connect()
    connection.request("GET", "/blog/x")
    response = connection.getresponse()
    buffer = memoryview(bytearray(MEGABYTE))
    received = 0

    while size := response.readinto(buffer):
        received += size

    connection.close()
    assert received == MEGABYTE * count
    assert server.read_peak() - before < ALLOWED


def test_events_pass_as_they_come(server: Running, backend: Backend) -> None:
    """The head comes before the first event, and each event before the next."""
    released = threading.Semaphore(0)

    def answer(handler: Handler) -> None:
        handler.respond(
            200,
            [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")],
            None,
        )
        for number in range(3):
            assert released.acquire(timeout=PATIENCE)
            event = b"data: %d\n\n" % number
            handler.send_raw(b"%x\r\n%b\r\n" % (len(event), event))
        handler.send_raw(b"0\r\n\r\n")

    backend.routes["/x"] = answer
    connection = server.connect()
    connection.request("GET", "/blog/x")

    response = connection.getresponse()
    assert response.headers["Content-Type"] == "text/event-stream"
    for number in range(3):
        released.release()
        assert response.read(9) == b"data: %d\n\n" % number
    assert response.read() == b""
    connection.close()


def test_many_events_cost_no_memory(server: Running, backend: Backend) -> None:
    """A long stream of small blocks takes no more than a short one."""
    events = b"b\r\ndata: 1234\n\r\n" * 1000

    def answer(handler: Handler) -> None:
        handler.respond(200, [("Transfer-Encoding", "chunked")], None)
        for _ in range(20):
            handler.send_raw(events)
        handler.send_raw(b"0\r\n\r\n")

    backend.routes["/x"] = answer
    before = server.reset_peak()

    _, body = ask(server, "GET", "/blog/x")

    assert body == b"data: 1234\n" * 20_000
    assert server.read_peak() - before < ALLOWED


def test_continue_is_the_servers(server: Running, backend: Backend) -> None:
    """A client that waits for 100 gets it, and the backend hears nothing of it."""
    head = (
        b"POST /blog/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n"
        b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    )
    with open_socket(server) as sock:
        sock.sendall(head)
        interim = sock.recv(65536)
        sock.sendall(b"hello")
        final = b""
        while block := sock.recv(65536):
            final += block

    assert interim.startswith(b"HTTP/1.1 100 ")
    assert b" 200 OK\r\n" in interim + final
    assert (backend.last.body, "expect" in backend.last.named) == (b"hello", False)


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 206)]
)
def test_connection_serves_another_request(
    method: str, status: int, server: Running, backend: Backend
) -> None:
    """After every kind of response the client's connection is still in step."""
    backend.routes["/x"] = lambda handler: handler.respond(
        status, [("X-A", "1")], None if status in (204, 304) else b"cd"
    )
    connection = server.connect()

    for _ in range(2):
        connection.request(method, "/blog/x", headers={"Range": "bytes=2-3"})
        response = connection.getresponse()
        body = response.read()
        assert (response.status, response.headers["X-A"]) == (status, "1")
        assert body == (b"cd" if status == 206 else b"")
    connection.close()


def test_dates_are_not_doubled(server: Running, backend: Backend) -> None:
    """The server in front says the date and its name; the backend's would be second."""
    backend.routes["/x"] = lambda handler: handler.respond(
        200, [("Date", "yesterday"), ("Server", "backend")]
    )

    response, _ = ask(server, "GET", "/blog/x")

    assert len(response.headers.get_all("Date") or []) == 1
    assert response.headers["Date"] != "yesterday"
    assert response.headers["Server"] != "backend"


# Backends that fail.


def test_backend_that_is_down(server: Running) -> None:
    """Nobody listens: 502."""
    response, body = ask(server, "GET", "/down/x")

    assert (response.status, response.reason) == (502, "Bad Gateway")
    assert b"does not answer" in body


def test_backend_that_is_slow(kind: str, backend: Backend, tmp_path: Path) -> None:
    """No head in time: 504."""
    backend.routes["/x"] = be_slow

    with run_server(kind, {"/blog": backend.url}, tmp_path, timeout=0.5) as server:
        response, _ = ask(server, "GET", "/blog/x")
        backend.released.set()

    assert (response.status, response.reason) == (504, "Gateway Timeout")


@pytest.mark.parametrize("way", sorted(BROKEN))
def test_body_that_breaks_off_does_not_look_whole(
    way: str, server: Running, backend: Backend
) -> None:
    """The client sees a body that is too short, or without its last chunk."""

    def answer(handler: Handler) -> None:
        handler.send_raw(BROKEN[way])
        # A reset would overtake what has not been read yet.
        handler.abort(reset=False)

    backend.routes["/x"] = answer

    raw = send_raw(server, b"GET /blog/x HTTP/1.1\r\nHost: a.example\r\n\r\n")

    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert not body.endswith(b"0\r\n\r\n")
    if way == "length":
        assert b"content-length: 100\r\n" in head.lower() + b"\r\n"
        assert len(body) < 100
    else:
        assert b"transfer-encoding: chunked" in head.lower()


# Requests that two parsers may read differently.

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: backend\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + SMUGGLED
ATTEMPTS = {
    "both lengths": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n"
    % len(CHUNKED),
    "both lengths, other order": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "a blank before the colon": b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
    "a tab before the value": b"Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n",
    "a vertical tab": b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n",
    "another coding": b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
    "chunked is not the last": b"Transfer-Encoding: chunked, identity\r\n",
    "coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "the coding folded": b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: %d\r\n" % len(CHUNKED),
    "a list of lengths": b"Content-Length: 5, %d\r\n" % len(CHUNKED),
    "a signed length": b"Content-Length: +5\r\n",
    "a length in hexadecimal": b"Content-Length: 0x5\r\n",
    "an underscored length": b"Content_Length: %d\r\n" % len(CHUNKED),
    "an underscored coding": b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n",
    "a bare line feed": b"X-A: b\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "a bare carriage return": b"X-A: b\rTransfer-Encoding: chunked\r\n",
    "a NUL": b"X-A: b\x00c\r\nContent-Length: 5\r\n",
    "Connection names it": b"Connection: Content-Length\r\nContent-Length: 5\r\n",
    "an upgrade": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 5\r\n",
}


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
def test_smuggling_does_not_reach_the_backend(
    name: str, server: Running, backend: Backend
) -> None:
    """The backend sees the one request or none, framed once, and nothing behind it."""
    head = b"POST /blog/x HTTP/1.1\r\nHost: a.example\r\n" + ATTEMPTS[name] + b"\r\n"

    with open_socket(server) as sock:
        sock.sendall(head + CHUNKED)
        try:
            while sock.recv(65536):
                # All of the answer, and perhaps a second one.
                sock.settimeout(0.5)
        except (TimeoutError, ConnectionError):
            pass

    assert {seen.target for seen in backend.requests} <= {"/x"}
    for seen in backend.requests:
        names = [field.lower() for field, _ in seen.headers]
        framing = [n for n in names if n in ("content-length", "transfer-encoding")]
        assert len(framing) <= 1
        assert all("_" not in field for field in names)
        assert not {"upgrade", "http2-settings", "connection"} & set(names)
    # And the connections to the backend are still in step.
    response, body = ask(server, "GET", "/blog/y")
    assert (response.status, json.loads(body)["target"]) == (200, "/y")


def test_dots_do_not_leave_the_mount_point(server: Running, backend: Backend) -> None:
    """Encoded dots go through servers unread, and are refused here."""
    raw = send_raw(
        server,
        b"GET /blog/%2e%2e/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    )

    assert raw.startswith(b"HTTP/1.1 400")
    assert backend.requests == []


def test_target_arrives_as_it_was_sent(server: Running, backend: Backend) -> None:
    """Both servers keep the raw path, and nothing on the way changes it."""
    ask(server, "GET", "/blog/a%2Fb/%E2%82%ac%20c;p?q=%2F&r")

    assert backend.last.target == "/a%2Fb/%E2%82%ac%20c;p?q=%2F&r"


def test_backend_connection_is_reused(server: Running, backend: Backend) -> None:
    """Requests of several clients do not need a connection to the backend each."""
    for _ in range(20):
        response, _ = ask(server, "POST", "/blog/x", b"hello")
        assert response.status == 200

    # None at all, if one is left from another test; and a client that has the whole
    # answer may ask again before the connection is back.
    assert backend.connections <= 4


def test_client_that_leaves_frees_the_backend(
    server: Running, backend: Backend
) -> None:
    """When the client is gone, the backend is not kept busy for nobody."""
    broken = threading.Event()

    def answer(handler: Handler) -> None:
        handler.respond(200, [("Transfer-Encoding", "chunked")], None)
        try:
            while not broken.wait(0.005):
                handler.send_raw(b"400\r\n" + bytes(1024) + b"\r\n")
        except OSError:
            broken.set()

    backend.routes["/x"] = answer
    with open_socket(server) as sock:
        sock.sendall(b"GET /blog/x HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert sock.recv(100)

    wait_until(broken.is_set)


def test_unix_sockets_behind_a_server(
    kind: str, unix_backend: Backend, tmp_path: Path
) -> None:
    """A backend behind a unix socket, behind a real server."""
    with run_server(kind, {"/blog": unix_backend.url}, tmp_path) as server:
        response, body = ask(server, "POST", "/blog/x", b"hello")

    assert (response.status, json.loads(body)["body"]) == (200, "hello")
