"""
nginx: a file of ``server`` blocks for ``/etc/nginx/conf.d``.

In:  a plan.
Out: the file, to be included inside of ``http``.

nginx drops names with underscores and other odd characters by itself.  All
``proxy_set_header`` lines stand in one place, since a ``location`` that has one
inherits none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .frontend import Frontend, indent, name_headers
from .log_formats import write_nginx_format
from .plan import Header, Plan, Value
from .site import ANY_FAMILY, Backend, Listener, Location, Site

#: What our names begin with: a site called ``server`` would have nginx's $server_port.
_OURS = "tp_"


def _variable(site: Site, what: str) -> str:
    """Name a variable of this site's own, since maps are shared by all of ``http``."""
    return f"${_OURS}{site.name.replace('-', '_')}_{what}"


def spell(header: Header, site: Site) -> str:
    """Spell what *header* is set to, in variables of nginx, without quotes."""
    host = f"$host{_variable(site, 'port')}"
    element = _variable(site, "forwarded_for")
    words = {
        Value.NOTHING: "",
        Value.PEER: "$remote_addr",
        Value.PEER_AND_PORT: "$remote_addr:$remote_port",
        Value.SCHEME: "$scheme",
        Value.FLAG: _variable(site, "tls"),
        Value.HOST: host,
        Value.PORT: "$server_port",
        Value.FORWARDED: f'{element};proto=$scheme;host="{host}"',
        Value.TEXT: header.text,
    }
    word = words[header.value]
    if not header.appends:
        return word
    came = spell_received(header.name)
    if header.value is Value.TEXT:
        return came + word
    if header.name.lower() == "x-forwarded-for":
        return "$proxy_add_x_forwarded_for"
    return f"{came}, {element if header.value is Value.FORWARDED else word}"


def spell_received(name: str) -> str:
    """Spell what came in the header *name*."""
    return f"$http_{name.lower().replace('-', '_')}"


def quote(text: str) -> str:
    """Write *text* as one word of a directive."""
    if re.fullmatch(r"[A-Za-z0-9$_./:-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    lines = [
        f"# {site.name}: the trusted headers are {name_headers(plan)}.",
        *_write_maps(plan),
        *_write_formats(plan),
        "server {",
        *indent(list(_write_server(plan))),
        "}",
    ]
    return {f"/etc/nginx/conf.d/{site.name}.conf": "\n".join(lines) + "\n"}


def _write_maps(plan: Plan) -> Iterator[str]:
    site = plan.site
    yield "# The port that the client asked for, if it did: $host has none."
    yield from _map(site, "$http_host", "port", '"~(:[0-9]+)$" $1;')
    if site.websockets:
        yield "# Websockets are handed on, and no other protocol that a client names."
        yield from _map(site, "$http_upgrade", "upgrade", '"~*^websocket$" websocket;')
        yield from _map(
            site, "$http_upgrade", "connection", '"~*^websocket$" upgrade;', "close"
        )
    values = {header.value for header in plan.common}
    if Value.FLAG in values:
        yield from _map(site, "$https", "tls", "on on;", "off")
    if Value.FORWARDED in values:
        yield "# RFC 7239 section 6 wants IPv6 addresses in brackets and quotes."
        bracketed = '"~:" "for=\\"[$remote_addr]\\"";'
        yield from _map(
            site, "$remote_addr", "forwarded_for", bracketed, '"for=$remote_addr"'
        )
    if site.hsts is not None:
        yield from _map(site, "$https", "hsts", f"on {quote(site.hsts)};")


def _write_formats(plan: Plan) -> Iterator[str]:
    """Write a format for each application, since each has its own mount point."""
    site = plan.site
    for location in site.locations if site.access_log is not None else ():
        sent = {header.name: header for header in plan.list_headers(location)}
        values = {
            name: spell(sent[name], site) if name in sent else spell_received(name)
            for name in plan.forwarding
        }
        yield from write_nginx_format(_name_format(site, location), values)


def _name_format(site: Site, location: Location) -> str:
    """Name a format of this site's own, since these are shared by all of ``http``."""
    names = dict.fromkeys((site.name, location.name))
    # No name has an underscore, and each keeps its hyphens: none is made of others.
    return _OURS + "_".join(names)


def _map(
    site: Site, source: str, name: str, line: str, default: str = '""'
) -> Iterator[str]:
    yield f"map {source} {_variable(site, name)} {{"
    yield f"    default {default};"
    yield f"    {line}"
    yield "}"


def _write_server(plan: Plan) -> Iterator[str]:
    site = plan.site
    for listener in site.listeners:
        yield f"listen {_listen(site, listener)};"
    yield f"server_name {' '.join(site.server_names) or '_'};"
    if site.tls is not None:
        yield f"ssl_certificate     {site.tls.certificate};"
        yield f"ssl_certificate_key {site.tls.key};"
    # nginx takes quotes and commas for parts of a host, which goes into headers here.
    yield 'if ($host !~ "^[][a-z0-9._:-]+$") {'
    yield "    return 400;"
    yield "}"
    # Of a redirect to the path with a slash: whatever stands in front knows its scheme.
    yield "absolute_redirect off;"
    yield "# Room for the names below."
    yield "proxy_headers_hash_max_size 2048;"
    yield "proxy_headers_hash_bucket_size 128;"
    if site.hsts is not None:
        yield "proxy_hide_header Strict-Transport-Security;"
        hsts = _variable(site, "hsts")
        yield f"add_header Strict-Transport-Security {hsts} always;"
    if plan.is_inner:
        yield "# The outer proxies, and nobody else: what they say is handed on."
        for network in site.outer_networks:
            yield f"allow {network};"
        yield "deny all;"
    for location in site.locations:
        yield ""
        yield f"location {location.path}/ {{"
        yield from indent(list(_write_location(plan, location)))
        yield "}"


def _listen(site: Site, listener: Listener) -> str:
    port = listener.port
    words = [f"{site.host}:{port}" if site.host else str(port)]
    if site.address == ANY_FAMILY:
        words.append("ipv6only=off")
    if not site.server_names:
        words.append("default_server")
    if listener.is_secure:
        words.append("ssl")
    return " ".join(words)


def _write_location(plan: Plan, location: Location) -> Iterator[str]:
    site = plan.site
    set_here = plan.list_headers(location)
    rows = [
        ("Host", f"$host{_variable(site, 'port')}"),
        ("Upgrade", _variable(site, "upgrade") if site.websockets else '""'),
        ("Connection", _variable(site, "connection") if site.websockets else "close"),
        *(
            (h.name, quote(spell(h, site)))
            for h in set_here
            if h.value is not Value.NOTHING
        ),
    ]
    yield "# All of them in one place: a location that has one inherits none."
    yield "proxy_http_version 1.1;"
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        yield f"proxy_set_header {name:<{width}} {value};"
    yield "# Nobody here sets these, so a client did."
    for header in set_here:
        if header.value is Value.NOTHING:
            yield f'proxy_set_header {header.name} "";'
    if site.access_log is not None:
        yield f"access_log {site.access_log} {_name_format(site, location)};"
    yield f"proxy_pass {_pass(location.server, location)};"


def _pass(server: Backend, location: Location) -> str:
    # With a path here, nginx replaces the location's by it, and decodes what it sends.
    path = "/" if location.prefix else ""
    if server.socket:
        return f"http://unix:{server.socket}{':' + path if path else ''}"
    return f"http://{server.authority}{path}"


NGINX = Frontend("nginx", "nginx", _write, unsayable="${}")
