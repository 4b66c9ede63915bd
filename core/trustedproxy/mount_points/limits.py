"""
How backends are treated: time-outs, how much at once, and whose certificates count.

In:  keyword arguments of the middlewares.
Out: `Limits`, checked; what cannot be used raises `ConfigurationError` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypedDict

from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    import ssl

#: A day, in seconds: what waits for longer is no time-out, and systems wait for a few
#: weeks at most.
LONGEST = 86_400


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
        connect_timeout:
            Seconds until a connection has to be there, else 504; a day at most, as the
            next one.

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
        ConfigurationError: One of them is no such number.
    """

    connect_timeout: float = 10.0
    timeout: float = 60.0
    idle_connections: int = 100
    max_connections: int = 400
    max_message: int = 16 * 1024 * 1024
    ssl_context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        for option in ("connect_timeout", "timeout"):
            value = getattr(self, option)
            if type(value) not in (int, float) or not 0 < value <= LONGEST:
                expected = f"a number above 0, and at most {LONGEST}"
                raise ConfigurationError(option, value, expected)
        # A bool is an int to Python, and to nobody else.
        for option in ("max_connections", "max_message"):
            value = getattr(self, option)
            if type(value) is not int or value < 1:
                raise ConfigurationError(option, value, "a whole number above 0")
        if type(self.idle_connections) is not int or self.idle_connections < 0:
            expected = "a whole number, 0 or above"
            raise ConfigurationError(
                "idle_connections", self.idle_connections, expected
            )
        if self.ssl_context is not None and not _is_context(self.ssl_context):
            raise ConfigurationError(
                "ssl_context", self.ssl_context, "an ssl.SSLContext, or None"
            )

    def find_ssl_context(self) -> ssl.SSLContext:
        """Give the context for backends over TLS."""
        return self.ssl_context or _trust_system()


# `ssl` is loaded for those alone who have a backend over TLS.


def _is_context(value: object) -> bool:
    import ssl

    return isinstance(value, ssl.SSLContext)


@cache
def _trust_system() -> ssl.SSLContext:
    """Read the system's certificates, once a process: it takes 20 ms."""
    import ssl

    return ssl.create_default_context()
