"""
HTTPS only, around a Flask application (docs/https.md).

In:  a request whose trusted headers were applied, so that its scheme is the client's.
Out: a redirect to HTTPS, a refusal, or the application's answer with HSTS.

The rules are the core's.  Flask adds two things to them: the hosts that it accepts
(``TRUSTED_HOSTS``), and views that a decorator exempts.  Both are asked before any of
the application's code runs, and for plain HTTP only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException

from trustedproxy import HTTPSOnlyMiddleware
from trustedproxy.https_only import https_exempt, is_https_exempt, read_environ

from .hosts import accepts_host, make_request

if TYPE_CHECKING:
    from flask import Flask, Request

    from trustedproxy import HTTPSOnly
    from trustedproxy._types import Environ, WSGIApp
    from trustedproxy.responses import Answer

__all__ = ["FlaskHTTPSOnly", "https_exempt"]


class FlaskHTTPSOnly(HTTPSOnlyMiddleware):
    """
    HTTPS only for the WSGI application *wrapped*, by the rules of the core.

    Args:
        flask: The Flask application, which is asked for its hosts and its views.

        wrapped: What stands inside: Flask, or the proxy mount points around it.

        rules: What is redirected where.
    """

    def __init__(self, flask: Flask, wrapped: WSGIApp, rules: HTTPSOnly) -> None:
        # Not as the core makes it, which would log now what `warn_if_open` logs later.
        self.flask = flask
        self.app = wrapped
        self.rules = rules

    def answer_plain(self, environ: Environ) -> Answer | None:
        """Answer a request that may not reach the application, as Flask sees it."""
        request = make_request(self.flask, environ)
        if self.exempts_view(request):
            return None
        self.warn_if_open(request)
        host_refused = not accepts_host(request)
        return self.rules.answer(
            replace(read_environ(environ), host_refused=host_refused)
        )

    def warn_if_open(self, request: Request) -> None:
        """Log that nothing limits the host of a redirect."""
        if request.trusted_hosts is None and self.rules.host is None:
            self.flask.extensions["trustedproxy"].warn_once(
                "https-only-open",
                "HTTPS only redirects to whatever host a request names: set "
                "TRUSTED_PROXY_HTTPS_HOST to the site's host, or TRUSTED_HOSTS to its "
                "hosts, in the configuration of the application %r.",
                self.flask.name,
            )

    def exempts_view(self, request: Request) -> bool:
        """Say whether the view that Flask would choose was marked by `https_exempt`."""
        try:
            # It is None only where there is no request.
            adapter = self.flask.create_url_adapter(request)
            rule, _ = adapter.match(return_rule=True)  # type: ignore[union-attr]
        except HTTPException:
            return False
        return is_https_exempt(self.flask.view_functions.get(rule.endpoint))
