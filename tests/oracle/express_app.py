"""
The application behind mod_wsgi-express: alone, and with this project around it.

In:  an environ, and beside this file the options of mod_wsgi-express as text.
Out: `plain`, for the side on which express itself redirects and proxies; `https_only`,
     `request_host` and `mounted`, the same application in this project's middlewares,
     made from the very same options.

Apache loads this file by path, in a process of its own; the tests never import it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustedproxy import (
    HTTPSOnlyMiddleware,
    TrustedProxyMiddleware,
    read_settings,
)
from trustedproxy.mod_wsgi import parse_mod_wsgi
from trustedproxy.mount_points import ProxyMountPointsMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse


def plain(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer as the last segment of the path asks for."""
    wish = environ["PATH_INFO"].rpartition("/")[2]
    if wish == "raise":
        raise RuntimeError("asked for")
    headers = [("Content-Type", "text/plain"), ("X-Application", "reached")]
    if wish == "own-policy":
        headers.append(("Strict-Transport-Security", "max-age=5"))
    if wish == "elsewhere":
        headers.append(("Location", "http://elsewhere.example/"))
        start_response("302 Found", headers)
    elif wish == "missing":
        start_response("404 Not Found", headers)
    else:
        start_response("200 OK", headers)
    return [b"reached"]


_settings = read_settings(
    parse_mod_wsgi((Path(__file__).parent / "options.txt").read_text())
)

if _settings.https_only is not None:
    https_only = TrustedProxyMiddleware(
        HTTPSOnlyMiddleware.from_rules(plain, _settings.https_only), _settings.policy
    )

#: What this project does where no name and no port are given: the request's own host.
request_host = TrustedProxyMiddleware(
    HTTPSOnlyMiddleware(plain, hsts=_settings.hsts), _settings.policy
)

mounted = ProxyMountPointsMiddleware(plain, _settings.mount_points, _settings.policy)
