"""
Start a real nginx with a configuration, and stop it again.

In:  the server blocks of a configuration, such as `trustedproxy.frontends` writes them.
Out: nginx, while it runs, in a folder of its own that is gone afterwards.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers import PATIENCE, stop

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def find_nginx() -> str | None:
    """Find nginx, which is not on every user's path; ``None`` where it is missing."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def find_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def serve_nginx(
    write: Callable[[Path], str], ports: Sequence[int], *, address: str
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run nginx.

    Args:
        write: From nginx's own folder to what stands inside of ``http``.

        ports: The ports that it listens on, to wait for.

        address: The address that it connects to applications from.

    Raises:
        RuntimeError: nginx is missing, or has ended by itself; with what it printed.
    """
    nginx = find_nginx()
    if nginx is None:
        raise RuntimeError("nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="trustedproxy-nginx-") as name:
        folder = Path(name)
        conf = folder / "nginx.conf"
        conf.write_text(_write_main(folder, address, write(folder)))
        log = folder / "error.log"
        server = subprocess.Popen(
            [nginx, "-p", name, "-c", str(conf), "-e", str(log)],
            stdin=subprocess.DEVNULL,
        )
        try:
            _wait(server, ports, log)
            yield server
        finally:
            stop(server)


def _write_main(folder: Path, address: str, servers: str) -> str:
    user = "user root;" if os.geteuid() == 0 else ""
    paths = "\n".join(f"    {n}_temp_path {folder}/{n};" for n in _TEMPORARY)
    return f"""
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{user}
events {{}}
http {{
    access_log off;
    proxy_bind {address};
{paths}
{servers}
}}
"""


def _wait(server: subprocess.Popen[bytes], ports: Sequence[int], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    for port in ports:
        while True:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"nginx does not run:\n{log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
