"""
The lines of each front end that close a hole, and what shows which one it is.

In:  a front end's name, headers; or the headers of an answer.
Out: lines of its configuration, as `trustedproxy.frontends` prints them.

The words about what stands there instead are those of the pages about front ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..headers import KNOWN_HEADERS, Category, Form

#: How many headers have lines of their own; `trustedproxy config` prints the rest.
MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """
    The lines of one front end; ``{}`` is a header's name, in its own spelling.

    Attributes:
        title: Its name for people.

        set: Values for what it overwrites, by category.

        overwrite: How it overwrites a header: name and value.

        remove: How it removes one.

        variants: What drops names with underscores.

        connection: What keeps a client's ``Connection`` from doing anything.

        upgrade: What keeps other protocols out.

        instead: What commonly stands there and has to go, for trusted headers.
    """

    title: str
    set: Mapping[Category, str]
    overwrite: str
    remove: str
    variants: tuple[str, ...]
    connection: tuple[str, ...]
    upgrade: tuple[str, ...]
    instead: str = ""


FRONT_ENDS: Mapping[str, FrontEnd] = {
    "nginx": FrontEnd(
        "nginx",
        {
            Category.CLIENT: "$remote_addr",
            Category.SCHEME: "$scheme",
            Category.HOST: "$host",
            Category.PORT: "$server_port",
        },
        "proxy_set_header {name} {value};",
        'proxy_set_header {name} "";',
        ("underscores_in_headers off;",),
        ("proxy_set_header Connection close;",),
        ('proxy_set_header Upgrade "";',),
        "$proxy_add_x_forwarded_for and $http_… hand on what the client sent",
    ),
    "apache": FrontEnd(
        "Apache httpd",
        {
            Category.CLIENT: '"expr=%{REMOTE_ADDR}"',
            Category.SCHEME: '"{scheme}"',
            Category.HOST: '"expr=%{HTTP_HOST}"',
        },
        "RequestHeader set {name} {value}",
        "RequestHeader unset {name}",
        ("RequestHeader unset {variant}",),
        ("RequestHeader set Connection close",),
        ("RequestHeader unset Upgrade",),
        "without ProxyAddHeaders Off, mod_proxy adds to what the client sent",
    ),
    "haproxy": FrontEnd(
        "HAProxy",
        {
            Category.CLIENT: "%[src]",
            Category.SCHEME: "{scheme} {condition} { ssl_fc }",
            Category.HOST: "%[req.hdr(Host)]",
            Category.PORT: "%[dst_port]",
        },
        "http-request set-header {name} {value}",
        "http-request del-header {name}",
        ("option http-restrict-req-hdr-names delete",),
        ("http-request del-header Connection",),
        ("http-request del-header Upgrade",),
        "option forwardfor adds a line behind the client's instead of replacing it",
    ),
    "caddy": FrontEnd(
        "Caddy",
        {},
        "",
        "request_header -{name}",
        ("request_header -*_*",),
        ("request_header -Connection",),
        ("request_header -Upgrade",),
        "Caddy overwrites X-Forwarded-For, -Proto and -Host by itself, but for peers "
        "in trusted_proxies: list your outer proxies there and nobody else",
    ),
    "traefik": FrontEnd(
        "Traefik",
        {Category.SCHEME: '"{scheme}"'},
        '"{name}": {value}  # headers.customRequestHeaders',
        '{name}: ""  # headers.customRequestHeaders',
        ('"aliasHeadersStrategy": "delete"  # entryPoints.*.http',),
        (),
        ('Upgrade: ""  # headers.customRequestHeaders',),
        "Traefik overwrites what it manages by itself, but for peers in "
        "forwardedHeaders.trustedIPs, and for everybody with forwardedHeaders.insecure",
    ),
    "envoy": FrontEnd(
        "Envoy",
        {
            Category.CLIENT: "use_remote_address: true",
            Category.SCHEME: "use_remote_address: true",
        },
        "{value}",
        '- "{small}"  # request_headers_to_remove',
        (
            '"headers_with_underscores_action": "DROP_HEADER"'
            "  # common_http_protocol_options",
        ),
        (),
        (),
        "with use_remote_address: false it takes the client's own values",
    ),
    "varnish": FrontEnd(
        "Varnish",
        {Category.CLIENT: "client.ip", Category.SCHEME: '"{scheme}"'},
        "set req.http.{name} = {value};",
        "unset req.http.{name};",
        ("unset req.http.{variant};",),
        (),
        ("unset req.http.Upgrade;",),
        "Varnish adds to X-Forwarded-For by itself",
    ),
    "lighttpd": FrontEnd(
        "lighttpd",
        {},
        "",
        '"{name}" => "",  # setenv.set-request-header',
        ('"{variant}" => "",  # setenv.set-request-header',),
        (),
        (),
        "it adds to X-Forwarded-For what came, unless that is removed first",
    ),
}
#: What in an answer shows a front end: header, text in small letters, name.
_SHOWN_BY = (
    ("Server", "nginx", "nginx"),
    ("Server", "openresty", "nginx"),
    ("Server", "apache", "apache"),
    ("Server", "caddy", "caddy"),
    ("Via", "caddy", "caddy"),
    ("Server", "envoy", "envoy"),
    ("X-Varnish", "", "varnish"),
    ("Server", "lighttpd", "lighttpd"),
)


def guess_frontend(headers: Sequence[tuple[str, str]]) -> str:
    """Guess the front end from the headers of an answer; or nothing."""
    for name, text, frontend in _SHOWN_BY:
        for each, value in headers:
            if each.lower() == name.lower() and text in value.lower():
                return frontend
    return ""


_HEADERS = {header.name: header for header in KNOWN_HEADERS}
#: The forms whose value a front end has in one variable.
_PLAIN = frozenset({Form.ADDRESS, Form.ADDRESS_LIST, Form.SCHEME, Form.HOST, Form.PORT})


def write_header_lines(
    frontend: str, names: Sequence[str], trusted: set[str], *, secure: bool
) -> tuple[str, ...]:
    """
    Write a line for each of some headers; none where the front end is unknown.

    Args:
        frontend: The front end's name.

        names: The headers.

        trusted: Those that an application reads, so that they have to be right.

        secure: Whether TLS is spoken.
    """
    front = FRONT_ENDS.get(frontend)
    if front is None:
        return ()
    return tuple(
        _write_line(front, name, overwrite=name in trusted, secure=secure)
        for name in names[:MOST_LINES]
    )


def _write_line(front: FrontEnd, name: str, *, overwrite: bool, secure: bool) -> str:
    """Overwrite with the true value, where the front end has one; else remove."""
    header = _HEADERS.get(name)
    value = None if header is None else front.set.get(header.category)
    if overwrite and value is not None and header and header.form in _PLAIN:
        words = {
            "{value}": value,
            "{name}": name,
            "{scheme}": "https" if secure else "http",
            "{condition}": "if" if secure else "unless",
        }
        return _fill(front.overwrite, words)
    return _fill(front.remove, {"{name}": name, "{small}": name.lower()})


def write_variant_lines(frontend: str, variants: Sequence[str]) -> tuple[str, ...]:
    """Write what drops names with underscores, or each of some of them."""
    front = FRONT_ENDS.get(frontend)
    if front is None:
        return ()
    lines = [
        _fill(line, {"{variant}": variant})
        for line in front.variants
        for variant in variants[:MOST_LINES]
    ]
    return tuple(dict.fromkeys(lines))


def _fill(template: str, words: Mapping[str, str]) -> str:
    for word, text in words.items():
        template = template.replace(word, text)
    return template
