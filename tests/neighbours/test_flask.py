"""
Flask-SocketIO and Flask-Limiter behind a proxy.

In:  applications as their users write them, with the docs' example policy.
Out: the client in events and limits, and a record where the order is the wrong one.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.test import Client

from flask_trustedproxy import TrustedProxy, wrap_wsgi

limits: Any = importlib.import_module("flask_limiter")
limits_util: Any = importlib.import_module("flask_limiter.util")
sockets: Any = importlib.import_module("flask_socketio")

CLIENT, OTHER, STRANGER = "203.0.113.7", "203.0.113.8", "198.51.100.66"
POLICY = {
    "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
    "TRUSTED_PROXIES": ["loopback"],
}


def make_app() -> Flask:
    """Make an application with the docs' example policy in its configuration."""
    app = Flask("application")
    app.config.update(POLICY, SECRET_KEY="a key of these tests")
    return app


def count_until_refused(
    app: Flask, *, peer: str = "127.0.0.1", clients: list[str]
) -> int:
    """Count the answers before the first 429."""
    for count, client in enumerate(clients):
        answer = app.test_client().get(
            "/limited",
            environ_base={"REMOTE_ADDR": peer},
            headers={"X-Forwarded-For": client, "X-Forwarded-Proto": "https"},
        )
        if answer.status_code == 429:
            return count
    return len(clients)


@pytest.fixture
def limited() -> Flask:
    """Make an application with a limit of two an hour."""
    app = make_app()
    TrustedProxy(app)
    address = limits_util.get_remote_address
    limiter = limits.Limiter(address, app=app, storage_uri="memory://")

    @app.get("/limited")
    @limiter.limit("2 per hour")  # type: ignore[untyped-decorator]  # the package has no types
    def view() -> str:
        return "served"

    return app


def test_limiter_counts_the_client(limited: Flask) -> None:
    """Its get_remote_address is the client, and others go on."""
    assert count_until_refused(limited, clients=[CLIENT] * 4) == 2
    assert count_until_refused(limited, clients=[OTHER]) == 1


def test_limiter_is_not_got_around_by_a_forged_address(limited: Flask) -> None:
    """A new address in the header each time is no new client."""
    forged = [f"192.0.2.{i}" for i in range(4)]

    assert count_until_refused(limited, peer=STRANGER, clients=forged) == 2


# Flask-SocketIO keeps the environ of the handshake for its events.


def connect(application: Any) -> None:
    """Do the handshake of Socket.IO by polling, as its client does."""
    client = Client(application)
    options: dict[str, Any] = {
        "environ_base": {"REMOTE_ADDR": "127.0.0.1"},
        "headers": {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"},
    }
    opened = client.get("/socket.io/?EIO=4&transport=polling", **options)
    sid = json.loads(opened.text[1:])["sid"]
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    assert client.post(path, data="40", **options).status_code == 200


def add_socketio(app: Flask) -> list[tuple[str | None, str]]:
    """Put Flask-SocketIO on *app*; its event keeps what it sees of the client."""
    seen: list[tuple[str | None, str]] = []
    # Events in the request's own thread, so that a test can look.
    socketio = sockets.SocketIO(app, async_mode="threading", async_handlers=False)

    def keep() -> None:
        seen.append((request.remote_addr, request.scheme))

    socketio.on_event("connect", keep)
    return seen


def test_socketio_before_the_extension_sees_the_client() -> None:
    """The recommended order: TrustedProxy(app) comes last, and is the outermost."""
    app = make_app()
    seen = add_socketio(app)
    TrustedProxy(app)

    connect(app)

    assert seen == [(CLIENT, "https")]


@pytest.mark.logged
def test_socketio_after_the_extension_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It sees the proxy; at the first request that reaches Flask the log names it."""
    app = make_app()
    app.add_url_rule("/", view_func=lambda: "served")
    TrustedProxy(app)
    seen = add_socketio(app)

    connect(app)
    for _ in range(2):
        app.test_client().get("/", headers={"X-Forwarded-For": CLIENT})

    assert seen == [("127.0.0.1", "http")]
    (message,) = [r.getMessage() for r in caplog.records if "outside" in r.getMessage()]
    assert "flask_socketio._SocketIOMiddleware" in message
    assert "Call TrustedProxy(app) after it" in message


def test_socketio_after_the_extension_below_the_wrapper_sees_the_client() -> None:
    """Where the order cannot be changed, the wrapper stands around both."""
    app = make_app()
    TrustedProxy(app)
    seen = add_socketio(app)

    connect(wrap_wsgi(app))

    assert seen == [(CLIENT, "https")]
