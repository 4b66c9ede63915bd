"""
What does it cost to correct one ASGI request?

Compares the middleware with uvicorn's ProxyHeadersMiddleware that knows the proxies by
their addresses.  It does a third of the work: it reads ``X-Forwarded-For`` and
``X-Forwarded-Proto``, and removes nothing.

Run it with ``make bench``, or ``python bench/asgi.py --help``.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from deployments import DEPLOYMENTS, SENDERS, Deployment, proxy_address
from measure import Contestant, Scenario, run
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

Scope = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

STATE: dict[str, Any] = {}
PEERS = [proxy_address(number) for number in range(16)]


def make_scope(deployment: Deployment, number: int) -> Scope:
    """Make the scope that uvicorn makes; all bytes are new, as from its parser."""
    scope = {
        "type": "websocket" if deployment.websocket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("10.0.3.1", 8000),
        "client": (deployment.peer(number), 52814),
        "scheme": "ws" if deployment.websocket else "http",
        "root_path": "",
        "path": "/catalogue/shoes",
        "raw_path": b"/catalogue/shoes",
        "query_string": b"page=2",
        "headers": [
            (name.lower().encode("ascii"), value.encode("latin-1"))
            for name, value in (*SENDERS[deployment.sender], *deployment.lines(number))
        ],
        "state": STATE,
        "extensions": {"http.response.debug": {}},
    }
    return scope if deployment.websocket else {**scope, "method": "GET"}


SEEN: list[Scope] = []


async def application(scope: Scope, receive: Any, send: Any) -> None:
    """Answer nothing: only the way here is measured."""


async def keep(scope: Scope, receive: Any, send: Any) -> None:
    """Keep what came, for the check."""
    SEEN.append(scope)


def call(app: App, scope: Scope) -> None:
    """Call *app* without an event loop: nothing here ever waits."""
    coroutine: Any = app(scope, None, None)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the middleware waits")


def run_batch(app: App) -> Callable[[Sequence[Scope]], None]:
    """Make the measured loop of *app*."""

    def loop(batch: Sequence[Scope]) -> None:
        for scope in batch:
            call(app, scope)

    return loop


def check(deployment: Deployment) -> None:
    """Raise unless the middleware gets *deployment* right, twice."""
    app = TrustedProxyASGIMiddleware(keep, ProxyPolicy(**deployment.policy))
    for number in (1234, 1234):
        call(app, make_scope(deployment, number))
        scope = SEEN.pop()
        host = dict(scope["headers"])[b"host"].decode("latin-1")
        seen = (
            scope["client"][0],
            scope["scheme"],
            host,
            str(scope["server"][1]),
            scope["root_path"],
        )
        right = (
            deployment.client(number),
            deployment.scheme,
            deployment.host,
            deployment.port,
            deployment.mount_point,
        )
        if seen != right:
            raise AssertionError(f"{deployment.name}: {seen} is not {right}")


def make_scenario(deployment: Deployment) -> Scenario:
    """Put both contestants of one deployment together."""
    ours = TrustedProxyASGIMiddleware(application, ProxyPolicy(**deployment.policy))
    trusted = [*PEERS, *deployment.outer]
    rival: Any = ProxyHeadersMiddleware(application, trusted_hosts=trusted)
    return Scenario(
        name=deployment.name,
        make=lambda number: make_scope(deployment, number),
        ours=Contestant("trustedproxy", run_batch(ours), lambda: check(deployment)),
        rival=Contestant("uvicorn", run_batch(rival), lambda: None),
        limit=deployment.asgi or 0.0,
    )


def main() -> int:
    """Run the benchmark."""
    scenarios = [
        make_scenario(deployment)
        for deployment in DEPLOYMENTS
        if deployment.asgi is not None
    ]
    description = "What does it cost to correct one ASGI request?"
    return run(description, ["uvicorn"], scenarios)


if __name__ == "__main__":
    sys.exit(main())
