"""
What stands between httpcore and a socket, and what it makes of ends and errors.

In:  sockets whose other end the test holds, and such as fail.
Out: bytes, and errors in httpcore's words.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from trustedproxy.mount_points import asyncio_client, blocking_client
from trustedproxy.mount_points.connections import has_news
from trustedproxy.mount_points.heads import BackendError
from trustedproxy.mount_points.wire import AnswerReader

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


class BrokenSocket:
    """A socket whose connection breaks whenever it is used."""

    def settimeout(self, seconds: float) -> None:
        """Take any time."""

    def recv(self, size: int) -> bytes:
        """Fail, or have nothing where it may not wait."""
        raise ConnectionResetError("broken")

    send = recv


@pytest.mark.parametrize("with_poll", [True, False])
def test_socket_has_news(
    with_poll: bool,
    ends: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bytes are news, and so is the end, on systems without poll, too."""
    if not with_poll:
        monkeypatch.delattr(select, "poll")
    here, there = ends

    assert not has_news(here)
    there.send(b"x")
    assert has_news(here)
    here.recv(1)
    assert not has_news(here)
    there.close()
    assert has_news(here)


def test_blocking_stream_shows_what_it_read_ahead(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """To look at a stream takes nothing away from it, its end included."""
    here, there = ends
    stream = blocking_client.Stream(here)
    stream.answer = AnswerReader("GET")

    assert not stream.is_readable
    there.send(ANSWER)
    assert stream.is_readable
    there.close()
    assert stream.read(99) == ANSWER
    assert stream.is_readable
    assert stream.read(99) == b""


def test_blocking_stream_that_breaks() -> None:
    """An error is httpcore's, and a stream that broke is at its end."""
    broken: Any = BrokenSocket()

    with pytest.raises(httpcore.ReadError, match="broken"):
        blocking_client.Stream(broken).read(99)
    stream = blocking_client.Stream(broken)
    stream.answer.note_sending(has_news=False)
    with pytest.raises(httpcore.WriteError, match="broken"):
        stream.write(b"x")
    assert blocking_client.Stream(broken).is_readable


async def open_stream(sock: socket.socket) -> asyncio_client.Stream:
    """Open a stream of asyncio's on one end of a connection."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(asyncio_client.Stream, sock=sock)
    stream.answer = AnswerReader("GET")
    return stream


def test_asyncio_stream_gives_no_more_than_it_is_asked_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """What is longer than a block comes in several, and then the end."""

    async def run() -> list[bytes]:
        here, there = ends
        stream = await open_stream(here)
        there.send(ANSWER + b"more")
        there.close()
        blocks = [await stream.read(40) for _ in range(3)]
        stream.drop()
        return blocks

    assert asyncio.run(run()) == [ANSWER[:40], ANSWER[40:], b""]


def test_asyncio_stream_keeps_what_came_before_the_end(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Pieces that arrived before the connection was lost are read, one by one."""

    async def run() -> list[bytes]:
        stream = await open_stream(ends[0])
        for piece in (ANSWER[:-5], b"he", b"llo"):
            stream.data_received(piece)
        stream.connection_lost(None)
        blocks = [await stream.read(99) for _ in range(4)]
        stream.drop()
        return blocks

    assert asyncio.run(run()) == [ANSWER[:-5], b"he", b"llo", b""]


def test_asyncio_stream_that_breaks(ends: tuple[socket.socket, socket.socket]) -> None:
    """An error is httpcore's, in reading and in writing."""

    async def run() -> None:
        here, _ = ends
        stream = await open_stream(here)
        stream.answer.note_sending(has_news=False)
        stream.connection_lost(ConnectionResetError("broken"))
        with pytest.raises(httpcore.ReadError, match="broken"):
            await stream.read(99)
        stream.drop()
        with pytest.raises(httpcore.WriteError, match="closed"):
            await stream.write(b"x")

    asyncio.run(run())


def test_asyncio_stream_that_nobody_reads(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Where the other side takes nothing, writing waits for it, and not for ever."""

    async def run() -> int:
        here, there = ends
        stream = await open_stream(here)
        written = 0
        with pytest.raises(BackendError, match="silent for too long"):
            while True:
                await stream.write(bytes(65536), 0.05)
                written += 65536
        there.setblocking(False)
        writing = asyncio.create_task(stream.write(b"x", 30))
        loop = asyncio.get_running_loop()
        while not writing.done():
            await loop.sock_recv(there, 65536)
        await writing
        stream.drop()
        return written

    assert asyncio.run(run()) > 0
