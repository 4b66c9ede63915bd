"""
What the log says in a Flask application where a misconfiguration takes something away.

In:  what reports from the field described, and variants of it.
Out: one record that names the peer, the header, and what to write; none for a forger.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest
from werkzeug.test import Client

from flask_trustedproxy import wrap_wsgi

from .conftest import POLICY, make_app

FROM_PROXY = {"X-Forwarded-For": "192.168.1.40", "X-Forwarded-Proto": "https"}


def ask(app: Any, peer: str, path: str = "/", **headers: str) -> int:
    """Ask an application, wrapped or not, and return the status."""
    sent = FROM_PROXY | {name.replace("_", "-"): text for name, text in headers.items()}
    client = Client(app)
    response = client.get(path, environ_base={"REMOTE_ADDR": peer}, headers=sent)
    return response.status_code


def find_record(caplog: pytest.LogCaptureFixture, code: str) -> logging.LogRecord:
    """Find the one record with *code*."""
    (record,) = (r for r in caplog.records if getattr(r, "code", None) == code)
    return record


each_way = pytest.mark.parametrize(
    "wrap", [lambda app: app, wrap_wsgi], ids=["extension", "wrapper"]
)


@each_way
@pytest.mark.parametrize(
    ("peer", "entry"),
    [
        ("172.18.0.1", "'172.18.0.1'"),
        ("127.0.0.1", "'127.0.0.1'"),
        ("fe80::1%eth0", "'fe80::1'"),
        ("", "'unix'"),
        ("<local>", "'unix'"),
    ],
)
def test_proxy_that_is_not_in_the_list(
    wrap: Any, peer: str, entry: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The commonest mistake of all is named with the entry to add, once for a peer."""
    app = wrap(make_app(**{**POLICY, "TRUSTED_PROXIES": ["192.168.1.31"]}))

    for _ in range(3):
        assert ask(app, peer) == 200

    record = find_record(caplog, "peer-not-trusted")
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("trustedproxy: the peer")
    assert f"add {entry}" in record.getMessage()


def test_forger_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A public address that sends such headers is probably nobody's proxy."""
    ask(make_app(**POLICY), "203.0.113.66")

    assert caplog.records == []


@each_way
def test_mount_point_that_stays_in_the_path(
    wrap: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A path that begins with the mount point, and nothing takes it off, is named."""
    ask(wrap(make_app(**POLICY)), "10.0.0.5", "/app/x", X_Forwarded_Prefix="/app")

    message = find_record(caplog, "mount-point-in-path").getMessage()
    assert "TRUSTED_PROXY_STRIP_MOUNT_POINT" in message


def test_inner_proxy_that_overwrites_the_scheme(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same redirect for ever, though a scheme header comes, is named as a loop."""
    app = make_app(
        **POLICY, TRUSTED_PROXY_HTTPS_ONLY=True, TRUSTED_PROXY_HTTPS_HOST="a.example"
    )

    for _ in range(20):
        assert ask(app, "10.0.0.5", X_Forwarded_Proto="http") == 301

    message = find_record(caplog, "https-only-overwritten").getMessage()
    assert "let it pass the header on" in message


def test_import_adds_flask_alone() -> None:
    """Importing the extension loads no module of another framework, and no loop."""
    script = (
        "import sys, trustedproxy, flask, flask.cli, werkzeug.middleware.proxy_fix\n"
        "before = set(sys.modules)\n"
        "import flask_trustedproxy\n"
        "added = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "ours = {'flask_trustedproxy', 'trustedproxy'}\n"
        "assert added <= ours | sys.stdlib_module_names, added\n"
        "assert not added & {'asyncio', 'ssl', 'socketserver', 'urllib3'}, added\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
