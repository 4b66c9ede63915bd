"""Lines that nginx and Apache really write are read again, whatever a client sent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from trustedproxy import Connection
from trustedproxy.frontends.log_formats import LoggedRequest, read_line

from ..servers.client import get
from ..servers.farm import CLIENT
from ..servers.fronts import find_front
from ..servers.processes import ANSWER_SECONDS
from .asking import NAME, Ground, running
from .test_requests import ALL, make_policy

WRITTEN_BY = ("nginx", "apache")


def read_lines(log: Path, last: str) -> list[LoggedRequest]:
    """Wait until the request for *last* is there, and read all lines."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines and last in lines[-1]:
            return [read_line(line) for line in lines]
        time.sleep(0.05)
    raise AssertionError(f"{log} has no {last}")


@pytest.mark.parametrize("name", WRITTEN_BY)
def test_line_has_the_headers_as_the_application_was_sent_them(
    ground: Ground, name: str
) -> None:
    """The decision about a line is the decision about the request."""
    log = ground.make_folder() / "access.log"
    policy = make_policy(*ALL)
    front = find_front(name)
    said = {"path": "/app", "tls": ground.tls, "access_log": str(log)}

    with running(ground, front, policy, **said) as run:
        sent = run.get("/app/a%20b?c=d", [("X-Forwarded-For", "6.6.6.6")], secure=True)
        [line] = read_lines(log, "/app/")

    arrived = dict(sent.json()["lines"])
    assert line.headers == {one: arrived[one] for one in ALL}
    assert (line.peer, line.scheme, line.status) == (CLIENT, "https", "200")
    assert (line.method, line.target) == ("GET", "/app/a%20b?c=d")
    assert line.host == run.host(True)
    connection = Connection(peer="127.0.0.1", host=line.host)
    decision = policy.decide(connection, dict(line.headers))
    assert (decision.client, decision.scheme) == (CLIENT, "https")
    assert decision.mount_point == "/app"


@pytest.mark.parametrize("name", WRITTEN_BY)
def test_line_of_an_inner_proxy_has_what_was_handed_on(
    ground: Ground, name: str
) -> None:
    """Several elements, and odd characters as they came."""
    log = ground.make_folder() / "access.log"
    front = find_front(name)
    odd = 'a"b\\c\td\xe9,{}'

    with running(
        ground, front, make_policy(*ALL), behind="127.0.0.1", access_log=str(log)
    ) as run:
        said = [("X-Forwarded-For", CLIENT), ("X-Forwarded-Host", odd)]
        run.get("/page", said, source="127.0.0.1").json()
        [line] = read_lines(log, "/page")

    assert line.headers["X-Forwarded-For"] == f"{CLIENT}, 127.0.0.1"
    assert line.headers["X-Forwarded-Host"].startswith('a"b\\c\td')
    assert "X-Forwarded-Prefix" not in line.headers


@pytest.mark.parametrize("name", WRITTEN_BY)
def test_line_of_an_odd_request_is_read(ground: Ground, name: str) -> None:
    """Nothing that a client sends makes a line that cannot be read."""
    log = ground.make_folder() / "access.log"
    front = find_front(name)
    targets = ["/%22", '/"\\', "/\xff\xfe", "*", "http://a/b"]

    with running(ground, front, make_policy(*ALL), access_log=str(log)) as run:
        address = ("127.0.0.1", run.site.listeners[0].port)
        for target in targets:
            get(address, target, host=NAME, source=CLIENT)
        get(address, "/page", [("X-Forwarded-Proto", "\x01\x7f")], host=NAME)
        run.get("/last").json()
        lines = read_lines(log, "/last")

    assert lines[-1].target == "/last"
    assert all(line.peer in (CLIENT, "127.0.0.1") for line in lines)
