"""
Apache httpd with mod_proxy: a file of virtual hosts for ``sites-available``.

In:  a plan.
Out: the file.

What a client names in ``Connection`` would be removed by mod_proxy, also what
``RequestHeader set`` wrote before, so that ``Connection`` is set here.  No directive
drops names by pattern: the spellings with underscores are listed, once, in a macro.
"""

from __future__ import annotations

from collections.abc import Iterator

from .frontend import Frontend, escape_regex, indent, name_headers
from .log_formats import write_apache_format
from .plan import Header, Plan, Value
from .site import ANY_FAMILY, Backend, Listener, Location, Site

# A distribution listens on these by itself.
_USUAL_PORTS = (80, 443)
# Shorter than servers keep idle connections, or a request that comes just then is 502.
_CONNECTION = "upgrade={upgrade} ttl=1"


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    modules = ["headers", "macro", "proxy", "proxy_http"]
    if site.tls is not None:
        modules.append("ssl")
    macro = f"{site.name.title().replace('-', '')}Cleaned"
    lines = [
        f"# {site.name}: the trusted headers are {name_headers(plan)}.",
        f"# Modules: a2enmod {' '.join(modules)}",
        f"<Macro {macro}>",
        *indent(list(_write_cleaning(plan))),
        "</Macro>",
    ]
    for listener in site.listeners:
        lines += _write_host(plan, listener, macro)
    lines.append(f"UndefMacro {macro}")
    path = f"/etc/apache2/sites-available/{site.name}.conf"
    return {path: "\n".join(lines) + "\n"}


def _write_cleaning(plan: Plan) -> Iterator[str]:
    yield "# Nobody here sets these, so a client did."
    for name in plan.removed:
        yield f"RequestHeader unset {name}"
    yield "# Spellings with underscores, which Python servers may take for the others."
    for name in plan.variants:
        yield f"RequestHeader unset {name}"


def _write_host(plan: Plan, listener: Listener, macro: str) -> Iterator[str]:
    site = plan.site
    where = "*" if site.address == ANY_FAMILY else site.host or "*"
    if listener.port not in _USUAL_PORTS or site.address:
        listen = f"{where}:{listener.port}" if where != "*" else str(listener.port)
        yield f"Listen {listen}"
    yield f"<VirtualHost {where}:{listener.port}>"
    yield from indent(list(_write_inside(plan, listener, macro)))
    yield "</VirtualHost>"


def _write_inside(plan: Plan, listener: Listener, macro: str) -> Iterator[str]:
    site = plan.site
    if site.server_names:
        yield f"ServerName {site.server_names[0]}"
    if site.server_names[1:]:
        yield f"ServerAlias {' '.join(site.server_names[1:])}"
    if listener.is_secure and site.tls is not None:
        yield "SSLEngine on"
        yield f"SSLCertificateFile    {site.tls.certificate}"
        yield f"SSLCertificateKeyFile {site.tls.key}"
        if site.hsts is not None:
            # In both tables: what the application sent would be there twice.
            yield "Header onsuccess unset Strict-Transport-Security"
            yield f"Header always set Strict-Transport-Security {_escape(site.hsts)}"
    if site.access_log is not None:
        names = dict.fromkeys(plan.forwarding)
        text = write_apache_format(names, listener.scheme)
        yield f"CustomLog {site.access_log} {_quote(text)}"
    yield "ProxyPreserveHost On"
    yield "ProxyAddHeaders Off"
    yield from _write_connection(site)
    yield f"Use {macro}"
    for header in plan.common:
        yield from _write_header(header, listener)
    if plan.is_inner:
        yield "# The outer proxies, and nobody else: what they say is handed on."
        yield "<Location />"
        yield f"    Require ip {' '.join(site.outer_networks)}"
        yield "</Location>"
    # The longest path last: of sections that match, the later one counts.
    for location in reversed(site.locations):
        yield from _write_location(plan, location)


def _write_connection(site: Site) -> Iterator[str]:
    yield "# Before mod_proxy reads it: what a client names there would be removed."
    if not site.websockets:
        yield "RequestHeader set Connection close"
        yield "RequestHeader unset Upgrade"
        return
    is_websocket = "%{req:Upgrade} =~ /^websocket$/i"
    yield f'RequestHeader set Connection close   "expr=!({is_websocket})"'
    yield f'RequestHeader set Connection upgrade "expr={is_websocket}"'
    yield f'RequestHeader unset Upgrade          "expr=!({is_websocket})"'


def _write_header(header: Header, listener: Listener) -> Iterator[str]:
    verb = "append" if header.appends else "set"
    literal = header.spell(listener)
    if header.value is Value.NOTHING:
        yield f"RequestHeader unset {header.name}"
    elif literal is not None:
        came = f"%{{req:{header.name}}}"
        text = _quote(f"expr={came}{literal}") if header.appends else _escape(literal)
        yield f"RequestHeader set {header.name} {text}"
    elif header.value is Value.FORWARDED:
        yield from _write_forwarded(header, verb, listener)
    else:
        value = {
            Value.PEER: "%{REMOTE_ADDR}",
            Value.PEER_AND_PORT: "%{REMOTE_ADDR}:%{REMOTE_PORT}",
            Value.HOST: "%{req:Host}",
        }[header.value]
        # append, not add: one line with a comma.
        yield f'RequestHeader {verb} {header.name} "expr={value}"'


def _write_forwarded(header: Header, verb: str, listener: Listener) -> Iterator[str]:
    # The value may have no condition beside it, so each kind of address has a section.
    rest = f';proto={listener.scheme};host=\\"%{{req:Host}}\\"'
    end = "" if header.appends else rest
    yield "# RFC 7239 section 6 wants IPv6 addresses in brackets and quotes."
    for test, node in (
        ("!~", "%{REMOTE_ADDR}"),
        ("=~", '\\"[%{REMOTE_ADDR}]\\"'),
    ):
        yield f'<If "%{{REMOTE_ADDR}} {test} /:/">'
        yield f'    RequestHeader {verb} {header.name} "expr=for={node}{end}"'
        yield "</If>"


def _write_location(plan: Plan, location: Location) -> Iterator[str]:
    path = location.path
    if path and not plan.is_inner:
        yield f'RedirectMatch 301 "^{escape_regex(path)}$" "{path}/"'
    # An inner proxy does not know the scheme, and Apache's redirects name one.
    end = "" if plan.is_inner and path else "/"
    yield f'<Location "{path}{end}">'
    for header in plan.list_mounts(location):
        if header.value is Value.NOTHING or header.text:
            [line] = _write_header(header, Listener(0, ""))
            yield f"    {line}"
    target = f"{_address(location)}{'' if location.strip_path else path}{end}"
    kind = "websocket" if plan.site.websockets else "NONE"
    yield f'    ProxyPass "{target}" {_CONNECTION.format(upgrade=kind)}'
    yield "</Location>"


def _address(location: Location) -> str:
    server: Backend = location.server
    if server.socket:
        # A name of its own: two sockets with one URL are one server to Apache, and one
        # application would get what is for the other.
        return f"unix:{server.socket}|http://{location.name}"
    return f"http://{server.authority}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escape(text: str) -> str:
    """Write a text as the value of a header, where ``%`` is a format."""
    return _quote(text.replace("%", "%%"))


# ${NAME} is replaced wherever it stands, and $(NAME) by macros.
APACHE = Frontend("apache", "Apache httpd (mod_proxy)", _write, unsayable="$*")
