"""
Real servers in front of a backend: gunicorn with threads, and uvicorn.

In:  mount points, and options of the middleware.
Out: `Running`: where it listens, and what its process is like.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..servers.processes import Process, ProcessManager, find_free_port

SERVED = Path(__file__).with_name("served")
POLICY = {
    "headers": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
    ],
    "proxies": ["127.0.0.0/8"],
}


def command_of(kind: str, application: str, port: int) -> list[str]:
    """Make the command line that serves *application* on *port*."""
    if kind == "wsgi":
        return [
            *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
            *("--pythonpath", str(SERVED), "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "gthread", "--threads", "50", "--keep-alive", "5"),
            *("--forwarded-allow-ips", "", "--log-level", "warning", application),
        ]
    return [
        *(sys.executable, "-m", "uvicorn", "--app-dir", str(SERVED)),
        *("--host", "127.0.0.1", "--port", str(port), "--no-proxy-headers"),
        *("--log-level", "warning", "--no-access-log", application),
    ]


@dataclass(slots=True)
class Running:
    """A running server."""

    kind: str
    port: int
    process: Process
    pid: int = 0

    def connect(self, timeout: float = 30.0) -> http.client.HTTPConnection:
        """Open a connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def find_pid(self) -> None:
        """Ask the application which process it is."""
        connection = self.connect()
        connection.request("GET", "/pid")
        self.pid = json.loads(connection.getresponse().read())["pid"]
        connection.close()

    def count_descriptors(self) -> int:
        """Count what the process has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def reset_peak(self) -> int:
        """Begin to measure the peak of resident memory anew; return it in bytes."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self.read_peak()

    def read_peak(self) -> int:
        """Read the peak of resident memory, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = [row for row in status.splitlines() if row.startswith("VmHWM")]
        return int(line.split()[1]) * 1024


@contextmanager
def run_server(
    kind: str,
    mount_points: Mapping[str, str],
    folder: Path,
    **options: Any,
) -> Iterator[Running]:
    """Run a server with mount points, and stop it afterwards."""
    front = {
        "kind": kind,
        "mount_points": dict(mount_points),
        "policy": POLICY,
        "options": options,
    }
    port = find_free_port()
    with ProcessManager(folder) as manager:
        process = manager.start(
            kind,
            command_of(kind, f"front:{kind}", port),
            [("127.0.0.1", port)],
            environment={**os.environ, "FRONT": json.dumps(front)},
        )
        process.wait_ready()
        running = Running(kind, port, process)
        running.find_pid()
        yield running


@contextmanager
def run_plain(folder: Path) -> Iterator[str]:
    """Run the fast backend, and give its URL."""
    port = find_free_port()
    with ProcessManager(folder) as manager:
        process = manager.start(
            "plain", command_of("asgi", "plain:asgi", port), [("127.0.0.1", port)]
        )
        process.wait_ready()
        yield f"http://127.0.0.1:{port}"
