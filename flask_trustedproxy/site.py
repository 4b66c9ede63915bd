"""
What Flask knows of a site: its hosts, and the views that stay reachable over HTTP.

In:  an application, and an environ whose trusted headers were applied.
Out: yes or no: by ``TRUSTED_HOSTS`` and the ``trusted_hosts`` of the request class, and
     by the decorator `https_exempt`.

Flask is asked before it makes its own request, for plain HTTP and for proxy mount
points alone.  Flask 3.1 asks for the host itself when it matches a URL; older ones have
no such setting for views, and here it counts with all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.sansio.utils import host_is_trusted

from trustedproxy.https_only import is_https_exempt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask, Request


class FlaskSite:
    """
    The site of an application; a `trustedproxy._types.Site`.

    Args:
        app: The Flask application, which is asked.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app

    def accepts_host(self, request: Mapping[str, Any]) -> bool:
        """Say whether Flask serves the host of *request* (S-57)."""
        try:
            _ = self._make_request(request).host
        except SecurityError:
            return False
        return True

    def exempts_view(self, request: Mapping[str, Any]) -> bool:
        """Say whether the view that Flask would choose was marked by `https_exempt`."""
        try:
            adapter = self.app.create_url_adapter(self._make_request(request))
            assert adapter is not None, "there is a request"
            rule, _ = adapter.match(return_rule=True)
        except HTTPException:
            return False
        return is_https_exempt(self.app.view_functions.get(rule.endpoint))

    @property
    def allowed_hosts(self) -> tuple[str, ...] | None:
        """The hosts that Flask serves; ``None`` where it refuses none."""
        hosts = self.app.config.get("TRUSTED_HOSTS")
        if hosts is None:
            hosts = self.app.request_class.trusted_hosts
        if hosts:
            return (hosts,) if isinstance(hosts, str) else tuple(hosts)
        # An empty list is everybody's or nobody's: that depends on Werkzeug's version.
        serves_all = hosts is None or host_is_trusted("app.example", hosts)
        return None if serves_all else ()

    def _make_request(self, environ: Mapping[str, Any]) -> Request:
        """Make a request as Flask makes its own, with the hosts that it accepts."""
        request = self.app.request_class(dict(environ))
        trusted_hosts = self.app.config.get("TRUSTED_HOSTS")
        if trusted_hosts is not None:
            request.trusted_hosts = trusted_hosts
        return request
