"""
What the operator's own proxies would send of a request.

In:  a policy, and what the client is to be: address, scheme, host, port, mount point.
Out: `ProxiedRequest`: the peer, and the header lines in their order.

The headers are those that the policy lists, each filled as a well-behaved proxy fills
it, so that the policy makes of the request what the test asked for.  What cannot be
said by any listed header raises, since the test would not see what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..headers import Category, Form, environ_key

if TYPE_CHECKING:
    from ..headers import ProxyHeader
    from ..policy import ProxyPolicy

#: The port that the peer connects from; any will do.
PEER_PORT = 50000
#: The client, where a test asks for nobody.
_CLIENT = "203.0.113.7"
#: What stands between the client and the peer, where a hop count asks for it.
_INNER_PROXY = "192.0.2.1"
#: What a server reports for a peer that came over a unix socket.
_UNIX_PEER = ""
_UNIX_SERVER = "/run/app.sock"
#: Where nothing says which peer a proxy has.
_ANY_PEER = "127.0.0.1"


_Said: TypeAlias = "Mapping[Category, str | None]"


@dataclass(frozen=True, slots=True)
class ProxiedRequest:
    """
    The peer and the headers of a request, for any test client.

    Attributes:
        peer: The address that opens the connection; ``""`` for a unix socket.

        headers: Header name → value, as they stand on the wire.
    """

    peer: str
    headers: Mapping[str, str]

    @property
    def environ(self) -> dict[str, str]:
        """
        Keys of a WSGI environ.

        For Django's ``Client`` and ``RequestFactory``:
        ``client.get("/", **from_proxy(...).environ)``. For Flask's and Werkzeug's:
        ``client.get("/", environ_overrides=from_proxy(...).environ)``.
        """
        keys = {environ_key(name): value for name, value in self.headers.items()}
        if self.peer == _UNIX_PEER:
            keys["SERVER_NAME"] = _UNIX_SERVER
        return {"REMOTE_ADDR": self.peer, **keys}

    @property
    def client(self) -> tuple[str, int]:
        """
        The peer as ASGI has it, address and port.

        For Starlette's ``TestClient(app, client=...)`` and httpx's
        ``ASGITransport(app, client=...)``; the headers go into the request.

        Raises:
            ValueError:
                The peer is a unix socket, which has no address: a server that reports
                it says so in the scope's ``server`` too, as `scope` does.
        """
        if self.peer == _UNIX_PEER:
            raise ValueError(
                "a unix socket has no address, and these test clients report a server "
                "with a port: update the scope with the keys of `scope` instead, or "
                "name another peer"
            )
        return self.peer, PEER_PORT

    @property
    def scope(self) -> dict[str, Any]:
        """
        Keys of an ASGI scope besides its headers.

        Django's asynchronous clients take no such keys;
        ``django_trustedproxy.testing`` has clients that do.
        """
        if self.peer == _UNIX_PEER:
            return {"client": None, "server": (_UNIX_SERVER, None)}
        return {"client": [self.peer, PEER_PORT]}


def direct(peer: str = _CLIENT, **headers: str) -> ProxiedRequest:
    """
    Describe a direct request: nobody's proxy.

    Args:
        peer: The address that opens the connection.

        headers:
            Forged headers, names with underscores for hyphens:
            ``direct(x_forwarded_for="127.0.0.1")``.
    """
    return ProxiedRequest(
        peer, {_spell(name): value for name, value in headers.items()}
    )


def _spell(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("_"))


def from_proxy(
    policy: ProxyPolicy,
    *,
    client: str | None = None,
    scheme: str | None = None,
    host: str | None = None,
    port: int | None = None,
    mount_point: str | None = None,
    peer: str | None = None,
) -> ProxiedRequest:
    """
    Describe a request that came through the proxies of *policy*.

    Args:
        policy: Whom the application trusts.

        client: The client's address; ``None``: the proxy says 203.0.113.7 where it can.

        scheme: ``http`` or ``https``; ``None``: the proxy says ``https`` where it can.

        host: The host that the client asked for.

        port: The port that the client connected to.

        mount_point: The URL path at which the application lives.

        peer: The proxy's address; ``None``: one that the policy trusts.

    Raises:
        ValueError:
            No listed header can say what is asked for, or the policy trusts nobody.
    """
    said = {
        Category.CLIENT: client,
        Category.SCHEME: scheme,
        Category.HOST: host,
        Category.PORT: None if port is None else str(port),
        Category.MOUNT_POINT: mount_point,
    }
    _check(policy, said)
    said[Category.CLIENT] = client or _CLIENT
    said[Category.SCHEME] = scheme or "https"
    headers: dict[str, str] = {}
    if host is not None:
        # Most proxies pass the client's own besides.
        headers["Host"] = host
    if policy.secret_header is not None:
        headers[policy.secret_header] = policy.secrets[0]
    for header in _one_of_each(policy):
        value = _WRITERS[header.form](said, policy.hops or 1, header.category)
        if value is not None:
            headers[header.name] = value
    return ProxiedRequest(_choose_peer(policy) if peer is None else peer, headers)


def _check(policy: ProxyPolicy, said: _Said) -> None:
    """Raise where nothing that the policy trusts can say what is asked for."""
    listed = {category for header in policy.headers for category in header.categories}
    # Most proxies pass the client's own header.
    listed.add(Category.HOST)
    for category, value in said.items():
        if value is not None and category not in listed:
            raise ValueError(
                f"no header of the category {str(category)!r} is listed in the policy, "
                f"so no proxy can say {value!r}"
            )


def _one_of_each(policy: ProxyPolicy) -> list[ProxyHeader]:
    """Choose the header of each category that wins: the last listed (rule R5)."""
    return list({header.category: header for header in policy.headers}.values())


def _choose_peer(policy: ProxyPolicy) -> str:
    """Name a peer that the policy trusts."""
    networks = policy.networks
    if networks is None:
        return _ANY_PEER
    for network in networks.networks:
        # The network's own address is nobody's, but for a network of one.
        first = network.network_address
        return str(first + 1 if network.num_addresses > 1 else first)
    if networks.unix:
        return _UNIX_PEER
    raise ValueError("the policy trusts nobody, so no request comes from a proxy")


def _write_value(said: _Said, hops: int, category: Category) -> str | None:
    return said.get(category)


def _write_flag(said: _Said, hops: int, category: Category) -> str | None:
    return "on" if said[Category.SCHEME] == "https" else "off"


def _write_visitor(said: _Said, hops: int, category: Category) -> str | None:
    return f'{{"scheme":"{said[Category.SCHEME]}"}}'


def _write_list(said: _Said, hops: int, category: Category) -> str | None:
    return ", ".join([str(said[Category.CLIENT]), *[_INNER_PROXY] * (hops - 1)])


def _write_colon_port(said: _Said, hops: int, category: Category) -> str | None:
    return f"{said[Category.CLIENT]}:{PEER_PORT}"


def _write_forwarded(said: _Said, hops: int, category: Category) -> str | None:
    client = str(said[Category.CLIENT])
    node = f'"[{client}]"' if ":" in client else client
    pairs = [f"for={node}", f"proto={said[Category.SCHEME]}"]
    if said[Category.HOST] is not None:
        pairs.append(f'host="{said[Category.HOST]}"')
    return ", ".join([";".join(pairs), *[f"for={_INNER_PROXY}"] * (hops - 1)])


#: How a proxy fills a header of each form: what is said, the hop count, the category.
_WRITERS: dict[Form, Callable[[_Said, int, Category], str | None]] = {
    Form.ADDRESS: _write_value,
    Form.ADDRESS_LIST: _write_list,
    Form.ADDRESS_COLON_PORT: _write_colon_port,
    Form.SCHEME: _write_value,
    Form.FLAG: _write_flag,
    Form.CF_VISITOR: _write_visitor,
    Form.HOST: _write_value,
    Form.SERVER: _write_value,
    Form.PORT: _write_value,
    Form.MOUNT_POINT: _write_value,
    Form.FORWARDED: _write_forwarded,
}
