"""Every front end before every server with every application: nothing forged counts."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from .client import Line, Reply, get, hear
from .farm import CLIENT, Farm
from .forgery import (
    KNOWN_NAMES,
    forge,
    forge_all,
    forge_twice,
    forge_variants,
    list_known,
    observe,
)
from .fronts import FRONTS, SET_BY_THE_FRONT_END, Place
from .matrix import CELLS, Cell, Check, Outcomes, list_cells
from .servers import SERVERS, Protocol, Server, list_applications


def parametrize(check: Check) -> pytest.MarkDecorator:
    """Run a test for every cell that has *check*."""
    cells = list_cells(check)
    return pytest.mark.parametrize("cell", cells, ids=[cell.name for cell in cells])


def ask(
    farm: Farm,
    cell: Cell,
    mount_point: str,
    lines: Sequence[Line] = (),
    *,
    tls: ssl.SSLContext | None = None,
    raw: bytes = b"",
) -> Reply:
    """Ask the application of *cell* through its front end."""
    site = farm.find_place(cell.front.name)
    port = site.https if tls else site.http
    return get(
        (site.host, port),
        f"{mount_point}/page",
        [("Proving-Application", cell.application), *lines],
        host=f"app.example:{port}",
        source=CLIENT,
        tls=tls,
        raw=raw,
    )


def expect(
    site: Place, mount_point: str, scheme: str, path: str = "/page"
) -> list[Any]:
    """Say what the application has to see of a request through *site*."""
    port = site.https if scheme == "https" else site.http
    host = f"app.example:{port}"
    return [CLIENT, scheme, host, str(port), mount_point, path]


def check_answer(
    answer: Mapping[str, Any], expected: Sequence[Any], cell: Cell
) -> None:
    """Check what the application sees, and that no other known header is left."""
    assert observe(answer) == list(expected)
    assert answer["answered_by"] == str(expected[4]).removeprefix("/")
    left = list_known(answer)
    assert set(left) <= {name.lower() for name in SET_BY_THE_FRONT_END}, left
    assert left["x-forwarded-for"] == CLIENT
    decision = answer["decision"]
    assert (decision["client"], decision["peer_trusted"]) == (CLIENT, True)
    if answer["url"] and cell.application != "starlette":
        scheme, host, mount_point, path = (expected[i] for i in (1, 2, 4, 5))
        assert answer["url"] == f"{scheme}://{host}{mount_point}{path}"


@parametrize(Check.PLAIN)
def test_client_over_http_is_seen_as_it_is(
    farm: Farm, outcomes: Outcomes, cell: Cell
) -> None:
    """Address, scheme, host, port and mount point of the client arrive."""
    farm.find_address(cell.server.name)

    answer = ask(farm, cell, f"/{cell.server.name}").json()

    site = farm.find_place(cell.front.name)
    check_answer(answer, expect(site, f"/{cell.server.name}", "http"), cell)
    outcomes.record(cell, Check.PLAIN)


@parametrize(Check.TLS)
def test_client_over_tls_is_seen_as_it_is(
    farm: Farm, outcomes: Outcomes, cell: Cell, tls: ssl.SSLContext
) -> None:
    """TLS that the front end terminates is the scheme that the application sees."""
    farm.find_address(cell.server.name)

    answer = ask(farm, cell, f"/{cell.server.name}", tls=tls).json()

    site = farm.find_place(cell.front.name)
    check_answer(answer, expect(site, f"/{cell.server.name}", "https"), cell)
    outcomes.record(cell, Check.TLS)


@parametrize(Check.UNIX)
def test_client_of_a_server_on_a_unix_socket_is_seen_as_it_is(
    farm: Farm, outcomes: Outcomes, cell: Cell
) -> None:
    """A unix peer is trusted, and what the client forged is not."""
    name = f"{cell.server.name}-unix"
    farm.find_address(name)

    answer = ask(farm, cell, f"/{name}", forge_all("http")).json()

    site = farm.find_place(cell.front.name)
    check_answer(answer, expect(site, f"/{name}", "http"), cell)
    outcomes.record(cell, Check.UNIX)


@parametrize(Check.FORGED)
def test_forged_headers_through_the_front_end_change_nothing(
    farm: Farm, outcomes: Outcomes, cell: Cell
) -> None:
    """Every known header, forged at once, is as if it had not been sent."""
    farm.find_address(cell.server.name)

    answer = ask(farm, cell, f"/{cell.server.name}", forge_all("http")).json()

    site = farm.find_place(cell.front.name)
    check_answer(answer, expect(site, f"/{cell.server.name}", "http"), cell)
    outcomes.record(cell, Check.FORGED)


@parametrize(Check.VARIANTS)
def test_underscore_variants_through_the_front_end_change_nothing(
    farm: Farm, outcomes: Outcomes, cell: Cell
) -> None:
    """No spelling with underscores reaches what the front end says."""
    farm.find_address(cell.server.name)

    reply = ask(farm, cell, f"/{cell.server.name}", forge_variants("http"))

    site = farm.find_place(cell.front.name)
    check_answer(reply.json(), expect(site, f"/{cell.server.name}", "http"), cell)
    outcomes.record(cell, Check.VARIANTS)


@parametrize(Check.CONNECTION)
def test_headers_named_in_connection_are_neither_lost_nor_forged(
    farm: Farm, outcomes: Outcomes, cell: Cell
) -> None:
    """What a client names in Connection arrives all the same, or all is refused."""
    farm.find_address(cell.server.name)
    site = farm.find_place(cell.front.name)
    expected = expect(site, f"/{cell.server.name}", "http")
    words = set()

    for name in SET_BY_THE_FRONT_END:
        lines = [("Connection", f"close, {name}"), forge(name, "http")]
        reply = ask(farm, cell, f"/{cell.server.name}", lines)
        if reply.status == 400:
            words.add("refused")
        else:
            check_answer(reply.json(), expected, cell)
            words.add("kept")

    outcomes.record(cell, Check.CONNECTION, " or ".join(sorted(words)))


@parametrize(Check.REPEATED)
def test_repeated_lines_through_the_front_end_change_nothing(
    farm: Farm, outcomes: Outcomes, cell: Cell
) -> None:
    """Two lines of each trusted header are replaced by the front end's one."""
    farm.find_address(cell.server.name)

    answer = ask(farm, cell, f"/{cell.server.name}", forge_twice("http")).json()

    site = farm.find_place(cell.front.name)
    check_answer(answer, expect(site, f"/{cell.server.name}", "http"), cell)
    outcomes.record(cell, Check.REPEATED)


@parametrize(Check.BEHIND)
def test_client_behind_two_proxies_is_seen_as_it_is(
    farm: Farm, outcomes: Outcomes, cell: Cell, tls: ssl.SSLContext
) -> None:
    """A second proxy keeps what the first one confirmed."""
    farm.find_address(cell.server.name)
    farm.find_place(cell.front.name)
    outer = "haproxy" if cell.front.name == "nginx" else "nginx"
    site = farm.find_place(outer)
    mount_point = f"/behind-{cell.front.name}"

    reply = get(
        (site.host, site.https),
        f"{mount_point}/{cell.server.name}/page",
        [("Proving-Application", cell.application), *forge_all("https")],
        host=f"app.example:{site.https}",
        source=CLIENT,
        tls=tls,
    )

    path = f"/{cell.server.name}/page"
    answer = reply.json()
    assert answer["answered_by"] == cell.server.name
    assert observe(answer) == expect(site, mount_point, "https", path)
    left = list_known(answer)
    assert set(left) <= {name.lower() for name in SET_BY_THE_FRONT_END}, left
    outcomes.record(cell, Check.BEHIND)


@parametrize(Check.WEBSOCKET)
def test_websocket_through_the_front_end_has_the_client(
    farm: Farm, outcomes: Outcomes, cell: Cell, tls: ssl.SSLContext
) -> None:
    """A websocket's scope is corrected like any other, its scheme ws or wss."""
    farm.find_address(cell.server.name)
    site = farm.find_place(cell.front.name)

    for context in (None,) if cell.front.no_tls else (None, tls):
        port = site.https if context else site.http
        scheme = "wss" if context else "ws"
        forged = [
            line
            for line in forge_all("https" if context else "http")
            if line[0] != "SCRIPT_NAME"
        ]
        message = hear(
            (site.host, port),
            f"/{cell.server.name}/page",
            [("Proving-Application", cell.application), *forged],
            host=f"app.example:{port}",
            source=CLIENT,
            tls=context,
        )
        answer = json.loads(message)
        expected = expect(site, f"/{cell.server.name}", "https" if context else "http")
        expected[1] = scheme

        assert observe(answer) == expected
        assert answer["answered_by"] == cell.server.name
        assert list_known(answer)["x-forwarded-for"] == CLIENT
    outcomes.record(cell, Check.WEBSOCKET)


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.name)
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_each_forged_header_through_the_front_end_changes_nothing(
    farm: Farm, front: Any, server: Server
) -> None:
    """Each known header by itself is as if it had not been sent."""
    farm.find_address(server.name)
    site = farm.find_place(front.name)
    cell = Cell(front, server, list_applications(server)[0])

    for name in KNOWN_NAMES:
        answer = ask(farm, cell, f"/{server.name}", [forge(name, "http")]).json()
        check_answer(answer, expect(site, f"/{server.name}", "http"), cell)


AROUND = [(server, name) for server in SERVERS for name in list_applications(server)]


@pytest.mark.parametrize(
    ("server", "application"), AROUND, ids=[f"{s.name}-{a}" for s, a in AROUND]
)
def test_forged_headers_around_the_front_end_change_nothing(
    farm: Farm, server: Server, application: str
) -> None:
    """An untrusted peer is the client, whatever it sends."""
    address = farm.find_address(server.name)
    chosen = ("Proving-Application", application)
    true = get(address, "/page", [chosen], source=CLIENT).json()
    attacks = [
        *([forge(name, "http")] for name in KNOWN_NAMES),
        forge_all("http"),
        forge_variants("http"),
        forge_twice("http"),
        [("Connection", "close, X-Forwarded-For"), forge("X-Forwarded-For", "http")],
    ]

    for lines in attacks:
        reply = get(address, "/page", [chosen, *lines], source=CLIENT)
        if reply.status == 400:
            # gunicorn refuses two lines of X-Forwarded-Proto from whomever it trusts.
            assert len(lines) > 1
            continue
        answer = reply.json()

        assert observe(answer) == observe(true), lines
        assert observe(answer)[:2] == [CLIENT, "http"]
        assert list_known(answer) == {}, lines
        assert answer["decision"]["reason"] == "PEER_NOT_TRUSTED"


def test_matrix_has_hundreds_of_cells() -> None:
    """Every front end, server and application has its place in the matrix."""
    assert len(CELLS) >= 100
    assert {cell.front for cell in CELLS} == set(FRONTS)
    assert {cell.server for cell in CELLS} == set(SERVERS)
    assert {cell.server.protocol for cell in CELLS} == set(Protocol)
