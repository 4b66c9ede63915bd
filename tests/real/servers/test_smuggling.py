"""
What servers let through when it is sent raw, through every front end.

Some servers take what no front end should hand on: a line behind a bare LF, a name
with a blank, trailer fields. Each is sent through each front end to the servers that
would fall for it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from .behaviour import FORGED
from .client import Reply, encode, get, send
from .farm import CLIENT, Farm, start_front
from .fronts import FRONTS, Front, Place, Run, find_front
from .processes import find_free_ports
from .servers import SERVERS

ATTACKS = {
    "bare LF": f"X-Other: a\nX-Forwarded-For: {FORGED}\r\n",
    "bare CR": f"X-Other: a\rX-Forwarded-For: {FORGED}\r\n",
    "blank before the colon": f"X-Forwarded-For : {FORGED}\r\n",
    "folded": f"X-Forwarded-For: {FORGED},\r\n {FORGED}\r\n",
    "NUL": f"X-Forwarded-For: {FORGED}\0\r\n",
    "name with U+00A0": f"X-Forwarded-For\xa0: {FORGED}\r\n",
    "quote": 'X-Forwarded-For: "\r\n',
    "empty": "X-Forwarded-For:\r\n",
    "comma": "X-Forwarded-For: ,\r\n",
}
GULLIBLE = ("wsgiref", "werkzeug", "bjoern", "uwsgi", "uvicorn-h11", "granian")

by_front = pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.name)


@by_front
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("server", [*GULLIBLE, "cheroot"])
def test_malformed_line_through_the_front_end_changes_nothing(
    farm: Farm, front: Front, attack: str, server: str
) -> None:
    """The front end refuses it, or the application sees the client all the same."""
    farm.find_address(server)
    site = farm.find_place(front.name)
    block = (
        f"GET /{server}/page HTTP/1.1\r\nHost: app.example\r\n"
        f"Proving-Application: echo\r\n{ATTACKS[attack]}Connection: close\r\n\r\n"
    )

    reply = send((site.host, site.http), block.encode("latin-1"), source=CLIENT)

    if reply.status == 200:
        answer = reply.json()
        assert answer["address"] == CLIENT
        assert answer["decision"]["client"] == CLIENT
    else:
        assert reply.status in (0, 400)


def send_trailer(farm: Farm, front: Front, server: str) -> Reply:
    """Forge X-Forwarded-For in the trailer of a request through *front*."""
    farm.find_address(server)
    site = farm.find_place(front.name)
    head = [
        ("Host", "app.example"),
        ("Proving-Application", "echo"),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", "X-Forwarded-For"),
        ("TE", "trailers"),
        ("Connection", "close"),
    ]
    block = f"POST /{server}/page HTTP/1.1\r\n".encode() + encode(head) + b"\r\n"
    trailer = encode([("X-Forwarded-For", FORGED), ("X_Forwarded_For", FORGED)])
    block += b"2\r\nab\r\n0\r\n" + trailer + b"\r\n"
    return send((site.host, site.http), block, source=CLIENT, method="POST")


FALL_FOR_TRAILERS = ("uvicorn-httptools", "bjoern")


@pytest.mark.parametrize(
    ("front", "server"),
    [
        pytest.param(front, server.name, id=f"{front.name}-{server.name}")
        for front in FRONTS
        for server in SERVERS
        if not (front.hands_trailers_on and server.name in FALL_FOR_TRAILERS)
        and server.name != "runserver"
    ],
)
def test_trailer_fields_through_the_front_end_change_nothing(
    farm: Farm, front: Front, server: str
) -> None:
    """A trailer field that a client forges is no header of the application."""
    reply = send_trailer(farm, front, server)

    if reply.status == 200:
        answer = reply.json()
        assert answer["address"] == CLIENT
        assert FORGED not in str(answer["headers"])
    else:
        # Some refuse a chunked body, or what they can't hand on of it.
        assert reply.status in (0, 400, 411, 501, 502, 503)


@pytest.mark.parametrize(
    "front", [f for f in FRONTS if f.hands_trailers_on], ids=lambda front: front.name
)
def test_trailer_fields_that_a_front_end_hands_on_need_another_parser(
    farm: Farm, front: Front
) -> None:
    """Behind HAProxy httptools trusts a trailer, bjoern glues it; h11 drops it."""
    httptools = send_trailer(farm, front, "uvicorn-httptools").json()
    bjoern = send_trailer(farm, front, "bjoern").json()
    h11 = send_trailer(farm, front, "uvicorn-h11").json()

    assert httptools["address"] == FORGED
    assert bjoern["decision"]["client_known"] is False
    assert h11["address"] == CLIENT


H2C = [
    ("Upgrade", "h2c"),
    ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ("Connection", "Upgrade, HTTP2-Settings"),
]
"""RFC 7540 section 3.2: the connection goes on in HTTP/2, and nobody overwrites it."""


def ask_for_http2(farm: Farm, place: Place) -> Reply:
    """Ask Hypercorn, which speaks it, for HTTP/2 through the front end of *place*."""
    farm.find_address("hypercorn")
    lines = [("Proving-Application", "echo"), *H2C]
    return get(
        (place.host, place.http), "/hypercorn/page", lines, source=CLIENT, close=False
    )


@pytest.mark.parametrize(
    # lighttpd speaks HTTP/2 on such a connection by itself, and overwrites as before.
    "front",
    [f for f in FRONTS if f.name != "lighttpd"],
    ids=lambda front: front.name,
)
def test_upgrade_to_http2_is_not_handed_on(farm: Farm, front: Front) -> None:
    """A client gets no connection to the server past the front end."""
    reply = ask_for_http2(farm, farm.find_place(front.name))

    if reply.status == 200:
        answer = reply.json()
        assert answer["address"] == CLIENT
        assert "h2c" not in str(answer["headers"])
    else:
        assert reply.status in (400, 403)


def test_upgrade_to_http2_gets_past_nginx_that_hands_every_upgrade_on(
    farm: Farm,
) -> None:
    """With the usual ``$http_upgrade`` the server switches, and nginx looks away."""
    folder = farm.folder / "every-upgrade"
    folder.mkdir(mode=0o755)
    http, https, inner = find_free_ports(3)
    place = replace(
        farm.find_place("nginx"),
        folder=folder,
        http=http,
        https=https,
        inner_port=inner,
    )

    def weaken(run: Run) -> Run:
        text = run.join()
        usual = text.replace('"~*^websocket$" websocket;', "~. $http_upgrade;")
        usual = usual.replace('"~*^websocket$" upgrade;', "~. upgrade;")
        assert usual != text
        return replace(run, printed={"site.conf": usual})

    started = start_front(farm.manager, find_front("nginx"), place, weaken)
    try:
        for process in started:
            process.wait_ready()
        reply = ask_for_http2(farm, place)
    finally:
        for process in started:
            process.stop()

    assert reply.status == 101
