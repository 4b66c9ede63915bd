"""
The real mod_wsgi behind this project's mount points: it trusts what they send.

In:  requests of clients at a mount point, by http and https.
Out: the environ that mod_wsgi gives to the application on the backend.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.mount_points import ProxyMountPointsMiddleware

from .apache import Oracle, path_of
from .cases import EVERY_VARIABLE, POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse


def _not_mounted(
    environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    start_response("404 Not Found", [])
    return []


@pytest.mark.parametrize(
    ("scheme", "host", "port"),
    [
        ("http", "shop.example", "80"),
        ("https", "shop.example", "443"),
        ("https", "shop.example:8443", "8443"),
    ],
)
@pytest.mark.parametrize("client", ["203.0.113.7", "2001:db8::7"])
def test_mod_wsgi_trusts_what_a_mount_point_sends(
    oracle: Oracle, scheme: str, host: str, port: str, client: str
) -> None:
    """Behind a mount point mod_wsgi sees the client, and nothing that it forged."""
    index = POLICIES.index(EVERY_VARIABLE)
    backend = oracle.theirs["127.0.0.1", False]
    app = ProxyMountPointsMiddleware(
        _not_mounted,
        {"/blog/": f"http://{backend.host}:{backend.number}{path_of(index)}/"},
        ProxyPolicy(headers=["X-Forwarded-For"], proxies=["192.0.2.1"]),
    )
    environ: dict[str, Any] = {
        "REMOTE_ADDR": client,
        "HTTP_HOST": host,
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": port,
        "PATH_INFO": "/blog/x",
        "wsgi.url_scheme": scheme,
        "HTTP_X_FORWARDED_FOR": "198.51.100.66",
        "HTTP_X_FORWARDED_HOST": "forged.example",
        "HTTP_X_SCRIPT_NAME": "/forged",
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(status: str, *_: object) -> Any:
        statuses.append(status)

    body = app(environ, start_response)
    seen = json.loads(b"".join(body))
    close = getattr(body, "close", None)
    if close is not None:
        close()
    app.close()

    assert statuses == ["200 OK"]
    assert {
        "REMOTE_ADDR": seen["REMOTE_ADDR"],
        "HTTP_HOST": seen["HTTP_HOST"],
        "SERVER_NAME": seen["SERVER_NAME"],
        "SERVER_PORT": seen["SERVER_PORT"],
        "SCRIPT_NAME": seen["SCRIPT_NAME"],
        "wsgi.url_scheme": seen["wsgi.url_scheme"],
    } == {
        "REMOTE_ADDR": client,
        "HTTP_HOST": host,
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": port,
        "SCRIPT_NAME": "/blog",
        "wsgi.url_scheme": scheme,
    }
    assert "HTTP_X_SCRIPT_NAME" not in seen
