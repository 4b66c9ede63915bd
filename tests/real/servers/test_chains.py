"""Two proxies in a chain, each front end before each other; dual-stack sockets."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from .client import get
from .farm import CLIENT, HOST, Farm, start_front
from .forgery import forge_all, list_known, observe
from .fronts import FRONTS, Front, Site
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
    farm.find_site(inner.name)
    site = farm.find_site(outer.name)
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


DUAL_STACK = {
    "nginx": (r"listen 127\.0\.0\.1:(\d+)( ssl)?;", r"listen [::]:\1\2 ipv6only=off;"),
    "haproxy": (r"bind 127\.0\.0\.1:(\d+)", r"bind [::]:\1 v4v6"),
}


@pytest.fixture
def dual_stack(manager: ProcessManager) -> Iterator[None]:
    """Stop the front end that a test started."""
    first = len(manager.processes)
    yield
    for process in manager.processes[first:]:
        process.stop()


@pytest.mark.parametrize("name", DUAL_STACK)
@pytest.mark.usefixtures("dual_stack")
def test_mapped_address_that_a_front_end_writes_is_the_ipv4_client(
    farm: Farm, name: str
) -> None:
    """A front end on [::] writes ::ffff:127.0.0.9, which is the client 127.0.0.9."""
    farm.find_address("waitress")
    front = next(front for front in FRONTS if front.name == name)
    pattern, instead = DUAL_STACK[name]

    def configure(site: Site) -> Mapping[str, str]:
        files = front.configure(site)
        return {file: re.sub(pattern, instead, text) for file, text in files.items()}

    folder = farm.folder / f"dual-{name}"
    folder.mkdir()
    http, https, inner = find_free_ports(3, "::")
    site = replace(
        farm.find_site(name), folder=folder, http=http, https=https, inner_port=inner
    )
    start_front(farm.manager, replace(front, configure=configure), site).wait_ready()
    chosen = ("Proving-Application", "echo")

    raw = get((HOST, http), "/waitress/page", source=CLIENT).json()
    mapped = get((HOST, http), "/waitress/page", [chosen], source=CLIENT).json()
    ipv6 = get(("::1", http), "/waitress/page", [chosen]).json()

    assert dict(raw["headers"])["x-forwarded-for"] == f"::ffff:{CLIENT}"
    assert mapped["address"] == CLIENT
    assert mapped["decision"]["client"] == CLIENT
    assert ipv6["address"] == "::1"
