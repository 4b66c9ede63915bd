"""
``make demo-web``: addresses that can be opened, until it is stopped.

In:  the demo, as a process of its own.
Out: its addresses, asked; and nothing that is left behind.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...copied_examples import copy_examples
from .sites import ask

PATIENCE = 60.0


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Start the demo, and give the lines that it prints; stop it by Ctrl-C."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    # The demo imports its neighbours, which PYTHONSAFEPATH would forbid.
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    process = subprocess.Popen(
        [sys.executable, "demo_web.py"],
        cwd=copy_examples(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    # What neither prints nor ends would be waited for until the whole run is over.
    watch = threading.Timer(3 * PATIENCE, process.kill)
    watch.start()
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Stop it"):
            break

    yield lines

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()
    watch.cancel()
    assert "Stopped." in rest
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    for port in map(int, re.findall(r":(\d+)/", "".join(lines))):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_demo_prints_addresses_that_can_be_opened(demo: list[str]) -> None:
    """Both applications, through nginx and around it; TLS is tried elsewhere."""
    addresses = re.findall(r"^  (http://\S+)", "".join(demo), re.MULTILINE)

    assert len(addresses) == 4
    for address in addresses:
        status, _, body = ask(address, {})
        assert status == 200
        assert b"What the application sees" in body
