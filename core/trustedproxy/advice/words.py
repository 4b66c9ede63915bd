"""
What is said at more than one place, of servers that stand in the way among others.

In:  nothing, or what a request shows.
Out: sentences, for the log and for explanations.
"""

from __future__ import annotations

from ..log import shorten

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


def describe_unlisted(peer: str | None, name: str, value: str) -> str:
    """Say that a trusted *peer* sent a header that is not listed."""
    return (
        f"the trusted peer {shorten(peer)} sent {name}: {shorten(value)}, which is not "
        "used, because TRUSTED_PROXY_HEADERS does not list it."
    )


#: How servers are kept from rewriting the client by themselves.
SERVER_SWITCHES = (
    "uvicorn --no-proxy-headers, gunicorn's uvicorn worker --forwarded-allow-ips '', "
    "daphne without --proxy-headers, no Hypercorn ProxyFixMiddleware, no Granian "
    "wrap_asgi_with_proxy_headers, no ProxyHeadersMiddleware"
)
SWITCH_OFF = f"Switch that off: {SERVER_SWITCHES}; trustedproxy does their work."
REWRITTEN_BY_SERVER = (
    "the server or another middleware has already rewritten the client, from headers "
    f"of its own choice, and the peer is lost. {SWITCH_OFF}"
)
