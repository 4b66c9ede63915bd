"""
The real mod_wsgi as the backend of a proxy mount point.

In:  requests of a client behind a proxy, through this project's middleware.
Out: the environ that mod_wsgi makes of what it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from trustedproxy import ProxyMountPointsMiddleware, ProxyPolicy

from ..real.servers.processes import find_free_port
from .apache import readable_folder, write_certificate
from .express import HOST, NAME, make_python, start_express

PROXY = "10.0.0.9"
CLIENT = "203.0.113.7"
APPLICATION = """\
import json

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    return [json.dumps(told).encode()]
"""
TRUSTED = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Script-Name",
]


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    """Give the URL of a mod_wsgi that trusts what it is sent from here."""
    options = [
        *(f"--trust-proxy-header={name}" for name in TRUSTED),
        *("--trust-proxy=127.0.0.1", "--trust-proxy=::1", f"--trust-proxy={PROXY}"),
        *("--callable-object", "application"),
    ]
    with readable_folder() as folder:
        write_certificate(folder, HOST, NAME)
        (folder / "express_app.py").write_text(APPLICATION)
        ports = (find_free_port(HOST), find_free_port(HOST))
        with start_express(folder, make_python(folder), "backend", ports, options):
            yield f"http://{NAME}:{ports[0]}/"


def test_mod_wsgi_accepts_what_is_sent(backend: str) -> None:
    """Client, scheme, host, port, server and mount point are the client's."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the request is below the mount point")

    policy = ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
        proxies=["10.0.0.0/8"],
    )
    proxied = ProxyMountPointsMiddleware(application, {"/blog/": backend}, policy)
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/blog/x",
        "SERVER_NAME": "front.example",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": PROXY,
        "HTTP_HOST": "internal.example",
        "HTTP_X_FORWARDED_FOR": f"6.6.6.6, {CLIENT}",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "app.example:8443",
        "HTTP_X_FORWARDED_SCHEME": "http",
        "HTTP_X_SCRIPT_NAME": "/forged",
        "wsgi.url_scheme": "http",
    }

    def start_response(status: str, headers: Any) -> Any:
        assert status == "200 OK"

    try:
        body = b"".join(proxied(environ, start_response))
    finally:
        proxied.close()

    told = json.loads(body)
    assert {
        "address": told["REMOTE_ADDR"],
        "scheme": told["wsgi.url_scheme"],
        "host": told["HTTP_HOST"],
        "server": told["SERVER_NAME"],
        "port": told["SERVER_PORT"],
        "mount point": told["SCRIPT_NAME"],
        "path": told["PATH_INFO"],
    } == {
        "address": CLIENT,
        "scheme": "https",
        "host": "app.example:8443",
        "server": "front.example",
        "port": "8443",
        "mount point": "/blog",
        "path": "/x",
    }
