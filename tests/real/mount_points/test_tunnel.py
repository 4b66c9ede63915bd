"""
Websockets through the ASGI middleware, in this process, to a backend on real sockets.

In:  the messages of a server.
Out: what the backend heard, and what the server was told.
"""

from __future__ import annotations

import asyncio
import http
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve, unix_serve
from websockets.typing import Subprotocol

from ..servers.processes import find_free_port
from .backend import PATIENCE
from .fronts import PEER, ASGIFront, run_front
from .running import run_server
from .test_shells import wait_until


class Peer:
    """A websocket server in a thread, which echoes unless it is told otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.closed: list[tuple[int | None, str | None]] = []
        self.left = threading.Event()
        self.answer: Response | None = None

    def process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Remember a handshake, and refuse it if an answer was set."""
        self.requests.append(request)
        return self.answer

    def handle(self, connection: ServerConnection) -> None:
        """Echo, and close with what is asked for."""
        try:
            for message in connection:
                if isinstance(message, str) and message.startswith("close "):
                    connection.close(int(message[6:]), "as asked")
                elif message == "die":
                    connection.socket.shutdown(socket.SHUT_RDWR)
                    return
                else:
                    connection.send(message)
        except ConnectionClosed:
            return
        finally:
            protocol = connection.protocol
            self.closed.append((protocol.close_code, protocol.close_reason))
            self.left.set()


@contextmanager
def run_peer(path: Path | None = None, peer: Peer | None = None) -> Iterator[Peer]:
    """Run a websocket server on a free port, or on a unix socket."""
    peer = peer or Peer()
    options: dict[str, Any] = {
        "process_request": peer.process_request,
        "subprotocols": ["chat", "news"],
        "select_subprotocol": lambda _, offered: next(
            (name for name in offered if name in ("chat", "news")), None
        ),
    }
    if path is None:
        server = serve(peer.handle, "127.0.0.1", 0, **options)
        peer.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    else:
        server = unix_serve(peer.handle, str(path), **options)
        peer.url = f"unix:{path}|http://peer"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A websocket server on a free port."""
    with run_peer() as running:
        yield running


Conversation = Sequence[dict[str, Any] | None]


def talk(
    front: ASGIFront, path: str, messages: Conversation, **scope: Any
) -> list[dict[str, Any]]:
    """
    Send *messages* as a server would, each after an answer to the one before.

    ``None`` waits for one more answer without sending anything.
    """

    async def run() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        answered = asyncio.Semaphore(0)

        async def send(message: Any) -> None:
            sent.append(message)
            answered.release()

        whole = {
            "type": "websocket",
            "path": unquote(path),
            "raw_path": path.encode(),
            "scheme": "wss",
            "headers": [(b"host", b"app.example"), (b"origin", b"https://app.example")],
            "client": (PEER, 1),
            "server": ("front.example", 443),
            **scope,
        }
        incoming.put_nowait({"type": "websocket.connect"})
        call = asyncio.create_task(front.middleware(whole, incoming.get, send))
        for message in messages:
            await asyncio.wait_for(answered.acquire(), PATIENCE)
            if message is not None:
                incoming.put_nowait(message)
        await asyncio.wait_for(call, PATIENCE)
        return sent

    return front.runner.run(run())


def say(message: str | bytes) -> dict[str, Any]:
    """Make the server's message that the client said something."""
    if isinstance(message, str):
        return {"type": "websocket.receive", "text": message, "bytes": None}
    return {"type": "websocket.receive", "bytes": message}


LEAVE = {"type": "websocket.disconnect", "code": 1001, "reason": "bye"}


def test_messages_pass_in_both_directions(peer: Peer) -> None:
    """Text stays text and bytes stay bytes, and the client's close reaches the peer."""
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(
            front,
            "/blog/a%2Fb",
            [say("hello"), say(b"\x00\xff"), LEAVE],
            query_string=b"q=%20",
            subprotocols=["news", "other"],
        )

    assert peer.left.wait(PATIENCE)
    accept, *answers = sent
    assert accept["type"] == "websocket.accept"
    assert accept["subprotocol"] == "news"
    assert not {name for name, _ in accept["headers"]} & {b"upgrade", b"connection"}
    assert answers == [
        {"type": "websocket.send", "text": "hello"},
        {"type": "websocket.send", "bytes": b"\x00\xff"},
    ]
    assert peer.closed == [(1001, "bye")]
    (request,) = peer.requests
    assert request.path == "/a%2Fb?q=%20"
    assert request.headers["X-Forwarded-For"] == PEER
    assert request.headers["X-Forwarded-Proto"] == "https"
    assert request.headers["X-Forwarded-Host"] == "app.example"
    assert request.headers["X-Forwarded-Prefix"] == "/blog"
    assert request.headers["Origin"] == "https://app.example"
    assert request.headers.get_all("Host") == [peer.url.removeprefix("http://")]


@pytest.mark.parametrize(
    "target", ["/a;p=1", "/a;p=1/b;q", "//x", "/a?b;c?d", "/a%2Fb%23", "/"]
)
def test_target_arrives_as_it_was_sent(target: str, peer: Peer) -> None:
    """Nothing of a path or a query is lost, parameters included."""
    path, _, query = target.partition("?")
    with run_front("asgi", {"/blog": peer.url}) as front:
        talk(front, f"/blog{path}", [LEAVE], query_string=query.encode())

    assert peer.requests[0].path == target


def test_close_of_the_peer_reaches_the_client(peer: Peer) -> None:
    """Code and reason are the peer's."""
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(front, "/blog/", [say("close 4001"), None])

    assert sent[-1] == {
        "type": "websocket.close",
        "code": 4001,
        "reason": "as asked",
    }


def test_peer_that_dies_is_an_error_for_the_client(peer: Peer) -> None:
    """A code that means only "the connection is gone" is not one to send."""
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(front, "/blog/", [say("die"), None])

    assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", 1011)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "websocket.disconnect"}, 1000),
        ({"type": "websocket.disconnect", "code": 1005}, 1000),
        ({"type": "websocket.disconnect", "code": 1006}, 1001),
    ],
)
def test_client_that_is_gone(message: dict[str, Any], code: int, peer: Peer) -> None:
    """A client that left without a word leaves in words for the peer."""
    with run_front("asgi", {"/blog": peer.url}) as front:
        talk(front, "/blog/", [message])

    assert peer.left.wait(PATIENCE)
    assert peer.closed == [(code, "")]


def test_client_whose_connection_broke(peer: Peer) -> None:
    """When the server cannot send any more, the peer is left."""

    async def run(front: ASGIFront) -> None:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        messages.put_nowait({"type": "websocket.connect"})
        messages.put_nowait(say("hello"))

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                raise OSError("gone")

        scope = {
            "type": "websocket",
            "path": "/blog/",
            "headers": [(b"host", b"a.example")],
            "client": (PEER, 1),
        }
        await front.middleware(scope, messages.get, send)

    with (
        run_front("asgi", {"/blog": peer.url}) as front,
        pytest.raises(OSError, match="gone"),
    ):
        front.runner.run(run(front))

    assert peer.left.wait(PATIENCE)
    assert peer.closed == [(1001, "")]


def test_client_that_speaks_to_a_peer_that_left(peer: Peer) -> None:
    """What comes too late is dropped, and nothing is raised."""

    async def run(front: ASGIFront) -> list[str]:
        sent: list[str] = []
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        messages.put_nowait({"type": "websocket.connect"})
        messages.put_nowait(say("close 1000"))

        async def send(message: Any) -> None:
            sent.append(message["type"])
            if message["type"] == "websocket.close":
                messages.put_nowait(say("too late"))
                while not messages.empty():
                    await asyncio.sleep(0.01)

        scope = {
            "type": "websocket",
            "path": "/blog/",
            "headers": [(b"host", b"a.example")],
            "client": (PEER, 1),
        }
        await front.middleware(scope, messages.get, send)
        return sent

    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = front.runner.run(run(front))

    assert sent == ["websocket.accept", "websocket.close"]


def test_message_that_is_too_long(peer: Peer) -> None:
    """A message above the bound is not kept in memory: the peer is told, and left."""
    with run_front("asgi", {"/blog": peer.url}, max_message=1000) as front:
        sent = talk(front, "/blog/", [say("x" * 1001), None])

    assert peer.left.wait(PATIENCE)
    assert sent[-1]["type"] == "websocket.close"
    assert peer.closed[0][0] == 1009


def test_unix_socket() -> None:
    """A peer behind a unix socket is asked by the name in its URL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "peer.sock"
        with (
            run_peer(path) as peer,
            run_front("asgi", {"/blog": peer.url}) as front,
        ):
            sent = talk(front, "/blog/", [say("hello"), LEAVE])

    assert sent[-1] == {"type": "websocket.send", "text": "hello"}
    assert peer.requests[0].headers["Host"] == "peer"


def refuse(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Response:
    """Make an answer to a handshake."""
    return Response(
        status,
        http.HTTPStatus(status).phrase,
        Headers([*headers, ("Content-Length", str(len(body)))]),
        body,
    )


EXTENSION: dict[str, Any] = {"websocket.http.response": {}}


def test_refusal_of_the_peer_is_passed_on(peer: Peer) -> None:
    """A redirect is the client's to follow, with the path mapped back."""
    peer.answer = refuse(302, [("Location", "/login"), ("Set-Cookie", "a=1")], b"no")
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(front, "/blog/", [None, None], extensions=EXTENSION)

    assert len(peer.requests) == 1
    assert [message["type"] for message in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert sent[0]["status"] == 302
    assert dict(sent[0]["headers"]) == {
        b"location": b"/blog/login",
        b"set-cookie": b"a=1",
        b"content-length": b"2",
    }
    assert sent[1]["body"] == b"no"


def test_refusal_where_the_server_cannot_pass_it_on(peer: Peer) -> None:
    """Without the extension the handshake is denied, which servers answer with 403."""
    peer.answer = refuse(401, [], b"")
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(front, "/blog/", [None])

    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_refusal_that_is_malformed(peer: Peer) -> None:
    """An answer that is not the final one is 502."""
    peer.answer = refuse(103, [], b"")
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(front, "/blog/", [None, None], extensions=EXTENSION)

    assert sent[0]["status"] == 502


def test_peer_that_is_down() -> None:
    """Nobody listens: 502."""
    url = f"http://127.0.0.1:{find_free_port()}"
    with run_front("asgi", {"/blog": url}) as front:
        sent = talk(front, "/blog/", [None, None], extensions=EXTENSION)

    assert sent[0]["status"] == 502


def test_peer_over_tls_that_speaks_none(peer: Peer) -> None:
    """A peer that should speak TLS and does not is 502, whatever the context."""
    url = peer.url.replace("http", "https")
    for context in (None, ssl.create_default_context()):
        with run_front("asgi", {"/blog": url}, ssl_context=context) as front:
            sent = talk(front, "/blog/", [None, None], extensions=EXTENSION)

        assert sent[0]["status"] == 502


@pytest.mark.parametrize(
    ("scheme", "option", "why"),
    [
        ("http", "timeout", "it is silent for too long"),
        # TLS is part of the connection.
        ("https", "connect_timeout", "no connection: TimeoutError"),
    ],
)
def test_peer_that_is_slow(
    scheme: str, option: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No connection in its time, or no answer to the handshake in its own: 504."""
    patience: dict[str, Any] = {"timeout": PATIENCE, "connect_timeout": PATIENCE}
    patience[option] = 0.2
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
        with run_front("asgi", {"/blog": url}, **patience) as front:
            sent = talk(front, "/blog/", [None, None], extensions=EXTENSION)

    assert sent[0]["status"] == 504
    assert why in caplog.text


def test_peer_has_its_own_time_to_answer() -> None:
    """The time that a connection may take is none that its answer may take."""

    class LatePeer(Peer):
        def process_request(
            self, connection: ServerConnection, request: Request
        ) -> None:
            time.sleep(0.6)

    with (
        run_peer(peer=LatePeer()) as peer,
        run_front("asgi", {"/blog": peer.url}, connect_timeout=0.3) as front,
    ):
        sent = talk(front, "/blog/", [{"type": "websocket.disconnect"}])

    assert sent[0]["type"] == "websocket.accept"


def test_bare_mount_point_is_not_a_websocket(peer: Peer) -> None:
    """The redirect is an answer to a handshake, too."""
    with run_front("asgi", {"/blog": peer.url}) as front:
        sent = talk(front, "/blog", [None, None], extensions=EXTENSION)

    assert (peer.requests, sent[0]["status"]) == ([], 301)
    assert (b"location", b"https://app.example/blog/") in sent[0]["headers"]


def test_tunnel_through_uvicorn(peer: Peer, tmp_path: Path) -> None:
    """A real client talks to the peer through a real server."""
    with run_server("asgi", {"/blog": peer.url}, tmp_path) as server:
        url = f"ws://127.0.0.1:{server.port}/blog/a?q=1"
        with connect(url, subprotocols=[Subprotocol("chat")]) as client:
            for message in ("hello", b"\x00\xff", "x" * 1_000_000):
                client.send(message)
                assert client.recv(timeout=PATIENCE) == message
            assert client.subprotocol == "chat"
            client.send("close 4001")
            with pytest.raises(ConnectionClosed) as caught:
                client.recv(timeout=PATIENCE)
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4001, "as asked")

        with connect(url) as client:
            client.send("hello")
            # An answer that cannot be sent to it any more would say that it is gone.
            assert client.recv(timeout=PATIENCE) == "hello"
            client.close(4002, "enough")
        wait_until(lambda: (4002, "enough") in peer.closed)

        peer.answer = refuse(401, [("WWW-Authenticate", "Basic")], b"who?")
        with pytest.raises(InvalidStatus) as refused:
            connect(url)

    assert peer.requests[0].path == "/a?q=1"
    response = refused.value.response
    assert (response.status_code, response.body) == (401, b"who?")
    assert response.headers["WWW-Authenticate"] == "Basic"
