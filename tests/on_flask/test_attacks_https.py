"""
The attacks on redirects, HSTS and exemptions through the Flask extension.

In:  the rows that every surface is asked.
Out: what Flask answered, held against what is wanted.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, Response

from flask_trustedproxy import TrustedProxy

from ..attacks_https import (
    ALLOWED_HOSTS,
    WSGI_ROWS,
    Got,
    Row,
    make_environ,
    make_settings,
    read_got,
)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def ask_flask(row: Row) -> Got:
    """Run a *row* through a Flask application that answers on every path."""
    app = Flask("application", static_folder=None)
    app.config.update(make_settings(row))
    # Werkzeug cannot list an IPv6 address: it cuts an entry at its first colon.
    if not row.host.startswith("["):
        app.config["TRUSTED_HOSTS"] = list(ALLOWED_HOSTS)
    TrustedProxy(app)

    @app.route("/", defaults={"path": ""}, methods=METHODS)
    @app.route("/<path:path>", methods=METHODS)
    def view(path: str) -> Response:
        response = Response("the application")
        if row.own_hsts:
            response.headers["Strict-Transport-Security"] = row.own_hsts
        return response

    answers: list[Got] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        answers.append(read_got(int(status[:3]), headers))
        return lambda body: None

    list(app(make_environ(row), start_response))
    (got,) = answers
    return got


@pytest.mark.parametrize("row", WSGI_ROWS, ids=str)
def test_attack_by_redirect_through_flask(row: Row) -> None:
    """Flask answers each row as the specification wants."""
    assert ask_flask(row) == row.wanted


def test_rows_cover_every_attack_of_the_section() -> None:
    """No id is missing, save S-64 (a policy's text) and websockets."""
    ids = {row.id for row in WSGI_ROWS}

    assert ids == {f"S-{n}" for n in range(57, 67)} - {"S-64", "S-65"} | {"H-11"}
