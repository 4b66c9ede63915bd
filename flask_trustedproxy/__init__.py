"""
Trusted proxy headers for Flask.

In:  an application and its `TRUSTED_PROXY*` configuration.
Out: `TrustedProxy`, the extension; `current_decision`, what was concluded for the
     request at hand; `https_exempt`, for views that stay reachable over plain HTTP.

Read on in `extension`; `https` has the redirect, `stack` looks for other middlewares
that do the same work, `cli` is ``flask trustedproxy``.
"""

from __future__ import annotations

from .extension import TrustedProxy, current_decision
from .https import https_exempt

__all__ = ["TrustedProxy", "current_decision", "https_exempt"]
