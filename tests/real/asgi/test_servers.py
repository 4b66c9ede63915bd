"""
What each server hands over, and what the policy makes of it, by HTTP and on websockets.

`tests/real/servers` has the traps that are the same for WSGI; here are those of scopes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .asking import STRANGER, ask, find_refusal, send, talk
from .running import POLICY, SERVERS, Running, Starter

CLIENT = "203.0.113.7"
FORGED = "198.51.100.66"
BEHIND = "showing:behind_policy"
BARE = "showing:bare"
UNIX = {**POLICY, "TRUSTED_PROXIES": "unix"}
EVERY_ADDRESS = {**POLICY, "TRUSTED_PROXIES": "0.0.0.0/0 ::/0"}

each_server = pytest.mark.parametrize("server", SERVERS)
each_way = pytest.mark.parametrize("by", [ask, talk], ids=["http", "websocket"])


def values(seen: dict[str, Any], name: str) -> list[str]:
    """List the lines of a header that the application sees."""
    return [value for key, value in seen["headers"] if key.lower() == name]


# Names and lines.


@each_server
@each_way
def test_lines_are_read_in_their_order(start: Starter, server: str, by: Any) -> None:
    """A header that is there twice is one list: the proxy's own line is the last."""
    lines = [("X-Forwarded-For", FORGED), ("X-Forwarded-For", CLIENT)]

    seen = by(start(server, BEHIND).address, "/page", lines)

    assert seen["client"][0] == CLIENT
    assert values(seen, "x-forwarded-for") == [CLIENT]


@each_server
@each_way
@pytest.mark.parametrize("source", ["127.0.0.1", STRANGER])
def test_underscore_variant_reaches_nobody(
    start: Starter, server: str, by: Any, source: str
) -> None:
    """The variant is gone from the scope, whoever sent it, whatever the server did."""
    lines = {"X_Forwarded_For": FORGED, "X-Real_IP": FORGED, "X_Forwarded_Proto": "x"}

    seen = by(start(server, BEHIND).address, "/page", lines, source=source)

    assert seen["client"][0] == source
    assert FORGED not in str(seen["headers"])
    assert "x_forwarded_proto" not in str(seen["headers"]).lower()


# Schemes and ports.

SCHEMES = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}


@each_server
@pytest.mark.parametrize("said", SCHEMES)
def test_websocket_scheme_is_the_one_that_the_proxy_names(
    start: Starter, server: str, said: str
) -> None:
    """A websocket's scheme is ws or wss, in whichever words the proxy says it."""
    address = start(server, BEHIND).address
    lines = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": said}

    assert talk(address, "/talk", lines)["scheme"] == SCHEMES[said]
    assert talk(address, "/talk", lines, source=STRANGER)["scheme"] == "ws"


def test_daphne_websocket_has_a_scheme_after_the_policy(start: Starter) -> None:
    """Daphne's websocket scope has no scheme at all; the policy's is complete."""
    bare = talk(start("daphne", BARE).address, "/talk")
    seen = talk(start("daphne", BEHIND).address, "/talk", {"X-Forwarded-For": CLIENT})

    assert "scheme" not in bare
    assert seen["scheme"] == "ws"


@each_server
@each_way
def test_ports_that_are_written_are_numbers(
    start: Starter, server: str, by: Any
) -> None:
    """Granian's ports are text; a port from a header is a number on every server."""
    lines = {"X-Forwarded-For": f"{CLIENT}:4711", "X-Forwarded-Port": "8443"}

    bare = by(start(server, BARE).address, "/page", lines)
    seen = by(start(server, BEHIND).address, "/page", lines)

    kind = str if server == "granian" else int
    assert isinstance(bare["client"][1], kind)
    assert seen["client"] == [CLIENT, 4711]
    assert seen["server"][1] == 8443


# Peers without an IP address.

#: What the servers say of a unix socket: client and server, the path as ``…``.
UNIX_PEERS = {
    "uvicorn-httptools": (None, ["…", None]),
    "uvicorn-h11": (None, ["…", None]),
    "hypercorn": (None, None),
    "daphne": (None, None),
    "granian": (["", "0"], ["…", "0"]),
}


@each_server
@each_way
def test_unix_peer_is_reported_as_documented(
    start: Starter, server: str, by: Any
) -> None:
    """A unix socket's client has no address, in the words of each server."""
    address = start(server, BARE, unix=True).address

    seen = by(address, "/page")

    place = seen.get("server") and [
        "…" if seen["server"][0] == address else seen["server"][0],
        seen["server"][1],
    ]
    assert (seen["client"], place) == UNIX_PEERS[server]


@each_server
@each_way
def test_unix_peer_is_trusted_if_the_policy_says_unix(
    start: Starter, server: str, by: Any
) -> None:
    """With ``unix`` in the list of proxies, what came through the socket is true."""
    lines = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}

    seen = by(start(server, BEHIND, unix=True, settings=UNIX).address, "/page", lines)

    assert seen["client"] == [CLIENT, 0]
    assert seen["scheme"] in ("https", "wss")


@each_server
@each_way
def test_unix_peer_is_in_no_network(start: Starter, server: str, by: Any) -> None:
    """A list of every address there is does not have the unix socket's peer."""
    lines = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
    running = start(server, BEHIND, unix=True, settings=EVERY_ADDRESS)

    seen = by(running.address, "/page", lines)

    assert seen["decision"]["peer_trusted"] is False
    assert seen["client"] == UNIX_PEERS[server][0]
    assert seen["scheme"] in ("http", "ws")
    assert values(seen, "x-forwarded-for") == []


def test_granian_websocket_that_names_itself_after_a_proxy_is_not_trusted(
    start: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of Granian's unix socket that calls itself 127.0.0.1 stays nameless."""
    lines = {"X-Forwarded-For": CLIENT}
    bare = start("granian", BARE, unix=True).address
    address = start("granian", BEHIND, unix=True, settings=POLICY).address
    monkeypatch.chdir(tmp_path)

    told = talk(bare, "/talk", lines, name="127.0.0.1")
    os.unlink("127.0.0.1")
    seen = talk(address, "/talk", lines, name="127.0.0.1")

    assert told["client"] == ["127.0.0.1", "0"]
    assert seen["decision"]["peer_trusted"] is False
    assert seen["client"] != [CLIENT, 0]
    assert values(seen, "x-forwarded-for") == []


# Mount points.

MOUNTED = {**POLICY, "TRUSTED_PROXY_STRIP_MOUNT_POINT": "true"}
INSIDE_PATH = "/%C3%A4/b"


def mount(
    start: Starter, server: str, *options: str, strip: bool, path: str, by: Any = ask
) -> tuple[str, str, str]:
    """Ask for *path* at /app; return ``root_path``, ``path`` and ``raw_path``."""
    running: Running = start(
        server, BEHIND, *options, settings=MOUNTED if strip else POLICY
    )
    lines = {"X-Forwarded-For": CLIENT, "X-Forwarded-Prefix": "/app"}
    seen = by(running.address, path, lines)
    return seen["root_path"], seen["path"], seen["raw_path"]


@each_server
@each_way
@pytest.mark.parametrize("strip", [False, True])
def test_mount_point_that_the_proxy_took_off_is_put_in_front(
    start: Starter, server: str, by: Any, strip: bool
) -> None:
    """Where the proxy removes its prefix, ``path`` gets it back: it has root_path."""
    actual = mount(start, server, strip=strip, path=INSIDE_PATH, by=by)

    assert actual == ("/app", "/app/ä/b", f"/app{INSIDE_PATH}")


@each_server
@each_way
def test_mount_point_that_the_proxy_left_is_there_once_with_strip(
    start: Starter, server: str, by: Any
) -> None:
    """A prefix that the proxy leaves comes once with strip_mount_point, else twice."""
    sent = f"/app{INSIDE_PATH}"

    with_strip = mount(start, server, strip=True, path=sent, by=by)
    without = mount(start, server, strip=False, path=sent, by=by)

    assert with_strip == ("/app", "/app/ä/b", sent)
    assert without == ("/app", "/app/app/ä/b", f"/app{sent}")


@each_server
@pytest.mark.parametrize("strip", [False, True])
def test_prefix_that_only_looks_like_the_mount_point_is_kept(
    start: Starter, server: str, strip: bool
) -> None:
    """A mount point ends at a slash: /apple is no page of /app."""
    actual = mount(start, server, strip=strip, path="/apple")

    assert actual == ("/app", "/app/apple", "/app/apple")


@each_server
@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_own_mount_point_of_the_server_gives_way(
    start: Starter, server: str, strip: bool, left: bool
) -> None:
    """The server's own mount point is taken off by its convention, then /app put on."""
    row = SERVERS[server]
    # uvicorn puts /m in front of whatever comes; the others leave the path as it came.
    came = "" if row.puts_mount_in_front else "/m"
    rest = f"/app{INSIDE_PATH}" if left else INSIDE_PATH

    bare = ask(start(server, BARE, row.mount, "/m").address, f"{came}{rest}")
    actual = mount(start, server, row.mount, "/m", strip=strip, path=f"{came}{rest}")

    assert bare["root_path"] == "/m"
    assert bare["path"].startswith("/m/")
    once = left and strip
    assert actual == (
        "/app",
        "/app/ä/b" if once or not left else "/app/app/ä/b",
        rest if once else f"/app{rest}",
    )


@each_server
def test_stranger_moves_no_mount_point(start: Starter, server: str) -> None:
    """From a peer that is not trusted the mount point stays the server's own."""
    row = SERVERS[server]
    came = "" if row.puts_mount_in_front else "/m"
    lines = {"X-Forwarded-Prefix": "/evil"}
    address = start(server, BEHIND, row.mount, "/m").address

    seen = ask(address, f"{came}/page", lines, source=STRANGER)

    assert (seen["root_path"], seen["path"]) == ("/m", "/m/page")
    assert values(seen, "x-forwarded-prefix") == []


# Refusals and lifespans.

STRICT = {**POLICY, "TRUSTED_PROXY_MALFORMED": "reject"}


@each_server
def test_malformed_value_is_refused_before_the_application(
    start: Starter, server: str
) -> None:
    """With malformed = reject a request gets 400, and a websocket 400 or 403."""
    address = start(server, BEHIND, settings=STRICT).address
    lines = {"X-Forwarded-For": "garbage"}

    response = send(address, "/page", lines)
    refusal = find_refusal(address, "/talk", lines)

    assert (response.status_code, response.text) == (400, "Bad Request\n")
    assert response.headers["cache-control"] == "no-store"
    assert refusal == (400 if SERVERS[server].answers_websockets else 403)
    assert find_refusal(address, "/talk", {"X-Forwarded-For": CLIENT}) == 0


@pytest.mark.parametrize("server", ["uvicorn-httptools", "hypercorn", "granian"])
@each_way
def test_state_of_the_lifespan_reaches_the_requests(
    start: Starter, server: str, by: Any
) -> None:
    """Lifespans pass the middleware untouched, and their state stays shared."""
    seen = by(start(server, BEHIND).address, "/page", {"X-Forwarded-For": CLIENT})

    assert seen["client"][0] == CLIENT
    assert seen["state"] == {"greeting": "from the lifespan"}
