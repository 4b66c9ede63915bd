"""
What a backend makes of the headers that are sent to it.

In:  the headers that really arrived at a backend.
Out: client, scheme, host, port and mount point, by our own policy, by Werkzeug's
     ProxyFix and by uvicorn.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from trustedproxy import ProxyPolicy

from .backend import Backend
from .fronts import PEER, run_front

CLIENT = "203.0.113.7"
SENT = [
    ("X-Forwarded-For", f"6.6.6.6, {CLIENT}"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "client.example"),
    ("X-Forwarded-Port", "8443"),
    ("X-Forwarded-Prefix", "/outer"),
    ("X-Forwarded-Scheme", "http"),
    ("X-Script-Name", "/forged"),
    ("X-Real-IP", "6.6.6.6"),
]
POLICY = {
    "headers": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
    ],
    "proxies": ["10.0.0.0/8", "127.0.0.1"],
}
HERE = "127.0.0.1"


@pytest.fixture
def arrived(kind: str, backend: Backend) -> list[tuple[str, str]]:
    """Headers as they arrived at the backend, from a client behind a proxy."""
    policy = ProxyPolicy(**POLICY, strip="all")  # type: ignore[arg-type]  # options of many types
    with run_front(kind, {"/blog": backend.url}, policy) as front:
        front.ask("/blog/x", headers=SENT)
    return backend.last.headers


def make_environ(headers: list[tuple[str, str]]) -> dict[str, Any]:
    """Make the environ in which the backend's server hands the headers over."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/x",
        "SERVER_NAME": HERE,
        "SERVER_PORT": "8001",
        "REMOTE_ADDR": HERE,
        "wsgi.url_scheme": "http",
    }
    for name, value in headers:
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def test_own_policy_accepts(arrived: list[tuple[str, str]]) -> None:
    """The same policy on the backend finds the same client."""
    environ = make_environ(arrived)

    decision = ProxyPolicy(**POLICY).apply(environ)  # type: ignore[arg-type]  # options of many types

    assert decision.problems == ()
    assert (decision.client, decision.scheme, decision.host, decision.port) == (
        CLIENT,
        "https",
        "client.example",
        "8443",
    )
    assert environ["REMOTE_ADDR"] == CLIENT
    assert environ["SCRIPT_NAME"] == "/outer/blog"


@pytest.mark.parametrize("header", ["X-Forwarded-Script-Name", "X-Forwarded-Prefix"])
def test_own_policy_with_a_count_accepts(
    header: str, arrived: list[tuple[str, str]]
) -> None:
    """Two proxies are two hops, and either header names the mount point."""
    policy = ProxyPolicy(headers=["X-Forwarded-For", header], hops=2)
    environ = make_environ(arrived)

    assert policy.apply(environ).client == CLIENT
    assert environ["SCRIPT_NAME"] == "/outer/blog"


def test_werkzeugs_proxy_fix_accepts(arrived: list[tuple[str, str]]) -> None:
    """ProxyFix, told of two proxies for the client and of one for the rest."""
    seen: dict[str, Any] = {}

    def application(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    fixed = ProxyFix(application, x_for=2, x_proto=1, x_host=1, x_port=1, x_prefix=1)
    list(fixed(make_environ(arrived), lambda *_: lambda _: None))

    assert seen["REMOTE_ADDR"] == CLIENT
    assert seen["wsgi.url_scheme"] == "https"
    assert seen["HTTP_HOST"] == "client.example:8443"
    assert seen["SCRIPT_NAME"] == "/outer/blog"


def test_uvicorn_accepts(arrived: list[tuple[str, str]]) -> None:
    """uvicorn, told which proxies to trust."""
    seen: dict[str, Any] = {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    scope: Any = {
        "type": "http",
        "scheme": "http",
        "client": (HERE, 4711),
        "headers": [
            (name.lower().encode(), value.encode("latin-1")) for name, value in arrived
        ],
    }
    middleware: Any = ProxyHeadersMiddleware(application, trusted_hosts=[HERE, PEER])
    asyncio.run(middleware(scope, None, None))

    assert seen["client"][0] == CLIENT
    assert seen["scheme"] == "https"
