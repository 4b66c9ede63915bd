"""
All the front ends and servers of the matrix, running side by side.

In:  the two tables, a folder, a certificate.
Out: a `Farm` that knows the address of each, and starts further servers on demand.

Every front end reaches every server at the mount point ``/SERVER`` (TCP) and
``/SERVER-unix``, and the inner listener of every other front end at ``/behind-FRONT``.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from .client import get, trusting
from .fronts import (
    FRONTS,
    POLICY,
    Front,
    Place,
    Run,
    Upstream,
    make_command,
    make_front_environment,
    make_policy,
    place_files,
)
from .processes import (
    Address,
    Process,
    ProcessManager,
    find_free_ports,
)
from .servers import (
    APPLICATION_FOLDER,
    SERVERS,
    Server,
    find_server,
    list_applications,
)

HOST = "127.0.0.1"
CLIENT = "127.0.0.9"
"""Where the tests' clients are; nobody trusts it."""


def make_environment(policy: Mapping[str, str]) -> dict[str, str]:
    """Make the environment of a server: no proxy settings but those of *policy*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRUSTED_PROX")}
    # Coverage of the packages is measured elsewhere, and would start in each server.
    kept.pop("COVERAGE_PROCESS_START", None)
    kept.pop("COVERAGE_PROCESS_CONFIG", None)
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    # Servers run in another folder, so a relative path would lead elsewhere.
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [APPLICATION_FOLDER, *(Path(p).resolve() for p in inherited if p)]
    path = os.pathsep.join(map(str, paths))
    return {**kept, **policy, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


Command = Callable[[Address, Path], list[str]]


class Starter:
    """Starts servers beside the farm, for one test, and stops them after it."""

    def __init__(self, manager: ProcessManager) -> None:
        self.manager = manager
        self.processes: list[Process] = []

    def __call__(
        self,
        command: Command,
        *options: str,
        policy: Mapping[str, str] = POLICY,
        unix: bool = False,
        host: str = HOST,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Address:
        """
        Start a server and wait for it.

        Args:
            command: As a row of `servers.SERVERS` has it.

            options: What is put behind its command line.

            unix: Whether it listens on a unix socket.

            host: The address it listens on otherwise.

            environment: What its environment has besides.

        Returns:
            Where it listens.
        """
        number = len(self.manager.processes)
        address: Address = (
            str(self.manager.folder / f"own-{number}.sock")
            if unix
            else (host, find_free_ports(1, host)[0])
        )
        process = self.manager.start(
            f"own-{number}",
            [*command(address, self.manager.folder), *options],
            [address],
            environment={
                **make_environment(policy),
                "PROVING_NAME": f"own-{number}",
                **environment,
            },
            umask=0,
        )
        self.processes.append(process)
        process.wait_ready()
        return address

    def read_log(self) -> str:
        """Return what the server that was started last wrote so far."""
        return self.processes[-1].read_log()

    def stop(self) -> None:
        """Stop what was started."""
        for process in self.processes:
            process.stop()


@dataclass(slots=True)
class Farm:
    """What runs, and where."""

    manager: ProcessManager
    certificate: str
    key: str
    servers: dict[str, tuple[Process, Address]] = field(default_factory=dict)
    fronts: dict[str, tuple[list[Process], Place]] = field(default_factory=dict)
    warm: set[str] = field(default_factory=set)
    """Servers that have answered with each of their applications."""

    @property
    def folder(self) -> Path:
        """Where sockets, logs and configurations are."""
        return self.manager.folder

    def find_address(self, server: str) -> Address:
        """Return where *server* of the matrix listens, once it answers."""
        process, address = self.servers[server]
        process.wait_ready()
        if server not in self.warm:
            # Applications are imported by their first request, while everything else
            # starts too; a front end may not have the patience for that.
            row = find_server(server.removesuffix("-unix"))
            for application in list_applications(row):
                get(address, "/", [("Proving-Application", application)]).json()
            self.warm.add(server)
        return address

    def find_place(self, front: str) -> Place:
        """Return what *front* serves, once it does, as first and as inner proxy."""
        processes, place = self.fronts[front]
        for process in processes:
            process.wait_ready()
        return place

    def start_server(
        self,
        name: str,
        command: Sequence[str],
        address: Address,
        policy: Mapping[str, str] = POLICY,
        **extra: str,
    ) -> Process:
        """Start a server with an environment that holds *policy* and *extra*."""
        environment = {**make_environment(policy), "PROVING_NAME": name, **extra}
        # Front ends run as other users, who have to reach the sockets.
        return self.manager.start(
            name, command, [address], environment=environment, umask=0
        )

    def start_matrix(self) -> None:
        """Start every server and every front end; nothing is waited for."""
        for server in SERVERS:
            port = find_free_ports(1)[0]
            self._start_row(server, server.name, (HOST, port))
            if not server.no_unix:
                name = f"{server.name}-unix"
                self._start_row(server, name, str(self.folder / f"{name}.sock"))
        ports = find_free_ports(3 * len(FRONTS))
        triples = [ports[3 * i : 3 * i + 3] for i in range(len(FRONTS))]
        inner_ports = {f.name: t[2] for f, t in zip(FRONTS, triples, strict=True)}
        for front, (http, https, inner) in zip(FRONTS, triples, strict=True):
            self._start_front(front, http, https, inner, inner_ports)

    def _start_row(self, server: Server, name: str, address: Address) -> None:
        command = server.command(address, self.folder)
        self.servers[name] = (self.start_server(name, command, address), address)

    def _start_front(
        self,
        front: Front,
        http: int,
        https: int,
        inner: int,
        inner_ports: Mapping[str, int],
    ) -> None:
        folder = self.folder / front.name
        folder.mkdir(mode=0o755)
        upstreams = [
            Upstream(name, f"/{name}", address)
            for name, (_, address) in self.servers.items()
            if not (front.no_unix and isinstance(address, str))
        ]
        behind = [
            Upstream(f"behind-{name}", f"/behind-{name}", (HOST, port))
            for name, port in inner_ports.items()
            if name != front.name
        ]
        place = Place(
            folder=folder,
            host=HOST,
            http=http,
            https=https,
            inner_port=inner,
            certificate=self.certificate,
            key=self.key,
            edge=[*upstreams, *behind],
            inner=upstreams,
        )
        self.fronts[front.name] = (start_front(self.manager, front, place), place)


def start_front(
    manager: ProcessManager,
    front: Front,
    place: Place,
    change: Callable[[Run], Run] = lambda run: run,
) -> list[Process]:
    """
    Start *front* at *place*, as first proxy and as inner one.

    Args:
        change: What is done to a configuration that was printed, before it is used.
    """
    started = []
    sites = {"edge": place.make_edge(front), "inner": place.make_inner()}
    for name, site in sites.items():
        folder = place.folder / name
        folder.mkdir(mode=0o755)
        run = change(front.print_for(folder, site, make_policy()))
        started.append(run_front(manager, front, run))
    return started


def run_front(manager: ProcessManager, front: Front, run: Run) -> Process:
    """Write the files of *run* and start *front* with them; nothing is waited for."""
    place_files(front, run)
    host = run.site.address or HOST
    return manager.start(
        front.name,
        make_command(front.command, run),
        [(host, listener.port) for listener in run.site.listeners],
        environment=make_front_environment(run.folder),
        probe=(lambda: has_routes(run)) if front.loads_late else None,
    )


def has_routes(run: Run) -> bool:
    """Tell whether each port of *run* knows its upstreams, and the certificate."""
    site = run.site
    target = f"{site.path}/"
    host = next(iter(site.server_names), "app.example")
    statuses = set()
    for listener in site.listeners:
        tls = None
        if listener.is_secure and site.tls is not None:
            tls = trusting(site.tls.certificate)
            # The file has no authority, but the certificate itself.
            tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            address = (site.address or HOST, listener.port)
            statuses.add(get(address, target, host=host, tls=tls).status)
        except OSError:
            return False
    return not {0, 404} & statuses
