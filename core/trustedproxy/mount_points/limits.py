"""
How backends are treated: time-outs, how much at once, and whose certificates count.

In:  keyword arguments of the middlewares.
Out: `Limits`, checked; what cannot be used raises `ConfigurationError` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    import ssl


class LimitOptions(TypedDict, total=False):
    """The keyword arguments that `Limits` is made of."""

    connect_timeout: float
    timeout: float
    idle_connections: int
    max_connections: int
    max_message: int
    ssl_context: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How backends are treated.

    Attributes:
        connect_timeout: Seconds until a connection has to be there, else 504.

        timeout:
            Seconds that a backend may stay silent, or not take what is sent. Before its
            head: 504; in the body: the connection to the client is closed. Open
            websockets may stay silent.

        idle_connections: How many connections to a backend are kept for later.

        max_connections:
            How many connections to a backend are in use at once, websockets included;
            beyond it: 503. Each needs two file descriptors, its client's included.

        max_message: The longest message of a websocket, in bytes.

        ssl_context: For backends over TLS; ``None``: the system's certificates.

    Raises:
        ConfigurationError: One of them is no number above 0.
    """

    connect_timeout: float = 10.0
    timeout: float = 60.0
    idle_connections: int = 100
    max_connections: int = 400
    max_message: int = 16 * 1024 * 1024
    ssl_context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        for option in ("connect_timeout", "timeout"):
            _check(option, getattr(self, option), (int, float), 0)
        for option in ("max_connections", "max_message"):
            _check(option, getattr(self, option), (int,), 0)
        _check("idle_connections", self.idle_connections, (int,), -1)


def _check(option: str, value: object, types: tuple[type, ...], above: int) -> None:
    # A bool is an int to Python, and to nobody else.
    if type(value) not in types or not value > above:  # type: ignore[operator]
        kind = "a number" if float in types else "a whole number"
        raise ConfigurationError(option, value, f"{kind} above {above}")
