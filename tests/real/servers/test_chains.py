"""Two proxies in a chain, each front end before each other; dual-stack sockets."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest

from .client import get
from .farm import CLIENT, HOST, Farm, run_front
from .forgery import forge_all, list_known, observe
from .fronts import FRONTS, Front, find_front, make_policy
from .processes import ProcessManager, find_free_ports

CHAINS = [(a, b) for a in FRONTS for b in FRONTS if a is not b]


@pytest.mark.parametrize(
    ("outer", "inner"), CHAINS, ids=[f"{a.name}-{b.name}" for a, b in CHAINS]
)
@pytest.mark.parametrize("server", ["gunicorn-gthread", "uvicorn-httptools"])
def test_client_behind_any_two_proxies_is_seen_as_it_is(
    farm: Farm, outer: Front, inner: Front, server: str, tls: ssl.SSLContext
) -> None:
    """What the outer proxy confirms passes the inner one; nothing forged does."""
    farm.find_address(server)
    farm.find_place(inner.name)
    site = farm.find_place(outer.name)
    secure = not outer.no_tls
    port, scheme = (site.https, "https") if secure else (site.http, "http")

    answer = get(
        (site.host, port),
        f"/behind-{inner.name}/{server}/page",
        [("Proving-Application", "echo"), *forge_all(scheme)],
        host=f"app.example:{port}",
        source=CLIENT,
        tls=tls if secure else None,
    ).json()

    mount_point, path = f"/behind-{inner.name}", f"/{server}/page"
    host = f"app.example:{port}"
    expected = [CLIENT, scheme, host, str(port), mount_point, path]
    assert observe(answer) == expected
    assert answer["answered_by"] == server
    assert re.split(", ?", list_known(answer)["x-forwarded-for"])[0] == CLIENT


@pytest.fixture
def dual_stack(manager: ProcessManager) -> Iterator[None]:
    """Stop the front end that a test started."""
    first = len(manager.processes)
    yield
    for process in manager.processes[first:]:
        process.stop()


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
@pytest.mark.usefixtures("dual_stack")
def test_mapped_address_that_a_front_end_writes_is_the_ipv4_client(
    farm: Farm, name: str
) -> None:
    """A front end on [::] writes ::ffff:127.0.0.9, which is the client 127.0.0.9."""
    farm.find_address("waitress")
    front = find_front(name)
    folder = farm.folder / f"dual-{name}"
    folder.mkdir(mode=0o755)
    http, https = find_free_ports(2, "::")
    site = farm.find_place(name).make_edge(front)
    both = replace(site, address="::", http_port=http, https_port=https)
    run = front.print_for(folder, both, make_policy())
    run_front(farm.manager, front, run).wait_ready()
    chosen = ("Proving-Application", "echo")

    raw = get((HOST, http), "/waitress/page", source=CLIENT).json()
    mapped = get((HOST, http), "/waitress/page", [chosen], source=CLIENT).json()
    ipv6 = get(("::1", http), "/waitress/page", [chosen]).json()

    assert dict(raw["headers"])["x-forwarded-for"] == f"::ffff:{CLIENT}"
    assert mapped["address"] == CLIENT
    assert mapped["decision"]["client"] == CLIENT
    assert ipv6["address"] == "::1"
