"""
The words used in signatures: what WSGI and ASGI hand over, settings, networks.

In:  nothing.
Out: aliases, so that every signature reads alike; what a feature asks of a policy, and
     what it asks of a framework.
"""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    MutableMapping,
    Sequence,
)
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol, TypeAlias, TypeVar

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Callable[[bytes], object]]
WSGIApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
# Every framework has types of its own for these.
ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

#: What an application returns, or whatever stands in its place.
Result = TypeVar("Result")

Network: TypeAlias = IPv4Network | IPv6Network

SettingsMapping: TypeAlias = Mapping[str, Any]


class AppliesPolicy(Protocol):
    """What a feature asks of a `ProxyPolicy`, which is made further up."""

    @property
    def known_headers(self) -> Sequence[Any]:
        """The headers that it knows, the user's own included."""
        ...

    @property
    def secret_header(self) -> str | None:
        """The header that holds the proxy's secret."""
        ...

    @property
    def report_only(self) -> bool:
        """Whether it decides and logs, and changes nothing."""
        ...

    def apply(self, environ: Environ) -> Any:
        """Rewrite *environ*, and give the `Decision`."""
        ...

    def apply_scope(self, scope: Scope) -> tuple[Any, Scope]:
        """Give the `Decision`, and a new scope that is rewritten."""
        ...

    def rejects(self, decision: Any) -> bool:
        """Say whether the request of *decision* gets 400."""
        ...


class Site(Protocol):
    """
    What a framework knows of its site, and the core cannot.

    It is asked for requests that may be redirected or proxied, after the trusted
    headers were applied.  A request is given as its environ or its scope, which is not
    to be changed.
    """

    def accepts_host(self, request: Mapping[str, Any]) -> bool:
        """Say whether the framework serves the host of *request*."""
        ...

    def exempts_view(self, request: Mapping[str, Any]) -> bool:
        """Say whether the view that would answer stays reachable over plain HTTP."""
        ...
