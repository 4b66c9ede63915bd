"""
The policy around a whole application, WSGI or ASGI.

In:  an application and a policy.
Out: an application that sees the truth, or a 400 where the policy rejects a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .responses import bad_request, send_asgi, send_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._types import ASGIApp, Environ, Receive, Scope, Send, StartResponse, WSGIApp
    from .policy import ProxyPolicy


class TrustedProxyMiddleware:
    """
    Apply a policy to every request of a WSGI application.

    Put it outermost, so that nothing reads a forged header before it.

    Args:
        app: The application.

        policy: Whom to trust.
    """

    def __init__(self, app: WSGIApp, policy: ProxyPolicy) -> None:
        self.app = app
        self.policy = policy

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        decision = self.policy.apply(environ)
        if decision.rejected is not None and self.policy.rejects(decision):
            return send_wsgi(bad_request(), environ, start_response)
        return self.app(environ, start_response)


class TrustedProxyASGIMiddleware:
    """
    Apply a policy to every http and websocket scope of an ASGI application.

    Other scopes (lifespan) pass as they are.  A websocket that is rejected gets 400
    where the server can send it, and is closed before it is accepted where not, which
    servers answer with 403.

    Args:
        app: The application.

        policy: Whom to trust.
    """

    def __init__(self, app: ASGIApp, policy: ProxyPolicy) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            decision, scope = self.policy.apply_scope(scope)
            if decision.rejected is not None and self.policy.rejects(decision):
                await send_asgi(bad_request(), scope, receive, send)
                return
        await self.app(scope, receive, send)
