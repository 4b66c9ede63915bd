"""ASGI frameworks and servers, over real sockets."""

from __future__ import annotations
