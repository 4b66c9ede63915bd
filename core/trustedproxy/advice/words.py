"""
What is said about servers and middlewares that stand in the way.

In:  nothing.
Out: sentences, for the log and for explanations.
"""

from __future__ import annotations

DECIDED_TWICE = (
    "a trusted proxy policy was applied to a request that one was applied to before: "
    "the first decision stands. Remove one of the two."
)
PROXY_FIX = (
    "Werkzeug's ProxyFix has rewritten a request before trustedproxy saw it, so that "
    "its peer is not the peer any more. Remove ProxyFix; trustedproxy does its work."
)
REMOVED_BY_WAITRESS = (
    "waitress removes X-Forwarded-For, -Proto, -Host, -Port, -By and Forwarded from "
    "every request unless that is switched off. If your proxy sends them, start it "
    "with --no-clear-untrusted-proxy-headers (clear_untrusted_proxy_headers=False), "
    "and leave trusted_proxy unset."
)
#: How servers are kept from rewriting the client by themselves.
SERVER_SWITCHES = (
    "uvicorn --no-proxy-headers, gunicorn's uvicorn worker --forwarded-allow-ips '', "
    "daphne without --proxy-headers, no Hypercorn ProxyFixMiddleware, no Granian "
    "wrap_asgi_with_proxy_headers, no ProxyHeadersMiddleware"
)
REWRITTEN_BY_SERVER = (
    "the server or another middleware has already rewritten the client, from headers "
    f"of its own choice, and the peer is lost. Switch that off: {SERVER_SWITCHES}; "
    "trustedproxy does their work."
)
