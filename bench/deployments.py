"""
What deployments send: one row for each, for WSGI and ASGI alike.

In:  the number of a client.
Out: the peer and the header lines of its request; the policy for that deployment, the
     arguments of the rivals that do the same work, and what is right.

A row is added when somebody's deployment sends something else.  No row is tuned to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HOST = "www.example.com"
SECRET = "correct-horse-battery-staple"

Lines = list[tuple[str, str]]

FOR, PROTO, REAL = "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"
FORWARDED_HOST, PORT, PREFIX = (
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
)


def client_address(number: int) -> str:
    """Name client *number*, as a server does: a new text for each request."""
    return f"203.{number >> 8 & 255}.{number & 255}.{number % 250 + 1}"


def proxy_address(number: int) -> str:
    """Name one of sixteen proxies."""
    return f"10.0.0.{number % 16}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    One deployment.

    Attributes:
        name: What the tables call it.

        lines: A client's number → the header lines that the proxy sends for it.

        policy: Arguments of `ProxyPolicy`.

        proxy_fix: Arguments of Werkzeug's ProxyFix for the same headers.

        scheme, host, port, mount_point: What is right, where a header says it.

        client: A client's number → what is right for ``REMOTE_ADDR``.

        peer: A client's number → who opens the connection.

        outer: The proxies of ours that stand further out than the peer.

        environ: Further keys of the environ.

        websocket: Whether it is the handshake of a websocket (ASGI alone).

        wsgi, asgi: The ratio to the rival not to be passed; ``None``: not asked.

        sender: The lines that are there besides: a browser's, or a health check's.
    """

    name: str
    lines: Callable[[int], Lines]
    policy: Mapping[str, Any]
    proxy_fix: Mapping[str, int] = field(default_factory=dict)
    scheme: str = "https"
    host: str = "app.internal:8000"
    port: str = "8000"
    mount_point: str = ""
    client: Callable[[int], str] = client_address
    peer: Callable[[int], str] = proxy_address
    outer: Sequence[str] = ()
    environ: Mapping[str, Any] = field(default_factory=dict)
    websocket: bool = False
    wsgi: float | None = 1.0
    asgi: float | None = 2.5
    sender: str = "browser"


def ours(*headers: str, **more: Any) -> dict[str, Any]:
    """Make the arguments of a policy for proxies in one network."""
    return {"headers": headers, "proxies": ["10.0.0.0/16"], **more}


#: The header lines that come besides those of a proxy, as a server receives them.
SENDERS: dict[str, tuple[tuple[str, str], ...]] = {
    "browser": (
        ("Host", "app.internal:8000"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Language", "en-GB,en;q=0.5"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Referer", "https://www.example.com/catalogue/"),
        ("Cookie", "sessionid=f5b1f8a8e7a94f5d; csrftoken=Xr2v8tQ"),
        ("Connection", "close"),
    ),
    "health check": (
        ("Host", "app.internal:8000"),
        ("User-Agent", "HealthChecker/2.0"),
        ("Accept-Encoding", "gzip, compressed"),
        ("Connection", "close"),
    ),
}

FORGED: Lines = [
    (FOR, "127.0.0.1"),
    (PROTO, "https"),
    (FORWARDED_HOST, "evil.example"),
    (REAL, "127.0.0.1"),
    ("X-Forwarded-SSL", "on"),
    ("X-Host", "evil.example"),
]

DEPLOYMENTS = (
    Deployment(
        "For, Proto, Host",
        lambda n: [
            (FOR, client_address(n)),
            (PROTO, "https"),
            (FORWARDED_HOST, HOST),
        ],
        ours(FOR, PROTO, FORWARDED_HOST),
        {"x_for": 1, "x_proto": 1, "x_host": 1},
        host=HOST,
    ),
    Deployment(
        "nginx as in every guide",
        lambda n: [
            (REAL, client_address(n)),
            (FOR, client_address(n)),
            (PROTO, "https"),
        ],
        ours(FOR, PROTO),
        {"x_for": 1, "x_proto": 1},
    ),
    Deployment(
        "a client's own element",
        lambda n: [
            (REAL, client_address(n)),
            (FOR, f"10.1.1.1, {client_address(n)}"),
            (PROTO, "https"),
        ],
        ours(FOR, PROTO),
        {"x_for": 1, "x_proto": 1},
    ),
    Deployment(
        "an ingress controller's eight",
        lambda n: [
            (REAL, client_address(n)),
            (FOR, client_address(n)),
            (FORWARDED_HOST, HOST),
            (PORT, "443"),
            (PROTO, "https"),
            ("X-Forwarded-Scheme", "https"),
            ("X-Scheme", "https"),
            ("X-Original-Forwarded-For", "198.51.100.1"),
        ],
        ours(FOR, PROTO, FORWARDED_HOST, PORT),
        {"x_for": 1, "x_proto": 1, "x_host": 1, "x_port": 1},
        # ProxyFix writes the port into the host, too; so does no other.
        host=HOST,
        port="443",
    ),
    Deployment(
        "a CDN in front of nginx",
        lambda n: [
            ("CF-Connecting-IP", client_address(n)),
            (REAL, f"173.245.48.{n % 7}"),
            (FOR, f"{client_address(n)}, 173.245.48.{n % 7}"),
            (PROTO, "https"),
        ],
        {"headers": (FOR, PROTO), "proxies": ["10.0.0.0/16", "173.245.48.0/20"]},
        {"x_for": 2, "x_proto": 1},
        outer=[f"173.245.48.{n}" for n in range(7)],
    ),
    Deployment(
        "three hops, 200 networks",
        lambda n: [
            (FOR, f"{client_address(n)}, 10.120.3.{n % 7}, 10.61.8.{n % 5}"),
            (PROTO, "https"),
            (FORWARDED_HOST, HOST),
        ],
        {
            "headers": (FOR, PROTO, FORWARDED_HOST),
            "proxies": [f"10.{n}.0.0/16" for n in range(200)],
        },
        {"x_for": 3, "x_proto": 1, "x_host": 1},
        host=HOST,
        outer=[
            *(f"10.120.3.{n}" for n in range(7)),
            *(f"10.61.8.{n}" for n in range(5)),
        ],
    ),
    Deployment(
        "a hop count",
        lambda n: [
            (FOR, client_address(n)),
            (PROTO, "https"),
            (FORWARDED_HOST, HOST),
        ],
        ours(FOR, PROTO, FORWARDED_HOST, hops=1),
        {"x_for": 1, "x_proto": 1, "x_host": 1},
        host=HOST,
    ),
    Deployment(
        "a mount point",
        lambda n: [
            (FOR, client_address(n)),
            (PROTO, "https"),
            (FORWARDED_HOST, HOST),
            (PREFIX, "/app"),
        ],
        ours(FOR, PROTO, FORWARDED_HOST, PREFIX),
        {"x_for": 1, "x_proto": 1, "x_host": 1, "x_prefix": 1},
        host=HOST,
        mount_point="/app",
    ),
    Deployment(
        "malformed and missing are rejected",
        lambda n: [(FOR, client_address(n)), (PROTO, "https")],
        ours(FOR, PROTO, malformed="reject", missing="reject"),
        {"x_for": 1, "x_proto": 1},
    ),
    Deployment(
        "a secret",
        lambda n: [
            (FOR, client_address(n)),
            (PROTO, "https"),
            ("X-Proxy-Secret", SECRET),
        ],
        ours(FOR, PROTO, secret_header="X-Proxy-Secret", secrets=[SECRET]),
        {"x_for": 1, "x_proto": 1},
    ),
    Deployment(
        "uWSGI's environ",
        lambda n: [(FOR, client_address(n)), (PROTO, "https")],
        ours(FOR, PROTO),
        {"x_for": 1, "x_proto": 1},
        environ={
            "uwsgi.version": b"2.0.30",
            "uwsgi.node": b"node",
            "REQUEST_URI": "/catalogue/shoes?page=2",
            "REQUEST_SCHEME": "http",
            "REMOTE_PORT": "52814",
        },
        asgi=None,
    ),
    Deployment(
        "a websocket",
        lambda n: [(FOR, client_address(n)), (PROTO, "https")],
        ours(FOR, PROTO),
        websocket=True,
        scheme="wss",
        wsgi=None,
    ),
    Deployment(
        "garbage in X-Forwarded-For",
        lambda n: [(FOR, f"<script>{n}"), (PROTO, "https")],
        ours(FOR, PROTO),
        {"x_for": 1, "x_proto": 1},
        client=proxy_address,
        wsgi=1.2,
    ),
    Deployment(
        "Forwarded",
        lambda n: [("Forwarded", f"for={client_address(n)};proto=https;host={HOST}")],
        ours("Forwarded"),
        host=HOST,
        asgi=10.0,
    ),
    Deployment(
        "direct, six forged headers",
        lambda n: FORGED,
        ours(FOR, PROTO, FORWARDED_HOST),
        {"x_for": 1, "x_proto": 1, "x_host": 1},
        scheme="http",
        peer=client_address,
        asgi=7.0,
    ),
    Deployment(
        "direct, without headers",
        lambda n: [],
        ours(FOR, PROTO, FORWARDED_HOST),
        {"x_for": 1, "x_proto": 1, "x_host": 1},
        scheme="http",
        peer=client_address,
        wsgi=2.0,
        asgi=5.0,
    ),
    Deployment(
        "a health check",
        lambda n: [],
        ours(FOR, PROTO, FORWARDED_HOST),
        {"x_for": 1, "x_proto": 1, "x_host": 1},
        scheme="http",
        client=proxy_address,
        wsgi=2.0,
        asgi=2.5,
        sender="health check",
    ),
)
