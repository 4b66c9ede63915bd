"""
The attacks on redirects, HSTS (S-57 to S-66) and exemptions (H-11) as a table.

In:  nothing.
Out: `ROWS`, the settings they run with, and what each surface needs to run one: an
     environ or a scope for a row, an application for the bare surfaces, and `Got`.

A surface runs every row with one function from a `Row` to a `Got`, and compares that
to `Row.wanted`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from trustedproxy import TrustedProxyASGIMiddleware, TrustedProxyMiddleware
from trustedproxy.https_only import (
    HTTPSOnly,
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
)
from trustedproxy.settings import read_settings

PROXY = "10.0.0.9"
STRANGER = "198.51.100.66"
HOST = "www.example.com"
POLICY = "max-age=31536000; includeSubDomains"

#: The settings that every row has; a row's own come on top.
SETTINGS: Mapping[str, object] = {
    "TRUSTED_PROXY_HEADERS": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
    ],
    "TRUSTED_PROXIES": ["10.0.0.0/8"],
    "TRUSTED_PROXY_HTTPS_ONLY": True,
    "TRUSTED_PROXY_HTTPS_EXEMPT": ["/healthz"],
    "TRUSTED_PROXY_HSTS_POLICY": POLICY,
}
#: The hosts that the site answers for: ``ALLOWED_HOSTS``, ``TRUSTED_HOSTS``.
ALLOWED_HOSTS = (HOST, "secure.example.com", "203.0.113.80", "[2001:db8::80]")


@dataclass(frozen=True, slots=True)
class Got:
    """
    What was answered.

    Attributes:
        status: The status code; 200 is the application's.

        location: The ``Location`` header, if there is one.

        hsts: Every value of ``Strict-Transport-Security``.

        no_store: Whether the answer forbids that it is stored.
    """

    status: int
    location: str | None = None
    hsts: tuple[str, ...] = ()
    no_store: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """
    One request and what is wanted.

    Attributes:
        id: The row's number in ATTACKS.

        name: A sentence without its subject, so that a failure explains itself.

        wanted: What is answered.

        target: The request target, as it is sent.

        method: The method.

        host: The ``Host`` header.

        scheme: What ``X-Forwarded-Proto`` says; ``None``: it is not there.

        peer: The other end of the connection.

        headers: More headers.

        settings: Settings of this row alone.

        own_hsts: A policy that the application itself puts into its answer.

        websocket: Whether it is the handshake of a websocket (ASGI only).
    """

    id: str
    name: str
    wanted: Got
    target: str = "/"
    method: str = "GET"
    host: str = HOST
    scheme: str | None = "http"
    peer: str = PROXY
    headers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    own_hsts: str | None = None
    websocket: bool = False

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


def redirect(location: str, status: int = 301) -> Got:
    """A redirect, and nothing of HSTS on it."""
    return Got(status, location)


REFUSED = Got(400, no_store=True)
PASSED = Got(200)
SECURED = Got(200, hsts=(POLICY,))

EXEMPT_NETWORK = {"TRUSTED_PROXY_HTTPS_EXEMPT": ["10.0.0.0/8"]}
EXEMPT_PATH = {"TRUSTED_PROXY_HTTPS_EXEMPT": ["/public/*", "/*.css"]}

ROWS: tuple[Row, ...] = (
    Row("S-57", "redirects to the host", redirect(f"https://{HOST}/")),
    Row("S-57", "refuses another site's host", REFUSED, host="evil.example"),
    Row("S-57", "refuses a host with a user", REFUSED, host=f"{HOST}@evil.example"),
    Row("S-57", "refuses a host with a path", REFUSED, host=f"{HOST}/evil.example"),
    Row("S-57", "refuses a host with a fragment", REFUSED, host=f"evil.example#{HOST}"),
    Row("S-57", "refuses two hosts", REFUSED, host=f"{HOST}, evil.example"),
    Row("S-57", "refuses a name that only ends like it", REFUSED, host=f"evil{HOST}"),
    Row(
        "S-57",
        "refuses another site's host from a proxy",
        REFUSED,
        headers={"X-Forwarded-Host": "evil.example"},
    ),
    Row(
        "S-57",
        "does not look at a stranger's host header",
        redirect(f"https://{HOST}/"),
        peer=STRANGER,
        headers={"X-Forwarded-Host": "evil.example"},
    ),
    Row(
        "S-57",
        "redirects to the configured host",
        redirect("https://secure.example.com/a"),
        target="/a",
        settings={"TRUSTED_PROXY_HTTPS_HOST": "secure.example.com"},
    ),
    Row(
        "S-57",
        "refuses another site's host beside a configured one",
        REFUSED,
        host="evil.example",
        settings={"TRUSTED_PROXY_HTTPS_HOST": "secure.example.com"},
    ),
    Row(
        "S-58",
        "puts the host before a path that begins like one",
        redirect(f"https://{HOST}//evil.example/x"),
        target="//evil.example/x",
    ),
    Row(
        "S-58",
        "puts the host before a backslash",
        redirect(f"https://{HOST}/\\evil.example"),
        target="/\\evil.example",
    ),
    Row("S-58", "refuses an absolute URL", REFUSED, target="http://evil.example/x"),
    Row("S-58", "refuses a path without its slash", REFUSED, target="a/b"),
    Row("S-58", "refuses an asterisk", REFUSED, target="*", method="OPTIONS"),
    Row(
        "S-59",
        "keeps encoded line breaks encoded",
        redirect(f"https://{HOST}/a%0d%0aSet-Cookie:%20x=1?b=%0D%0A"),
        target="/a%0d%0aSet-Cookie:%20x=1?b=%0D%0A",
    ),
    Row(
        "S-59",
        "encodes what is not ASCII",
        redirect(f"https://{HOST}/%C3%A9?%C3%BC"),
        target="/\xc3\xa9?\xc3\xbc",
    ),
    Row("S-59", "refuses a line break", REFUSED, target="/a\r\nX: y"),
    Row("S-59", "refuses a NUL in the query", REFUSED, target="/a?\x00"),
    Row(
        "S-59",
        "keeps the percent-encoding",
        redirect(f"https://{HOST}/a%2Fb%20c/%e2%82%ac;p=1,2"),
        target="/a%2Fb%20c/%e2%82%ac;p=1,2",
    ),
    Row(
        "S-59",
        "keeps a URL in the query",
        redirect(f"https://{HOST}/in?next=http://a/?b=c"),
        target="/in?next=http://a/?b=c",
    ),
    Row("S-60", "redirects HEAD like GET", redirect(f"https://{HOST}/"), method="HEAD"),
    *(
        Row(
            "S-60",
            f"keeps the method and the body of {method}",
            redirect(f"https://{HOST}/form", 308),
            target="/form",
            method=method,
        )
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    ),
    *(
        Row(
            "S-60",
            f"answers POST with {other} where GET gets {status}",
            redirect(f"https://{HOST}/", other),
            method="POST",
            settings={"TRUSTED_PROXY_HTTPS_STATUS": status},
        )
        for status, other in ((301, 308), (308, 308), (302, 307), (307, 307))
    ),
    Row(
        "S-61",
        "drops the port of the plain request",
        redirect(f"https://{HOST}/"),
        host=f"{HOST}:8080",
    ),
    Row(
        "S-61",
        "writes the configured port",
        redirect(f"https://{HOST}:8443/"),
        host=f"{HOST}:8080",
        settings={"TRUSTED_PROXY_HTTPS_HOST": ":8443"},
    ),
    Row(
        "S-61",
        "drops the port 443 of the configured host",
        redirect(f"https://{HOST}/"),
        settings={"TRUSTED_PROXY_HTTPS_HOST": f"{HOST}:443"},
    ),
    Row(
        "S-61",
        "redirects to an IPv6 address without the port",
        redirect("https://[2001:db8::80]/"),
        host="[2001:db8::80]:8080",
    ),
    Row("S-62", "sends the policy on HTTPS", SECURED, scheme="https"),
    Row("S-62", "sends no policy on plain HTTP", PASSED, target="/healthz"),
    Row(
        "S-62",
        "sends no policy for an IPv4 host",
        PASSED,
        scheme="https",
        host="203.0.113.80",
    ),
    Row(
        "S-62",
        "sends no policy for an IPv6 host",
        PASSED,
        scheme="https",
        host="[2001:db8::80]:8443",
    ),
    Row(
        "S-62",
        "redirects a stranger who claims HTTPS",
        redirect(f"https://{HOST}/"),
        scheme="https",
        peer=STRANGER,
    ),
    Row(
        "S-63",
        "leaves the application's own policy",
        Got(200, hsts=("max-age=60",)),
        scheme="https",
        own_hsts="max-age=60",
    ),
    Row("S-65", "denies a plain websocket", Got(403, no_store=True), websocket=True),
    Row("S-65", "lets a secure websocket in", Got(101), scheme="wss", websocket=True),
    *(
        Row(
            "S-66",
            f"redirects with {status} for a trial",
            redirect(f"https://{HOST}/a", status),
            target="/a",
            settings={"TRUSTED_PROXY_HTTPS_STATUS": status},
        )
        for status in (302, 307)
    ),
    # Exempt by its network is who speaks for itself.
    *(
        Row(
            "H-11",
            f"lets the proxy itself in, with {name} {value!r}",
            PASSED,
            scheme=None,
            headers={name: value},
            settings=EXEMPT_NETWORK,
        )
        for name, value in (
            ("Accept", "*/*"),
            ("Connection", "close"),
            ("Connection", "keep-alive, Upgrade"),
            ("X-Request-Id", "1"),
        )
    ),
    *(
        Row(
            "H-11",
            f"redirects a client behind the exempt network, with {name} {value!r}",
            redirect(f"https://{HOST}/"),
            scheme=None,
            headers={name: value},
            settings=EXEMPT_NETWORK,
        )
        for name, value in (
            # Named, so that the proxy itself drops what it says of the client.
            ("Connection", "X-Forwarded-For"),
            ("Connection", "close, x-forwarded-proto , te"),
            ("Connection", "close,X_Forwarded_For"),
            ("Connection", "Forwarded"),
            ("Connection", "via"),
            ("Connection", "CDN-Loop"),
            ("Connection", "X-Forwarded-Client-Cert"),
            # Trusted, known but not listed, only removed, known by its beginning.
            ("X-Forwarded-For", "203.0.113.7"),
            ("X-Forwarded-For", "garbage"),
            ("X-Forwarded-For", ""),
            ("X-Real-IP", "203.0.113.7"),
            ("Forwarded", "for=203.0.113.7"),
            ("CF-Connecting-IP", "203.0.113.7"),
            ("X-Forwarded-Port", "80"),
            ("X-Original-URL", "/"),
            ("X-Forwarded-Client-Cert", "By=x"),
            ("Via", "1.1 cache"),
            ("CDN-Loop", "cdn.example"),
        )
    ),
    *(
        Row(
            "H-11",
            f"redirects a stranger in the exempt network, with {name}",
            redirect(f"https://{HOST}/"),
            peer=STRANGER,
            scheme=None,
            headers={name: value},
            settings={"TRUSTED_PROXY_HTTPS_EXEMPT": [f"{STRANGER}/32"]},
        )
        for name, value in (("X-Forwarded-For", "127.0.0.1"), ("Via", "1.1 cache"))
    ),
    # Exempt by its path is what stays below it, whoever reads it.
    *(
        Row(
            "H-11",
            f"lets {target} in",
            PASSED,
            target=target,
            settings=EXEMPT_PATH,
        )
        for target in (
            "/public/",
            "/public/a/b.css",
            "/public/a%20b",
            "/public/..a/b..c",
            "/public/a;v=1/b",
            "/public/caf%C3%A9",
            "/static/a.css",
        )
    ),
    *(
        Row(
            "H-11",
            f"redirects {target}",
            redirect(f"https://{HOST}{target}"),
            target=target,
            settings=EXEMPT_PATH,
        )
        for target in (
            "/public/../admin",
            "/public/..;/admin",
            "/public/..;x=1/admin",
            "/public/..\\admin",
            "/public/a\\..\\..\\admin",
            "/public/..%5Cadmin",
            "/public/..%2Fadmin",
            "/public/a%2F..%2F../admin",
            "/public/%2e%2e/admin",
            "/public/%2e%2e%3Bx/admin",
            "/public/%252e%252e/admin",
            "/public/%25252e%25252e/admin",
            "/public/%c0%ae%c0%ae/admin",
            "/public/%00/../admin",
            "/public/a%00",
            "/public/.../admin",
            "/public/..%20/admin",
            "/public/.%2e./admin",
            "/public/%ef%bc%8e%ef%bc%8e/admin",
            "/public/a/..",
            # What is in front of the end is not what everybody reads.
            "/admin;.css",
            "/admin;x/y.css",
            "/admin%3Fx.css",
            "/admin%253Fx.css",
            "/admin%23.css",
            "/admin%00.css",
            "/admin/%2e%2e;/a.css",
        )
    ),
)

#: The rows that a WSGI surface can be asked.
WSGI_ROWS = tuple(row for row in ROWS if not row.websocket)

Environ = dict[str, Any]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]


def make_settings(row: Row) -> dict[str, object]:
    """The settings of a *row*."""
    return {**SETTINGS, **row.settings}


def _split_target(row: Row) -> tuple[bytes, bytes]:
    path, _, query = row.target.encode("latin-1").partition(b"?")
    return path, query


def _list_headers(row: Row) -> dict[str, str]:
    proto = {} if row.scheme is None else {"X-Forwarded-Proto": row.scheme}
    return {**proto, **row.headers}


def make_environ(row: Row) -> Environ:
    """The environ of a *row*, as gunicorn makes it."""
    path, query = _split_target(row)
    environ: Environ = {
        "REQUEST_METHOD": row.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": row.target,
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "backend.internal",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": row.peer,
        "HTTP_HOST": row.host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in _list_headers(row).items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def make_scope(row: Row, *, extensions: Mapping[str, object] | None = None) -> Scope:
    """The scope of a *row*, as uvicorn makes it."""
    path, query = _split_target(row)
    headers = {"host": row.host, **_list_headers(row)}
    scope: Scope = {
        "type": "websocket" if row.websocket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws" if row.websocket else "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "client": (row.peer, 50000),
        "server": ("192.0.2.1", 8000),
    }
    if not row.websocket:
        scope["method"] = row.method
    if extensions is not None:
        scope["extensions"] = dict(extensions)
    return scope


def read_got(status: int, headers: Iterable[tuple[str, str]]) -> Got:
    """Keep of an answer what the rows speak of."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return Got(
        status,
        ",".join(found["location"]) if "location" in found else None,
        tuple(found.get("strict-transport-security", ())),
        "no-store" in ",".join(found.get("cache-control", ())),
    )


def _compile(row: Row) -> HTTPSOnly:
    https_only = read_settings(make_settings(row)).https_only
    assert https_only is not None
    return https_only.limit_to(ALLOWED_HOSTS)


def ask_wsgi(row: Row) -> Got:
    """Run a *row* through the bare WSGI middlewares."""
    answers: list[Got] = []

    def application(
        environ: Environ, start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        own = [("Strict-Transport-Security", row.own_hsts)] if row.own_hsts else []
        start_response("200 OK", [("Content-Type", "text/plain"), *own])
        return [b"the application"]

    def start_response(
        status: str, headers: list[tuple[str, str]], *exc_info: object
    ) -> Callable[[bytes], object]:
        answers.append(read_got(int(status[:3]), headers))
        return lambda body: None

    app = TrustedProxyMiddleware(
        HTTPSOnlyMiddleware.from_rules(application, _compile(row)),
        read_settings(make_settings(row)).policy,
    )
    body = b"".join(app(make_environ(row), start_response))
    (got,) = answers
    assert (body == b"") == (row.method == "HEAD" and got.status != 200)
    return got


def ask_asgi(row: Row) -> Got:
    """Run a *row* through the bare ASGI middlewares."""

    async def application(
        scope: Scope,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        own = (
            [(b"strict-transport-security", row.own_hsts.encode())]
            if row.own_hsts
            else []
        )
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b"the application"})

    app = TrustedProxyASGIMiddleware(
        HTTPSOnlyASGIMiddleware.from_rules(application, _compile(row)),
        read_settings(make_settings(row)).policy,
    )
    return run_asgi(app, make_scope(row, extensions={"websocket.http.response": {}}))


def run_asgi(app: Callable[..., Awaitable[None]], scope: Scope) -> Got:
    """Run an ASGI application *app* once, and say what it answered."""
    sent: list[Message] = []

    async def receive() -> Message:
        if scope["type"] == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(_await(app(scope, receive, send)))
    first = sent[0]
    if first["type"] == "websocket.accept":
        return Got(101)
    if first["type"] == "websocket.close":
        return Got(403)
    return read_got(
        first["status"],
        [(k.decode("latin-1"), v.decode("latin-1")) for k, v in first["headers"]],
    )


async def _await(awaitable: Awaitable[None]) -> None:
    await awaitable
