"""
What the Flask tests share: an application that answers with what it saw.

In:  configuration.
Out: `make_app`, `ask`; and a logger that has logged nothing yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, jsonify, request, session, url_for

from flask_trustedproxy import TrustedProxy, current_decision
from trustedproxy import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.test import TestResponse

#: A peer that the policy of these tests trusts, and one that it does not.
PROXY = "10.0.0.5"
STRANGER = "198.51.100.7"

#: What most of these tests configure.
POLICY = {
    "TRUSTED_PROXY_HEADERS": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    ],
    "TRUSTED_PROXIES": ["10.0.0.0/8"],
}


@pytest.fixture(autouse=True)
def _nothing_logged() -> Iterator[None]:
    """Let each test see the records that are written once a process."""
    log.forget()
    yield
    log.forget()


def make_app(**config: Any) -> Flask:
    """
    Make an application with the extension and the *config* of a test.

    Returns:
        An application whose every path answers with what the view saw, as JSON.
    """
    app = make_bare_app(**config)
    TrustedProxy(app)
    return app


def make_bare_app(**config: Any) -> Flask:
    """Make the same application without the extension."""
    app = Flask("application")
    app.config.update(SECRET_KEY="a key of these tests", **config)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def view(path: str) -> Response:
        session["count"] = session.get("count", 0) + 1
        return jsonify(
            remote_addr=request.remote_addr,
            access_route=list(request.access_route),
            scheme=request.scheme,
            is_secure=request.is_secure,
            host=request.host,
            host_url=request.host_url,
            root_path=request.root_path,
            script_root=request.script_root,
            url_root=request.url_root,
            path=request.path,
            url=request.url,
            external=url_for("view", path="x", _external=True),
            internal=url_for("view", path="x"),
            headers=dict(request.headers),
            client=read_client(),
            count=session["count"],
        )

    return app


def read_client() -> str | None:
    """The decision's client, ``None`` where there is no decision."""
    return current_decision.client if bool(current_decision) else None


def ask(
    app: Flask,
    path: str = "/",
    *,
    peer: str | None = PROXY,
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> TestResponse:
    """Send a request from *peer* through the whole application."""
    return app.test_client().open(
        path, environ_base={"REMOTE_ADDR": peer}, headers=headers, **options
    )


def see(app: Flask, path: str = "/", **options: Any) -> dict[str, Any]:
    """Send a request and return what the view saw."""
    response = ask(app, path, **options)
    assert response.status_code == 200, response.get_data(as_text=True)
    seen: dict[str, Any] = response.get_json()
    return seen
