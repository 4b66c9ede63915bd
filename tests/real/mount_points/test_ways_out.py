"""
Whatever was opened is closed, whichever side leaves and when (H-04).

In:  clients, servers and backends that give up at every step of an exchange.
Out: the connections that the backend still has, the descriptors of this process, and
     whether a place that was taken is free again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from trustedproxy.mount_points import tunnel

from .backend import PATIENCE
from .fronts import PEER, ASGIFront, run_front
from .hostile import FORGED, HostileBackend, HungUpError, Talk, run_hostile_backend
from .test_shells import CERTIFICATES, make_contexts, wait_until

#: More steps than any exchange here takes.
STEPS = 45


@pytest.fixture
def hostile() -> Iterator[HostileBackend]:
    """A backend that is hostile."""
    with run_hostile_backend() as running:
        yield running


def count_descriptors() -> int:
    """Count what this process has open, both ends of every connection included."""
    return len(os.listdir("/proc/self/fd"))


def wait_for_a_call(talk: Talk) -> None:
    """Say nothing, until the front hangs up."""
    talk.read_until(b"\r\n\r\n")


def send_half(talk: Talk) -> None:
    """Send the head and half of the body, and wait."""
    talk.send(talk.answer[:-4])
    wait_for_a_call(talk)


# HTTP, WSGI.


def make_environ(way: str, **changed: Any) -> dict[str, Any]:
    """Make an environ of a request that is answered in this *way*."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/blog/1/{way}",
        "HTTP_HOST": "a.example",
        "REMOTE_ADDR": PEER,
        "wsgi.url_scheme": "http",
        **changed,
    }


class BrokenInput:
    """A body that ends in an exception, after some blocks."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks

    def read(self, size: int) -> bytes:
        """Read a block, or raise."""
        self.blocks -= 1
        if self.blocks < 0:
            raise OSError("the client left")
        return b"x"


def raise_error(*_: Any) -> Any:
    """Be a server that does not want what it is given."""
    raise ValueError("not that one")


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_h04_wsgi_client_that_leaves_in_its_body(
    blocks: int, hostile: HostileBackend
) -> None:
    """A request that cannot be sent to its end leaves nothing behind."""
    environ = make_environ(
        "length",
        REQUEST_METHOD="POST",
        CONTENT_LENGTH="9",
        **{"wsgi.input": BrokenInput(blocks)},
    )
    with run_front("wsgi", {"/blog": hostile.url}, max_connections=1) as front:
        with pytest.raises(OSError, match="the client left"):
            front.middleware(environ, None)

        wait_until(lambda: not hostile.open)
        assert front.ask("/blog/1/length").status == 200


def test_h04_wsgi_server_that_refuses_the_head(hostile: HostileBackend) -> None:
    """A server that raises is left with nothing open."""
    with run_front("wsgi", {"/blog": hostile.url}, max_connections=1) as front:
        for way in ("length", "no-content", "until-the-end"):
            with pytest.raises(ValueError, match="not that one"):
                front.middleware(make_environ(way), raise_error)

        assert front.ask("/blog/1/length").status == 200
        wait_until(lambda: len(hostile.open) == 1)


@pytest.mark.parametrize("blocks", [0, 1, 2])
@pytest.mark.parametrize("way", ["half", "length", "chunks", "until-the-end"])
def test_h04_wsgi_server_that_closes_early(
    blocks: int, way: str, hostile: HostileBackend
) -> None:
    """A response that nobody reads to its end is closed, however often."""
    hostile.ways["half"] = send_half
    with run_front("wsgi", {"/blog": hostile.url}, max_connections=1) as front:
        body = front.middleware(make_environ(way), lambda *_: None)
        if not (way == "half" and blocks == 2):
            for _ in range(blocks):
                next(iter(body), None)
        body.close()
        body.close()

        wait_until(lambda: len(hostile.open) <= (way in ("length", "chunks")))
        assert front.ask("/blog/2/length").body == b"answer to 2"


@pytest.mark.parametrize("way", ["silence", "half-a-head", "half-a-body", "folded"])
def test_h04_backend_that_leaves(way: str, kind: str, hostile: HostileBackend) -> None:
    """An exchange that fails leaves nothing open, and its place is free."""
    with run_front(kind, {"/blog": hostile.url}, max_connections=1) as front:
        for number in range(9):
            front.ask(f"/blog/{number}/{way}", method="POST")

        wait_until(lambda: not hostile.open)
        assert front.ask("/blog/1/length").status == 200


def test_h04_backend_that_is_too_slow(kind: str, hostile: HostileBackend) -> None:
    """Time-outs leave nothing open, before the head and in the body."""
    hostile.ways |= {"slow": wait_for_a_call, "half": send_half}
    with run_front(
        kind, {"/blog": hostile.url}, max_connections=1, timeout=0.5
    ) as front:
        assert front.ask("/blog/1/slow").status == 504
        assert front.ask("/blog/1/half").broken is not None
        wait_until(lambda: not hostile.open)


# HTTP, ASGI.


def make_scope(way: str, **changed: Any) -> dict[str, Any]:
    """Make a scope of a request that is answered in this *way*."""
    return {
        "type": "http",
        "method": "GET",
        "path": f"/blog/1/{way}",
        "headers": [(b"host", b"a.example")],
        "client": (PEER, 1),
        "server": ("a.example", 80),
        **changed,
    }


async def leave_after(
    front: ASGIFront,
    steps: int,
    scope: dict[str, Any],
    messages: list[dict[str, Any]],
    *,
    leave: Callable[[asyncio.Task[None], asyncio.Queue[Any]], Any],
) -> bool:
    """
    Begin a request, and give it up after some steps of the event loop.

    Returns:
        Whether it was under way until then.
    """
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    for message in messages:
        incoming.put_nowait(message)

    async def send(message: Any) -> None:
        await asyncio.sleep(0)

    task = asyncio.create_task(front.middleware(scope, incoming.get, send))
    for step in range(steps):
        # So that the backend has its turn, too.
        await asyncio.sleep(0.0005 if step % 4 == 3 else 0)
    under_way = not task.done()
    leave(task, incoming)
    with suppress(asyncio.CancelledError, Exception):
        await asyncio.wait_for(task, PATIENCE)
    return under_way


def cancel(task: asyncio.Task[None], incoming: asyncio.Queue[Any]) -> None:
    """Give up as a server does that shuts down."""
    task.cancel()


def disconnect(kind: str) -> Callable[..., None]:
    """Give up as a client does that leaves."""

    def leave(task: asyncio.Task[None], incoming: asyncio.Queue[Any]) -> None:
        incoming.put_nowait({"type": f"{kind}.disconnect"})

    return leave


BODY = [
    {"type": "http.request", "body": b"x" * 5, "more_body": True},
    {"type": "http.request", "body": b"x" * 4, "more_body": False},
]


@pytest.mark.parametrize("leave", [cancel, disconnect("http")])
@pytest.mark.parametrize("way", ["length", "half", "slow", "upload"])
def test_h04_asgi_client_that_leaves_at_any_step(
    way: str, leave: Any, hostile: HostileBackend
) -> None:
    """Whenever a request is given up, its connection is closed, and its place free."""
    hostile.ways |= {"slow": wait_for_a_call, "half": send_half}
    upload = way == "upload"
    scope = make_scope(way)
    if upload:
        scope |= {"method": "POST"}
        scope["headers"] = [*scope["headers"], (b"content-length", b"99")]
    messages = BODY[:1] if upload else [{"type": "http.request", "body": b""}]
    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        begun = 0
        for steps in range(STEPS):
            begun += front.runner.run(
                leave_after(front, steps, dict(scope), list(messages), leave=leave)
            )
            reply = front.ask("/blog/2/length")
            assert reply.body == b"answer to 2"

        # Some of them were given up in the middle.
        assert begun > 2
        wait_until(lambda: len(hostile.open) <= 1)


@pytest.mark.parametrize("kind_of_message", ["start", "body", "end"])
@pytest.mark.parametrize("way", ["length", "chunks", "no-content", "half"])
def test_h04_asgi_server_that_cannot_send(
    kind_of_message: str, way: str, hostile: HostileBackend
) -> None:
    """A server whose client's connection broke raises, and nothing stays open."""
    hostile.ways["half"] = send_half

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        named = {"http.response.start": "start"}.get(
            message["type"], "body" if message.get("more_body") else "end"
        )
        if named == kind_of_message:
            raise OSError("gone")

    async def run(front: ASGIFront) -> None:
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(
                front.middleware(make_scope(way), receive, send), 0.2
            )

    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        for _ in range(5):
            front.runner.run(run(front))
        assert front.ask("/blog/2/length").status == 200
        wait_until(lambda: len(hostile.open) <= 1)


# Websockets.


def accept(talk: Talk, *lines: str, key: str | None = None) -> bytes:
    """Make the head that accepts a websocket."""
    sent = re.search(rb"sec-websocket-key: (\S+)", talk.request, re.IGNORECASE)
    assert sent is not None
    magic = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    right = base64.b64encode(hashlib.sha1(sent[1] + magic).digest()).decode()
    own = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {right if key is None else key}",
        *lines,
    ]
    return ("\r\n".join(own) + "\r\n\r\n").encode("ascii")


def frame(opcode: int, data: bytes) -> bytes:
    """Make a short frame, as servers send it."""
    return bytes([0x80 | opcode, len(data)]) + data


def stay_open(talk: Talk) -> None:
    """Accept, and stay until the front says something, which is that it leaves."""
    talk.send(accept(talk))
    talk.read_more()
    raise HungUpError


WEBSOCKET = {"type": "websocket", "scheme": "ws"}
EXTENSION: dict[str, Any] = {"websocket.http.response": {}}


@pytest.mark.parametrize("leave", [cancel, disconnect("websocket")])
@pytest.mark.parametrize("way", ["stay", "slow"])
def test_h04_websocket_client_that_leaves_at_any_step(
    way: str, leave: Any, hostile: HostileBackend
) -> None:
    """Before the accept, at it and behind it: the backend's connection is closed."""
    hostile.ways |= {"stay": stay_open, "slow": wait_for_a_call}
    scope = make_scope(way, **WEBSOCKET)
    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        begun = 0
        for steps in range(STEPS):
            begun += front.runner.run(
                leave_after(
                    front,
                    steps,
                    dict(scope),
                    [{"type": "websocket.connect"}],
                    leave=leave,
                )
            )
            assert front.ask("/blog/2/length").status == 200

        assert begun > 2
        wait_until(lambda: len(hostile.open) <= 1)


def test_h04_five_hundred_websockets_that_are_given_up(
    hostile: HostileBackend,
) -> None:
    """No connection and no descriptor is left of those who left before the accept."""
    hostile.ways["stay"] = stay_open

    async def receive() -> Any:
        messages.reverse()
        return {"type": messages[0]}

    async def send(message: Any) -> None:
        raise OSError("the client left")

    async def give_up(front: ASGIFront) -> None:
        with suppress(OSError):
            await front.middleware(make_scope("stay", **WEBSOCKET), receive, send)

    messages = ["websocket.disconnect", "websocket.connect"]
    with run_front("asgi", {"/blog": hostile.url}) as front:
        front.runner.run(give_up(front))
        wait_until(lambda: not hostile.open)
        front.runner.run(asyncio.sleep(0.01))
        before = count_descriptors()
        for _ in range(500):
            front.runner.run(give_up(front))
        wait_until(lambda: not hostile.open)
        # The last of them is closed in the loop's next turn.
        front.runner.run(asyncio.sleep(0.01))

        # The event loop may have opened one for itself.
        assert count_descriptors() <= before + 2
    assert hostile.connections > 0


BAD_HANDSHAKES: dict[str, Callable[[Talk], bytes]] = {
    "a wrong key": lambda talk: accept(talk, key="wrong"),
    "two keys": lambda talk: accept(talk, "Sec-WebSocket-Accept: x"),
    "no upgrade": lambda talk: accept(talk).replace(b"Upgrade: websocket\r\n", b""),
    "another protocol": lambda talk: accept(talk).replace(b": websocket", b": h2c"),
    "an extension": lambda talk: accept(talk, "Sec-WebSocket-Extensions: x"),
    "a subprotocol": lambda talk: accept(talk, "Sec-WebSocket-Protocol: x"),
    "two lengths": lambda talk: accept(talk, "Content-Length: 1", "Content-Length: 2"),
    "LF alone": lambda talk: accept(talk).replace(b"\r\n", b"\n"),
    "a bare CR": lambda talk: accept(talk, "X-A: b\rSet-Cookie: evil=1"),
    "a NUL": lambda talk: accept(talk, "X-A: b\x00"),
    "a folded line": lambda talk: accept(talk, "X-A: b", " c"),
    "no colon": lambda talk: accept(talk, "X-A"),
    "a blank before the colon": lambda talk: accept(talk, "X-A : b"),
    "HTTP/1.0": lambda talk: accept(talk).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no HTTP": lambda talk: b"hello\r\n\r\n",
    "nothing": lambda talk: b"",
    "half a head": lambda talk: accept(talk)[:50],
    "a refusal of two lengths": lambda talk: (
        b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"
    ),
    "a refusal with a length and chunks": lambda talk: (
        b"HTTP/1.1 403 No\r\n"
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a refusal in odd chunks": lambda talk: (
        b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"
    ),
    "a refusal of a length that is none": lambda talk: (
        b"HTTP/1.1 403 No\r\nContent-Length: +5\r\n\r\nhello"
    ),
    "an interim answer": lambda talk: b"HTTP/1.1 103 Early Hints\r\n\r\n",
}


def shake_hands(front: ASGIFront, way: str) -> list[dict[str, Any]]:
    """Ask for a websocket, and leave when it is there."""
    sent: list[dict[str, Any]] = []
    left = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)
        left.set()

    messages = [{"type": "websocket.connect"}]

    async def receive() -> Any:
        if not messages:
            await left.wait()
            return {"type": "websocket.disconnect", "code": 1000}
        return messages.pop()

    scope = make_scope(way, **WEBSOCKET, extensions=EXTENSION)
    front.runner.run(front.middleware(scope, receive, send))
    return sent


@pytest.mark.parametrize("name", sorted(BAD_HANDSHAKES))
def test_h04_handshake_that_is_none(name: str, hostile: HostileBackend) -> None:
    """A head that is none is 502, nothing of it passes, and nothing stays open."""

    def answer(talk: Talk) -> None:
        data = BAD_HANDSHAKES[name](talk)
        talk.send(data)
        if name in ("nothing", "half a head", "an interim answer"):
            raise HungUpError
        wait_for_a_call(talk)

    hostile.ways["bad"] = answer
    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        for _ in range(3):
            sent = shake_hands(front, "bad")

            assert sent[0]["status"] == 502
            assert "evil" not in str(sent)
        wait_until(lambda: not hostile.open)


@pytest.mark.parametrize(
    "code", [None, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70000, -1]
)
def test_h04_close_code_that_may_not_be_sent(
    code: int | None, hostile: HostileBackend
) -> None:
    """Whatever a server says of its client's end, the backend hears of one."""
    heard: list[bytes] = []

    def answer(talk: Talk) -> None:
        talk.send(accept(talk))
        while len(talk.received) < 8:
            talk.read_more()
        masked = talk.received
        mask, data = masked[2:6], masked[6 : 6 + (masked[1] & 0x7F)]
        heard.append(bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))
        talk.send(frame(8, heard[-1]))
        raise HungUpError

    hostile.ways["ws"] = answer
    messages = [
        {"type": "websocket.disconnect", "code": code, "reason": "\ud800é" * 100},
        {"type": "websocket.connect"},
    ]
    accepted = asyncio.Event()

    async def receive() -> Any:
        if len(messages) == 1:
            await accepted.wait()
        return messages.pop()

    async def send(message: Any) -> None:
        accepted.set()

    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        scope = make_scope("ws", **WEBSOCKET)
        front.runner.run(front.middleware(scope, receive, send))
        wait_until(lambda: not hostile.open)

    (said,) = struct.unpack("!H", heard[0][:2])
    assert said == (1000 if code in (None, 1005) else 1001)
    assert heard[0][2:].decode().startswith("?é?é")


@pytest.mark.parametrize(
    "message", [RuntimeError("broken"), {"type": "websocket.receive"}]
)
def test_h04_server_that_cannot_receive(message: Any, hostile: HostileBackend) -> None:
    """What a server raises, or says against the rules, ends the websocket."""
    hostile.ways["stay"] = stay_open
    messages = [message, {"type": "websocket.connect"}]
    accepted = asyncio.Event()

    async def receive() -> Any:
        if len(messages) == 1:
            await accepted.wait()
        said = messages.pop()
        if isinstance(said, Exception):
            raise said
        return said

    async def send(message: Any) -> None:
        accepted.set()

    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        scope = make_scope("stay", **WEBSOCKET)
        with pytest.raises((RuntimeError, KeyError)):
            front.runner.run(front.middleware(scope, receive, send))
        wait_until(lambda: not hostile.open)


def test_h04_messages_that_come_too_late(hostile: HostileBackend) -> None:
    """What a backend says after the client left is dropped, and its end is awaited."""

    def answer(talk: Talk) -> None:
        talk.send(accept(talk))
        while len(talk.received) < 8:
            talk.read_more()
        talk.send(frame(1, b"too late") * 50 + frame(8, b""))
        raise HungUpError

    hostile.ways["ws"] = answer
    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        sent = shake_hands(front, "ws")
        wait_until(lambda: not hostile.open)

    assert [message["type"] for message in sent] == ["websocket.accept"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(8, b""), 1000),
        (frame(8, struct.pack("!H", 4001) + b"as I like"), 4001),
        (frame(8, struct.pack("!H", 1006)), 1011),
        (frame(8, struct.pack("!H", 999)), 1011),
        (frame(8, struct.pack("!H", 1000) + b"\xff"), 1011),
        (frame(3, b"reserved"), 1011),
        (b"\xff" * 20, 1011),
        (FORGED * 2, 1011),
    ],
)
def test_h04_backend_that_breaks_the_protocol(
    data: bytes,
    code: int,
    hostile: HostileBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client is told in a code that may be sent, and both sides are closed."""

    def answer(talk: Talk) -> None:
        talk.send(accept(talk) + data)
        wait_for_a_call(talk)

    hostile.ways["ws"] = answer
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        if sent or connected:
            await asyncio.Event().wait()
        connected.append(True)
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    connected: list[bool] = []
    monkeypatch.setattr(tunnel, "CLOSE_TIMEOUT", 0.1)
    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        scope = make_scope("ws", **WEBSOCKET)
        front.runner.run(front.middleware(scope, receive, send))
        wait_until(lambda: not hostile.open)

    assert [message["type"] for message in sent] == [
        "websocket.accept",
        "websocket.close",
    ]
    assert sent[-1]["code"] == code


def test_websockets_are_bounded_too(hostile: HostileBackend) -> None:
    """A websocket has one of the places, and beyond them there is 503."""
    hostile.ways["stay"] = stay_open

    async def run(front: ASGIFront) -> list[dict[str, Any]]:
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        incoming.put_nowait({"type": "websocket.connect"})
        accepted = asyncio.Event()

        async def send(message: Any) -> None:
            accepted.set()

        scope = make_scope("stay", **WEBSOCKET)
        first = asyncio.create_task(front.middleware(scope, incoming.get, send))
        await asyncio.wait_for(accepted.wait(), PATIENCE)
        sent: list[dict[str, Any]] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        async def connect() -> Any:
            return {"type": "websocket.connect"}

        await front.middleware({**scope, "extensions": EXTENSION}, connect, keep)
        first.cancel()
        await asyncio.wait({first})
        return sent

    with run_front("asgi", {"/blog": hostile.url}, max_connections=1) as front:
        sent = front.runner.run(run(front))

        assert sent[0]["status"] == 503
        assert front.ask("/blog/1/length").status == 200


@pytest.mark.parametrize(("name", "context", "status"), CERTIFICATES)
def test_ssl_context_means_the_same_to_websockets(
    name: str, context: str | None, status: int
) -> None:
    """A context is obeyed, and a handshake that fails leaves nothing open."""
    serving, trusting = make_contexts(name, context)

    def answer(talk: Talk) -> None:
        talk.send(accept(talk) + frame(8, b""))
        raise HungUpError

    with (
        run_hostile_backend(serving) as hostile,
        run_front("asgi", {"/blog": hostile.url}, ssl_context=trusting) as front,
    ):
        hostile.ways["ws"] = answer
        sent = shake_hands(front, "ws")
        wait_until(lambda: not hostile.open)

    assert sent[0].get("status", 200) == status
