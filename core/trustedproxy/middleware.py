"""
The policy around a whole application, WSGI or ASGI.

In:  an application and a policy.
Out: an application that sees the truth, or a 400 where the policy refuses a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .responses import bad_request, send_asgi, send_wsgi
from .wsgi import DECISION_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._types import ASGIApp, Environ, Receive, Scope, Send, StartResponse, WSGIApp
    from .policy import ProxyPolicy


class TrustedProxyMiddleware:
    """
    Apply *policy* to every request of the WSGI application *app*.

    Put it outermost, so that nothing reads a forged header before it.  A subclass that
    does something of its own goes on with ``super().__call__``.
    """

    def __init__(self, app: WSGIApp, policy: ProxyPolicy) -> None:
        self.app = app
        self.policy = policy
        policy.tell_at_start()

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        decision = self.policy.apply(environ)
        if self.policy.refuses(decision):
            return send_wsgi(bad_request(), environ, start_response)
        return self.app(environ, start_response)


class TrustedProxyASGIMiddleware:
    """
    Apply *policy* to every http and websocket scope of the ASGI application *app*.

    Other scopes (lifespan) pass as they are.  A websocket that is refused is closed
    before it is accepted, which servers answer with 403.
    """

    def __init__(self, app: ASGIApp, policy: ProxyPolicy) -> None:
        self.app = app
        self.policy = policy
        self._apply = policy.apply_scope
        self._may_refuse = policy.may_refuse
        policy.tell_at_start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        may_refuse = self._may_refuse or DECISION_KEY in scope
        decision, scope = self._apply(scope)
        if may_refuse and self.policy.refuses(decision):
            await send_asgi(bad_request(), scope, receive, send)
        else:
            await self.app(scope, receive, send)
