"""
The notes are true: each difference that is named is one, request by request.

In:  a configuration, a request, and the note's code.
Out: what the tool made of it, and what this project does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trustedproxy.convert import Conversion, convert_text

from . import tools
from .honest import FOR, HOST, PORT, PREFIX, PROTO, Request, make_request

Ask = Callable[[Request], tools.Seen]


@dataclass(frozen=True, slots=True)
class Row:
    """One difference: the field, its value before and its value here."""

    code: str
    text: str
    request: Request
    ask: Ask
    field: str
    theirs: Any
    ours: Any


def proxy_fix(**counts: int) -> Ask:
    """Ask ProxyFix."""
    return lambda request: tools.ask_proxy_fix(counts, request)


def waitress(count: int, *headers: str) -> Ask:
    """Ask waitress, which trusts every peer."""
    return lambda request: tools.ask_waitress("*", count, headers, request)


def uvicorn(trusted: str) -> Ask:
    """Ask uvicorn."""
    return lambda request: tools.ask_uvicorn(trusted, request, "http")


def hypercorn(mode: str, hops: int = 1, kind: str = "http") -> Ask:
    """Ask Hypercorn."""
    return lambda request: tools.ask_hypercorn(mode, hops, request, kind)


def gunicorn(**options: Any) -> Ask:
    """Ask gunicorn."""
    return lambda request: tools.ask_gunicorn(options, request)


def django(**settings: Any) -> Ask:
    """Ask Django."""
    return lambda request: tools.ask_django(settings, request)


def xff(**settings: Any) -> Ask:
    """Ask django-xff."""
    return lambda request: tools.ask_xff(settings, request)


def ipware(**options: Any) -> Ask:
    """Ask django-ipware."""
    return lambda request: tools.ask_ipware(options, request)


PEER = "10.0.0.1"
CLIENT, FORGED = "8.8.8.8", "6.6.6.6"

PROXY_FIX = [
    Row(
        "uneven-counts",
        "x_for=2, x_proto=1",
        make_request({FOR: [CLIENT, "10.0.0.2"], PROTO: ["https", "http"]}),
        proxy_fix(x_for=2, x_proto=1),
        *("scheme", "http", "https"),
    ),
    Row(
        "fewer-elements",
        "x_for=2, x_proto=2",
        make_request({FOR: [CLIENT, "10.0.0.2"], PROTO: ["https"]}),
        proxy_fix(x_for=2, x_proto=2),
        *("scheme", "http", "https"),
    ),
    Row(
        "bare-address",
        "x_for=1",
        make_request({FOR: ["8.8.8.8:4711"]}),
        proxy_fix(x_for=1),
        *("client", "8.8.8.8:4711", "8.8.8.8"),
    ),
    Row(
        "server-name",
        "x_host=1",
        make_request({HOST: ["shop.example:81"]}),
        proxy_fix(x_host=1),
        *("server", "shop.example", "backend.internal"),
    ),
    Row(
        "port-in-host",
        "x_host=1, x_port=1",
        make_request({HOST: ["shop.example:81"], PORT: ["82"]}),
        proxy_fix(x_host=1, x_port=1),
        *("host", "shop.example:82", "shop.example:81"),
    ),
    Row(
        "mount-point-form",
        "x_prefix=1",
        make_request({PREFIX: ["//evil.example"]}),
        proxy_fix(x_prefix=1),
        *("mount_point", "//evil.example", ""),
    ),
    Row(
        "malformed",
        "x_for=1",
        make_request({FOR: ["<script>"]}),
        proxy_fix(x_for=1),
        *("client", "<script>", PEER),
    ),
]
WAITRESS = [
    Row(
        "bracketed-port",
        "waitress.serve(app, trusted_proxy='*', "
        "trusted_proxy_headers='x-forwarded-for')",
        make_request({FOR: ["[2606:4700::1]:443"]}),
        waitress(1, FOR),
        *("client", "[2606:4700::1]:443", "2606:4700::1"),
    ),
    Row(
        "fewer-elements",
        "waitress.serve(app, trusted_proxy='*', trusted_proxy_count=2,"
        "trusted_proxy_headers='x-forwarded-for')",
        make_request({FOR: [CLIENT]}),
        waitress(2, FOR),
        *("client", CLIENT, PEER),
    ),
    Row(
        "forwarded-own-element",
        "waitress.serve(app, trusted_proxy='*', trusted_proxy_count=2,"
        "trusted_proxy_headers='forwarded')",
        make_request({"Forwarded": [f"for={CLIENT}", "for=10.0.0.2;proto=https"]}),
        waitress(2, "forwarded"),
        *("scheme", "https", "http"),
    ),
    Row(
        "server-name",
        "waitress.serve(app, trusted_proxy='*', "
        "trusted_proxy_headers='x-forwarded-proto')",
        make_request({PROTO: ["https"]}),
        waitress(1, PROTO),
        *("port", "443", "8000"),
    ),
    Row(
        "scheme-list",
        "waitress.serve(app, trusted_proxy='*', "
        "trusted_proxy_headers='x-forwarded-proto')",
        make_request({PROTO: ["http", "https"]}),
        waitress(1, PROTO),
        *("status", 400, 200),
    ),
    Row(
        "malformed",
        "waitress.serve(app, trusted_proxy='*', "
        "trusted_proxy_headers='x-forwarded-host')",
        make_request({HOST: ["shop.example/path"]}),
        waitress(1, HOST),
        *("status", 200, 400),
    ),
]
OTHERS = [
    Row(
        "leftmost-scheme",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')",
        make_request({PROTO: ["https", "http"]}),
        django(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")),
        *("scheme", "https", "http"),
    ),
    Row(
        "malformed",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')",
        make_request({PROTO: ["ftp"]}, secure=True),
        django(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")),
        *("scheme", "http", "https"),
    ),
    Row(
        "contradiction",
        "secure_scheme_headers = {'X-FORWARDED-SSL': 'on',"
        "'X-FORWARDED-PROTO': 'https'}",
        make_request({"X-Forwarded-SSL": ["on"], PROTO: ["http"]}, peer="127.0.0.1"),
        gunicorn(),
        *("status", 400, 200),
    ),
    Row(
        "scheme-header",
        "gunicorn app:app",
        make_request({"X-Forwarded-Ssl": ["on"]}, peer="127.0.0.1"),
        gunicorn(),
        *("scheme", "https", "http"),
    ),
    Row(
        "leftmost",
        "get_client_ip(request)",
        make_request({FOR: [FORGED, CLIENT]}),
        ipware(),
        *("client", FORGED, CLIENT),
    ),
    Row(
        "one-header",
        "get_client_ip(request)",
        make_request({"X-Real-IP": [FORGED]}),
        ipware(),
        *("client", FORGED, PEER),
    ),
    Row(
        "more-elements",
        "get_client_ip(request, proxy_count=0)",
        make_request({FOR: [FORGED, CLIENT]}),
        ipware(proxy_count=0),
        *("client", PEER, CLIENT),
    ),
    Row(
        "private-client",
        "get_client_ip(request, proxy_count=0)",
        make_request({FOR: ["192.168.7.7"]}, peer="9.9.9.9"),
        ipware(proxy_count=0),
        *("client", "9.9.9.9", "192.168.7.7"),
    ),
    Row(
        "unknown-client",
        "get_client_ip(request, proxy_count=1)",
        make_request({FOR: ["unknown", "10.0.0.2"]}),
        ipware(proxy_count=1),
        *("client", None, "10.0.0.2"),
    ),
    Row(
        "fewer-elements",
        "XFF_TRUSTED_PROXY_DEPTH = 2",
        make_request({FOR: [FORGED]}),
        xff(XFF_TRUSTED_PROXY_DEPTH=2),
        *("client", FORGED, PEER),
    ),
    Row(
        "more-elements",
        "XFF_TRUSTED_PROXY_DEPTH = 1\nXFF_STRICT = True",
        make_request({FOR: [FORGED, CLIENT]}),
        xff(XFF_TRUSTED_PROXY_DEPTH=1, XFF_STRICT=True),
        *("status", 400, 200),
    ),
    Row(
        "too-few-rejected",
        "XFF_TRUSTED_PROXY_DEPTH = 2\nXFF_HEADER_REQUIRED = True",
        make_request({FOR: [FORGED]}),
        xff(XFF_TRUSTED_PROXY_DEPTH=2, XFF_HEADER_REQUIRED=True),
        *("status", 200, 400),
    ),
    Row(
        "missing-rejected",
        "XFF_TRUSTED_PROXY_DEPTH = 1\nXFF_ALWAYS_PROXY = True\n"
        "XFF_HEADER_REQUIRED = False",
        make_request({}),
        xff(
            XFF_TRUSTED_PROXY_DEPTH=1, XFF_ALWAYS_PROXY=True, XFF_HEADER_REQUIRED=False
        ),
        *("status", 200, 400),
    ),
    Row(
        "remote-addr",
        "XFF_TRUSTED_PROXY_DEPTH = 1\nXFF_REWRITE_REMOTE_ADDR = False",
        make_request({FOR: [CLIENT]}),
        xff(XFF_TRUSTED_PROXY_DEPTH=1, XFF_REWRITE_REMOTE_ADDR=False),
        *("client", PEER, CLIENT),
    ),
]
WSGI_ROWS = [*PROXY_FIX, *WAITRESS, *OTHERS]

ASGI_ROWS = [
    Row(
        "mapped",
        "uvicorn app:app --forwarded-allow-ips=10.0.0.0/8",
        make_request({FOR: [CLIENT]}, peer="::ffff:10.0.0.1"),
        uvicorn("10.0.0.0/8"),
        *("client", "::ffff:10.0.0.1", CLIENT),
    ),
    Row(
        "malformed",
        "uvicorn app:app --forwarded-allow-ips=10.0.0.0/8",
        make_request({FOR: ["<script>", "10.0.0.2"]}),
        uvicorn("10.0.0.0/8"),
        *("client", "<script>", "10.0.0.2"),
    ),
    Row(
        "scheme-list",
        "uvicorn app:app --forwarded-allow-ips=10.0.0.0/8",
        make_request({PROTO: ["http", "https"]}),
        uvicorn("10.0.0.0/8"),
        *("scheme", "http", "https"),
    ),
    Row(
        "literal",
        "uvicorn app:app --forwarded-allow-ips=localhost,10.0.0.1",
        make_request({FOR: [CLIENT]}, peer="localhost"),
        uvicorn("localhost,10.0.0.1"),
        *("client", CLIENT, "localhost"),
    ),
    Row(
        "no-falling-back",
        "ProxyFixMiddleware(app, mode='modern')",
        make_request({FOR: [FORGED]}),
        hypercorn("modern"),
        *("client", FORGED, PEER),
    ),
    Row(
        "forwarded-grammar",
        "ProxyFixMiddleware(app, mode='modern')",
        make_request({"Forwarded": ['for="8.8.8.8"']}),
        hypercorn("modern"),
        *("client", '"8.8.8.8"', CLIENT),
    ),
    Row(
        "fewer-elements",
        "ProxyFixMiddleware(app, trusted_hops=2)",
        make_request({FOR: [CLIENT, "10.0.0.2"], PROTO: ["https"]}),
        hypercorn("legacy", 2),
        *("scheme", "http", "https"),
    ),
    Row(
        "malformed",
        "ProxyFixMiddleware(app)",
        make_request({PROTO: ["ftp"]}),
        hypercorn("legacy"),
        *("scheme", "ftp", "http"),
    ),
]


def identify(row: Row) -> str:
    """Name a row for pytest."""
    return f"{row.code}: {row.text[:30]}"


def convert(row: Row) -> Conversion:
    """Convert a row's text, and see that its note is there."""
    kind = "proxyfix" if row.text.startswith("x_") else None
    conversion = convert_text(row.text, kind)
    assert row.code in {note.code for note in conversion.notes}
    return conversion


@pytest.mark.parametrize("row", WSGI_ROWS, ids=identify)
def test_note_is_true(row: Row) -> None:
    """Before it was the one value, and here it is the other."""
    conversion = convert(row)

    theirs = row.ask(row.request)

    assert theirs[row.field] == row.theirs
    assert tools.ask_us(conversion, row.request)[row.field] == row.ours


@pytest.mark.parametrize("row", ASGI_ROWS, ids=identify)
def test_note_is_true_in_asgi(row: Row) -> None:
    """Before it was the one value, and here it is the other."""
    conversion = convert(row)

    theirs = row.ask(row.request)

    assert theirs[row.field] == row.theirs
    ours = tools.ask_us_asgi(conversion, row.request, "http")
    assert ours[row.field] == row.ours


def test_note_about_websockets_is_true() -> None:
    """Hypercorn writes https into the scheme of a websocket."""
    request = make_request({PROTO: ["https"]})
    conversion = convert_text("ProxyFixMiddleware(app)")

    theirs = tools.ask_hypercorn("legacy", 1, request, "websocket")

    assert theirs["scheme"] == "https"
    assert tools.ask_us_asgi(conversion, request, "websocket")["scheme"] == "wss"


def test_note_about_uvicorn_on_a_unix_socket_is_true() -> None:
    """A peer without an address is trusted by nobody but '*'."""
    request = make_request({FOR: [CLIENT]}, peer="")

    assert tools.ask_uvicorn("127.0.0.1", request, "http")["client"] == ""
    assert tools.ask_uvicorn("*", request, "http")["client"] == CLIENT


def test_note_about_talisman_and_a_header_from_anybody_is_true() -> None:
    """Talisman takes a forged header for https; behind the policy it is gone."""
    request = Request("203.0.113.66", {PROTO: "https", "Host": "shop.example"}, {})
    application = tools.make_talisman({})

    theirs = tools.open_wsgi(application, request, "GET")

    conversion = convert_text("Talisman(app)", proxies="10.0.0.0/8")
    behind = conversion.read().policy

    def wrapped(environ: Any, start_response: Any) -> Any:
        behind.apply(environ)
        return application(environ, start_response)

    assert theirs["status"] == 200
    assert tools.open_wsgi(wrapped, request, "GET")["status"] == 302


def test_note_about_talisman_in_debug_mode_is_true() -> None:
    """Talisman does not redirect there."""
    request = Request("203.0.113.66", {"Host": "shop.example"}, {})
    application = tools.make_talisman({})
    application.debug = True

    assert tools.open_wsgi(application, request, "GET")["status"] == 200


@pytest.mark.parametrize(
    ("peer", "options"),
    [
        pytest.param("127.0.0.1", {"forwarded_allow_ips": ""}, id="TCP"),
        pytest.param(
            "", {"secure_scheme_headers": {}, "forwarder_headers": ""}, id="unix"
        ),
    ],
)
def test_switches_of_gunicorn_keep_it_from_the_headers(
    peer: str, options: dict[str, Any]
) -> None:
    """With what the note says, the scheme is left to the policy."""
    request = make_request({PROTO: ["https"]}, peer=peer)

    assert tools.ask_gunicorn({}, request)["scheme"] == "https"
    assert tools.ask_gunicorn(options, request)["scheme"] == "http"
