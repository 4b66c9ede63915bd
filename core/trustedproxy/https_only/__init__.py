"""
HTTPS only: redirect plain HTTP, and tell browsers to stay with HTTPS (HSTS).

In:  the facts of a request, read after the trusted headers were applied, so that the
     scheme is the client's and not the last hop's.
Out: an `Answer` instead of the application's, or ``None``; and the value of
     ``Strict-Transport-Security`` for the answers to secure requests.

`rules` decides, without any I/O but its log; `facts` reads what it decides by, `target`
writes where a redirect leads, and `middleware` has the two shells around them.  A
framework with a rule of its own about hosts puts the host it validated into the facts,
or says it refused it.
"""

from __future__ import annotations

from .facts import RequestFacts, is_secure, read_environ, read_scope
from .middleware import (
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
    add_hsts,
)
from .rules import (
    BAD_HOST,
    BAD_TARGET,
    FORBIDDEN,
    HSTS_HEADER,
    HTTPSOnly,
    https_exempt,
    is_https_exempt,
)
from .target import build_target

__all__ = [
    "BAD_HOST",
    "BAD_TARGET",
    "FORBIDDEN",
    "HSTS_HEADER",
    "HTTPSOnly",
    "HTTPSOnlyASGIMiddleware",
    "HTTPSOnlyMiddleware",
    "RequestFacts",
    "add_hsts",
    "build_target",
    "https_exempt",
    "is_https_exempt",
    "is_secure",
    "read_environ",
    "read_scope",
]
