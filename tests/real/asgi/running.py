"""
The ASGI servers, and how an application is started on one of them.

In:  the name of a server, an application as ``module:name``, options, settings.
Out: where it listens, and what it wrote.

Applications are looked up in ``examples/`` and in ``applications/`` beside this file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...copied_examples import copy_examples
from ..servers.processes import Address, Process, ProcessManager, find_free_port

HOST = "127.0.0.1"
FOLDERS = (
    Path(__file__).with_name("applications"),
    copy_examples(),
)

POLICY = {
    "TRUSTED_PROXY_HEADERS": "X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host"
    " X-Forwarded-Port X-Forwarded-Prefix",
    "TRUSTED_PROXIES": HOST,
}
"""The settings of a policy that trusts 127.0.0.1 and no other peer."""


def _bind(address: Address) -> str:
    return f"unix:{address}" if isinstance(address, str) else f"{HOST}:{address[1]}"


def _place(address: Address, unix: str, host: str, port: str) -> list[str]:
    if isinstance(address, str):
        return [unix, address]
    return [host, address[0], port, str(address[1])]


def _uvicorn(parser: str) -> Callable[[Address], list[str]]:
    return lambda address: [
        *("uvicorn", "--http", parser, "--log-level", "warning"),
        *_place(address, "--uds", "--host", "--port"),
    ]


def _hypercorn(address: Address) -> list[str]:
    return ["hypercorn", "--bind", _bind(address)]


def _daphne(address: Address) -> list[str]:
    return ["daphne", *_place(address, "-u", "-b", "-p")]


def _granian(address: Address) -> list[str]:
    options = ("--interface", "asgi", "--workers", "1", "--log-level", "warning")
    return ["granian", *options, *_place(address, "--uds", "--host", "--port")]


@dataclass(frozen=True, slots=True)
class Server:
    """
    One ASGI server.

    Attributes:
        command: The module and its options that serve an address.

        switch: The options that keep it from reading proxy headers by itself.

        mount: The option that names its mount point.

        puts_mount_in_front: Whether that goes in front of the path that comes, which
            is then the path below it.

        answers_websockets: Whether a websocket can be refused with a status and a
            body (``websocket.http.response``), and not just with 403.
    """

    command: Callable[[Address], list[str]]
    switch: Sequence[str] = ()
    mount: str = "--root-path"
    puts_mount_in_front: bool = False
    answers_websockets: bool = True


def _gunicorn(address: Address) -> list[str]:
    options = ("--no-control-socket", "-k", "uvicorn_worker.UvicornWorker")
    return ["gunicorn", *options, "--bind", _bind(address)]


SERVERS: Mapping[str, Server] = {
    "uvicorn-httptools": Server(
        _uvicorn("httptools"), ("--no-proxy-headers",), puts_mount_in_front=True
    ),
    "uvicorn-h11": Server(
        _uvicorn("h11"), ("--no-proxy-headers",), puts_mount_in_front=True
    ),
    "hypercorn": Server(_hypercorn),
    "daphne": Server(_daphne, answers_websockets=False),
    "granian": Server(_granian, mount="--url-path-prefix"),
}

GUNICORN = {
    "gunicorn-uvicorn": Server(_gunicorn, ("--forwarded-allow-ips", "")),
}
"""uvicorn once more, as a worker: it takes other options."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens at *address*."""

    address: Address
    process: Process

    @property
    def port(self) -> int:
        """Return its port; it must not be on a unix socket."""
        assert not isinstance(self.address, str)
        return self.address[1]

    def read_log(self) -> str:
        """Return what the server and its application wrote so far."""
        return self.process.read_log()


class Starter:
    """Starts servers; one that is asked for again in the same way is not started."""

    def __init__(self, manager: ProcessManager) -> None:
        self.manager = manager
        self._running: dict[object, Running] = {}

    def __call__(
        self,
        server: str,
        application: str,
        *options: str,
        settings: Mapping[str, str] = POLICY,
        unix: bool = False,
        as_it_comes: bool = False,
    ) -> Running:
        """
        Start *server* and wait until it listens.

        Args:
            server: A name of `SERVERS` or `GUNICORN`.

            application: ``module:name``.

            options: What is put behind the server's own options.

            settings: What its environment says of the policy.

            unix: Whether it listens on a unix socket.

            as_it_comes: Whether it may read proxy headers by itself, if it likes.
        """
        key = (server, application, options, *settings.items(), unix, as_it_comes)
        if key not in self._running:
            number = len(self.manager.processes)
            address: Address = (HOST, find_free_port())
            if unix:
                address = str(self.manager.folder / f"{number}.sock")
            row = {**SERVERS, **GUNICORN}[server]
            switch = () if as_it_comes else row.switch
            process = self.manager.start(
                f"{server}-{application.partition(':')[0]}",
                [
                    *(sys.executable, "-m", *row.command(address)),
                    *(*switch, *options, application),
                ],
                [address],
                environment=make_environment(settings),
            )
            self._running[key] = Running(address, process)
        running = self._running[key]
        running.process.wait_ready()
        return running


def make_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Make a server's environment: no proxy settings but those of *settings*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRUSTED_PROX")}
    # Servers run in another folder, so a relative path would lead elsewhere.
    inherited = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    path = os.pathsep.join(
        map(str, [*FOLDERS, *(Path(p).resolve() for p in inherited)])
    )
    return {**kept, **settings, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
