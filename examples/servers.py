"""
Start a real server for an application of this folder, and stop it again.

In:  a command that serves the socket with the number that it is given.
Out: the port; the server is stopped by its process id, whatever happens meanwhile.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).resolve().parent
#: How long a server may take to start or to stop, in seconds.
PATIENCE = 30.0


def gunicorn(application: str) -> Callable[[int], list[str]]:
    """
    Make the command for *application*, such as ``flask_app:app``.

    gunicorn by itself trusts ``X-Forwarded-Proto`` from 127.0.0.1.  A proxy on a
    machine of its own would not be there, so that is switched off.
    """
    return lambda descriptor: [
        *("gunicorn", "--chdir", str(HERE), "--bind", f"fd://{descriptor}"),
        *("--forwarded-allow-ips", "", "--log-level", "warning", application),
    ]


def uvicorn(application: str) -> Callable[[int], list[str]]:
    """Make the command for *application*; its own reading of headers is off."""
    return lambda descriptor: [
        *("uvicorn", "--app-dir", str(HERE), "--fd", str(descriptor)),
        *("--no-proxy-headers", "--log-level", "warning", application),
    ]


@contextmanager
def serve(
    command: Callable[[int], Sequence[str]],
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[int]:
    """
    Run a server module of this Python, on a socket that is bound here already.

    Args:
        command: From the socket's number to the module and its arguments.

        environ: Variables to set in the server's environment besides.

    Connections wait in that socket until the server accepts them, so there is
    nothing to poll for, and no other process can take the port.

    Yields:
        The port on every loopback address.

    Raises:
        RuntimeError: The server ended by itself.

    Whatever is raised meanwhile gets a note of what the server printed.
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        tempfile.TemporaryFile() as output,
    ):
        descriptor = listener.fileno()
        server = subprocess.Popen(
            [sys.executable, "-m", *command(descriptor)],
            pass_fds=[descriptor],
            # Python imports from the folder that it starts in: not from the checkout,
            # whose packages would hide the installed ones.
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environ},
        )
        try:
            wait_until_accepting(server, listener.getsockname()[1])
            if server.poll() is not None:
                raise RuntimeError("the server ended by itself")
            yield listener.getsockname()[1]
        except BaseException as error:
            output.seek(0)
            error.add_note(output.read().decode(errors="replace"))
            raise
        finally:
            stop(server)


def wait_until_accepting(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server answers a first request, or has ended."""
    until = time.monotonic() + PATIENCE
    request = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(request)
        while time.monotonic() < until and server.poll() is None:
            try:
                if connection.recv(1):
                    return
            except TimeoutError:
                continue


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server politely, and if that does not help, not politely."""
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
