"""
The smallest FastAPI application behind a proxy, with a websocket.

Run it with ``uvicorn --app-dir examples --no-proxy-headers fastapi_app:app``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.requests import HTTPConnection

from trustedproxy import (
    Decision,
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    get_decision,
)

app = FastAPI()


def find_decision(connection: HTTPConnection) -> Decision | None:
    """Depend on what was concluded about a request or a websocket, and why."""
    return get_decision(connection.scope)


# Nothing, if the policy reports only.
Decided = Annotated[Decision | None, Depends(find_decision)]


@app.get("/page")
async def what_i_see(request: Request, decision: Decided) -> dict[str, str | None]:
    """Answer with the client's address and the application's own, as it sees them."""
    return {
        "client": request.client.host if request.client else None,
        "link": str(request.url_for("what_i_see")),
        "reason": decision.reason.name if decision else None,
    }


@app.websocket("/talk")
async def what_i_see_on_a_websocket(websocket: WebSocket, decision: Decided) -> None:
    """Send the client's address and the websocket's own, and close."""
    await websocket.accept()
    client = websocket.client.host if websocket.client else None
    reason = decision.reason.name if decision else None
    seen = {"client": client, "url": str(websocket.url), "reason": reason}
    await websocket.send_json(seen)
    await websocket.close()


# The last that is added is the outermost.
app.add_middleware(
    TrustedProxyASGIMiddleware,
    policy=ProxyPolicy(
        headers=[
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-Prefix",
        ],
        proxies=["loopback"],
        strip="all",
    ),
)
