"""
HTTPS only: redirect plain HTTP, and keep browsers with HTTPS (HSTS).

In:  the facts of a request, read after the trusted headers were applied, so that the
     scheme is the client's and not the last hop's.
Out: an `Answer` instead of the application's, or ``None``; and the value of
     ``Strict-Transport-Security`` for the answers to secure requests.

`middleware` has the two shells, `facts` what they read (`signs` of it), and `rules`
what is answered, without any I/O but its log: `exemptions` from it, where it leads
(`authority`, `target`), and why it may be wrong (`loops`).  A framework with a rule of
its own about hosts puts the host it validated into the facts, or says it refused it;
`views` has the mark for its views.
"""

from __future__ import annotations

from .facts import RequestFacts, is_secure, read_environ, read_scope
from .loops import Redirect, RedirectLog
from .middleware import (
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
    add_hsts,
)
from .rules import BAD_HOST, BAD_TARGET, FORBIDDEN, HSTS_HEADER, HTTPSOnly
from .target import build_target
from .views import https_exempt, is_https_exempt

__all__ = [
    "BAD_HOST",
    "BAD_TARGET",
    "FORBIDDEN",
    "HSTS_HEADER",
    "HTTPSOnly",
    "HTTPSOnlyASGIMiddleware",
    "HTTPSOnlyMiddleware",
    "Redirect",
    "RedirectLog",
    "RequestFacts",
    "add_hsts",
    "build_target",
    "https_exempt",
    "is_https_exempt",
    "is_secure",
    "read_environ",
    "read_scope",
]
