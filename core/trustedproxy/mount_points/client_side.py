"""
Say what the client asked for, as far as the policy confirms it.

In:  the decision, and the connection as it stands after it.
Out: a `ClientSide`: what a backend hears, and what its URLs are mapped back to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..headers import Category
from ..parsing.addresses import parse_hop
from ..parsing.values import DEFAULT_PORTS, parse_scheme, parse_server, split_host
from .heads import ClientSide

if TYPE_CHECKING:
    from ..decision import Connection, Decision


def describe_client_side(
    decision: Decision | None, connection: Connection, forwarded_for: str | None
) -> ClientSide:
    """
    Say what the client asked for, by what the policy confirms.

    Args:
        decision: What was decided; ``None`` where the policy only reports.

        connection:
            What the environ or scope says now, after the decision; its mount point
            percent-encoded. Its peer counts only where nothing was decided.

        forwarded_for: The ``X-Forwarded-For`` that is there now, or ``None``.
    """
    scheme = parse_scheme(connection.scheme) or "http"
    host = connection.host or ""
    if not host and connection.server:
        # HTTP/1.0 may come without a Host.
        host = connection.server
        if connection.port and connection.port != DEFAULT_PORTS[scheme]:
            host += f":{connection.port}"
    split = split_host(host)
    # As Apache: what the host says, else what is usual for the scheme.  The port that
    # this server listens on is not the client's business.
    said_port = decision.url_parts.get("port") if decision is not None else None
    named_port = split[1] if split is not None else None
    return ClientSide(
        forwarded_for=_forward_for(decision, connection, forwarded_for),
        scheme=scheme,
        host=host if split is not None else "",
        server=parse_server(connection.server) if connection.server else None,
        port=said_port or named_port or DEFAULT_PORTS[scheme],
        mount_point=connection.mount_point.rstrip("/"),
    )


def _forward_for(
    decision: Decision | None, connection: Connection, forwarded_for: str | None
) -> str:
    """Append the peer to what is confirmed, nearest last; else name it alone."""
    if decision is not None:
        connection = decision.connection
    # A peer on a unix socket has no address, whatever it calls itself.
    peer = "" if connection.peer_is_unix else connection.peer or ""
    hop = parse_hop(peer.partition("%")[0])
    own = [hop.address] if hop is not None else []
    chain: list[str] = []
    winner = decision.winners.get(Category.CLIENT) if decision is not None else None
    if decision is not None and winner is not None and decision.address:
        if winner == "X-Forwarded-For" and forwarded_for:
            # In canonical spelling every backend can read it: no port, no brackets.
            # The first element is the one that the decision rests on.
            parts = [part.strip(" \t") for part in forwarded_for.split(",")]
            chain = [_spell_hop(part) for part in parts if part]
            chain[:1] = [decision.address]
        elif [decision.address] != own:
            chain = [decision.address]
    return ", ".join(chain + own) or "unknown"


def _spell_hop(text: str) -> str:
    hop = parse_hop(text)
    return hop.address if hop is not None else text
