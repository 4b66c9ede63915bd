"""
The client, against a server that keeps what it was sent, byte for byte.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.headers import Category
from trustedproxy.probe import Limits, parse_direct, parse_target
from trustedproxy.probe.client import Client
from trustedproxy.probe.records import Answer, Forgery, Line, Trial, Trick

LIMITS = Limits(answer_seconds=5, most_bytes=1000)
OK = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 2\r\n\r\nok"
LINES = (("User-Agent", "trustedproxy-probe"),)

Handle = Callable[[socket.socket, list[bytes]], None]


def answer_with(response: bytes) -> Handle:
    """Read a request, keep it, and send *response*."""

    def handle(connection: socket.socket, kept: list[bytes]) -> None:
        data = b""
        while b"\r\n\r\n" not in data and (part := connection.recv(65536)):
            data += part
        kept.append(data)
        connection.sendall(response)

    return handle


@contextmanager
def listen(
    handle: Handle, path: Path | None = None
) -> Iterator[tuple[str | int, list[bytes]]]:
    """Listen on a port, or on a unix socket, for one connection after another."""
    family = socket.AF_INET if path is None else socket.AF_UNIX
    kept: list[bytes] = []
    with socket.socket(family) as server:
        server.bind(("127.0.0.1", 0) if path is None else str(path))
        server.listen()

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    handle(connection, kept)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield (server.getsockname()[1] if path is None else str(path)), kept
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def make_client(
    port: str | int, limits: Limits = LIMITS, token: Line | None = None
) -> Client:
    """Make a client for a server on this machine."""
    return Client(parse_target(f"http://127.0.0.1:{port}/"), limits, LINES, token=token)


def forge(name: str, value: str) -> Forgery:
    """Forge a line."""
    return Forgery(name=name, value=value, header=name, marks={Category.CLIENT: "x"})


def test_request_is_sent_exactly_as_it_was_planned() -> None:
    """Underscores, a line twice, two hosts, odd bytes, in their order."""
    trial = Trial(
        trick=Trick.HOSTS,
        forgeries=(
            forge("X_Forwarded_For", "1"),
            forge("x-FORWARDED-for", '"\xe9\t'),
            forge("X_Forwarded_For", "2"),
        ),
        lines=(("X-Other", ""),),
        hosts=("a.example", "b.example"),
    )
    with listen(answer_with(OK)) as (port, kept):
        answer = make_client(port).ask(trial, "/page?x=1")

    assert kept == [
        b"GET /page?x=1 HTTP/1.1\r\n"
        b"Host: a.example\r\n"
        b"Host: b.example\r\n"
        b"User-Agent: trustedproxy-probe\r\n"
        b"X-Other: \r\n"
        b"X_Forwarded_For: 1\r\n"
        b'x-FORWARDED-for: "\xe9\t\r\n'
        b"X_Forwarded_For: 2\r\n"
        b"Connection: close\r\n"
        b"\r\n"
    ]
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.list_values("x-one") == ["1", "2"]


def test_own_connection_and_origin_take_the_place_of_the_usual_ones() -> None:
    """So that a front end is asked what is to be tried."""
    trial = Trial(
        trick=Trick.CONNECTION,
        lines=(("Connection", "close, X-Real-IP"),),
        origin="http://evil.example",
    )
    with listen(answer_with(OK)) as (port, kept):
        make_client(port).ask(trial, "/page")

    [sent] = kept
    assert sent.startswith(b"GET http://evil.example/page HTTP/1.1\r\n")
    assert sent.count(b"Connection:") == 1


@pytest.mark.parametrize("has_token", [True, False])
def test_token_goes_with_a_request_unless_it_is_left_out(has_token: bool) -> None:
    """The application is asked without it."""
    with listen(answer_with(OK)) as (port, kept):
        client = make_client(port, token=("Trusted-Proxy-Token", "secret"))
        client.ask(Trial(trick=Trick.HONEST, has_token=has_token), "/")

    assert (b"Trusted-Proxy-Token: secret" in kept[0]) == has_token


def test_redirect_is_not_followed() -> None:
    """Wherever it leads."""
    response = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    with listen(answer_with(response)) as (port, kept):
        answer = make_client(port).ask(Trial(trick=Trick.HONEST), "/")

    assert answer.status == 302
    assert len(kept) == 1


def test_body_is_read_up_to_its_bound() -> None:
    """What follows is of no interest."""
    response = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000
    with listen(answer_with(response)) as (port, _):
        answer = make_client(port).ask(Trial(trick=Trick.HONEST), "/")

    assert answer.body == b"x" * 1000


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (b"", "it closed the connection"),
        (b"no HTTP at all\r\n\r\n", "or answered with what is no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 300 + b"\r\n", "what is no HTTP"),
    ],
)
def test_answer_that_is_none_is_a_failure(response: bytes, says: str) -> None:
    """In words that are the same everywhere."""
    with listen(answer_with(response)) as (port, _):
        answer = make_client(port).ask(Trial(trick=Trick.HONEST), "/")

    assert answer.status == 0
    assert says in answer.failure


def test_server_that_nobody_listens_at_is_a_failure() -> None:
    """A port that was just closed."""
    with listen(answer_with(OK)) as (port, _):
        client = make_client(port)

    answer = client.ask(Trial(trick=Trick.HONEST), "/")

    assert answer == Answer(status=0, failure="nothing listens there")
    assert client.is_local() is False


def test_failure_that_has_no_word_is_named_by_the_system(tmp_path: Path) -> None:
    """A unix socket that is not there."""
    target = parse_target("http://www.example.com/")
    direct = parse_direct(f"unix:{tmp_path}/none.sock", target)

    answer = Client(direct, LIMITS, LINES).ask(Trial(trick=Trick.HONEST), "/")

    assert answer.failure == "No such file or directory"


def test_answer_that_drips_ends_in_time() -> None:
    """A time-out alone would begin anew with every byte."""
    stop = threading.Event()

    def drip(connection: socket.socket, kept: list[bytes]) -> None:
        answer_with(b"HTTP/1.1 200 OK\r\n")(connection, kept)
        while not stop.wait(0.05):
            try:
                connection.sendall(b"X")
            except OSError:
                return

    with listen(drip) as (port, _):
        limits = Limits(answer_seconds=0.4)
        answer = make_client(port, limits).ask(Trial(trick=Trick.HONEST), "/")
        stop.set()

    assert answer.failure == "it did not answer in time"


def test_answer_that_never_comes_ends_in_time() -> None:
    """The same, for one that says nothing."""
    stop = threading.Event()

    def wait(connection: socket.socket, kept: list[bytes]) -> None:
        stop.wait(5)

    with listen(wait) as (port, _):
        limits = Limits(answer_seconds=0.3)
        answer = make_client(port, limits).ask(Trial(trick=Trick.HONEST), "/")
        stop.set()

    assert answer.failure == "it did not answer in time"


def test_connection_that_is_not_taken_ends_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As behind a firewall that says nothing."""

    class Unanswered(socket.socket):
        def connect(self, address: object) -> None:
            raise TimeoutError

    monkeypatch.setattr(socket, "socket", Unanswered)

    answer = make_client(9).ask(Trial(trick=Trick.HONEST), "/")

    assert answer.failure == "it did not answer in time"


def test_unix_socket_is_asked_for_the_same_host(tmp_path: Path) -> None:
    """A server behind a front end on the same machine."""
    path = tmp_path / "app.sock"
    with listen(answer_with(OK), path) as (_, kept):
        target = parse_target("https://www.example.com/")
        client = Client(parse_direct(f"unix:{path}", target), LIMITS, LINES)
        answer = client.ask(Trial(trick=Trick.HONEST), "/")

    assert answer.status == 200
    assert b"Host: www.example.com\r\n" in kept[0]
    assert client.is_local()
    assert client.address == f"unix:{path}"


def test_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests go to the same machine, whatever DNS says later."""
    with listen(answer_with(OK)) as (port, kept):
        client = Client(parse_target(f"http://localhost:{port}/"), LIMITS, LINES)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        answers = [client.ask(Trial(trick=Trick.HONEST), "/") for _ in range(2)]

    assert len(kept) == 2 or all(answer.failure for answer in answers)
    assert client.address.endswith(f":{port}")
    assert client.is_local() in (True, False)


def test_name_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named in the error."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(ConfigurationError, match=r"no\.example"):
        Client(parse_target("http://no.example/"), LIMITS, LINES)


def test_client_on_this_machine_is_local() -> None:
    """Both ends have the same address, or one that never leaves the machine."""
    with listen(answer_with(OK)) as (port, _):
        assert make_client(port).is_local()


def test_client_connects_from_the_address_that_it_is_given() -> None:
    """A machine may have several."""
    peers: list[str] = []

    def note(connection: socket.socket, kept: list[bytes]) -> None:
        peers.append(connection.getpeername()[0])
        answer_with(OK)(connection, kept)

    with listen(note) as (port, _):
        target = parse_target(f"http://127.0.0.1:{port}/")
        client = Client(target, LIMITS, LINES, source="127.0.0.9")
        client.ask(Trial(trick=Trick.HONEST), "/")

    assert peers == ["127.0.0.9"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("most_seconds", 86_401),
        ("answer_seconds", 1e30),
        ("answer_seconds", float("inf")),
        ("answer_seconds", float("nan")),
        ("a_second", 1e-30),
    ],
)
def test_limits_are_less_than_a_day(name: str, value: Any) -> None:
    """No clock of a system counts longer, and nobody waits longer."""
    with pytest.raises(ConfigurationError, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["most_requests", "a_second", "most_bytes"])
def test_limit_of_nothing_is_refused(name: str) -> None:
    """It would be none, or an endless wait."""
    with pytest.raises(ConfigurationError, match=name):
        Limits(**{name: 0})


class Plain(socket.socket):
    """A socket that says that it speaks TLS."""

    def do_handshake(self) -> None:
        """Do nothing."""


class Context:
    """A context for TLS that makes such sockets, and keeps the names."""

    def __init__(self, kind: type[Plain]) -> None:
        self.kind = kind
        self.names: list[object] = []

    def wrap_socket(
        self, plain: socket.socket, *, server_hostname: str, **_: object
    ) -> Plain:
        """Take the connection over."""
        self.names.append(server_hostname)
        timeout = plain.gettimeout()
        taken = self.kind(fileno=plain.detach())
        taken.settimeout(timeout)
        return taken


def test_certificate_that_nobody_trusts_is_a_failure() -> None:
    """It is said in its own words; the answer is not read."""

    class Secured(Plain):
        def do_handshake(self) -> None:
            error = ssl.SSLCertVerificationError(1, "verify failed")
            error.verify_message = "self-signed certificate"
            raise error

    context: Any = Context(Secured)
    with listen(answer_with(OK)) as (port, kept):
        target = parse_target(f"https://127.0.0.1:{port}/")
        client = Client(target, LIMITS, LINES, tls=context)
        answer = client.ask(Trial(trick=Trick.HONEST), "/")

    assert answer.failure == "its certificate is not trusted: self-signed certificate"
    assert kept == [] or kept == [b""]


def test_tls_is_spoken_as_the_context_has_it() -> None:
    """With the name of the target; real handshakes are in `real/probe`."""
    context: Any = Context(Plain)
    with listen(answer_with(OK)) as (port, _):
        target = replace(parse_target("https://www.example.com/"), server="127.0.0.1")
        target = replace(target, port=int(port))
        answer = Client(target, LIMITS, LINES, tls=context).ask(
            Trial(trick=Trick.HONEST), "/"
        )

    assert answer.status == 200
    assert context.names == ["www.example.com"]


def test_forged_host_stands_in_the_host_line_alone() -> None:
    """It is no line of its own."""
    forgery = Forgery(name="Host", value="h", header="", marks={})
    trial = Trial(trick=Trick.HOST, forgeries=(forgery,), hosts=("h",))
    with listen(answer_with(OK)) as (port, kept):
        make_client(port).ask(trial, "/")

    assert kept[0].count(b"Host:") == 1


def test_tls_is_spoken_with_the_systems_certificates_by_default() -> None:
    """A plain server answers with what is no TLS."""
    with listen(answer_with(OK)) as (port, _):
        target = parse_target(f"https://127.0.0.1:{port}/")
        limits = Limits(answer_seconds=0.3)
        answer = Client(target, limits, LINES).ask(Trial(trick=Trick.HONEST), "/")

    assert answer == Answer(status=0, failure="it did not answer in time")
