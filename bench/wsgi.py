"""
What does it cost to correct one WSGI request?

Compares the middleware with what people use now: Werkzeug's ProxyFix, and for
``Forwarded`` waitress's middleware, since ProxyFix does not read it.  Gunicorn shows
its socket, which is looked at besides: every deployment is asked with and without.

Run it with ``make bench``, or ``python bench/wsgi.py --help``.
"""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from deployments import DEPLOYMENTS, SENDERS, Deployment
from measure import Contestant, Scenario, run
from waitress.proxy_headers import proxy_headers_middleware
from werkzeug.middleware.proxy_fix import ProxyFix

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# What a server hands to every request as it is.
ERRORS = io.StringIO()
BODY = io.BytesIO()
SOCKET = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

GUNICORN = {
    "wsgi.file_wrapper": io.FileIO,
    "wsgi.input_terminated": True,
    "SERVER_SOFTWARE": "gunicorn/23.0.0",
    "gunicorn.socket": SOCKET,
    "RAW_URI": "/catalogue/shoes?page=2",
    "REMOTE_PORT": "52814",
}


def make_environ(deployment: Deployment, number: int, more: Environ) -> Environ:
    """
    Make the environ that PEP 3333 asks for, and what the sender says besides.

    Names and values of headers are new texts each time, as from a real parser, so
    that nobody gains from comparing by identity.
    """
    environ: Environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/catalogue/shoes",
        "QUERY_STRING": "page=2",
        "SERVER_NAME": "0.0.0.0",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": deployment.peer(number),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BODY,
        "wsgi.errors": ERRORS,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **deployment.environ,
        **more,
    }
    for name, value in (*SENDERS[deployment.sender], *deployment.lines(number)):
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = value.encode("latin-1").decode("latin-1")
    return environ


def application(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    """Answer nothing: only the way here is measured."""
    return []


def start_response(*args: object) -> None:
    """Take no notice."""


def make_ours(deployment: Deployment) -> App:
    """Make the middleware for *deployment*."""
    policy = ProxyPolicy(**deployment.policy)
    # Its type is wider than that of the contestants here.
    return cast("App", TrustedProxyMiddleware(application, policy))


def make_rival(deployment: Deployment) -> App:
    """Make what does the same work today."""
    if deployment.proxy_fix:
        return ProxyFix(application, **deployment.proxy_fix)
    app: App = proxy_headers_middleware(
        application, trusted_proxy="*", trusted_proxy_headers={"forwarded"}
    )
    return app


def run_batch(app: App) -> Callable[[Sequence[Environ]], None]:
    """Make the measured loop of *app*."""

    def loop(batch: Sequence[Environ]) -> None:
        for environ in batch:
            app(environ, start_response)

    return loop


def check(app: App, deployment: Deployment, more: Environ) -> None:
    """Raise unless *app* gets *deployment* right, twice."""
    for number in (1234, 1234):
        environ = make_environ(deployment, number, more)
        app(environ, start_response)
        seen = {
            "client": environ["REMOTE_ADDR"],
            "scheme": environ["wsgi.url_scheme"],
            "host": environ["HTTP_HOST"],
            "port": environ["SERVER_PORT"],
            "mount_point": environ["SCRIPT_NAME"],
        }
        right = {
            "client": deployment.client(number),
            "scheme": deployment.scheme,
            "host": deployment.host,
            "port": deployment.port,
            "mount_point": deployment.mount_point,
        }
        if seen != right:
            raise AssertionError(f"{deployment.name}: {seen} is not {right}")


def make_scenario(deployment: Deployment, under: str, more: Environ) -> Scenario:
    """Put both contestants of one deployment together."""
    app, rival = make_ours(deployment), make_rival(deployment)
    name = "Werkzeug ProxyFix" if deployment.proxy_fix else "waitress"
    return Scenario(
        name=deployment.name + under,
        make=lambda number: make_environ(deployment, number, more),
        ours=Contestant(
            "trustedproxy", run_batch(app), lambda: check(app, deployment, more)
        ),
        # The rivals answer other questions; only what is asked of all is checked.
        rival=Contestant(name, run_batch(rival), lambda: None),
        limit=deployment.wsgi or 0.0,
    )


def main() -> int:
    """Run the benchmark."""
    scenarios = [
        make_scenario(deployment, under, more)
        for under, more in (("", {}), (" (gunicorn)", GUNICORN))
        for deployment in DEPLOYMENTS
        if deployment.wsgi is not None and not (more and deployment.environ)
    ]
    description = "What does it cost to correct one WSGI request?"
    return run(description, ["Werkzeug", "waitress"], scenarios)


if __name__ == "__main__":
    sys.exit(main())
