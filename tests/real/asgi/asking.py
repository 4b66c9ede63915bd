"""
Ask a server, by HTTP or on a websocket, from a loopback address of one's choice.

In:  where it listens, header lines, the client's own address.
Out: the JSON of its answer, or the status of a refusal.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect, unix_connect

from ..servers.processes import ANSWER_SECONDS, Address
from .running import HOST

Lines = Mapping[str, str] | Sequence[tuple[str, str]]

PROXY = HOST
STRANGER = "127.0.0.2"
"""A peer that no policy here trusts."""

INSIDE = "app.internal"
"""The host that the proxy asks for."""


def list_lines(lines: Lines) -> list[tuple[str, str]]:
    """List header lines, which may be there twice."""
    return [*(lines.items() if isinstance(lines, Mapping) else lines)]


def send(
    address: Address, path: str, lines: Lines = (), *, source: str = PROXY
) -> httpx.Response:
    """Send one GET request for the host `INSIDE`, over TCP or a unix socket."""
    transport = (
        httpx.HTTPTransport(uds=address, verify=False)
        if isinstance(address, str)
        else httpx.HTTPTransport(local_address=source, verify=False)
    )
    port = 80 if isinstance(address, str) else address[1]
    with httpx.Client(
        transport=transport, timeout=ANSWER_SECONDS, trust_env=False
    ) as client:
        return client.get(
            f"http://{HOST}:{port}{path}",
            headers=[("Host", INSIDE), *list_lines(lines)],
        )


def ask(
    address: Address, path: str, lines: Lines = (), *, source: str = PROXY
) -> dict[str, Any]:
    """Send one GET request and return the JSON that it is answered with."""
    response = send(address, path, lines, source=source)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def talk(
    address: Address,
    path: str,
    lines: Lines = (),
    *,
    source: str = PROXY,
    origin: str | None = None,
    name: str | bytes | None = None,
) -> dict[str, Any]:
    """
    Open a websocket for the host `INSIDE` and return its first message.

    Args:
        name: What the client's own end is called, on a unix socket.

    Raises:
        InvalidStatus: The server refused it.
    """
    options: dict[str, Any] = {
        "additional_headers": list_lines(lines),
        "origin": origin,
        "open_timeout": ANSWER_SECONDS,
    }
    uri = f"ws://{INSIDE}{path}"
    if name is not None:
        assert isinstance(address, str)
        own = socket.socket(socket.AF_UNIX)
        own.bind(name)
        own.connect(address)
        opened = connect(uri, sock=own, proxy=None, **options)
    elif isinstance(address, str):
        opened = unix_connect(address, uri, **options)
    else:
        opened = connect(
            uri, address=address, source_address=(source, 0), proxy=None, **options
        )
    with opened as websocket:
        answer: dict[str, Any] = json.loads(websocket.recv(timeout=ANSWER_SECONDS))
    return answer


def find_refusal(
    address: Address,
    path: str,
    lines: Lines = (),
    *,
    source: str = PROXY,
    origin: str | None = None,
) -> int:
    """Open a websocket that is refused; return the status, or 0 if it was not."""
    try:
        talk(address, path, lines, source=source, origin=origin)
    except InvalidStatus as refused:
        return refused.response.status_code
    return 0
