"""
Start real programs, wait until they listen, and stop them by their ids.

In:  a command line, and the address or the socket's path it will listen on.
Out: a `Process` whose `stop` ends it and whatever it started, also after failure.

A process runs in a session of its own, so its id is the id of its process group,
and stopping that group reaches forked workers and nobody else.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

Address = tuple[str, int] | str
"""A host and port, or the path of a unix socket."""

START_SECONDS = 180.0
STOP_SECONDS = 5.0

ANSWER_SECONDS = 60.0
"""How long anything waits for another process: a busy machine pauses for seconds."""

PORTS = range(20_000, 32_768)
"""Below those that Linux gives away by itself, to clients and to ``bind`` of port 0."""

_claims: dict[int, socket.socket] = {}


def find_free_port(host: str = "127.0.0.1") -> int:
    """Find a port that is free on *host*, and that nobody else is given."""
    return find_free_ports(1, host)[0]


def find_free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """
    Find *count* different ports that are free on *host*, and that nobody else is given.

    Other test sessions run at the same time, and seconds may pass until a server
    binds its port. So each port is claimed until this process ends.
    """
    ports: list[int] = []
    # Not seeded: sessions with the same seed would try the same ports.
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if len(ports) == count:
            return ports
        if _claim(port, host):
            ports.append(port)
    raise OSError("no port is free")


def _claim(port: int, host: str) -> bool:
    if port in _claims:
        return False
    # A name of Linux's own for unix sockets: no file, and gone with the process.
    claim = socket.socket(socket.AF_UNIX)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        claim.bind(f"\0trustedproxy-tests-{port}")
        with socket.socket(family) as probe:
            probe.bind((host, port))
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


def connect(address: Address, source: str | None = None) -> socket.socket:
    """Open a connection to *address*, from the local address *source*."""
    if isinstance(address, str):
        unix = socket.socket(socket.AF_UNIX)
        try:
            unix.settimeout(ANSWER_SECONDS)
            unix.connect(address)
        except OSError:
            unix.close()
            raise
        return unix
    return socket.create_connection(
        address,
        timeout=ANSWER_SECONDS,
        source_address=(source, 0) if source else None,
    )


def split_tcp(address: Address) -> tuple[str, int]:
    """Return host and port of an address that is no unix socket's."""
    assert not isinstance(address, str)
    return address


def is_listening(address: Address) -> bool:
    """Tell whether something accepts connections on *address*."""
    try:
        connect(address).close()
    except OSError:
        return False
    return True


@dataclass(slots=True)
class Process:
    """One running program, its log file, and where it listens."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    addresses: Sequence[Address]
    probe: Callable[[], bool] | None = None
    _ready: bool = field(default=False)
    _told: int = field(default=0)

    def read_log(self) -> str:
        """Return what the program wrote so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def read_news(self) -> str:
        """Return what the program wrote since this was last asked."""
        text = self.read_log()
        news, self._told = text[self._told :], len(text)
        return news

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """
        Wait until every address accepts connections, and the probe, if any, succeeds.

        Raises:
            RuntimeError: The program ended or was not ready in time; its log is shown.
        """
        deadline = time.monotonic() + seconds
        while not self._ready:
            self._ready = all(map(is_listening, self.addresses)) and (
                self.probe is None or self.probe()
            )
            ended = self.popen.poll() is not None
            if self._ready and not ended:
                return
            if ended or time.monotonic() > deadline:
                state = f"ended with {self.popen.returncode}" if ended else "is not up"
                raise RuntimeError(f"{self.name} {state}:\n{self.read_log()[-4000:]}")
            time.sleep(0.03)

    def stop(self) -> None:
        """End the program and everything it started."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self.popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


class ProcessManager:
    """All the programs of one test session; leaving it stops every one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []

    def start(
        self,
        name: str,
        command: Sequence[str],
        addresses: Sequence[Address],
        *,
        environment: Mapping[str, str] | None = None,
        umask: int = -1,
        probe: Callable[[], bool] | None = None,
    ) -> Process:
        """
        Start *command* without waiting for it; `Process.wait_ready` does that.

        Args:
            environment: All of its environment; by default this process's own.

            umask: The file modes it leaves out; by default as this process.

            probe: Tells whether it is ready, where listening does not.
        """
        log = self.folder / f"{name}-{len(self.processes)}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=None if environment is None else dict(environment),
                start_new_session=True,
                umask=umask,
            )
        process = Process(name, popen, log, addresses, probe)
        self.processes.append(process)
        return process

    def __enter__(self) -> ProcessManager:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # All get the signal first, so that they end side by side.
        for process in self.processes:
            process._signal(signal.SIGTERM)
        for process in self.processes:
            process.stop()
