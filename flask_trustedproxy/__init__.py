"""
Trusted proxy headers for Flask.

In:  an application and its `TRUSTED_PROXY*` configuration.
Out: `TrustedProxy`, the extension; `current_decision` and `get_decision`, what was
     concluded about a request, and `decision_made`, the signal of it; `https_exempt`,
     for views that stay reachable over plain HTTP; `wrap_wsgi`, for what stands outside
     of every middleware.

Read on in `extension`, and with a request in `entrance`; `site` has what Flask knows of
hosts and views, `stack` looks for other middlewares around the application, `cli` is
``flask trustedproxy``.
"""

from __future__ import annotations

from trustedproxy.https_only import https_exempt

from .decisions import current_decision, get_decision
from .extension import TrustedProxy, wrap_wsgi
from .signals import decision_made

__all__ = [
    "TrustedProxy",
    "current_decision",
    "decision_made",
    "get_decision",
    "https_exempt",
    "wrap_wsgi",
]
