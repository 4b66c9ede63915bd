"""The websocket of the Django project, on Channels."""

from __future__ import annotations

import importlib
from typing import Any

from .answers import describe_scope, write_json


def make_router() -> Any:
    """Make Channels' router with one consumer under every path."""
    websocket: Any = importlib.import_module("channels.generic.websocket")
    routing: Any = importlib.import_module("channels.routing")
    from django.urls import re_path

    class Talk(websocket.WebsocketConsumer):  # type: ignore[misc]  # the package has no types
        """Say what the consumer sees, and close."""

        def connect(self) -> None:
            self.accept()
            self.send(text_data=write_json(describe_scope(self.scope)).decode())
            self.close()

    paths = [re_path("", Talk.as_asgi())]
    return routing.ProtocolTypeRouter({"websocket": routing.URLRouter(paths)})
