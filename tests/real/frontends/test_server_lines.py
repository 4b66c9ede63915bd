"""
The lines that start servers, as docs/servers.md prints them: each is run, and answers.

Only the port, the socket and the folder are this machine's own.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from ...docs.test_frontend_pages import ROOT
from ..servers.client import get
from ..servers.fronts import find_program
from ..servers.processes import Address, find_free_ports
from .asking import Ground

PROJECT = {
    "wsgi": """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
""",
    "asgi": """
async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
""",
}


def read_lines(region: str) -> list[str]:
    """Read the command lines of a region."""
    page = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    _, _, after = page.partition(f"<!-- printed: {region} -->")
    match = re.search(r"```bash\n(.*?)```", after, re.DOTALL)
    assert match is not None
    return [line for line in match[1].splitlines() if not line.startswith("#")]


def read_configuration() -> str:
    """Read what gunicorn is to read."""
    page = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    match = re.search(r"`gunicorn.conf.py`:\n\n```python\n(.*?)```", page, re.DOTALL)
    assert match is not None
    return match[1]


LINES = [*read_lines("lines"), *read_lines("lines on a unix socket")]


def name_line(line: str) -> str:
    """Name a line in a test's id."""
    return line.partition(" ")[0] + ("-unix" if "app.sock" in line else "")


@pytest.mark.parametrize("line", LINES, ids=name_line)
def test_line_starts_a_server_that_answers(ground: Ground, line: str) -> None:
    """With a project beside it, from the folder that it is started in."""
    folder = ground.make_folder()
    make_project(folder)
    port = find_free_ports(1)[0]
    socket = str(folder / "app.sock")
    text = line.replace("8000", str(port)).replace("/run/example/app.sock", socket)
    program, *words = shlex.split(text)
    if program == "mod_wsgi-express":
        # It writes its files below /tmp, and refuses to serve as root.
        words += ["--server-root", str(folder / "express"), "--user", "www-data"]
        words += ["--group", "www-data"]
        open_way(Path(sys.prefix))
    address: Address = socket if socket in text else ("127.0.0.1", port)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": ""}
    command = ["/usr/bin/env", "-C", str(folder), find_program(program), *words]

    process = ground.manager.start(program, command, [address], environment=environment)
    try:
        process.wait_ready()
        reply = get(address, "/")
    finally:
        process.stop()
        ground.manager.processes.remove(process)

    assert (reply.status, reply.body) == (200, b"ok")


def open_way(folder: Path) -> None:
    """Let others reach *folder*: tox keeps its environments to whoever made them."""
    for parent in folder.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o011)


def make_project(folder: Path) -> None:
    """Write the project, and what gunicorn reads."""
    project = folder / "project"
    project.mkdir()
    (project / "__init__.py").touch()
    for name, text in PROJECT.items():
        (project / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "gunicorn.conf.py").write_text(read_configuration(), encoding="utf-8")
