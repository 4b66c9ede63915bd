"""
Ask Flask whether it accepts the host of a request, before Flask makes its own request.

In:  an application and an environ whose trusted headers were applied.
Out: yes or no, by ``TRUSTED_HOSTS`` and by the ``trusted_hosts`` of the request class.

Flask 3.1 asks the same when it matches a URL.  Older ones have no such setting for
views; here it counts with all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import SecurityError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Request

    from trustedproxy._types import Environ, StartResponse, WSGIApp


def make_request(app: Flask, environ: Environ) -> Request:
    """
    Make a request object to ask, with the hosts that *app* accepts.

    It is made as Flask makes its own afterwards, which takes its place.
    """
    request = app.request_class(environ)
    trusted_hosts = app.config.get("TRUSTED_HOSTS")
    if trusted_hosts is not None:
        request.trusted_hosts = trusted_hosts
    return request


def accepts_host(request: Request) -> bool:
    """Say whether Flask accepts the host of *request* (S-57)."""
    try:
        _ = request.host
    except SecurityError:
        return False
    return True


class OwnHostsOnly:
    """
    Let requests reach the proxy mount points only for hosts that Flask accepts.

    Behind a mount point no view of Flask is asked, and the redirect to ``/blog/`` goes
    to the request's own host. A request for another host is Flask's to refuse.

    Args:
        app: The Flask application, which is asked.

        proxied: The proxy mount points, around *own*.

        own: What the application answers itself.
    """

    def __init__(self, app: Flask, proxied: WSGIApp, own: WSGIApp) -> None:
        self.app = app
        self.proxied = proxied
        self.own = own

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        accepted = accepts_host(make_request(self.app, environ))
        return (self.proxied if accepted else self.own)(environ, start_response)
