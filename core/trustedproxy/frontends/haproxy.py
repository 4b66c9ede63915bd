"""
HAProxy: a configuration with one frontend and a backend for each application.

In:  a plan.
Out: the file; what ``global`` says is the operator's own.

HAProxy hands a client's ``Connection`` on, which a second proxy would obey, and trailer
fields, which no line here can stop.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..exceptions import ConfigurationError
from .frontend import Frontend, escape_regex, indent, name_headers
from .plan import Header, Plan, Value
from .site import ANY_FAMILY, TLS, Listener, Location, Site

_DEFAULTS = [
    "defaults",
    "    mode http",
    "    timeout connect 5s",
    "    timeout client 60s",
    "    timeout server 60s",
    "    timeout tunnel 1h",
]


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    lines = [f"# {site.name}: the trusted headers are {name_headers(plan)}."]
    if site.tls is not None and _needs_extension_dropped(site.tls):
        lines += ["global", "    ssl-load-extra-del-ext"]
    lines += _DEFAULTS
    lines += ["", f"frontend {site.name}", *indent(list(_write_frontend(plan)))]
    for location in site.locations:
        lines += ["", f"backend {site.name_of(location)}"]
        lines += indent(list(_write_backend(plan, location)))
    return {"/etc/haproxy/haproxy.cfg": "\n".join(lines) + "\n"}


def _needs_extension_dropped(tls: TLS) -> bool:
    """
    Say how HAProxy finds the key beside the certificate.

    Raises:
        ConfigurationError: It does not find it.
    """
    if tls.key in (tls.certificate, f"{tls.certificate}.key"):
        return False
    stem = tls.certificate.removesuffix(".crt")
    if stem != tls.certificate and tls.key == f"{stem}.key":
        return True
    raise ConfigurationError(
        "key",
        tls.key,
        f"found by HAProxy: put key and certificate into one file, or name the key "
        f"{tls.certificate}.key",
    )


def _bind(site: Site, listener: Listener) -> str:
    host = site.address or "*"
    words = [f"bind {host}:{listener.port}"]
    if host == ANY_FAMILY:
        words.append("v4v6")
    if listener.is_secure and site.tls is not None:
        words.append(f"ssl crt {site.tls.certificate}")
    return " ".join(words)


def _write_frontend(plan: Plan) -> Iterator[str]:
    site = plan.site
    for listener in site.listeners:
        yield _bind(site, listener)
    yield "# Names with underscores, which Python servers may take for the others."
    yield "option http-restrict-req-hdr-names delete"
    if plan.is_inner:
        yield "# The outer proxies, and nobody else: what they say is handed on."
        yield f"acl from_outer src {' '.join(site.outer_networks)}"
        yield "http-request deny deny_status 403 unless from_outer"
    host = r"{ req.hdr(Host) -m reg '^[A-Za-z0-9.:_\[\]-]+$' }"
    yield f"http-request deny deny_status 400 unless {host}"
    if site.server_names:
        names = " ".join(site.server_names)
        yield f"acl our_name req.hdr(Host),field(1,:) -i {names}"
        yield "http-request deny deny_status 421 unless our_name"
    yield from _write_connection(site)
    yield from _write_forwarded_acl(plan)
    for header in plan.common:
        yield from _write_header(header)
    yield "# Nobody here sets these, so a client did."
    for name in plan.removed:
        yield f"http-request del-header {name}"
    if site.hsts is not None:
        sent = f"Strict-Transport-Security {_quote(site.hsts, is_format=True)}"
        yield f"http-response set-header {sent} if {{ ssl_fc }}"
        yield "http-response del-header Strict-Transport-Security unless { ssl_fc }"
    for location in site.locations:
        if location.path:
            slash = f"%[pathq,regsub(^{location.path},{location.path}/)]"
            yield (
                f"http-request redirect code 301 location {slash} "
                f"if {{ path {location.path} }}"
            )
    for location in site.locations:
        condition = f" if {{ path_beg {location.path}/ }}" if location.path else ""
        verb = "use_backend" if condition else "default_backend"
        yield f"{verb} {site.name_of(location)}{condition}"


def _write_connection(site: Site) -> Iterator[str]:
    yield "# A client's list in Connection would be obeyed by a second proxy."
    if not site.websockets:
        yield "http-request del-header Connection"
        yield "http-request del-header Upgrade"
        return
    yield "acl websocket req.fhdr(Upgrade) -i websocket"
    yield "http-request del-header Connection unless websocket"
    yield "http-request del-header Upgrade unless websocket"
    yield "http-request set-header Connection Upgrade if websocket"


def _write_forwarded_acl(plan: Plan) -> Iterator[str]:
    if any(header.value is Value.FORWARDED for header in plan.common):
        yield "# RFC 7239 section 6 wants IPv6 addresses in brackets and quotes."
        yield "acl over_ipv6 src -m sub :"


def _write_header(header: Header) -> Iterator[str]:
    verb = "add-header" if header.appends else "set-header"
    begin = f"http-request {verb} {header.name}"
    if header.value is Value.TEXT:
        yield f"{begin} {_quote(header.text, is_format=True)}"
        return
    dynamic = {
        Value.PEER: "%[src]",
        Value.PEER_AND_PORT: "%[src]:%[src_port]",
        Value.HOST: "%[req.hdr(Host)]",
        Value.PORT: "%[dst_port]",
    }.get(header.value)
    if dynamic is not None:
        yield f"{begin} {dynamic}"
        return
    if header.value is Value.FORWARDED:
        yield from _write_forwarded(header, begin)
        return
    for scheme, condition in (("https", "if"), ("http", "unless")):
        literal = header.spell(Listener(0, scheme))
        yield f"{begin} {literal} {condition} {{ ssl_fc }}"


def _write_forwarded(header: Header, begin: str) -> Iterator[str]:
    nodes = (("for=%[src]", "!over_ipv6"), ('for="[%[src]]"', "over_ipv6"))
    if header.appends:
        for node, test in nodes:
            yield f"{begin} '{node}' if {test}"
        return
    for scheme, secure in (("https", "{ ssl_fc }"), ("http", "!{ ssl_fc }")):
        rest = f';proto={scheme};host="%[req.hdr(Host)]"'
        for node, test in nodes:
            yield f"{begin} '{node}{rest}' if {secure} {test}"


def _write_backend(plan: Plan, location: Location) -> Iterator[str]:
    site = plan.site
    for header in plan.list_mounts(location):
        if header.value is Value.NOTHING:
            yield f"http-request del-header {header.name}"
        elif header.text:
            came = f"%[req.fhdr({header.name})]" if header.appends else ""
            yield f"http-request set-header {header.name} {came}{header.text}"
    if location.prefix:
        pattern = escape_regex(location.prefix)
        yield f"http-request replace-path '^{pattern}(/.*)' '\\1'"
    server = location.server
    where = f"unix@{server.socket}" if server.socket else server.authority
    yield f"server {site.name_of(location)} {where}"


def _quote(text: str, *, is_format: bool = False) -> str:
    """Write *text* as one word; in a format ``%`` is doubled."""
    return f"'{text.replace('%', '%%') if is_format else text}'"


HAPROXY = Frontend(
    "haproxy",
    "HAProxy",
    _write,
    unsayable="'$*+",
    cannot={"access_log": "its logs go to a syslog server"},
)
