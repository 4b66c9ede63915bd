"""
What both applications of the demo share.

In:  the environment variable ``DEMO_POLICY``: the policy is in force where it is set.
Out: the settings of trustedproxy, the same for Django and Flask.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

POLICY_IS_ON = bool(os.environ.get("DEMO_POLICY"))

TRUSTED_PROXY: dict[str, Any] = {
    "TRUSTED_PROXY_HEADERS": [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
    ],
    "TRUSTED_PROXIES": ["127.0.0.1"],
}

# Where other code, such as a rate limiter, may look for the client by itself.
LOOKED_AT = ("HTTP_X_REAL_IP", "HTTP_X_FORWARDED_FOR", "HTTP_TRUE_CLIENT_IP")


def find_claims(environ: Mapping[str, Any]) -> list[str]:
    """Return every client that a header still claims, for other code to trust."""
    return [environ[name] for name in LOOKED_AT if name in environ]
