"""
What servers let through when it is sent raw, through every front end.

Some servers take what no front end should hand on: a line behind a bare LF, a name
with a blank, trailer fields. Each is sent through each front end to the servers that
would fall for it.
"""

from __future__ import annotations

import pytest

from .behaviour import FORGED
from .client import Reply, encode, send
from .farm import CLIENT, Farm
from .fronts import FRONTS, Front
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
