"""
Envoy: a bootstrap file with static listeners and clusters.

In:  a plan.
Out: the file.

Envoy never writes 127.0.0.1 into X-Forwarded-For by itself, but its machine's own
network address; the address is therefore written here.  An inner Envoy lets nobody but
the outer proxies in: a connection from elsewhere matches no filter chain.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from .frontend import Frontend, name_headers
from .plan import Header, Plan, Value
from .site import ANY_FAMILY, Backend, Listener, Location, Site
from .yaml_text import write_yaml

Tree = dict[str, Any]

_FILTERS = "type.googleapis.com/envoy.extensions.filters"
_MANAGER = "http_connection_manager.v3.HttpConnectionManager"
_PEER = "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"
_VALUES = {
    Value.PEER: _PEER,
    Value.PEER_AND_PORT: f"{_PEER}:%DOWNSTREAM_DIRECT_REMOTE_PORT%",
    Value.HOST: "%REQ(:AUTHORITY)%",
}
# With its port, an IPv6 address is in brackets, as RFC 7239 section 6 wants it.
_NODE = 'for="%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"'


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    lines = [f"# {site.name}: the trusted headers are {name_headers(plan)}."]
    tree = {
        "static_resources": {
            "listeners": [_make_listener(plan, one) for one in site.listeners],
            "clusters": [_make_cluster(site, one) for one in site.locations],
        }
    }
    lines += write_yaml(tree)
    return {"/etc/envoy/envoy.yaml": "\n".join(lines) + "\n"}


def _make_listener(plan: Plan, listener: Listener) -> Tree:
    site = plan.site
    chain: Tree = {}
    if plan.is_inner:
        chain["filter_chain_match"] = {
            "source_prefix_ranges": [_make_range(n) for n in site.outer_networks]
        }
    manager = _make_manager(plan, listener)
    chain["filters"] = [
        {
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }
    ]
    if listener.is_secure and site.tls is not None:
        pair = {
            "certificate_chain": {"filename": site.tls.certificate},
            "private_key": {"filename": site.tls.key},
        }
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls"
                ".v3.DownstreamTlsContext",
                "common_tls_context": {"tls_certificates": [pair]},
            },
        }
    address: Tree = {
        "address": site.address or "0.0.0.0",
        "port_value": listener.port,
    }
    if site.address == ANY_FAMILY:
        address["ipv4_compat"] = True
    return {
        "name": f"{site.name}-{listener.scheme}",
        "address": {"socket_address": address},
        "filter_chains": [chain],
    }


def _make_range(network: str) -> Tree:
    parsed = ip_network(network)
    return {
        "address_prefix": str(parsed.network_address),
        "prefix_len": parsed.prefixlen,
    }


def _make_manager(plan: Plan, listener: Listener) -> Tree:
    site = plan.site
    manager: Tree = {
        "@type": f"{_FILTERS}.network.{_MANAGER}",
        "stat_prefix": f"{site.name}-{listener.scheme}",
        # What outer proxies said of the scheme passes; otherwise the listener says it.
        "use_remote_address": not plan.is_inner,
    }
    if not plan.is_inner:
        manager["skip_xff_append"] = True
    # Names with underscores, which Python servers may take for the others.
    manager["common_http_protocol_options"] = {
        "headers_with_underscores_action": "DROP_HEADER"
    }
    if site.websockets:
        manager["upgrade_configs"] = [{"upgrade_type": "websocket"}]
    manager["http_filters"] = [
        {
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"},
        }
    ]
    manager["route_config"] = _make_routes(plan, listener)
    return manager


def _make_routes(plan: Plan, listener: Listener) -> Tree:
    site = plan.site
    routes: Tree = {
        "request_headers_to_add": [_add(one, listener) for one in plan.common],
        "request_headers_to_remove": [name.lower() for name in plan.removed],
    }
    if listener.is_secure and site.hsts is not None:
        hsts = Header("Strict-Transport-Security", Value.TEXT, text=site.hsts)
        routes["response_headers_to_add"] = [_add(hsts, listener)]
    domains = [f"{name}{port}" for name in site.server_names for port in ("", ":*")]
    host: Tree = {
        "name": site.name,
        "domains": domains or ["*"],
        "routes": [r for one in site.locations for r in _make_route(plan, one)],
    }
    routes["virtual_hosts"] = [host]
    return routes


def _make_route(plan: Plan, location: Location) -> list[Tree]:
    path = location.path
    route: Tree = {"cluster": plan.site.name_of(location)}
    if location.prefix:
        route["prefix_rewrite"] = "/"
    made: Tree = {"match": {"prefix": f"{path}/"}, "route": route}
    mounts = plan.list_mounts(location)
    added = [_add(one, Listener(0, "")) for one in mounts if one.text]
    gone = [one.name.lower() for one in mounts if one.value is Value.NOTHING]
    if added:
        made["request_headers_to_add"] = added
    if gone:
        made["request_headers_to_remove"] = gone
    slash = {"match": {"path": path}, "redirect": {"path_redirect": f"{path}/"}}
    return [slash, made] if path else [made]


def _add(header: Header, listener: Listener) -> Tree:
    literal = header.spell(listener)
    value = (
        literal.replace("%", "%%") if literal is not None else _spell(header, listener)
    )
    action = "OVERWRITE_IF_EXISTS_OR_ADD"
    if header.appends:
        came = f"%REQ({header.name.lower()})%"
        value = f"{came}{value}" if header.text else value
        action = action if header.text else "APPEND_IF_EXISTS_OR_ADD"
    return {
        "header": {"key": header.name.lower(), "value": value},
        "append_action": action,
    }


def _spell(header: Header, listener: Listener) -> str:
    if header.value is not Value.FORWARDED:
        return _VALUES[header.value]
    rest = f';proto={listener.scheme};host="%REQ(:AUTHORITY)%"'
    return _NODE if header.appends else _NODE + rest


def _make_cluster(site: Site, location: Location) -> Tree:
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    name = site.name_of(location)
    cluster: Tree = {
        "name": name,
        "typed_extension_protocol_options": {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http_protocol_options": {}},
                # Shorter than servers keep idle connections, or a request that comes
                # just then is 503.
                "common_http_protocol_options": {"idle_timeout": "1s"},
            }
        },
    }
    server: Backend = location.server
    if not server.socket and not server.address:
        cluster["type"] = "STRICT_DNS"
    endpoint: Tree = (
        {"pipe": {"path": server.socket}}
        if server.socket
        else {"socket_address": {"address": server.host, "port_value": server.port}}
    )
    cluster["load_assignment"] = {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": endpoint}}]}],
    }
    return cluster


ENVOY = Frontend(
    "envoy",
    "Envoy",
    _write,
    unsayable="*",
    cannot={"access_log": "its access logs are not of a format that is read here"},
)
