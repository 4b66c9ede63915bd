"""
Real servers in front of a backend: gunicorn and waitress, uvicorn and Hypercorn.

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


#: Servers, and what they speak with the application.
SERVERS = {
    "gunicorn": "wsgi",
    "waitress": "wsgi",
    "uvicorn": "asgi",
    "hypercorn": "asgi",
}
#: Which of them is meant by that alone.
_BY_KIND = {"wsgi": "gunicorn", "asgi": "uvicorn"}


def command_of(server: str, module: str, port: int) -> list[str]:
    """Make the command line by which *server* serves *module* on *port*."""
    server = _BY_KIND.get(server, server)
    application, address = f"{module}:{SERVERS[server]}", f"127.0.0.1:{port}"
    python = [sys.executable, "-m", server]
    if server == "gunicorn":
        return [
            *(*python, "--no-control-socket", "--bind", address),
            *("--worker-class", "gthread", "--threads", "50", "--keep-alive", "5"),
            *("--forwarded-allow-ips", "", "--log-level", "warning", application),
        ]
    if server == "waitress":
        return [*python, f"--listen={address}", "--threads=50", application]
    if server == "hypercorn":
        return [*python, "--bind", address, "--log-level", "warning", application]
    return [
        *(*python, "--host", "127.0.0.1", "--port", str(port), "--no-proxy-headers"),
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

    def measure_time(self) -> float:
        """Measure the processor time that the process has taken, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

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
    server: str,
    mount_points: Mapping[str, str],
    folder: Path,
    **options: Any,
) -> Iterator[Running]:
    """Run a server with mount points, and stop it afterwards."""
    kind = SERVERS[_BY_KIND.get(server, server)]
    front = {
        "kind": kind,
        "mount_points": dict(mount_points),
        "policy": POLICY,
        "options": options,
    }
    with _start(server, "front", folder, FRONT=json.dumps(front)) as running:
        if "/" not in mount_points:
            running.find_pid()
        yield running


@contextmanager
def _start(
    server: str, module: str, folder: Path, **environment: str
) -> Iterator[Running]:
    port = find_free_port()
    paths = [str(SERVED), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with ProcessManager(folder) as manager:
        process = manager.start(
            server,
            command_of(server, module, port),
            [("127.0.0.1", port)],
            environment={**os.environ, **environment},
        )
        process.wait_ready()
        yield Running(SERVERS[_BY_KIND.get(server, server)], port, process)


@contextmanager
def run_backend_server(server: str, module: str, folder: Path) -> Iterator[str]:
    """Run a real server as a backend, and give its URL."""
    with _start(server, module, folder) as running:
        yield f"http://127.0.0.1:{running.port}"
