"""
Each variable before and after.

In:  requests, described or as a server has them.
Out: `Variable` records, which agree with what `apply` writes.
"""

from __future__ import annotations

from typing import Any

from trustedproxy.explain import explain_environ

from ..making import make_environ
from .making import PEER, explain_sent, make_policy


def test_variables_of_a_described_request() -> None:
    """The seven that are always there; the client's port where there is one."""
    explanation = explain_sent(
        {"X-Forwarded-For": "203.0.113.7:47", "X-Forwarded-Prefix": "/app"},
        headers=["X-Forwarded-For", "X-Forwarded-Prefix"],
        strip_mount_point=True,
        fields={"path": "/app/x"},
    )

    assert [
        (v.name, v.wsgi, v.asgi, v.before, v.after) for v in explanation.variables
    ] == [
        ("client address", "REMOTE_ADDR", "client[0]", PEER, "203.0.113.7"),
        ("scheme", "wsgi.url_scheme", "scheme", "http", "http"),
        ("host", "HTTP_HOST", "headers: host", "backend:8000", "backend:8000"),
        ("server name", "SERVER_NAME", "server[0]", "backend", "backend"),
        ("port", "SERVER_PORT", "server[1]", "8000", "8000"),
        ("mount point", "SCRIPT_NAME", "root_path", "", "/app"),
        ("path", "PATH_INFO", "path", "/app/x", "/x"),
        ("client port", "REMOTE_PORT", "client[1]", None, "47"),
    ]


def test_variables_of_an_environ() -> None:
    """They are what `apply` makes of them, those that only some servers have too."""
    policy = make_policy(headers=["X-Forwarded-For", "X-Forwarded-Proto"])
    environ: dict[str, Any] = make_environ(
        {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"},
        REMOTE_PORT="50000",
        REMOTE_HOST="proxy.example",
        HTTPS="off",
        REQUEST_SCHEME="http",
    )
    applied = dict(environ)
    policy.apply(applied)

    variables = explain_environ(policy, environ).variables

    assert {v.wsgi for v in variables} >= {
        "REMOTE_PORT",
        "REMOTE_HOST",
        "HTTPS",
        "REQUEST_SCHEME",
    }
    assert {v.wsgi: v.after for v in variables} == {
        v.wsgi: applied.get(v.wsgi) for v in variables
    }
    assert {v.wsgi: v.before for v in variables} == {
        v.wsgi: environ.get(v.wsgi) for v in variables
    }
    assert {v.wsgi for v in variables if v.changed} == {
        "REMOTE_ADDR",
        "REMOTE_PORT",
        "REMOTE_HOST",
        "wsgi.url_scheme",
        "HTTPS",
        "REQUEST_SCHEME",
    }


def test_variables_of_a_rejected_request_stay() -> None:
    """Nothing is rewritten."""
    explanation = explain_sent(
        {"X-Forwarded-For": "garbage", "X-Forwarded-Proto": "https"},
        headers=["X-Forwarded-For", "X-Forwarded-Proto"],
        malformed="reject",
    )

    assert not any(variable.changed for variable in explanation.variables)


def test_variables_with_a_header_in_two_spellings() -> None:
    """The one with underscores is not taken for the other one."""
    explanation = explain_sent(
        {"X_Forwarded_For": "6.6.6.6", "X-Forwarded-For": "203.0.113.7"}
    )

    assert explanation.variables[0].after == "203.0.113.7"
