"""
The words used in signatures: what WSGI and ASGI hand over, settings, networks.

In:  nothing.
Out: aliases, so that every signature reads alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeAlias, TypeVar

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
