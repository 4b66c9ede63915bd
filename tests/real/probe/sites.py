"""
One front end at a time, and probes of it.

In:  a front end, a policy, and what is changed in the configuration that is printed.
Out: `Site`s that run, and their report cards.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import TLS, Site
from trustedproxy.probe import (
    Card,
    Finding,
    Limits,
    Severity,
    Wanted,
    parse_direct,
    parse_target,
    run_probe,
)
from trustedproxy.probe.client import Client
from trustedproxy.report.visits import TOKEN_HEADER

from ..servers.farm import CLIENT, run_front
from ..servers.fronts import Front
from ..servers.processes import ProcessManager, find_free_ports
from .behind import Behind, serve

HOST = "127.0.0.1"
NAME = "www.example.com"
#: Nobody is to be polite to.
LIMITS = Limits(a_second=100_000)
POLICY: Mapping[str, Any] = {
    "headers": "X-Forwarded-For X-Forwarded-Proto",
    "proxies": HOST,
    "strip": "all",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What all front ends of a session stand on."""

    manager: ProcessManager
    folder: Path
    tls: TLS
    context: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class Running:
    """A front end that runs, with the application behind it."""

    ground: Ground
    front: Front
    site: Site
    behind: Behind

    def probe(
        self, *, secure: bool = False, by_page: bool = True, direct: bool = False
    ) -> Card:
        """Probe it."""
        [port] = [one.port for one in self.site.listeners if one.is_secure == secure]
        path = "trustedproxy/" if by_page else ""
        scheme = "https" if secure else "http"
        # The name is not in DNS.
        target = replace(parse_target(f"{scheme}://{NAME}:{port}/{path}"), server=HOST)
        lines = [("User-Agent", "trustedproxy-probe"), ("Accept", "*/*")]
        token = (TOKEN_HEADER, self.behind.make_token()) if by_page else None
        behind = parse_direct(f"{HOST}:{self.behind.port}", target)
        wanted = Wanted(
            target=target,
            client=Client(
                target,
                LIMITS,
                lines,
                token=token,
                tls=self.ground.context,
                source=CLIENT,
            ),
            by_page=by_page,
            direct=behind if direct else None,
            direct_client=Client(behind, LIMITS, lines, token=token),
            frontend=self.front.name,
            limits=LIMITS,
        )
        return run_probe(wanted, random=Random(1))


@contextmanager
def running(
    ground: Ground,
    front: Front,
    changes: Mapping[str, str] | None = None,
    **policy: Any,
) -> Iterator[Running]:
    """
    Run *front* before the application.

    Args:
        changes: Regular expression → what stands in its place in what is printed.

        policy: What of `POLICY` is other.
    """
    made = ProxyPolicy(**{**POLICY, **policy})
    # What is printed is for a policy that knows its proxies.
    printed_for = ProxyPolicy(**{**POLICY, **policy, "proxies": HOST})
    http, https = find_free_ports(2)
    folder = ground.folder / f"front-{len(list(ground.folder.iterdir()))}"
    folder.mkdir(mode=0o755)
    with serve(made) as behind:
        site = Site(
            backend=f"{HOST}:{behind.port}",
            server_names=NAME,
            address=HOST,
            http_port=http,
            https_port=https,
            tls=None if front.no_tls else ground.tls,
        )
        run = front.print_for(folder, site, printed_for)
        run = replace(run, printed=change(run.printed, changes or {}))
        process = run_front(ground.manager, front, run)
        try:
            process.wait_ready()
            yield Running(ground, front, site, behind)
        finally:
            process.stop()
            ground.manager.processes.remove(process)


def change(printed: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Change what is printed; each change has to be one."""
    texts = dict(printed)
    for pattern, instead in changes.items():
        before = dict(texts)
        for name, text in texts.items():
            texts[name] = re.sub(pattern, instead, text, flags=re.MULTILINE)
        assert texts != before, pattern
    return texts


def list_open(card: Card) -> list[Finding]:
    """List what got through."""
    return [one for one in card.findings if one.severity > Severity.NOTE]
