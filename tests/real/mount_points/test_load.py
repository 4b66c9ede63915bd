"""
Ten thousand requests over fifty connections: no error, no descriptor left behind.

In:  keep-alive connections of fifty clients at once.
Out: every answer, and what the serving process has open afterwards.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .running import Running, run_backend_server, run_server
from .test_shells import wait_until

CONNECTIONS = 50
REQUESTS = 10_000
REQUEST = (
    b"POST /blog/x HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n\r\nhello"
)


async def run_client(port: int, count: int) -> list[bytes]:
    """Send *count* requests one after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for _ in range(count):
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        # Every answer is the length of the body: one character.
        answers.append(head.partition(b"\r\n")[0] + b" " + await reader.readexactly(1))
    writer.close()
    await writer.wait_closed()
    return answers


async def run_clients(port: int, total: int) -> list[bytes]:
    """Send *total* requests over all the connections at once."""
    each = total // CONNECTIONS
    async with asyncio.timeout(300):
        lists = await asyncio.gather(
            *(run_client(port, each) for _ in range(CONNECTIONS))
        )
    return [answer for answers in lists for answer in answers]


def load(server: Running, total: int) -> None:
    """Put a load on the server, and look at every answer."""
    answers = asyncio.run(run_clients(server.port, total))

    assert len(answers) == total
    assert set(answers) == {b"HTTP/1.1 200 OK 5"}


@pytest.mark.cost
def test_ten_thousand_requests(kind: str, tmp_path: Path) -> None:
    """No answer is an error, and no descriptor is open that was not open before."""
    with (
        run_backend_server("uvicorn", "plain", tmp_path) as url,
        run_server(kind, {"/blog": url}, tmp_path) as server,
    ):
        load(server, 1000)
        before = server.count_descriptors()
        load(server, REQUESTS)
        # Connections to the backend are kept, one a client at most; those of the
        # clients are closed as soon as the server notices.
        wait_until(lambda: server.count_descriptors() <= before + CONNECTIONS)
