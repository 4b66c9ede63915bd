"""
The traps of the servers: those that the middleware closes, and the options that close
the others.

Each test names the trap in its first sentence, as docs/servers.md does.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .behaviour import FORGED, REAL
from .client import Line, Reply, encode, get, hear, send
from .farm import CLIENT, HOST, Farm, Starter
from .fronts import POLICY
from .processes import ANSWER_SECONDS, Address, split_tcp
from .servers import (
    ASGI_APPLICATION,
    PYTHON,
    SERVERS,
    WSGI_APPLICATION,
    Protocol,
    Server,
    find_server,
    run_program,
    start_as_printed,
)

ECHO: Line = ("Proving-Application", "echo")
XFF_REAL: Line = ("X-Forwarded-For", REAL)
HTTPS: Line = ("X-Forwarded-Proto", "https")
NOBODY = {**POLICY, "TRUSTED_PROXIES": "10.0.0.0/8"}
"""A policy that does not know the proxy, so that every peer here is untrusted."""
UNIX_SERVERS = [server for server in SERVERS if not server.no_unix]
ASGI_SERVERS = [s for s in SERVERS if s.protocol is Protocol.ASGI]

by_unix_server = pytest.mark.parametrize("server", UNIX_SERVERS, ids=lambda s: s.name)
by_asgi_server = pytest.mark.parametrize("server", ASGI_SERVERS, ids=lambda s: s.name)


def ask(address: Address, *lines: Line, target: str = "/page") -> dict[str, Any]:
    """Ask the echo behind the policy, from the trusted address."""
    return get(address, target, [ECHO, *lines]).json()


def ask_raw(address: Address, *lines: Line, target: str = "/page") -> dict[str, Any]:
    """Ask the echo that has no policy."""
    return get(address, target, lines).json()


def plain_gunicorn(address: Address, folder: Path) -> list[str]:
    """Start gunicorn as it comes."""
    where = f"unix:{address}" if isinstance(address, str) else f"{HOST}:{address[1]}"
    return [
        *(PYTHON, "-m", "gunicorn", WSGI_APPLICATION),
        *("--no-control-socket", "-b", where),
    ]


def plain_waitress(address: Address, folder: Path) -> list[str]:
    """Start waitress as it comes."""
    where = f"--listen={HOST}:{address[1]}"
    return [PYTHON, "-m", "waitress", where, WSGI_APPLICATION]


def plain_uvicorn(address: Address, folder: Path) -> list[str]:
    """Start uvicorn as it comes."""
    where = ["--host", HOST, "--port", str(address[1])]
    return [PYTHON, "-m", "uvicorn", *where, ASGI_APPLICATION]


# What servers do to headers by themselves.


def test_waitress_removes_the_headers_and_one_option_keeps_them(
    farm: Farm, start: Starter
) -> None:
    """waitress removes the proxy's headers, which is logged; one option ends that."""
    address = start(plain_waitress)
    as_it_comes = ask(address, XFF_REAL, HTTPS)
    ask(address, XFF_REAL, HTTPS)
    with_the_option = ask(farm.find_address("waitress"), XFF_REAL, HTTPS)

    assert (as_it_comes["address"], as_it_comes["scheme"]) == (HOST, "http")
    assert as_it_comes["decision"]["client_known"] is False
    assert start.read_log().count("--no-clear-untrusted-proxy-headers") == 1
    assert (with_the_option["address"], with_the_option["scheme"]) == (REAL, "https")


def test_uvicorn_rewrites_the_client_which_is_logged_and_one_option_ends(
    farm: Farm, start: Starter
) -> None:
    """uvicorn has rewritten client and scheme; that is logged once, with the switch."""
    address = start(plain_uvicorn)
    first = ask(address, XFF_REAL, HTTPS)
    ask(address, XFF_REAL, HTTPS)
    with_the_option = ask(farm.find_address("uvicorn-httptools"), XFF_REAL, HTTPS)

    assert first["decision"]["peer_trusted"] is False
    assert start.read_log().count("--no-proxy-headers") == 1
    assert with_the_option["decision"]["client"] == REAL
    assert with_the_option["scheme"] == "https"


def test_daphne_that_rewrites_the_client_is_logged(start: Starter) -> None:
    """Daphne with --proxy-headers takes anybody's word; that is logged once."""
    address = start(find_server("daphne").command, "--proxy-headers")
    line = ("X-Forwarded-For", FORGED)

    first, _ = (get(address, "/page", [ECHO, line], source=CLIENT) for _ in range(2))

    assert first.json()["decision"]["peer_trusted"] is False
    assert start.read_log().count("daphne without --proxy-headers") == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("daphne", ["--proxy-headers"]),
        ("uvicorn-h11", ["--proxy-headers", "--forwarded-allow-ips", "*"]),
    ],
)
def test_server_that_trusts_everybody_must_not_be_asked_to(
    start: Starter, farm: Farm, name: str, options: list[str]
) -> None:
    """A server that trusts everybody lets a client be 127.0.0.1, and so a proxy."""
    forged = ("X-Forwarded-For", f"{HOST}, {FORGED}")
    lines = [ECHO, forged, HTTPS]
    credulous = start(find_server(name).command, *options)
    recommended = farm.find_address(name)

    trusted = get(credulous, "/page", lines, source=CLIENT).json()
    answer = get(recommended, "/page", lines, source=CLIENT).json()

    assert trusted["address"] == FORGED
    assert "already rewritten the client" in start.read_log()
    assert (answer["address"], answer["scheme"]) == (CLIENT, "http")
    assert answer["decision"]["peer_trusted"] is False


def test_gunicorn_takes_the_scheme_which_the_policy_takes_back(
    start: Starter,
) -> None:
    """gunicorn takes the scheme from unlisted headers; the policy takes it back."""
    address = start(plain_gunicorn, policy=NOBODY)

    for line in (HTTPS, ("X-Forwarded-Ssl", "on"), ("X-Forwarded-Protocol", "ssl")):
        assert ask_raw(address, line)["scheme"] == "https"
        assert ask(address, line)["scheme"] == "http"


def test_gunicorn_takes_the_scheme_on_unix_sockets_which_the_policy_takes_back(
    start: Starter,
) -> None:
    """On a unix socket gunicorn trusts everybody, and the switch does nothing."""
    address = start(
        plain_gunicorn, "--forwarded-allow-ips", "", policy=NOBODY, unix=True
    )

    assert ask_raw(address, HTTPS)["scheme"] == "https"
    assert ask(address, HTTPS)["scheme"] == "http"


def test_gunicorn_takes_the_mount_point_and_one_option_ends_that(
    farm: Farm, start: Starter
) -> None:
    """gunicorn takes SCRIPT_NAME from its own trusted peers; the options end that."""
    forged: Line = ("SCRIPT_NAME", "/evil")
    on_tcp = ask(start(plain_gunicorn), forged, target="/evil/page")
    on_unix = ask(start(plain_gunicorn, unix=True), forged, target="/evil/page")

    assert on_tcp["mount_point"] == on_unix["mount_point"] == "/evil"
    for name in ("gunicorn-sync", "gunicorn-sync-unix"):
        answer = ask(farm.find_address(name), forged, target="/evil/page")
        assert (answer["mount_point"], answer["path"]) == ("", "/evil/page")


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "X_Forwarded_Proto"])
@pytest.mark.parametrize("scheme", ["https", "gopher", "HTTPS", "https, http"])
@pytest.mark.parametrize("source", [HOST, CLIENT])
def test_uwsgi_takes_any_scheme_which_the_policy_takes_back(
    start: Starter, farm: Farm, name: str, scheme: str, source: str
) -> None:
    """uWSGI copies any text from anybody into the scheme; the policy takes it back."""
    address = farm.find_address("uwsgi")
    raw = get(address, "/page", [(name, scheme)], source=source).json()
    answer = get(address, "/page", [ECHO, (name, scheme)], source=source).json()

    assert raw["scheme"] == scheme
    if source == CLIENT or scheme == "gopher":
        assert answer["scheme"] == "http"
    else:
        # A trusted peer's word; only a front end can keep a variant out of it.
        assert answer["scheme"] in ("http", "https")


def test_uwsgi_takes_a_scheme_that_is_not_listed_which_the_policy_takes_back(
    start: Starter,
) -> None:
    """A scheme that uWSGI took from an unlisted header is taken back too."""
    policy = {
        "TRUSTED_PROXY_HEADERS": "X-Forwarded-For X-Forwarded-Scheme",
        "TRUSTED_PROXIES": HOST,
    }
    address = start(find_server("uwsgi").command, policy=policy)

    answer = ask(address, XFF_REAL, HTTPS)

    assert (answer["address"], answer["scheme"]) == (REAL, "http")


@pytest.mark.parametrize("name", ["gunicorn-sync", "gunicorn-gthread"])
def test_gunicorn_counts_a_variant_as_the_header_only_if_asked_to(
    farm: Farm, start: Starter, name: str
) -> None:
    """gunicorn drops underscores unless --header-map says dangerous."""
    variant: Line = ("X_Forwarded_For", FORGED)
    dangerous = start(find_server(name).command, "--header-map", "dangerous")

    assert ask(dangerous, XFF_REAL, variant)["address"] == FORGED
    assert ask(farm.find_address(name), XFF_REAL, variant)["address"] == REAL


# Unix sockets.


@by_unix_server
def test_unix_peer_is_reported_as_documented(farm: Farm, server: Server) -> None:
    """A unix socket's peer has no IP address, in the words of each server."""
    raw = ask_raw(farm.find_address(f"{server.name}-unix"))

    assert raw["address"] in server.unix_peers


@by_unix_server
def test_unix_peer_is_trusted_with_unix_only(server: Server, start: Starter) -> None:
    """Whatever a unix peer is called, it is trusted only if the list has `unix`."""
    policy = {**POLICY, "TRUSTED_PROXIES": "127.0.0.0/8 0.0.0.0/0"}
    address = start(server.command, unix=True, policy=policy)

    answer = ask(address, XFF_REAL, HTTPS)

    assert answer["decision"]["peer_trusted"] is False
    assert answer["address"] != REAL
    assert answer["scheme"] == "http"


def name_oneself(address: Address, name: str | bytes, lines: Sequence[Line]) -> Reply:
    """Ask over a unix socket whose own end the client has given a *name*."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ANSWER_SECONDS)
        client.bind(name)
        client.connect(address)
        block = b"GET /page HTTP/1.1\r\n" + encode(
            [("Host", "app.example"), *lines, ("Connection", "close")]
        )
        client.sendall(block + b"\r\n")
        answer = b""
        try:
            while chunk := client.recv(65536):
                answer += chunk
        except ConnectionError:
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head else 0
    if b"chunked" in head.lower():
        body = body.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    return Reply(status, (), body)


CLOSED_BY_THE_POLICY = ("gunicorn-sync", "gunicorn-gthread", "werkzeug", "granian")


@pytest.mark.parametrize("name", CLOSED_BY_THE_POLICY)
def test_unix_client_that_names_itself_after_a_proxy_is_not_trusted(
    start: Starter, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of a unix socket that calls itself 127.0.0.1 stays a unix peer."""
    monkeypatch.chdir(tmp_path)
    policy = {**POLICY, "TRUSTED_PROXIES": HOST}
    address = start(find_server(name).command, unix=True, policy=policy)

    raw = name_oneself(address, "127.0.0.1", []).json()
    os.unlink("127.0.0.1")
    answer = name_oneself(address, "127.0.0.1", [ECHO, XFF_REAL, HTTPS]).json()

    assert raw["address"] == "127.0.0.1"
    assert answer["decision"]["peer_trusted"] is False
    assert answer["address"] != REAL
    assert answer["scheme"] == "http"


@pytest.mark.parametrize("name", ["uwsgi", "bjoern"])
def test_unix_client_can_be_any_address_where_the_socket_lets_it_in(
    start: Starter, name: str
) -> None:
    """On uWSGI and bjoern it can be any IPv4 address: the socket's mode must refuse."""
    crafted = b"\0\0\x0a\0\0\x01" + os.urandom(4)
    policy = {**POLICY, "TRUSTED_PROXIES": "10.0.0.0/8"}
    address = start(find_server(name).command, unix=True, policy=policy)

    trusted = name_oneself(address, crafted, [ECHO, XFF_REAL]).json()

    assert trusted["address"] == REAL
    assert trusted["decision"]["peer"] == "10.0.0.1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("name", ["uwsgi", "bjoern", "gunicorn-sync"])
def test_mode_of_the_socket_keeps_strangers_out(start: Starter, name: str) -> None:
    """A socket of mode 660 refuses a client of another user and group."""
    address = start(find_server(name).command, unix=True)
    assert isinstance(address, str)
    os.chmod(address, 0o660)
    attempt = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except PermissionError: sys.exit(13)\n"
    )

    status, _ = run_program([sys.executable, "-S", "-c", attempt, address])

    assert status == 13


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("gunicorn", 0o770),
        ("uwsgi", 0o660),
        ("waitress", 0o660),
        ("hypercorn", 0o770),
        ("daphne", 0o660),
        ("granian", 0o660),
        # What no option changes; the printed line says so.
        ("uvicorn", 0o666),
    ],
)
def test_socket_of_the_printed_line_is_for_the_group(
    start: Starter, name: str, mode: int
) -> None:
    """Nobody else opens it, even where the umask would let everybody."""
    address = start(start_as_printed(name), unix=True)
    assert isinstance(address, str)

    deadline = time.monotonic() + ANSWER_SECONDS
    # Some make it first, and set its mode then.
    while (found := stat.S_IMODE(os.stat(address).st_mode)) != mode:
        assert time.monotonic() < deadline, oct(found)
        time.sleep(0.05)


# Addresses of the peer.


DUAL_STACK = (
    "gunicorn-sync",
    "gunicorn-gthread",
    "cheroot",
    "werkzeug",
    "hypercorn",
    "daphne",
    "granian",
)


@pytest.mark.parametrize("name", DUAL_STACK)
def test_mapped_peer_is_the_ipv4_address_that_it_is(start: Starter, name: str) -> None:
    """A server on [::] reports ::ffff:127.0.0.1, which is 127.0.0.1 to the policy."""
    server = find_server(name)
    _, port = split_tcp(start(dual_stack(server), host="::"))
    address = (HOST, port)

    raw = ask_raw(address)
    answer = ask(address, XFF_REAL, HTTPS)
    untrusted = get(address, "/page", [ECHO, XFF_REAL, HTTPS], source=CLIENT).json()

    assert raw["address"] == "::ffff:127.0.0.1"
    assert (answer["address"], answer["scheme"]) == (REAL, "https")
    assert untrusted["decision"]["peer_trusted"] is False
    assert untrusted["scheme"] == "http"


def dual_stack(server: Server) -> Any:
    """Make the command of *server* for the address ``::``."""

    def command(address: Address, folder: Path) -> list[str]:
        if server.name == "daphne":
            where = f"tcp6:port={address[1]}:interface=\\:\\:"
            return [PYTHON, "-m", "daphne", "-e", where, ASGI_APPLICATION]
        return server.command(address, folder)

    return command


@pytest.mark.parametrize("name", ["gunicorn-sync", "waitress", "uvicorn-h11"])
def test_ipv6_peer_is_trusted_by_its_address(start: Starter, name: str) -> None:
    """A proxy at ::1 is trusted if the list has it, and otherwise not."""
    command = find_server(name).command
    listed = start(command, host="::1", policy={**POLICY, "TRUSTED_PROXIES": "::1"})
    unlisted = start(command, host="::1", policy=POLICY)

    assert ask(listed, XFF_REAL)["address"] == REAL
    assert ask(unlisted, XFF_REAL)["address"] == "::1"


def test_waitress_remote_host_does_not_keep_the_peer(farm: Farm) -> None:
    """waitress repeats the peer in REMOTE_HOST, which goes with a rewritten client."""
    raw = ask_raw(farm.find_address("waitress"))
    answer = ask(farm.find_address("waitress"), XFF_REAL)

    assert raw["remote_host"] == HOST
    assert answer["remote_host"] in (None, "", REAL)
    assert answer["remote_port"] is None


def test_granian_text_port_becomes_a_number(farm: Farm) -> None:
    """granian's ports are text; what the policy writes is a number."""
    raw = ask_raw(farm.find_address("granian"))
    answer = ask(farm.find_address("granian"), XFF_REAL)
    with_port = ask(farm.find_address("granian"), ("X-Forwarded-For", f"{REAL}:4711"))

    assert isinstance(raw["client"][1], str)
    assert answer["client"] == [REAL, 0]
    assert with_port["client"] == [REAL, 4711]


# Names and lines.


def test_cheroot_lets_a_variant_replace_a_header_and_a_reader_ends_that(
    farm: Farm, start: Starter
) -> None:
    """On plain cheroot the variant replaces the proxy's header; a reader drops it."""
    variant: Line = ("X_Forwarded_For", FORGED)

    def plain_cheroot(address: Address, folder: Path) -> list[str]:
        where = f"{HOST}:{address[1]}"
        return [PYTHON, "-m", "provingground.run", "cheroot-plain", where]

    assert ask(start(plain_cheroot), XFF_REAL, variant)["address"] == FORGED
    assert ask(farm.find_address("cheroot"), XFF_REAL, variant)["address"] == REAL


def test_cheroot_own_reader_against_underscores_fails_on_every_request() -> None:
    """cheroot's own DropUnderscoreHeaderReader can't be used: it fails always."""
    reading: Any = importlib.import_module("cheroot.server")

    with pytest.raises(TypeError):
        reading.DropUnderscoreHeaderReader()._allow_header(b"Host")


@pytest.mark.parametrize("name", ["uwsgi", "wsgiref"])
def test_variant_is_appended_where_a_walk_begins_and_a_front_end_must_drop_it(
    farm: Farm, name: str
) -> None:
    """uWSGI and wsgiref append the variant; a front end that drops it closes that."""
    variant: Line = ("X_Forwarded_For", FORGED)
    direct = ask(farm.find_address(name), XFF_REAL, variant)
    site = farm.find_place("haproxy")
    behind = get(
        (site.host, site.http), f"/{name}/page", [ECHO, variant], source=CLIENT
    ).json()

    assert direct["address"] == FORGED
    assert behind["address"] == CLIENT


def test_bjoern_glues_lines_and_a_front_end_must_send_one(farm: Farm) -> None:
    """bjoern makes 1 and 92.0.2.1 one address; a front end sends one line."""
    lines: list[Line] = [("X-Forwarded-For", "1"), ("X-Forwarded-For", "92.0.2.1")]
    direct = ask(farm.find_address("bjoern"), *lines)
    site = farm.find_place("nginx")
    behind = get(
        (site.host, site.http), "/bjoern/page", [ECHO, *lines], source=CLIENT
    ).json()

    assert direct["address"] == "192.0.2.1"
    assert behind["address"] == CLIENT


def send_trailer(
    address: Address,
    *lines: Line,
    target: str = "/page",
    source: str = HOST,
    late: bool = False,
) -> dict[str, Any]:
    """
    Send a chunked request whose trailer forges X-Forwarded-For.

    *late*: the body and the trailer are sent when the application asks for the body.
    """
    head = [
        ("Host", "app.example"),
        *lines,
        *([("Expect", "100-continue")] if late else []),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
    ]
    block = f"POST {target} HTTP/1.1\r\n".encode() + encode(head) + b"\r\n"
    trailer = b"0\r\n" + encode([("X-Forwarded-For", FORGED)]) + b"\r\n"
    chunk = b"2\r\nab\r\n"
    if not late:
        return send(address, block + chunk + trailer, source=source).json()
    return send(address, block, source=source, later=chunk + trailer).json()


def list_forwarded(answer: dict[str, Any]) -> list[str]:
    """List the lines of X-Forwarded-For that the application sees."""
    return [value for name, value in answer["headers"] if name == "x-forwarded-for"]


def test_trailer_fields_that_come_later_do_not_reach_the_scope(farm: Farm) -> None:
    """uvicorn with httptools appends trailer fields while the application runs."""
    address = farm.find_address("uvicorn-httptools")
    raw = send_trailer(address, XFF_REAL, late=True)
    answer = send_trailer(address, XFF_REAL, ECHO, late=True)

    assert list_forwarded(raw) == [REAL, FORGED]
    assert list_forwarded(answer) == [REAL]
    assert answer["address"] == REAL


@pytest.mark.parametrize("name", ["uvicorn-httptools", "bjoern"])
def test_trailer_fields_in_the_same_packet_have_to_be_dropped_by_the_front_end(
    farm: Farm, name: str
) -> None:
    """They are headers before the application starts; a front end drops them."""
    raw = send_trailer(farm.find_address(name), XFF_REAL)
    site = farm.find_place("nginx")
    target = f"/{name}/page"
    behind = send_trailer((site.host, site.http), ECHO, target=target, source=CLIENT)

    assert FORGED in " ".join(list_forwarded(raw))
    assert behind["address"] == CLIENT
    assert list_forwarded(behind) == [CLIENT]


@pytest.mark.parametrize("name", ["uvicorn-h11", "hypercorn", "daphne", "granian"])
def test_trailer_fields_are_ignored(farm: Farm, name: str) -> None:
    """The other ASGI servers drop trailer fields themselves."""
    raw = send_trailer(farm.find_address(name), XFF_REAL)

    assert [v for n, v in raw["headers"] if n == "x-forwarded-for"] == [REAL]


def test_trailer_that_bjoern_glues_to_a_header_makes_it_malformed(farm: Farm) -> None:
    """bjoern glues a trailer field to the header, whose value is no address then."""
    direct = send_trailer(farm.find_address("bjoern"), XFF_REAL, ECHO)

    assert direct["address"] == HOST
    assert direct["decision"]["client_known"] is False


# Scopes of websockets, mount points of ASGI servers.


@by_asgi_server
def test_websocket_scheme_is_ws_where_nobody_says_otherwise(
    farm: Farm, server: Server
) -> None:
    """Daphne's websocket scope has no scheme; after the policy every one has."""
    address = farm.find_address(server.name)

    answer = json.loads(hear(address, "/page", [ECHO, XFF_REAL], host="app.example"))

    assert answer["address"] == REAL
    assert answer["scheme"] in ("ws", None if server.name == "daphne" else "ws")


MOUNTING = {
    "uvicorn-httptools": ("--root-path", "/m"),
    "uvicorn-h11": ("--root-path", "/m"),
    "hypercorn": ("--root-path", "/m"),
    "daphne": ("--root-path", "/m"),
    "granian": ("--url-path-prefix", "/m"),
}


@by_asgi_server
def test_mount_point_of_the_server_gives_way_to_the_forwarded_one(
    start: Starter, server: Server
) -> None:
    """The server's own root_path leaves the path, and the header's is put in front."""
    # uvicorn puts its root_path in front of what came; the others leave the path.
    sent = "/page" if server.name.startswith("uvicorn") else "/m/page"
    address = start(server.command, *MOUNTING[server.name])

    raw = ask_raw(address, target=sent)
    answer = ask(address, XFF_REAL, ("X-Forwarded-Prefix", "/app"), target=sent)

    assert raw["mount_point"] == "/m"
    assert (answer["mount_point"], answer["path"]) == ("/app", "/page")


# Variables and protocols beside HTTP headers.


@pytest.mark.parametrize("name", ["wsgiref", "runserver"])
def test_variable_of_the_process_is_no_header(start: Starter, name: str) -> None:
    """wsgiref and runserver show the process's variables; an untrusted one is gone."""
    server = find_server(name)
    address = start(
        server.command, environment={"HTTP_X_FORWARDED_FOR": FORGED}, policy=POLICY
    )
    chosen = ("Proving-Application", "django")

    raw = ask_raw(address)
    answer = get(address, "/page", [chosen], source=CLIENT).json()

    assert ["x-forwarded-for", FORGED] in raw["headers"]
    assert answer["address"] == CLIENT
    assert "x-forwarded-for" not in dict(answer["headers"])


@pytest.mark.parametrize("name", ["wsgiref", "runserver"])
def test_https_of_the_process_makes_every_request_https(
    start: Starter, name: str
) -> None:
    """HTTPS=on in the process's environment is the connection's scheme to these."""
    address = start(find_server(name).command, environment={"HTTPS": "on"})
    chosen = ("Proving-Application", "django")
    denied = ("X-Forwarded-Proto", "http")

    stranger = get(address, "/page", [chosen], source=CLIENT).json()
    trusted = get(address, "/page", [chosen, XFF_REAL, denied]).json()

    assert stranger["scheme"] == "https"
    assert trusted["scheme"] == "http"


def test_proxy_protocol_has_replaced_the_peer_already(start: Starter) -> None:
    """With --proxy-protocol the peer is the client already, and no proxy."""
    address = start(plain_gunicorn, "--proxy-protocol")
    line = f"PROXY TCP4 {REAL} 127.0.0.1 4711 80\r\n".encode()
    request = encode([("Host", "a.test"), ECHO, ("X-Forwarded-For", FORGED)])
    block = line + b"GET /page HTTP/1.1\r\n" + request + b"Connection: close\r\n\r\n"

    answer = send(address, block).json()

    assert answer["address"] == REAL
    assert answer["decision"]["peer_trusted"] is False


def test_uwsgi_protocol_has_replaced_the_peer_already(
    start: Starter, farm: Farm
) -> None:
    """Behind uwsgi_pass REMOTE_ADDR is nginx's client, who is no proxy."""

    def command(address: Address, folder: Path) -> list[str]:
        usual = find_server("uwsgi").command(address, folder)
        return ["--socket" if word == "--http-socket" else word for word in usual]

    upstream = start(command)

    def nginx(address: Address, folder: Path) -> list[str]:
        own = folder / "uwsgi-pass"
        own.mkdir()
        (own / "nginx.conf").write_text(
            f"""
daemon off; user root; worker_processes 1; pid {own}/nginx.pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {own}/body; proxy_temp_path {own}/proxy;
    fastcgi_temp_path {own}/fastcgi; uwsgi_temp_path {own}/uwsgi;
    scgi_temp_path {own}/scgi;
    server {{
        listen {address[0]}:{address[1]};
        location / {{
            include /etc/nginx/uwsgi_params;
            uwsgi_pass {upstream[0]}:{upstream[1]};
        }}
    }}
}}
"""
        )
        return ["/usr/sbin/nginx", "-p", str(own), "-c", str(own / "nginx.conf")]

    front = start(nginx)
    answer = get(front, "/page", [ECHO, XFF_REAL, HTTPS], source=CLIENT).json()

    assert answer["address"] == CLIENT
    assert answer["scheme"] == "http"
    assert answer["decision"]["peer_trusted"] is False
