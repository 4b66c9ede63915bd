"""
Tests from behind a proxy: what a request needs that came through the proxies.

In:  a policy, and the client that the test wants to be.
Out: `from_proxy` and `direct`: the peer and the headers, as Django's, Flask's,
     Werkzeug's, Starlette's and httpx's test clients take them; `assert_decision`,
     which says why a decision is another one.

`plugin` has the same as fixtures for pytest.
"""

from __future__ import annotations

from .assertions import assert_decision
from .proxied import ProxiedRequest, direct, from_proxy

__all__ = ["ProxiedRequest", "assert_decision", "direct", "from_proxy"]
