"""
The holes of front ends: open without a line of the recommended configuration.

Each row of `holes` leaves one line out: what a client can do then is shown, and that
it can't with the line.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest

from .client import get
from .farm import CLIENT, HOST, Farm, start_front
from .fronts import FRONTS, Place, Run, find_front
from .holes import HOLES, Hole
from .processes import ProcessManager, find_free_ports


@pytest.fixture
def open_fronts(manager: ProcessManager) -> Iterator[list[int]]:
    """Stop the front ends that a test started."""
    first = len(manager.processes)
    yield []
    for process in manager.processes[first:]:
        process.stop()


def start_without(farm: Farm, hole: Hole) -> Place:
    """Start the front end of *hole* again, without the lines."""
    folder = farm.folder / f"open-{len(farm.manager.processes)}"
    folder.mkdir(mode=0o755)
    http, https, inner = find_free_ports(3)
    old = farm.find_place(hole.front)
    place = replace(old, folder=folder, http=http, https=https, inner_port=inner)

    def weaken(run: Run) -> Run:
        if run.site.behind:
            return run
        changed = {
            name: re.sub(hole.pattern, hole.instead, text)
            for name, text in run.printed.items()
        }
        assert changed != run.printed
        return replace(run, printed=changed)

    for process in start_front(farm.manager, find_front(hole.front), place, weaken):
        process.wait_ready()
    return place


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.title)
@pytest.mark.usefixtures("open_fronts")
def test_hole_is_open_without_the_line_and_closed_with_it(
    farm: Farm, hole: Hole, tls: ssl.SSLContext
) -> None:
    """Without the line the client gains something; with it, nothing."""
    server = hole.mount_point.rpartition("/")[2]
    farm.find_address(server)
    farm.find_address("uwsgi-unix")
    for front in FRONTS:
        farm.find_place(front.name)
    context = tls if hole.tls else None
    seen = []

    for site in (start_without(farm, hole), farm.find_place(hole.front)):
        answer = get(
            (site.host, site.https if hole.tls else site.http),
            f"{hole.mount_point}/page",
            [("Proving-Application", hole.application), *hole.attack],
            source=CLIENT,
            tls=context,
        ).json()
        forwarded = dict(answer["headers"]).get("x-forwarded-for")
        seen.append({**answer, "headers": forwarded})

    weak, recommended = seen
    assert {key: weak[key] for key in hole.gain} == hole.gain
    if hole.application == "echo":
        assert recommended["address"] == CLIENT
        assert recommended["scheme"] == ("https" if hole.tls else "http")
    assert recommended["answered_by"] == server
    # What stands right of the client are our own proxies.
    assert recommended["headers"] in (CLIENT, f"{CLIENT}, {HOST}")
