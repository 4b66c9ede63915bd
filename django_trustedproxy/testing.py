"""
Django's asynchronous test clients, behind a proxy.

In:  a `trustedproxy.testing.ProxiedRequest`, from `from_proxy` or `direct`.
Out: clients whose every request is such a one.

The synchronous ones need nothing of this: ``client.get("/", **request.environ)``.  The
asynchronous ones take headers as arguments, and neither a peer nor a second ``Host``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.test import AsyncClient, AsyncRequestFactory

if TYPE_CHECKING:
    from trustedproxy.testing import ProxiedRequest


class ProxiedAsyncClient(AsyncClient):
    """
    An ``AsyncClient`` whose requests all come as *proxied* says.

    Args:
        proxied: The peer, and the headers, which no argument of a call replaces.

        options: Arguments of ``AsyncClient``.
    """

    def __init__(self, proxied: ProxiedRequest, **options: Any) -> None:
        super().__init__(**options)
        self.proxied = proxied

    async def request(self, **scope: Any) -> Any:
        """Send one request, with the peer and the headers put into its scope."""
        return await super().request(**_complete(self.proxied, scope))


class ProxiedAsyncRequestFactory(AsyncRequestFactory):
    """
    An ``AsyncRequestFactory`` whose requests all come as *proxied* says.

    Args:
        proxied: The peer, and the headers, which no argument of a call replaces.

        options: Arguments of ``AsyncRequestFactory``.
    """

    def __init__(self, proxied: ProxiedRequest, **options: Any) -> None:
        super().__init__(**options)
        self.proxied = proxied

    def request(self, **scope: Any) -> Any:
        """Make one request, with the peer and the headers put into its scope."""
        return super().request(**_complete(self.proxied, scope))


def _complete(proxied: ProxiedRequest, scope: dict[str, Any]) -> dict[str, Any]:
    """Put what *proxied* says into *scope*; its host takes the place of Django's."""
    ours = [
        (name.lower().encode("ascii"), value.encode("latin-1"))
        for name, value in proxied.headers.items()
    ]
    names = {name for name, _ in ours}
    others = [line for line in scope.get("headers", ()) if line[0] not in names]
    return {**scope, **proxied.scope, "headers": [*ours, *others]}
