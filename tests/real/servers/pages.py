"""
The parts of the documentation that are measured or rendered, and how they get there.

In:  a page with regions between ``<!-- measured: NAME -->`` and ``<!-- end -->``.
Out: the same page with the regions written anew, and nothing else touched.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .behaviour import GROUPS, ask, describe
from .client import get
from .farm import Farm
from .servers import SERVERS, Server

DOCS = Path(__file__).parents[3] / "docs"

_REGION = re.compile(r"<!-- measured: (?P<name>[^>]+) -->\n.*?<!-- end -->", re.DOTALL)


def fill_regions(page: str, parts: Mapping[str, str]) -> str:
    """
    Write every region of *page* anew.

    Raises:
        KeyError: A region is named after nothing in *parts*.
    """

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        part = parts[name].strip()
        return f"<!-- measured: {name} -->\n\n{part}\n\n<!-- end -->"

    return _REGION.sub(fill, page)


def list_regions(page: str) -> list[str]:
    """List the names of the regions of *page*."""
    return [match["name"] for match in _REGION.finditer(page)]


# docs/servers.md


def _make_table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _write_options(farm: Farm) -> str:
    rows = []
    for server in SERVERS:
        on_unix = server.no_unix or server.needs_on_unix or "nothing"
        rows.append([server.title, server.needs or "nothing", on_unix])
    return _make_table(["server", "needs", "on a unix socket"], rows)


def _write_group(heading: str) -> Callable[[Farm], str]:
    def write(farm: Farm) -> str:
        rows = []
        for server in SERVERS:
            address = farm.find_address(server.name)
            words = [
                describe(ask(address, question, "raw"), question)
                for question in GROUPS[heading]
            ]
            rows.append([server.title, *words])
        return _make_table(["server", *(q.title for q in GROUPS[heading])], rows)

    return write


def _say(value: object, folder: Path) -> str:
    text = repr(value).replace(str(folder), "…").replace(socket.gethostname(), "…")
    return f"`{text}`"


def _say_kind(port: object) -> str:
    if port is None:
        return "—"
    if isinstance(port, str) and port.isdigit():
        return "text"
    return "number" if isinstance(port, int) and port else f"`{port!r}`"


def _read_peer(server: Server, answer: dict[str, Any]) -> tuple[object, object, object]:
    environ = answer.get("environ")
    if environ is not None:
        return (
            environ.get("REMOTE_ADDR"),
            environ.get("REMOTE_PORT"),
            environ.get("SERVER_NAME"),
        )
    client = answer["scope"].get("client") or [None, None]
    own = answer["scope"].get("server") or [None, None]
    return client[0], client[1], own[0]


def _write_peers(farm: Farm) -> str:
    rows = []
    for server in SERVERS:
        row = [server.title]
        for suffix in ("", "-unix"):
            if suffix and server.no_unix:
                row.extend(["no unix sockets", "—", "—"])
                continue
            answer = get(farm.find_address(server.name + suffix)).json()
            peer, port, own = _read_peer(server, answer)
            row.extend(
                [_say(peer, farm.folder), _say_kind(port), _say(own, farm.folder)]
            )
        rows.append(row)
    head = ["server", "peer", "its port", "server name"]
    return _make_table([*head, *(f"{word}, unix" for word in head[1:])], rows)


MEASURED: Mapping[str, Callable[[Farm], str]] = {
    "options": _write_options,
    "peers": _write_peers,
    **{heading: _write_group(heading) for heading in GROUPS},
}
"""The regions of docs/servers.md."""
