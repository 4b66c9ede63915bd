"""
docs/watching.md: every block runs, against the libraries that it is about.

In:  the page, and requests.
Out: counters, spans, signals and records say what was decided.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from werkzeug.test import Client, create_environ

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware, events, get_decision
from trustedproxy.decision import CODES, Reason
from trustedproxy.testing import ProxiedRequest, direct, from_proxy

prometheus: Any = importlib.import_module("prometheus_client")
sdk: Any = importlib.import_module("opentelemetry.sdk.trace")
exports: Any = importlib.import_module("opentelemetry.sdk.trace.export")
memory: Any = importlib.import_module(
    "opentelemetry.sdk.trace.export.in_memory_span_exporter"
)

PAGE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
CLIENT = "203.0.113.7"
POLICY = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"],
    proxies=["loopback"],
    malformed="reject",
)


@pytest.fixture(autouse=True)
def _nobody_listens() -> Iterator[None]:
    events.listeners.clear()
    yield
    events.listeners.clear()


def run_section(heading: str) -> dict[str, Any]:
    """Run the Python blocks below *heading*, and return what they made."""
    _, _, section = PAGE.partition(f"\n## {heading}\n")
    section, _, _ = section.partition("\n## ")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S))
    assert code
    made: dict[str, Any] = {"__name__": __name__}
    exec(compile(code, f"watching.md: {heading}", "exec"), made)
    return made


def send(request: ProxiedRequest, **more: Any) -> dict[str, Any]:
    """Send a request through a WSGI application, and return its environ."""
    environ = create_environ("/page", environ_overrides={**request.environ, **more})

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    list(TrustedProxyMiddleware(application, POLICY)(environ, lambda *_: print))
    return environ


@pytest.mark.logged
def test_listener_of_the_page_hears_of_a_rejection(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the peer and the code, and of other requests it says nothing."""
    run_section("The event")

    send(from_proxy(POLICY))
    environ = send(from_proxy(POLICY), HTTP_X_FORWARDED_PROTO="gopher")

    assert capsys.readouterr().out == "rejected: 127.0.0.1 malformed\n"
    assert get_decision(environ) is not None


@pytest.mark.logged
def test_receiver_of_the_page_in_django(capsys: pytest.CaptureFixture[str]) -> None:
    """A client that nobody names is named by the request's path."""
    made = run_section("A signal in Django")
    headers = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "shop.example"}
    handler: Any = WSGIHandler()

    try:
        environ = create_environ("/page", environ_overrides=headers)
        list(handler(environ, lambda *_: None))
        environ = create_environ(
            "/page", environ_overrides={**headers, "HTTP_X_FORWARDED_FOR": CLIENT}
        )
        list(handler(environ, lambda *_: None))
    finally:
        made["decision_made"].disconnect(made["note"])

    assert capsys.readouterr().out == f"nobody's: /page {Reason.HEADER_MISSING}\n"


@pytest.mark.logged
def test_receiver_of_the_page_in_flask(capsys: pytest.CaptureFixture[str]) -> None:
    """The same, with the application as the sender."""
    made = run_section("A signal in Flask")
    client = Client(made["app"])

    try:
        client.get("/page", environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
        client.get("/page", environ_overrides=from_proxy(POLICY).environ)
    finally:
        made["decision_made"].disconnect(made["note"])

    assert capsys.readouterr().out == f"nobody's: /page {Reason.HEADER_MISSING}\n"


@pytest.mark.logged
def test_counters_of_the_page_count() -> None:
    """Each decision and each problem once, without a label that a client writes."""
    run_section("Counters for Prometheus")

    send(from_proxy(POLICY))
    send(from_proxy(POLICY))
    send(direct(x_forwarded_for="127.0.0.1"))
    send(from_proxy(POLICY), HTTP_X_FORWARDED_PROTO="gopher")

    lines = prometheus.generate_latest().decode().splitlines()
    found = sorted(line for line in lines if re.match(r"trustedproxy_\w+_total", line))
    assert found == [
        'trustedproxy_decisions_total{peer_trusted="False",'
        'reason="PEER_NOT_TRUSTED"} 1.0',
        'trustedproxy_decisions_total{peer_trusted="True",'
        'reason="FIRST_UNTRUSTED_HOP"} 3.0',
        'trustedproxy_problems_total{code="malformed",header="X-Forwarded-Proto"} 1.0',
    ]


def test_reasons_and_codes_that_the_page_names_exist() -> None:
    """An alarm on a misspelled label would never sound."""
    assert {*re.findall(r'reason="(\w+)"', PAGE)} <= {*Reason.__members__}
    assert {*re.findall(r'{code="([\w-]+)"', PAGE)} <= {*CODES}


@pytest.fixture
def tracing() -> Iterator[tuple[Any, Any]]:
    """Make a tracer, and what collects its spans."""
    collected = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(exports.SimpleSpanProcessor(collected))
    yield provider.get_tracer("tests"), collected
    provider.shutdown()


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        ("shop.example", "shop.example", 443),
        ("shop.example:8443", "shop.example", 8443),
        ("[2001:db8::1]:8443", "2001:db8::1", 8443),
        ("[nonsense", None, None),
    ],
)
def test_span_of_the_page_has_the_attributes_of_the_conventions(
    tracing: tuple[Any, Any], host: str, address: str | None, port: int | None
) -> None:
    """The client, the peer, the scheme and the host, by the names of the library."""
    conventions = "opentelemetry.semconv.attributes"
    names = {
        name: getattr(importlib.import_module(f"{conventions}.{module}"), constant)
        for name, module, constant in (
            ("client", "client_attributes", "CLIENT_ADDRESS"),
            ("peer", "network_attributes", "NETWORK_PEER_ADDRESS"),
            ("scheme", "url_attributes", "URL_SCHEME"),
            ("server", "server_attributes", "SERVER_ADDRESS"),
            ("port", "server_attributes", "SERVER_PORT"),
        )
    }
    run_section("Attributes for OpenTelemetry")
    tracer, collected = tracing

    with tracer.start_as_current_span("request"):
        send(from_proxy(POLICY, client=CLIENT, host=host))

    [span] = collected.get_finished_spans()
    expected = {
        names["client"]: CLIENT,
        names["peer"]: "127.0.0.1",
        names["scheme"]: "https",
    }
    if address is not None:
        expected |= {names["server"]: address, names["port"]: port}
    assert dict(span.attributes) == expected


def test_span_of_an_unknown_client_does_not_name_one(tracing: tuple[Any, Any]) -> None:
    """The attribute is absent, and nothing is done where no span records."""
    run_section("Attributes for OpenTelemetry")
    tracer, collected = tracing
    request = ProxiedRequest("127.0.0.1", {"X-Forwarded-For": "unknown"})

    send(request)
    with tracer.start_as_current_span("request"):
        send(request)

    [span] = collected.get_finished_spans()
    assert "client.address" not in span.attributes


@pytest.mark.logged
def test_log_of_the_page_has_a_line_a_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line with the decision, and the code that a filter looks for."""
    logger = logging.getLogger("trustedproxy")
    root = logging.getLogger()
    before = logger.level, root.handlers[:]
    try:
        run_section("The log")
        send(from_proxy(POLICY, client=CLIENT))
    finally:
        logger.setLevel(before[0])
        root.handlers[:] = before[1]

    [record] = [r for r in caplog.records if r.__dict__.get("code") == "decided"]
    [shown] = re.findall(r"^```text\n(.*?)…", PAGE, re.M | re.S)
    assert f"{record.levelname} {record.getMessage()}".startswith(shown)
    assert "\n" not in record.getMessage()
