"""
Varnish: a VCL file.

In:  a plan.
Out: the file.

Varnish appends to X-Forwarded-For before ``vcl_recv`` is called, which is what an inner
proxy has to do; it speaks no TLS, and caches nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from .frontend import Frontend, escape_regex, indent, name_headers
from .plan import Header, Plan, Value
from .site import Listener, Location, Site

_PEER = {
    Value.PEER: "client.ip",
    Value.PEER_AND_PORT: 'client.ip + ":" + std.port(client.ip)',
    Value.HOST: "req.http.Host",
}
# RFC 7239 section 6 wants IPv6 addresses in brackets and quotes.
_NODE = '"for=" + regsub("" + client.ip, "^(.*:.*)$", {""[\\1]""})'


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    [listener] = site.listeners
    lines = [
        f"# {site.name}: the trusted headers are {name_headers(plan)}.",
        f"# varnishd -a {site.host}:{listener.port} -f /etc/varnish/{site.name}.vcl",
        "vcl 4.1;",
        "import std;",
        *_write_outer(plan),
        *(line for one in site.locations for line in _write_backend(site, one)),
        "sub vcl_recv {",
        *indent(list(_write_recv(plan, listener))),
        "}",
        *_PIPE,
        *_SYNTH,
    ]
    return {f"/etc/varnish/{site.name}.vcl": "\n".join(lines) + "\n"}


_PIPE = [
    "sub vcl_pipe {",
    "    if (req.http.Upgrade) {",
    "        set bereq.http.Upgrade = req.http.Upgrade;",
    '        set bereq.http.Connection = "upgrade";',
    "    }",
    "}",
]
_SYNTH = [
    "sub vcl_synth {",
    "    if (resp.status == 301) {",
    "        set resp.http.Location = resp.reason;",
    '        set resp.reason = "Moved Permanently";',
    "        return (deliver);",
    "    }",
    "}",
]


def _write_outer(plan: Plan) -> Iterator[str]:
    if plan.is_inner:
        yield "acl outer {"
        for network in map(ip_network, plan.site.outer_networks):
            yield f'    "{network.network_address}"/{network.prefixlen};'
        yield "}"


def _identify(site: Site, location: Location) -> str:
    return site.name_of(location).replace("-", "_")


def _write_backend(site: Site, location: Location) -> Iterator[str]:
    server = location.server
    yield f"backend {_identify(site, location)} {{"
    if server.socket:
        yield f'    .path = "{server.socket}";'
    else:
        yield f'    .host = "{server.host}";'
        yield f'    .port = "{server.port}";'
    yield "}"


def _write_recv(plan: Plan, listener: Listener) -> Iterator[str]:
    site = plan.site
    if plan.is_inner:
        yield "# The outer proxies, and nobody else: what they say is handed on."
        yield "if (client.ip !~ outer) {"
        yield "    return (synth(403));"
        yield "}"
    yield 'if (req.http.Host !~ "^[][A-Za-z0-9._:-]+$") {'
    yield "    return (synth(400));"
    yield "}"
    if site.server_names:
        names = "|".join(map(escape_regex, site.server_names))
        yield f'if (req.http.Host !~ "(?i)^({names})(:[0-9]+)?$") {{'
        yield "    return (synth(421));"
        yield "}"
    yield "# Nobody here sets these, so a client did."
    for name in plan.removed:
        yield f"unset req.http.{name};"
    yield "# Names with underscores, which Python servers may take for the others."
    for name in plan.variants:
        yield f"unset req.http.{name};"
    for header in plan.common:
        yield from _write_header(header, listener)
    for location in site.locations:
        yield from _write_location(plan, location)
    if site.locations[-1].path:
        yield "else {"
        yield "    return (synth(404));"
        yield "}"
    if site.websockets:
        yield "# Websockets are handed on, and no other protocol that a client names."
        yield 'if (req.http.Upgrade ~ "(?i)^websocket$") {'
        yield "    return (pipe);"
        yield "}"
    yield "unset req.http.Upgrade;"
    yield "return (pass);"


def _write_header(header: Header, listener: Listener) -> Iterator[str]:
    own = header.name.lower() == "x-forwarded-for"
    if header.appends and own:
        return
    literal = header.spell(listener)
    rest = f' + ";proto={listener.scheme};host=" + {{"""}} + req.http.Host + {{"""}}'
    if literal is not None:
        value = f'"{literal}"'
    elif header.value is Value.FORWARDED:
        value = _NODE if header.appends else _NODE + rest
    else:
        value = _PEER[header.value]
    came = f'req.http.{header.name} + ", " + ' if header.appends else ""
    yield f"set req.http.{header.name} = {came}{value};"


def _write_location(plan: Plan, location: Location) -> Iterator[str]:
    site = plan.site
    path = location.path
    pattern = escape_regex(path)
    chain = "" if location == site.locations[0] else "else "
    if path:
        yield f'{chain}if (req.url ~ "^{pattern}([?]|$)") {{'
        yield f'    return (synth(301, regsub(req.url, "^{pattern}", "{path}/")));'
        yield "}"
        chain = "else "
    yield f'{chain}if (req.url ~ "^{pattern}/") {{'
    for header in plan.list_mounts(location):
        if header.value is Value.NOTHING:
            yield f"    unset req.http.{header.name};"
        elif header.text:
            came = f"req.http.{header.name} + " if header.appends else ""
            yield f'    set req.http.{header.name} = {came}"{header.text}";'
    if location.prefix:
        yield f'    set req.url = regsub(req.url, "^{pattern}", "");'
    yield f"    set req.backend_hint = {_identify(site, location)};"
    yield "}"


VARNISH = Frontend(
    "varnish",
    "Varnish",
    _write,
    unsayable='"$*',
    cannot={
        "tls": "it speaks no TLS, and stands behind something that does",
        "access_log": "its access logs are not of a format that is read here",
    },
)
