"""
Sites for the browser: an application on gunicorn, and nginx in front of it.

In:  a framework, settings, what nginx is told.
Out: where to look, through nginx and around it.

The applications are those of ``make demo-web``.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from trustedproxy.report import MemoryUses, TokenKind, Tokens
from trustedproxy.report.visits import COOKIE

from ...copied_examples import copy_examples

# The examples are in no package, and import each other by their names.
sys.path.append(str(copy_examples()))

from demo_web import APPLICATIONS, HOST, NGINX, PAGE, threaded, write_certificate
from nginx import find_ports, serve_nginx
from servers import serve, uvicorn

__all__ = [
    "CLIENT",
    "HOST",
    "NGINX",
    "PAGE",
    "Setup",
    "Site",
    "ask",
    "make_session",
    "serve_site",
]

#: The address that a browser of these tests comes from.
CLIENT: Final = "127.0.0.1"

SETTINGS: Final[dict[str, Any]] = {
    "DEBUG": True,
    "TRUSTED_PROXY_HEADERS": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    ],
    "TRUSTED_PROXIES": [NGINX],
    "TRUSTED_PROXY_STRIP": "all",
}

#: What a proxy that is set up well says, in nginx's words.
HONEST: Final = (
    "proxy_set_header Host $http_host",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
    "proxy_set_header X-Forwarded-Proto $scheme",
)


@dataclass(frozen=True, slots=True)
class Site:
    """
    Where to look.

    Attributes:
        direct: The application's own address, around nginx.

        plain, secure: The addresses through nginx.
    """

    direct: str
    plain: str
    secure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """
    How a site is set up.

    Attributes:
        framework: ``django`` or ``flask``.

        settings: What differs from `SETTINGS`.

        path: Where nginx has the application.

        upstream: What nginx puts behind the application's address: ``/`` takes the
            path off.

        lines: What nginx is told about headers.

        server: What runs the application: ``gunicorn``, ``uvicorn``, or ``uvicorn that
            trusts everybody``.

        inner: What an inner nginx is told, behind the outer one; or nothing.
    """

    framework: str = "django"
    server: str = "gunicorn"
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: str = "/"
    upstream: str = ""
    lines: tuple[str, ...] = HONEST
    inner: tuple[str, ...] = ()


@contextmanager
def serve_site(setup: Setup, folder: Path) -> Iterator[Site]:
    """
    Start a site, and stop it.

    Args:
        setup: How it is set up.

        folder: Where used tokens are kept.
    """
    environ = {
        "DEMO_SETTINGS": json.dumps(
            {
                **SETTINGS,
                "TRUSTED_PROXY_TOKEN_FILE": str(folder / "tokens.sqlite3"),
                **setup.settings,
            }
        )
    }
    with serve(_make_command(setup), environ) as port:
        plain, secure, inner = find_ports(3)

        def write(own: Path) -> str:
            write_certificate(own)
            return _write_servers(setup, own, (port, plain, secure, inner))

        with serve_nginx(write, (plain, secure), address=NGINX):
            yield Site(
                f"http://{HOST}:{port}/",
                f"http://{HOST}:{plain}{setup.path}",
                f"https://{HOST}:{secure}{setup.path}",
            )


def _make_command(setup: Setup) -> Callable[[int], list[str]]:
    if setup.server == "gunicorn":
        return threaded(APPLICATIONS[setup.framework])
    # Only Django's application is there for both kinds of server.
    command = uvicorn("demo_web_django:asgi_application")
    if setup.server == "uvicorn":
        return command
    switch = ("--forwarded-allow-ips", "*")
    return lambda descriptor: [
        *(w for w in command(descriptor) if w != "--no-proxy-headers"),
        *switch,
    ]


def _write_servers(setup: Setup, own: Path, ports: tuple[int, int, int, int]) -> str:
    port, plain, secure, inner = ports
    listen = f"""
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl;
        ssl_certificate {own}/certificate.pem;
        ssl_certificate_key {own}/key.pem;
    """
    if not setup.inner:
        return _write_server(listen, setup.path, setup.lines, port, setup.upstream)
    outer = _write_server(listen, setup.path, setup.lines, inner, "")
    listen = f"listen {NGINX}:{inner};"
    behind = _write_server(listen, setup.path, setup.inner, port, setup.upstream)
    return outer.replace(f"//127.0.0.1:{inner}", f"//{NGINX}:{inner}") + behind


def _write_server(
    listen: str, path: str, lines: tuple[str, ...], port: int, upstream: str
) -> str:
    told = "".join(f"{line};\n" for line in lines)
    return f"""
    server {{
        {listen}
        location {path} {{
            {told}
            proxy_pass http://127.0.0.1:{port}{upstream};
        }}
    }}
    """


def ask(
    url: str,
    headers: dict[str, str],
    *,
    path: str | None = None,
    host: str | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Ask as no browser would: with any host, and from a trusted proxy's address."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        "127.0.0.1", parts.port or 80, timeout=10, source_address=(NGINX, 0)
    )
    connection.putrequest("GET", path or parts.path, skip_host=True)
    connection.putheader("Host", host or parts.netloc)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    try:
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def make_session() -> dict[str, str]:
    """Make the headers of somebody who was let in."""
    tokens = Tokens("only for this demo, on this machine", MemoryUses())
    return {"Cookie": f"{COOKIE}={tokens.make(TokenKind.SESSION)}"}
