"""
HTTPS only, around a Flask application (design section 8).

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

from trustedproxy.decision import DECISION_KEY, REPORT_KEY
from trustedproxy.https_only import (
    add_hsts,
    https_exempt,
    is_https_exempt,
    is_secure,
    read_environ,
)
from trustedproxy.responses import send_wsgi

from .hosts import accepts_host, make_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Request

    from trustedproxy._types import Environ, StartResponse, WSGIApp
    from trustedproxy.https_only import HTTPSOnly

__all__ = ["FlaskHTTPSOnly", "https_exempt"]


class FlaskHTTPSOnly:
    """
    HTTPS only for the WSGI application *wrapped*, by the rules of the core.

    Args:
        app: The Flask application, which is asked for its hosts and its views.

        wrapped: What stands inside: Flask, or the proxy mount points around it.

        rules: What is redirected where.
    """

    def __init__(self, app: Flask, wrapped: WSGIApp, rules: HTTPSOnly) -> None:
        self.app = app
        self.wrapped = wrapped
        self.rules = rules

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        # In report-only mode the scheme here may be only the last hop's.
        if is_secure(environ.get("wsgi.url_scheme")) and REPORT_KEY not in environ:
            self.rules.note_secure(environ.get(DECISION_KEY))
            value = self.rules.hsts_value(environ.get("HTTP_HOST"))
            if value is not None:
                start_response = add_hsts(start_response, value)
            return self.wrapped(environ, start_response)

        request = make_request(self.app, environ)
        if not self.exempts_view(request):
            self.tell_open(request)
            facts = read_environ(environ)
            answer = self.rules.answer(
                replace(facts, host_refused=not accepts_host(request))
            )
            if answer is not None:
                return send_wsgi(answer, environ, start_response)
        return self.wrapped(environ, start_response)

    def tell_open(self, request: Request) -> None:
        """Tell that nothing limits the host of a redirect."""
        if request.trusted_hosts is None and self.rules.host is None:
            self.app.extensions["trustedproxy"].warn_once(
                "https-only-open",
                "HTTPS only redirects to whatever host a request names: set "
                "TRUSTED_PROXY_HTTPS_HOST to the site's host, or TRUSTED_HOSTS to its "
                "hosts, in the configuration of the application %r.",
                self.app.name,
            )

    def exempts_view(self, request: Request) -> bool:
        """Say whether the view that Flask would choose was marked by `https_exempt`."""
        try:
            # It is None only where there is no request.
            adapter = self.app.create_url_adapter(request)
            rule, _ = adapter.match(return_rule=True)  # type: ignore[union-attr]
        except HTTPException:
            return False
        return is_https_exempt(self.app.view_functions.get(rule.endpoint))
