"""
Applications that answer with the scope they got, by HTTP and on a websocket.

``bare`` has no policy, ``behind_policy`` has the one of the environment's settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware


def make_plain(value: Any) -> Any:
    """Make *value* something that JSON has."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Mapping):
        return {str(key): make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else repr(value)


def describe(scope: Mapping[str, Any]) -> str:
    """Describe a scope, and its decision by the fields that tests ask for."""
    answer = make_plain({k: v for k, v in scope.items() if "decision" not in k})
    decision = scope.get("trustedproxy.decision")
    if decision is not None:
        answer["decision"] = {
            "peer": decision.peer,
            "peer_trusted": decision.peer_trusted,
            "client": decision.client,
            "original": make_plain(decision.original),
        }
    return json.dumps(answer)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the scope; a lifespan puts a greeting into the state."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and "state" in scope:
                scope["state"]["greeting"] = "from the lifespan"
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    text = describe(scope)
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": text})
        # The client closes, once it has read.
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


behind_policy = TrustedProxyASGIMiddleware(bare, ProxyPolicy.from_env())
