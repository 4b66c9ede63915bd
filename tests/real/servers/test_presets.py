"""
Presets behind the real front ends, as these come, and with clients that forge.

Each front end hands what a client sent on to a backend that writes down every header
line; the policy of the preset decides about these.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import trustme

from trustedproxy import Category, Decision, Form, ProxyPolicy
from trustedproxy.headers import KNOWN_HEADERS

from .as_they_come import AS_THEY_COME, AsItComes, Ground
from .behaviour import FORGED
from .client import Line, Reply, get, trusting
from .farm import CLIENT, HOST
from .fronts import find_program
from .processes import ProcessManager, find_free_ports

SITE = "app.example"

#: What a client writes into each header to be taken for somebody else.
FORGED_VALUES: Mapping[Form, str] = {
    Form.FORWARDED: f'for={FORGED};proto=https;host="evil.example"',
    Form.ADDRESS: FORGED,
    Form.ADDRESS_LIST: f"{FORGED}, {FORGED}",
    Form.SCHEME: "https",
    Form.HOST: "evil.example",
    Form.PORT: "666",
    Form.MOUNT_POINT: "/evil",
    Form.FLAG: "on",
}
ALL_FORGED: tuple[Line, ...] = tuple(
    (header.name, FORGED_VALUES[header.form])
    for header in KNOWN_HEADERS
    if header.form in FORGED_VALUES
)
TRUSTED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP")
FORGERIES: Mapping[str, Sequence[Line]] = {
    "nothing": (),
    "every known header": ALL_FORGED,
    "two lines each": [line for line in ALL_FORGED if line[0] in TRUSTED] * 2,
    "underscores": [(n.replace("-", "_"), value) for n, value in ALL_FORGED],
    "invalid values": [(name, "evil, \xe9, ;") for name in TRUSTED],
    "empty values": [(name, "") for name in TRUSTED],
}


class Recorder(BaseHTTPRequestHandler):
    """Answers with the peer and the header lines of the request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        seen = {"peer": self.client_address[0], "lines": self.headers.items()}
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Backend(ThreadingHTTPServer):
    """The server of the recorder."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: front ends that end reset their idle connections."""


@dataclass(frozen=True, slots=True)
class Front:
    """A front end that runs, and the policy of its preset behind it."""

    preset: str
    ground: Ground
    tls: ssl.SSLContext
    policy: ProxyPolicy

    def ask(self, lines: Sequence[Line], *, secure: bool = False) -> Reply:
        """Send one request to the front end."""
        port = self.ground.https if secure else self.ground.http
        tls = self.tls if secure else None
        return get((HOST, port), lines=lines, host=SITE, source=CLIENT, tls=tls)

    def decide(self, reply: Reply) -> Decision:
        """Decide about what came out behind the front end."""
        seen = reply.json()
        scope = {
            "type": "http",
            "scheme": "http",
            "client": (seen["peer"], 40000),
            "server": (HOST, self.ground.backend),
            "path": "/",
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in seen["lines"]
            ],
        }
        decision, _ = self.policy.apply_scope(scope)
        return decision


@pytest.fixture(scope="module")
def recorder() -> Iterator[int]:
    """Run the backend, and return its port."""
    [port] = find_free_ports(1)
    with Backend((HOST, port), Recorder) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=AS_THEY_COME, ids=lambda one: one.preset)
def front(
    request: pytest.FixtureRequest, manager: ProcessManager, recorder: int
) -> Iterator[Front]:
    """Run one front end for all the tests of its preset."""
    one: AsItComes = request.param
    folder = manager.folder / f"as-it-comes-{one.preset}"
    folder.mkdir(mode=0o755)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    pem = folder / "both.pem"
    issued = authority.issue_cert("localhost", SITE)
    issued.private_key_and_cert_chain_pem.write_to_path(str(pem))
    http, https = find_free_ports(2)
    ground = Ground(folder, HOST, http, https, recorder, pem)
    process = manager.start(
        one.preset,
        _command(one, ground),
        [(HOST, http), (HOST, https)],
        # Some listen before they have read what they are to serve.
        probe=lambda: get((HOST, http), host=SITE).status == 200,
    )
    tls = trusting(str(folder / "authority.pem"))
    policy = ProxyPolicy.from_preset(one.preset, proxies=[HOST])
    process.wait_ready()
    yield Front(one.preset, ground, tls, policy)
    process.stop()


def _command(one: AsItComes, ground: Ground) -> list[str]:
    for name, text in one.configure(ground).items():
        (ground.folder / name).write_text(text, encoding="utf-8")
    program, *arguments = one.command
    return [
        find_program(program),
        *(argument.replace("{folder}", str(ground.folder)) for argument in arguments),
    ]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_client_is_the_one_that_connected(front: Front, forgery: str) -> None:
    """Whatever it sends; and the request is plain HTTP, for the host that it names."""
    decision = front.decide(front.ask(FORGERIES[forgery]))

    assert decision.peer_trusted
    assert decision.client == CLIENT
    assert decision.scheme == "http"
    assert decision.host == SITE
    assert decision.port != FORGED_VALUES[Form.PORT]
    assert decision.mount_point == ""


def test_header_that_is_named_in_connection_makes_nobody_else(front: Front) -> None:
    """A client may make a proxy delete what it wrote, and gains nothing by that."""
    decisions = {}
    for name, _ in ALL_FORGED:
        reply = front.ask([*ALL_FORGED, ("Connection", name)])
        # Envoy refuses what would take its own headers away.
        if reply.status != 400:
            decisions[name] = front.decide(reply)

    assert len(decisions) > len(ALL_FORGED) / 2
    for name, decision in decisions.items():
        assert decision.client in (CLIENT, HOST), name
        assert decision.scheme == "http", name
        assert decision.host in (SITE, f"{HOST}:{front.ground.backend}"), name


def test_request_over_tls_is_https_where_the_preset_has_a_scheme(front: Front) -> None:
    """The front end says so; Apache as it comes does not."""
    decision = front.decide(front.ask(ALL_FORGED, secure=True))

    says = any(one.category is Category.SCHEME for one in front.policy.headers)
    assert decision.scheme == ("https" if says else "http")
    assert decision.client == CLIENT
    assert says is (front.preset != "apache")
