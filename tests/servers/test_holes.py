"""
The holes of front ends: open without a line of the recommended configuration.

Each row leaves one line out, shows what a client can do then, and that it can't with
the line. docs/frontends.md names the lines.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from .behaviour import FORGED
from .client import Line, get
from .farm import CLIENT, HOST, Farm, start_front
from .fronts import FRONTS, Front, Site
from .processes import ProcessManager, find_free_ports


@dataclass(frozen=True, slots=True)
class Hole:
    """
    What is open when lines are left out of a recommended configuration.

    Attributes:
        pattern: What is taken out of it, a regular expression.

        instead: What stands there instead.

        attack: The header lines that use it.

        mount_point: Where the application is asked.

        gain: What the application then sees, by the answer's key.

        application: Who is asked: the policy's echo, or the one without any.
    """

    title: str
    front: str
    pattern: str
    attack: Sequence[Line]
    gain: Mapping[str, str]
    instead: str = ""
    mount_point: str = "/uwsgi"
    tls: bool = False
    application: str = "echo"


TWIN = [("X-Forwarded-For", "x"), ("X_Forwarded_For", FORGED)]
BOTH = {"headers": f"{FORGED}, {CLIENT}"}
SEES_FORGED = {"address": FORGED}

HOLES = (
    Hole(
        "nginx with underscores_in_headers",
        "nginx",
        r"(?=    ssl_certificate )",
        TWIN,
        SEES_FORGED,
        instead="    underscores_in_headers on;\n",
    ),
    Hole(
        "Apache without RequestHeader unset of the twins",
        "apache",
        r"    RequestHeader unset .*\n",
        TWIN,
        SEES_FORGED,
    ),
    Hole(
        "Apache without its own Connection",
        "apache",
        r"    RequestHeader set Connection .*\n",
        [("Connection", "close, X-Forwarded-Proto")],
        {"scheme": "http"},
        tls=True,
    ),
    Hole(
        "HAProxy without http-restrict-req-hdr-names",
        "haproxy",
        r"    option http-restrict-req-hdr-names delete\n",
        TWIN,
        BOTH,
        application="raw",
    ),
    Hole(
        "HAProxy with X-Forwarded-Proto for TLS only",
        "haproxy",
        r"    http-request set-header X-Forwarded-Proto http unless .*\n",
        [("X-Forwarded-Proto", "https")],
        {"scheme": "https"},
    ),
    Hole(
        "HAProxy without its own Connection, before Caddy",
        "haproxy",
        r"    http-request (del|set)-header Connection .*\n",
        [("Connection", "close, X-Forwarded-For")],
        {"address": HOST},
        mount_point="/behind-caddy/uwsgi",
    ),
    Hole(
        "Envoy without headers_with_underscores_action",
        "envoy",
        r" +common_http_protocol_options:\n +headers_with_underscores_action: .*\n",
        TWIN,
        BOTH,
        application="raw",
    ),
    Hole(
        "Varnish without unset of the twins",
        "varnish",
        r" +unset req\.http\.\S*_\S*;\n",
        TWIN,
        BOTH,
        application="raw",
    ),
    Hole(
        "lighttpd without the empty values of the twins",
        "lighttpd",
        r' +"X\S*_\S*" => "",\n',
        TWIN,
        SEES_FORGED,
    ),
    Hole(
        "lighttpd without the empty X-Forwarded-For",
        "lighttpd",
        r' +"X-Forwarded-For" => "",\n',
        [("X-Forwarded-For", FORGED)],
        BOTH,
        application="raw",
    ),
    Hole(
        "Apache with one URL for several unix sockets",
        "apache",
        r"\|http://[a-z0-9-]+-unix/",
        [],
        {"answered_by": "gunicorn-sync-unix"},
        instead="|http://localhost/",
        mount_point="/waitress-unix",
    ),
)


@pytest.fixture
def open_fronts(manager: ProcessManager) -> Iterator[list[int]]:
    """Stop the front ends that a test started."""
    first = len(manager.processes)
    yield []
    for process in manager.processes[first:]:
        process.stop()


def start_without(farm: Farm, hole: Hole) -> Site:
    """Start the front end of *hole* again, without the lines."""
    front = next(front for front in FRONTS if front.name == hole.front)
    folder = farm.folder / f"open-{len(farm.manager.processes)}"
    folder.mkdir()
    http, https, inner = find_free_ports(3)
    old = farm.find_site(hole.front)
    site = replace(old, folder=folder, http=http, https=https, inner_port=inner)

    def configure(site: Site) -> Mapping[str, str]:
        files = front.configure(site)
        changed = {
            name: re.sub(hole.pattern, hole.instead, text)
            for name, text in files.items()
        }
        assert changed != files
        return changed

    weakened: Front = replace(front, configure=configure)
    start_front(farm.manager, weakened, site).wait_ready()
    return site


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.title)
@pytest.mark.usefixtures("open_fronts")
def test_hole_is_open_without_the_line_and_closed_with_it(
    farm: Farm, hole: Hole, tls: ssl.SSLContext
) -> None:
    """Without the line the client gains something; with it, nothing."""
    server = hole.mount_point.rpartition("/")[2]
    farm.find_address(server)
    farm.find_address("gunicorn-sync-unix")
    for front in FRONTS:
        farm.find_site(front.name)
    context = tls if hole.tls else None
    seen = []

    for site in (start_without(farm, hole), farm.find_site(hole.front)):
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
