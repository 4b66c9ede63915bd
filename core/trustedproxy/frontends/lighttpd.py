"""
lighttpd with mod_proxy: a file for ``/etc/lighttpd/conf-enabled``.

In:  a plan.
Out: the file.

mod_proxy sets X-Forwarded-For, -Proto, -Host and X-Host by itself, and adds to the
first; an empty value of mod_setenv removes what a client sent.  No directive drops
names by pattern, so the spellings with underscores are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..exceptions import ConfigurationError
from .frontend import LITERALS, Frontend, escape_regex, indent, name_headers
from .plan import Plan, Value
from .site import ANY_FAMILY, Listener, Location

OWN_HEADERS = {
    "x-forwarded-for": Value.PEER,
    "x-forwarded-host": Value.HOST,
    "x-host": Value.HOST,
}
_OWN = (*OWN_HEADERS, "x-forwarded-proto")


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    modules = ["mod_setenv", "mod_proxy", "mod_redirect"]
    if plan.is_inner:
        modules.append("mod_extforward")
    if site.tls is not None:
        modules.append("mod_openssl")
    lines = [
        f"# {site.name}: the trusted headers are {name_headers(plan)}.",
        f"server.modules += ({_list(modules)})",
    ]
    for listener in site.listeners:
        lines += _write_socket(plan, listener)
    return {f"/etc/lighttpd/conf-enabled/50-{site.name}.conf": "\n".join(lines) + "\n"}


def _list(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _write_socket(plan: Plan, listener: Listener) -> Iterator[str]:
    site = plan.site
    host = site.host or "0.0.0.0"
    yield f'$SERVER["socket"] == "{host}:{listener.port}" {{'
    yield from indent(list(_write_inside(plan, listener)))
    yield "}"


def _write_inside(plan: Plan, listener: Listener) -> Iterator[str]:
    site = plan.site
    if site.address == ANY_FAMILY:
        yield 'server.set-v6only = "disable"'
    if listener.is_secure and site.tls is not None:
        yield 'ssl.engine = "enable"'
        yield f'ssl.pemfile = "{site.tls.certificate}"'
        yield f'ssl.privkey = "{site.tls.key}"'
    if plan.is_inner:
        yield "# Let nobody but the outer proxies reach this port."
        trusted = ", ".join(f'"{one}" => "trust"' for one in site.outer_networks)
        yield f"extforward.forwarder = ({trusted})"
        yield 'extforward.headers = ("X-Forwarded-For")'
    locations = [
        line for one in site.locations for line in _write_location(plan, one, listener)
    ]
    if site.server_names:
        names = "|".join(map(escape_regex, site.server_names))
        yield f'$HTTP["host"] =~ "^({names})(:[0-9]+)?$" {{'
        yield from indent(locations)
        yield "}"
    else:
        yield from locations


def _write_location(
    plan: Plan, location: Location, listener: Listener
) -> Iterator[str]:
    path = location.path
    pattern = escape_regex(path)
    chain = "" if location == plan.site.locations[0] else "else "
    if path:
        yield f'{chain}$HTTP["url"] =~ "^{pattern}$" {{'
        yield f'    url.redirect = ("^{pattern}([?].*)?$" => "{path}/$1")'
        yield "}"
        chain = "else "
    yield f'{chain}$HTTP["url"] =~ "^{pattern}/" {{'
    yield "    setenv.set-request-header = ("
    rows = _list_values(plan, location, listener)
    yield from (f'        "{name}" => "{value}",' for name, value in rows.items())
    yield "    )"
    if listener.is_secure and plan.site.hsts is not None:
        hsts = f'"Strict-Transport-Security" => "{plan.site.hsts}"'
        yield f"    setenv.set-response-header = ({hsts})"
    options = []
    if location.prefix:
        options.append(f'"map-urlpath" => ("{path}/" => "/")')
    if plan.site.websockets:
        options.append('"upgrade" => "enable"')
    if options:
        yield f"    proxy.header = ({', '.join(options)})"
    server = location.server
    where = (
        f'"host" => "{server.socket}"'
        if server.socket
        else f'"host" => "{server.host}", "port" => {server.port}'
    )
    yield f'    proxy.server = ("" => (({where})))'
    yield "}"


def _list_values(plan: Plan, location: Location, listener: Listener) -> dict[str, str]:
    """List what mod_setenv sets before mod_proxy sets its own."""
    values: dict[str, str] = {}
    for header in plan.list_headers(location):
        if header.value is Value.NOTHING:
            values[header.name] = ""
        elif header.name.lower() in _OWN:
            if not header.appends:
                values[header.name] = ""
        else:
            values[header.name] = header.spell(listener) or ""
    values.update(dict.fromkeys(plan.variants, ""))
    return values


def _check(plan: Plan) -> None:
    for header in plan.common if plan.is_inner else ():
        if header.name.lower() in _OWN and not header.appends:
            raise ConfigurationError(
                "outer_headers",
                plan.handed_on,
                f"possible with lighttpd, which trusts outer proxies for {header.name} "
                f"as for the others: name it too",
            )


LIGHTTPD = Frontend(
    "lighttpd",
    "lighttpd",
    _write,
    values=LITERALS,
    own_headers=OWN_HEADERS,
    appends_mount_points=False,
    unsayable='"\\$*',
    cannot={"access_log": "its access logs are not of a format that is read here"},
    check_more=_check,
)
