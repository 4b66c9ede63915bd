"""
One front end at a time, before the recorder.

In:  a policy and a site, or texts of a page.
Out: a `Running` front end, and answers to honest and to forged requests.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import TLS, Site
from trustedproxy.frontends.plan import spell_variants
from trustedproxy.headers import KNOWN_HEADERS

from ..servers.client import Line, Reply, get, hear
from ..servers.farm import CLIENT, run_front
from ..servers.forgery import forge
from ..servers.fronts import Front, Run
from ..servers.processes import Address, ProcessManager, find_free_ports

HOST = "127.0.0.1"
NAME = "www.example.com"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all front ends of a session stand on."""

    manager: ProcessManager
    folder: Path
    tcp: Address
    socket: str
    tls: TLS
    context: ssl.SSLContext

    @property
    def backend(self) -> str:
        """The recorder's address, as a site has it."""
        assert not isinstance(self.tcp, str)
        return f"{self.tcp[0]}:{self.tcp[1]}"

    @property
    def unix_backend(self) -> str:
        """The recorder's socket, as a site has it."""
        return f"unix:{self.socket}"

    def make_folder(self) -> Path:
        """Make a folder that nobody else has."""
        folder = self.folder / f"front-{len(list(self.folder.iterdir()))}"
        folder.mkdir(mode=0o755)
        return folder


@dataclass(frozen=True, slots=True)
class Running:
    """A front end that runs."""

    ground: Ground
    site: Site

    def get(
        self,
        path: str = "/page",
        lines: Sequence[Line] = (),
        *,
        secure: bool = False,
        source: str = CLIENT,
    ) -> Reply:
        """Ask for *path*."""
        return get(
            (HOST, self._port(secure)),
            path,
            lines,
            host=self.host(secure),
            source=source,
            tls=self.ground.context if secure else None,
            close=not any(name == "Connection" for name, _ in lines),
        )

    def hear(self, path: str, *, secure: bool, lines: Sequence[Line]) -> dict[str, Any]:
        """Open a websocket, and return what the recorder was sent."""
        message = hear(
            (HOST, self._port(secure)),
            path,
            lines,
            host=self.host(secure),
            source=CLIENT,
            tls=self.ground.context if secure else None,
        )
        answer: dict[str, Any] = json.loads(message)
        return answer

    def host(self, secure: bool) -> str:
        """What the client asks for."""
        return f"{NAME}:{self._port(secure)}"

    def _port(self, secure: bool) -> int:
        [port] = [one.port for one in self.site.listeners if one.is_secure == secure]
        return port


@contextmanager
def running(
    ground: Ground, front: Front, policy: ProxyPolicy, **said: Any
) -> Iterator[Running]:
    """Run *front* for a site that is described by *said*."""
    http, https = find_free_ports(2)
    site = Site(
        **{
            "backend": ground.backend,
            "server_names": NAME,
            "address": HOST,
            "http_port": http,
            "https_port": https,
            **said,
        }
    )
    run = front.print_for(ground.make_folder(), site, policy)
    with started(ground, front, run):
        yield Running(ground, site)


@contextmanager
def started(ground: Ground, front: Front, run: Run) -> Iterator[None]:
    """Start *front* with what was printed, and stop it at the end."""
    process = run_front(ground.manager, front, run)
    try:
        process.wait_ready()
        yield
    finally:
        process.stop()
        ground.manager.processes.remove(process)


def forge_everything(scheme: str) -> list[Line]:
    """Forge every known header and every spelling of it, in a request over *scheme*."""
    lines: list[Line] = []
    for header in KNOWN_HEADERS:
        name, value = forge(header.name, scheme)
        lines += [(name, value), *((one, value) for one in spell_variants(name))]
    return lines


def in_parts(lines: Sequence[Line], size: int = 60) -> Iterator[Sequence[Line]]:
    """Split *lines*: servers take no more than a hundred at once."""
    for start in range(0, len(lines), size):
        yield lines[start : start + size]
