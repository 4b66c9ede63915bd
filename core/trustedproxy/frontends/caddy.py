"""
Caddy: a Caddyfile with a site for each port.

In:  a plan.
Out: the file.

Caddy sets X-Forwarded-For, -Proto and -Host by itself, and overwrites a client's;
behind outer proxies it adds to the first and hands the others on.  Names with
underscores are removed here too, as versions before 2.11.4 hand them on.
"""

from __future__ import annotations

from collections.abc import Iterator

from .frontend import HAS_ITS_OWN_LOG, Frontend, indent, name_headers
from .plan import Header, Plan, Value
from .site import ANY_FAMILY, Listener, Location

# What it does by itself is what is wanted, where the header is trusted.
_OWN = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    lines = [f"# {site.name}: the trusted headers are {name_headers(plan)}."]
    options = list(_write_options(plan))
    if options:
        lines += ["{", *indent(options, "\t"), "}"]
    snippet = f"{site.name}_cleaned"
    lines += [f"({snippet}) {{", *indent(list(_write_cleaning(plan)), "\t"), "}"]
    for listener in site.listeners:
        names = [
            f"{listener.scheme}://{name}:{listener.port}" for name in site.server_names
        ]
        lines.append(
            f"{', '.join(names) or f'{listener.scheme}://:{listener.port}'} {{"
        )
        lines += indent(list(_write_site(plan, listener, snippet)), "\t")
        lines.append("}")
    return {"/etc/caddy/Caddyfile": "\n".join(lines) + "\n"}


def _write_options(plan: Plan) -> Iterator[str]:
    site = plan.site
    if site.tls is not None:
        # The certificate is given, and plain HTTP is served as it is asked for.
        yield "auto_https disable_redirects"
    if _trusts_outer(plan):
        yield "# The outer proxies: what they say is handed on."
        yield "servers {"
        yield f"\ttrusted_proxies static {' '.join(site.outer_networks)}"
        yield "}"


def _write_site(plan: Plan, listener: Listener, snippet: str) -> Iterator[str]:
    site = plan.site
    if site.address and site.address != ANY_FAMILY:
        yield f"bind {site.address}"
    if listener.is_secure and site.tls is not None:
        yield f"tls {site.tls.certificate} {site.tls.key}"
        if site.hsts is not None:
            yield f"header >Strict-Transport-Security {_quote(site.hsts)}"
    yield "route {"
    yield f"\timport {snippet}"
    yield from indent(list(_write_route(plan, listener)), "\t")
    yield "}"


def _write_cleaning(plan: Plan) -> Iterator[str]:
    site = plan.site
    if plan.is_inner:
        yield "# The outer proxies, and nobody else."
        yield f"@stranger not remote_ip {' '.join(site.outer_networks)}"
        yield "respond @stranger 403"
    yield "# Names with underscores, which Python servers may take for the others."
    yield "request_header -*_*"
    yield "# Nobody here sets these, so a client did."
    for name in plan.removed:
        if name.lower() not in _OWN:
            yield f"request_header -{name}"
    for header in plan.common if _trusts_outer(plan) else ():
        if header.name.lower() in _OWN and not header.appends:
            # Caddy would hand it on, and sets it where there is none.
            yield f"request_header -{header.name}"
    yield "# What a client names in Connection would be removed, also what is set here."
    if site.websockets:
        yield "# Websockets are handed on, and no other protocol that a client names."
        yield "@websocket header_regexp Upgrade (?i)^websocket$"
        yield "@other not header_regexp Upgrade (?i)^websocket$"
        yield "request_header @websocket Connection Upgrade"
        yield "request_header @other -Connection"
        yield "request_header @other -Upgrade"
    else:
        yield "request_header -Connection"
        yield "request_header -Upgrade"


def _write_route(plan: Plan, listener: Listener) -> Iterator[str]:
    for header in plan.common:
        if header.value is Value.FORWARDED:
            yield from _write_forwarded(header, listener)
    for location in plan.site.locations:
        yield from _write_location(plan, listener, location)


def _write_forwarded(header: Header, listener: Listener) -> Iterator[str]:
    rest = f';proto={listener.scheme};host="{{http.request.hostport}}"'
    end = "" if header.appends else rest
    came = f"{{header.{header.name}}}, " if header.appends else ""
    yield "# RFC 7239 section 6 wants IPv6 addresses in brackets and quotes."
    yield "@over_ipv6 remote_ip ::/0"
    yield "@over_ipv4 remote_ip 0.0.0.0/0"
    for kind, node in (("ipv4", "{remote_host}"), ("ipv6", '"[{remote_host}]"')):
        yield f"request_header @over_{kind} {header.name} `{came}for={node}{end}`"


def _write_location(
    plan: Plan, listener: Listener, location: Location
) -> Iterator[str]:
    path = location.path
    if path:
        yield f"redir {path} {path}/{{http.request.uri.prefixed_query}} 301"
    verb = "handle_path" if location.prefix else "handle"
    yield f"{verb}{f' {path}/*' if path else ''} {{"
    server = location.server
    where = f"unix/{server.socket}" if server.socket else server.authority
    yield f"\treverse_proxy {where} {{"
    for header in [*plan.common, *plan.list_mounts(location)]:
        word = _spell(header, listener)
        if word is not None:
            yield f"\t\theader_up {word}"
    for name in plan.removed:
        if name.lower() in _OWN:
            yield f"\t\theader_up -{name}"
    yield "\t}"
    yield "}"


def _trusts_outer(plan: Plan) -> bool:
    return any(name.lower() in _OWN for name in plan.handed_on)


def _spell(header: Header, listener: Listener) -> str | None:
    """Spell the line that sets *header*, if one is needed."""
    if header.value is Value.FORWARDED or header.name.lower() in _OWN:
        return None
    if header.value is Value.NOTHING:
        return f"-{header.name}"
    came = f"{{header.{header.name}}}" if header.appends else ""
    literal = header.spell(listener)
    if literal is not None:
        return f"{header.name} {_quote(literal, came)}" if literal else None
    word = {
        Value.PEER: "{remote_host}",
        Value.PEER_AND_PORT: "{remote_host}:{remote_port}",
        Value.HOST: "{http.request.hostport}",
    }[header.value]
    return f"{header.name} {_quote(f', {word}', came) if came else word}"


def _quote(text: str, came: str = "") -> str:
    return f"`{came}{text}`" if came or not text.replace("/", "").isalnum() else text


CADDY = Frontend(
    "caddy",
    "Caddy",
    _write,
    unsayable="`{}*",
    cannot={"access_log": HAS_ITS_OWN_LOG},
)
