"""
Traefik: the static configuration, and a dynamic one with routers and middlewares.

In:  a plan.
Out: both files, as one folder and one provider's file.

Traefik sets X-Forwarded-For, X-Forwarded-Host and X-Real-Ip by itself, and overwrites a
client's; from outer proxies it adds to the first and keeps the others.  Its own
X-Forwarded-Proto says ws and wss for websockets, and its X-Forwarded-Port is read from
the client's Host, so that both are written literally.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import ConfigurationError
from .frontend import (
    HAS_ITS_OWN_LOG,
    LITERALS,
    Frontend,
    escape_regex,
    name_headers,
)
from .plan import Plan, Value
from .site import ANY_FAMILY, Listener, Location, Site
from .yaml_text import write_yaml

ENTRY_POINTS = {"http": "web", "https": "websecure"}
OWN_HEADERS = {
    "x-forwarded-for": Value.PEER,
    "x-real-ip": Value.PEER,
    "x-forwarded-host": Value.HOST,
}

# What it keeps of a peer that it trusts; it trusts it for all of them, or for none.
_MANAGED = (
    *OWN_HEADERS,
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
)

Tree = dict[str, Any]


def _trusts_outer(plan: Plan) -> bool:
    return any(name.lower() in _MANAGED for name in plan.handed_on)


def _check(plan: Plan) -> None:
    for header in plan.common if _trusts_outer(plan) else ():
        if header.name.lower() in OWN_HEADERS and not header.appends:
            raise ConfigurationError(
                "outer_headers",
                plan.handed_on,
                f"possible with Traefik, which keeps {header.name} too of proxies that "
                f"it trusts: name it, or none of Traefik's own",
            )


def _write(plan: Plan) -> dict[str, str]:
    site = plan.site
    heading = f"# {site.name}: the trusted headers are {name_headers(plan)}."
    dynamic = f"/etc/traefik/dynamic/{site.name}.yml"
    static = {
        "entryPoints": make_entry_points(plan),
        "providers": {"file": {"filename": dynamic}},
    }
    return {
        "/etc/traefik/traefik.yml": _join(heading, static),
        dynamic: _join(heading, make_dynamic(plan)),
    }


def _join(heading: str, tree: Tree) -> str:
    return "\n".join([heading, *write_yaml(tree)]) + "\n"


def make_entry_points(plan: Plan) -> Tree:
    """Make the entry points: the ports, and who may say what there."""
    site = plan.site
    points: Tree = {}
    for listener in site.listeners:
        host = "" if site.address == ANY_FAMILY else site.host
        # Names with underscores, which Python servers may take for the others.
        http: Tree = {"aliasHeadersStrategy": "delete"}
        if listener.is_secure:
            http["tls"] = {}
        point: Tree = {"address": f"{host}:{listener.port}", "http": http}
        if _trusts_outer(plan):
            point["forwardedHeaders"] = {"trustedIPs": list(site.outer_networks)}
        points[ENTRY_POINTS[listener.scheme]] = point
    return points


def make_dynamic(plan: Plan) -> Tree:
    """Make routers, middlewares and services."""
    site = plan.site
    routers: Tree = {}
    middlewares: Tree = {}
    services: Tree = {}
    for listener in site.listeners:
        entry = ENTRY_POINTS[listener.scheme]
        headers = make_headers(plan, listener)
        if headers:
            middlewares[f"{site.name}-{entry}"] = {"headers": headers}
    # Nobody here sets these, so a client did; an empty value deletes.
    gone = dict.fromkeys([*plan.removed, *([] if site.websockets else ["Upgrade"])], "")
    middlewares[f"{site.name}-cleaned"] = {"headers": {"customRequestHeaders": gone}}
    if plan.is_inner:
        # The outer proxies, and nobody else: what they say is handed on.
        outer = {"sourceRange": list(site.outer_networks)}
        middlewares[f"{site.name}-outer"] = {"ipAllowList": outer}
    for location in site.locations:
        name = site.name_of(location)
        services[name] = {
            "loadBalancer": {
                "servers": [{"url": f"http://{location.server.authority}"}]
            }
        }
        middlewares.update(make_middlewares(plan, location))
        for listener in site.listeners:
            router = make_router(plan, location, listener)
            routers[f"{name}-{ENTRY_POINTS[listener.scheme]}"] = router
    tree: Tree = {
        "http": {
            "routers": routers,
            "middlewares": middlewares,
            "services": services,
        }
    }
    if site.tls is not None:
        pair = {"certFile": site.tls.certificate, "keyFile": site.tls.key}
        tree["tls"] = {"certificates": [pair]}
    return tree


def make_headers(plan: Plan, listener: Listener) -> Tree:
    """Make what every request and response of *listener* gets."""
    sent: dict[str, str] = {}
    for header in plan.common:
        literal = header.spell(listener)
        if literal is not None:
            sent[header.name] = literal
    headers: Tree = {"customRequestHeaders": sent} if sent else {}
    if listener.is_secure and plan.site.hsts is not None:
        hsts = {"Strict-Transport-Security": plan.site.hsts}
        headers["customResponseHeaders"] = hsts
    return headers


def make_middlewares(plan: Plan, location: Location) -> Tree:
    """Make the middlewares of one application: its path, and its mount point."""
    name = plan.site.name_of(location)
    made: Tree = {}
    if location.path:
        made[f"{name}-slash"] = {
            "redirectRegex": {
                "regex": f"^[^?]*{escape_regex(location.path)}([?].*)?$",
                "replacement": f"{location.path}/${{1}}",
                "permanent": True,
            }
        }
    if location.prefix:
        made[f"{name}-strip"] = {"stripPrefix": {"prefixes": [location.prefix]}}
    mounts = {
        header.name: header.text
        for header in plan.list_mounts(location)
        if not header.appends
    }
    if mounts:
        # Behind stripPrefix, which adds to X-Forwarded-Prefix by itself.
        made[f"{name}-mount"] = {"headers": {"customRequestHeaders": mounts}}
    return made


def make_router(plan: Plan, location: Location, listener: Listener) -> Tree:
    """Make the router of one application at one entry point."""
    site = plan.site
    entry = ENTRY_POINTS[listener.scheme]
    chain = [f"{site.name}-outer"] if plan.is_inner else []
    headers = make_headers(plan, listener)
    chain += [f"{site.name}-cleaned", *([f"{site.name}-{entry}"] if headers else [])]
    chain += make_middlewares(plan, location)
    return {
        "entryPoints": [entry],
        "rule": _write_rule(site, location),
        "service": site.name_of(location),
        "middlewares": chain,
    }


def _write_rule(site: Site, location: Location) -> str:
    path = location.path
    paths = f"PathPrefix(`{path}/`)"
    if path:
        paths = f"(Path(`{path}`) || {paths})"
    hosts = " || ".join(f"Host(`{name}`)" for name in site.server_names)
    return f"({hosts}) && {paths}" if hosts else paths


# In a file, {{ begins a template, and a rule is written between backticks.
TRAEFIK = Frontend(
    "traefik",
    "Traefik",
    _write,
    values=LITERALS,
    own_headers=OWN_HEADERS,
    check_more=_check,
    appends_mount_points=False,
    unsayable="`{}$",
    cannot={
        "socket": "its HTTP services are URLs of TCP servers",
        "access_log": HAS_ITS_OWN_LOG,
    },
)
