"""Make policies and sites for these tests."""

from __future__ import annotations

from typing import Any

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import TLS, Site

BASIC = ("X-Forwarded-For", "X-Forwarded-Proto")
ALL = (*BASIC, "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix")
PROXIES = ["loopback", "unix", "10.0.0.0/8"]
SECRET = "a-secret-of-the-test"
CERTIFICATE = TLS("/etc/ssl/example.crt", "/etc/ssl/example.key")


def make_policy(*headers: Any, **more: Any) -> ProxyPolicy:
    """Make a policy that trusts what is on this machine; `ALL` headers by default."""
    usual = {"headers": headers or ALL, "proxies": PROXIES, "strip": "all"}
    return ProxyPolicy(**{**usual, **more})


def make_site(**said: Any) -> Site:
    """Make a site with names, before a server on this machine."""
    return Site(
        **{"backend": "127.0.0.1:8000", "server_names": "www.example.com", **said}
    )
