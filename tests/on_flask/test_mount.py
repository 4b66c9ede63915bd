"""
``TRUSTED_PROXY_MOUNT_POINTS`` in the Flask extension.

In:  a backend that answers on a real socket, and one that is only remembered.
Out: what is proxied, what Flask answers itself, and in which order both are asked.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

from trustedproxy import DECISION_KEY, Decision, ProxyPolicy, mount_points

from .conftest import POLICY, PROXY, ask, make_app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustedproxy._types import Environ, StartResponse, WSGIApp


class Remembered:
    """What stands in for the middleware: it keeps what it was given and called with."""

    made: Remembered

    def __init__(
        self,
        app: WSGIApp,
        mount_points: Mapping[str, str],
        policy: ProxyPolicy,
        *,
        allowed_hosts: None,
    ) -> None:
        self.app = app
        self.mount_points = mount_points
        self.policy = policy
        self.calls: list[Environ] = []
        Remembered.made = self

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        self.calls.append(environ)
        return self.app(environ, start_response)


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> type[Remembered]:
    """Let the extension use `Remembered` for the middleware."""
    monkeypatch.setattr(
        mount_points, "ProxyMountPointsMiddleware", Remembered, raising=False
    )
    return Remembered


POINTS = {"/blog/": "http://127.0.0.1:1/"}


def test_mount_points_stand_inside_the_trusted_headers(
    remembered: type[Remembered],
) -> None:
    """What is proxied is a request that was corrected, by the application's policy."""
    app = make_app(**POLICY, TRUSTED_PROXY_MOUNT_POINTS=POINTS)

    ask(app, headers={"X-Forwarded-For": "203.0.113.7"})

    assert remembered.made.mount_points == POINTS
    assert remembered.made.policy is app.extensions["trustedproxy"].settings.policy
    (environ,) = remembered.made.calls
    assert environ["REMOTE_ADDR"] == "203.0.113.7"
    assert isinstance(environ[DECISION_KEY], Decision)


def test_mount_points_stand_inside_https_only(remembered: type[Remembered]) -> None:
    """Plain HTTP is redirected before anything is proxied."""
    app = make_app(
        **POLICY, TRUSTED_PROXY_MOUNT_POINTS=POINTS, TRUSTED_PROXY_HTTPS_ONLY=True
    )

    response = ask(app, "/blog/x", headers={"X-Forwarded-For": "203.0.113.7"})

    assert response.status_code == 301
    assert remembered.made.calls == []


@pytest.mark.parametrize(
    ("host", "proxied"), [("app.example", 1), ("evil.example", 0), ('a"b', 0)]
)
def test_mount_points_are_not_for_other_hosts(
    host: str, proxied: int, remembered: type[Remembered]
) -> None:
    """A host that Flask refuses gets no redirect to itself, and no backend."""
    app = make_app(
        **POLICY,
        TRUSTED_PROXY_MOUNT_POINTS=POINTS,
        TRUSTED_HOSTS=["app.example"],
    )

    ask(app, "/blog", headers={"Host": host})

    assert len(remembered.made.calls) == proxied


@pytest.fixture
def backend() -> Iterator[str]:
    """Serve a backend on a free port of the loopback, and give its URL."""
    app = Flask("backend")

    @app.route("/", defaults={"path": ""})
    @app.route("/<path:path>")
    def view(path: str) -> Any:
        return jsonify(path=request.path, headers=dict(request.headers))

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_mount_point_answers_from_the_backend(backend: str) -> None:
    """The backend gets the rest of the path, and the client that is confirmed."""
    pytest.importorskip("httpcore", reason="the extra 'mount' is not installed here")
    app = make_app(**POLICY, TRUSTED_PROXY_MOUNT_POINTS={"/blog/": backend})
    headers = {
        "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "app.example",
        "X-Real-IP": "6.6.6.6",
    }

    proxied = ask(app, "/blog/x/y", headers=headers)
    slash = ask(app, "/blog?q=1", headers=headers)
    own = ask(app, "/blogger", headers=headers)

    got = proxied.get_json()
    assert got["path"] == "/x/y"
    assert got["headers"]["X-Forwarded-For"] == f"203.0.113.7, {PROXY}"
    assert got["headers"]["X-Forwarded-Proto"] == "https"
    assert got["headers"]["X-Forwarded-Host"] == "app.example"
    assert "X-Real-Ip" not in got["headers"]
    assert slash.headers["Location"] == "https://app.example/blog/?q=1"
    assert own.get_json()["remote_addr"] == "203.0.113.7"
