"""
The host and the port that a redirect leads to.

In:  what was configured, and the host of a request.
Out: what stands behind ``https://`` in the target, or ``None`` where the request names
     no host that it may lead to.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..allowed_hosts import split_allowed_host
from ..exceptions import ConfigurationError, hide_userinfo
from ..options import name_host_inside
from ..parsing.values import DEFAULT_PORTS, parse_port_text, split_host

_EXPECTED = "a host, host:port or :port, such as 'www.example.com:8443'"


def compile_host(option: str, host: object) -> tuple[str | None, str | None]:
    """
    Read ``host``, ``host:port`` or ``:port``.

    Returns:
        The name, ``None`` for the request's own; and the port, ``None`` for that of
        HTTPS.

    Raises:
        ConfigurationError: It is none of these.
    """
    if host is None:
        return None, None
    if not isinstance(host, str):
        raise ConfigurationError(option, hide_userinfo(host), _EXPECTED)
    if host.startswith(":"):
        name, port = None, parse_port_text(host[1:])
        valid = port is not None
    else:
        split = split_host(host)
        valid = split is not None
        name, port = split or (None, None)
    if not valid:
        raise ConfigurationError(
            option, hide_userinfo(host), _EXPECTED + name_host_inside(host)
        )
    return name, None if port == DEFAULT_PORTS["https"] else port


def find_authority(
    configured: tuple[str | None, str | None],
    host: str | None,
    allowed_hosts: Sequence[str] | None,
) -> str | None:
    """
    Find the host and the port of a redirect.

    Args:
        configured: From `compile_host`.

        host: The host of the request.

        allowed_hosts: From `compile_allowed_hosts`.

    Returns:
        ``None`` where the request's host is refused, or missing where it is needed.
    """
    name, port = configured
    if host:
        split = split_allowed_host(host, allowed_hosts)
        if split is None:
            return None
        name = name or split[0]
    if name is None:
        return None
    return f"{name}:{port}" if port else name
