"""
What was a hole once, through real servers and in front of a backend that is hostile.

In:  bytes from clients and from the backend.
Out: what reached the other side, what stayed open, and the time that it took.

The same for every server; each test carries the hole's number.
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ...core.mount_points.malformed import MALFORMED_CHUNKS, MALFORMED_HEADS, OK
from .backend import PATIENCE
from .hostile import EVIL, FORGED, HostileBackend, Talk, run_hostile_backend
from .running import SERVERS, Running, run_backend_server, run_server
from .test_reuse import choose
from .test_shells import wait_until
from .test_ways_out import accept

#: Seconds of the processor that one hostile request may cost.
ALLOWED_TIME = 0.5


@pytest.fixture(scope="module")
def _one_hostile_backend() -> Iterator[HostileBackend]:
    with run_hostile_backend() as running:
        yield running


@pytest.fixture
def hostile(_one_hostile_backend: HostileBackend) -> HostileBackend:
    """The hostile backend of the running servers, which has heard nothing yet."""
    _one_hostile_backend.ways.clear()
    _one_hostile_backend.targets.clear()
    return _one_hostile_backend


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(
    request: pytest.FixtureRequest,
    _one_hostile_backend: HostileBackend,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """A server with the backend at /blog, and at /based below a path of its own."""
    url = _one_hostile_backend.url
    mapping = {"/blog/": url, "/based/": f"{url}/base/"}
    folder = tmp_path_factory.mktemp(request.param)
    with run_server(request.param, mapping, folder) as running:
        yield running


def exchange(server: Running, sent: bytes) -> bytes:
    """Send bytes as they are, and read until the server closes the connection."""
    address = ("127.0.0.1", server.port)
    received = b""
    with (
        socket.create_connection(address, timeout=PATIENCE) as sock,
        suppress(ConnectionError),
    ):
        sock.sendall(sent)
        while block := sock.recv(65536):
            received += block
    return received


def ask(server: Running, target: str, *, method: str = "GET", **headers: str) -> bytes:
    """Send one request that is the last on its connection."""
    lines = [f"{method} {target} HTTP/1.1", "Host: a.example", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return exchange(server, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


def status_of(answer: bytes) -> int:
    """Read the status of an answer."""
    return int(answer[9:12] or b"0")


# H-01: what belongs to one exchange.


@pytest.mark.parametrize("front", sorted(SERVERS))
def test_h01_page_of_somebody_elses_choice(front: str, tmp_path: Path) -> None:
    """A backend that answers HEAD with a body cannot be made to answer others."""
    with (
        run_backend_server("waitress", "headless", tmp_path) as url,
        run_server(front, {"/blog/": url}, tmp_path) as server,
    ):
        for number in range(50):
            ask(server, "/blog/upload", method="HEAD")
            answer = ask(server, f"/blog/{number}")

            assert answer.endswith(b"/%d" % number) or b"/%d\r\n" % number in answer
            assert EVIL not in answer


def test_h01_every_answer_is_its_own(server: Running, hostile: HostileBackend) -> None:
    """Over connections that are kept on both sides, no answer is another's."""
    random_ = random.Random(1)
    client = server.connect()
    for number in range(400):
        method, way, options = choose(random_)
        body = options.get("body")
        with suppress(http.client.HTTPException, ConnectionError):
            client.request(
                method,
                f"/blog/{number}/{way}",
                iter(body) if isinstance(body, list) else body,
                encode_chunked=isinstance(body, list),
                headers={"Transfer-Encoding": "chunked"}
                if isinstance(body, list)
                else {},
            )
            response = client.getresponse()
            content = response.read()
            assert EVIL not in content
            assert response.headers["X-Number"] == (
                None if response.status == 502 else str(number)
            )
            continue
        # Half an answer does not look whole, and is the last on its connection.
        client.close()
    client.close()


# H-02 and H-03: what lies below.

LEADING_OUT = [
    r"/based/a\b/../../private/secret.txt",
    "/based/a%5Cb/..%2F../private/secret.txt",
    "/based/a%5Cb/..%255C../private",
    "/based/%2e%2e/private",
    "/based/%252e%252e/private",
    "/based/..;/private",
    "/based/..%3b/private",
    "/based/..%00/private",
    "/based/%c0%ae%c0%ae/private",
    "/based/..%c0%afprivate",
    "/based/..%20/private",
    "/based/%" + "25" * 1500 + "2e",
]


@pytest.mark.parametrize("path", LEADING_OUT, ids=lambda path: path[:40])
def test_h02_path_does_not_leave_the_mount_point(
    path: str, server: Running, hostile: HostileBackend
) -> None:
    """What some reader would take out of the mount point reaches no backend."""
    answer = ask(server, path)

    # Some servers refuse it before the application does, or find their own page.
    assert status_of(answer) in (200, 400, 404)
    assert hostile.targets == []


@pytest.mark.parametrize("unit", ["25", "%25", "%2525", "../", "%5c", "a/..%2f"])
def test_h03_path_costs_no_more_than_its_length(
    unit: str, server: Running, hostile: HostileBackend
) -> None:
    """A path of several kilobytes takes no time, however it is encoded."""
    before = server.measure_time()

    for _ in range(5):
        ask(server, "/blog/1/length%" + unit * (7000 // len(unit)) + "2e")

    assert server.measure_time() - before < 5 * ALLOWED_TIME


# H-04: ways out.


@pytest.mark.parametrize("name", ["uvicorn", "hypercorn"])
def test_h04_websockets_that_are_given_up_leave_nothing(
    name: str, tmp_path: Path
) -> None:
    """A client that leaves before the accept frees the backend's connection."""

    arrived, left = threading.Semaphore(0), threading.Semaphore(0)

    def accept_late(talk: Talk) -> None:
        arrived.release()
        assert left.acquire(timeout=PATIENCE)
        talk.send(accept(talk))
        talk.read_until(b"\r\n\r\n")

    request = (
        b"GET /blog/1/ws HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with (
        run_hostile_backend() as hostile,
        run_server(name, {"/blog/": hostile.url}, tmp_path, timeout=0.5) as server,
    ):
        hostile.ways["ws"] = accept_late

        def give_up(count: int) -> None:
            for _ in range(count):
                address = ("127.0.0.1", server.port)
                with socket.create_connection(address) as sock:
                    sock.sendall(request)
                    assert arrived.acquire(timeout=PATIENCE)
                    linger = struct.pack("ii", 1, 0)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                left.release()
            wait_until(lambda: not hostile.open)

        give_up(5)
        before = server.count_descriptors()
        give_up(500)

        wait_until(lambda: server.count_descriptors() <= before)
        assert hostile.connections == 505


def test_h04_clients_that_leave_leave_nothing(
    server: Running, hostile: HostileBackend
) -> None:
    """A client that leaves in the middle of a response frees the backend."""

    begun, ended = [], []

    def send_for_ever(talk: Talk) -> None:
        begun.append(talk)
        try:
            talk.send(talk.head("200 OK", "Transfer-Encoding: chunked"))
            while True:
                talk.send(b"1000\r\n" + bytes(4096) + b"\r\n")
        finally:
            ended.append(talk)

    hostile.ways["stream"] = send_for_ever
    for _ in range(5):
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=PATIENCE) as sock:
            sock.sendall(b"GET /blog/1/stream HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert sock.recv(10_000)

    wait_until(lambda: len(ended) == len(begun) == 5)


# H-05: what comes back.


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_h05_redirect_does_not_leave_the_site(
    name: str, hostile: HostileBackend, tmp_path: Path
) -> None:
    """A path that would be another host without its beginning gets scheme and host."""
    urls = [
        "/base//evil.example/x/",
        "/base/\\evil.example",
        "/base/\t/evil.example",
        "/base/x",
        "/elsewhere",
    ]
    hostile.ways["go"] = lambda talk: talk.send(
        talk.head(
            "302 Found",
            f"Location: {urls[talk.number]}",
            f"Refresh: 0; url={urls[talk.number]}",
            "Content-Length: 0",
        )
    )
    seen = []
    with run_server(name, {"/": f"{hostile.url}/base/"}, tmp_path) as server:
        for number in range(len(urls)):
            answer = ask(server, f"/{number}/go")
            seen.append(re.findall(rb"(?i)(?:location: |url=)(.*?)\r\n", answer))

    assert [set(found) for found in seen] == [
        {b"http://a.example//evil.example/x/"},
        {b"http://a.example/\\evil.example"},
        {b"http://a.example/\t/evil.example"},
        {b"/x"},
        {b"/elsewhere"},
    ]


# H-07, H-08 and H-09: heads.


@pytest.mark.parametrize("header", ["X-A: ", "Refresh: 0;", "Set-Cookie: a=", "Link: "])
def test_h07_header_costs_no_more_than_its_length(
    header: str, server: Running, hostile: HostileBackend
) -> None:
    """Tens of thousands of blanks take no time."""
    hostile.ways["blanks"] = lambda talk: talk.send(
        talk.head("200 OK", header + " " * 60_000 + "x", "Content-Length: 0")
    )
    before = server.measure_time()

    for _ in range(5):
        ask(server, "/blog/1/blanks")

    assert server.measure_time() - before < 5 * ALLOWED_TIME


@pytest.mark.parametrize(
    "line", ["Transfer-Encoding: chunked", "Content-Length: 99", "X-A: b"]
)
def test_h08_not_modified_has_no_body(
    line: str, server: Running, hostile: HostileBackend
) -> None:
    """Whatever its head says, 304 is over with its head."""
    hostile.ways["fresh"] = lambda talk: talk.send(talk.head("304 Not Modified", line))

    assert status_of(ask(server, "/blog/1/fresh")) == 304
    assert b"answer to 2" in ask(server, "/blog/2/length")


def test_h09_head_that_readers_may_differ_about(
    server: Running, hostile: HostileBackend
) -> None:
    """Each is 502, nothing of it passes, and the next request is answered."""
    heads = {**MALFORMED_HEADS}
    for name, body in MALFORMED_CHUNKS.items():
        # What is longer than a piece is found out too late for a 502.
        if len(body) < 10_000:
            heads[name] = OK + b"Transfer-Encoding: chunked\r\n\r\n" + body
    wrong = []
    for name, data in heads.items():
        said = data.replace(b"X-A: b", b"X-Evil: evil")
        hostile.ways["bad"] = lambda talk, said=said: talk.send(said)  # type: ignore[misc]  # a lambda that keeps its row
        bad = ask(server, "/blog/1/bad", method="POST", Content_Length="0")
        good = ask(server, "/blog/2/length")
        if status_of(bad) != 502 or EVIL in bad or b"answer to 2" not in good:
            wrong.append((name, bad, good))

    assert wrong == []


def test_h09_forged_headers_do_not_pass(
    server: Running, hostile: HostileBackend
) -> None:
    """A backend orders nothing from a server in front, and says nothing twice."""
    hostile.ways["orders"] = lambda talk: talk.send(
        talk.head(
            "200 OK",
            "X-Accel-Redirect: /private",
            "X-Sendfile: /etc/passwd",
            "Location: /private",
            "Status: 500 No",
            "Content-Length: 0",
        )
        + FORGED
    )

    answer = ask(server, "/blog/1/orders").lower()

    assert status_of(answer) == 200
    for word in (b"x-accel", b"x-sendfile", b"location", b"\nstatus", EVIL):
        assert word not in answer


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_body_of_two_lengths_is_the_last(
    lines: bytes, server: Running, hostile: HostileBackend
) -> None:
    """Behind a request that ends nobody knows where, nothing is read."""
    smuggled = b"GET /blog/7/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
    head = b"POST /blog/1/length HTTP/1.1\r\nHost: a.example\r\n" + lines + b"\r\n"
    address = ("127.0.0.1", server.port)
    received = b""
    with socket.create_connection(address, timeout=5) as sock:
        sock.sendall(head + b"0\r\n\r\n" + smuggled)
        with suppress(ConnectionError, TimeoutError):
            while block := sock.recv(65536):
                received += block

    # Where a server has read it in one way, and said nothing else, it is one request.
    assert status_of(received) in (200, 400, 501)
    if status_of(received) != 200:
        assert hostile.targets == []
        assert received.count(b"HTTP/1.1 ") == 1
