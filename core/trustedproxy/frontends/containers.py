"""
Containers: Traefik's labels in a Compose file, and an Ingress for ingress-nginx.

In:  a plan.
Out: the files.  A backend is a service's name and port, such as ``app:8000``.

The labels say what `traefik` says in its dynamic file.  ingress-nginx sets some headers
by itself, always; the others are set for the whole controller, in a ConfigMap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..exceptions import ConfigurationError
from ..hsts import HSTSPolicy
from . import traefik
from .frontend import Frontend, name_headers
from .plan import Plan, Value
from .site import Location
from .traefik import Tree
from .yaml_text import write_yaml

CERTIFICATES = "/etc/traefik/dynamic/certificates.yml"


def _refuse_addresses(plan: Plan) -> None:
    for location in plan.site.locations:
        if location.server.address:
            raise ConfigurationError(
                "backend",
                location.backend,
                "the name of a service and its port, such as app:8000",
            )


# Traefik's labels.


def _write_labels(plan: Plan) -> dict[str, str]:
    site = plan.site
    dynamic = traefik.make_dynamic(plan)
    flags = {"providers": {"docker": {"exposedByDefault": "false"}}}
    flags["entryPoints"] = traefik.make_entry_points(plan)
    volumes = ["/var/run/docker.sock:/var/run/docker.sock:ro"]
    files: dict[str, str] = {}
    heading = f"# {site.name}: the trusted headers are {name_headers(plan)}."
    if site.tls is not None:
        # Certificates have no labels.
        flags["providers"]["file"] = {"filename": CERTIFICATES}
        for path in dict.fromkeys((site.tls.certificate, site.tls.key)):
            volumes.append(f"{path}:{path}:ro")
        volumes.append(f"./certificates.yml:{CERTIFICATES}:ro")
        certificates = write_yaml({"tls": dynamic["tls"]})
        files["certificates.yml"] = "\n".join([heading, *certificates]) + "\n"
    services: Tree = {
        "traefik": {
            "image": "traefik:v3",
            "command": [f"--{k}={v}" for k, v in flatten(flags)],
            "ports": [f"{one.port}:{one.port}" for one in site.listeners],
            "volumes": volumes,
        }
    }
    for location in site.locations:
        services[location.server.host] = {"labels": _list_labels(plan, location)}
    compose = write_yaml({"services": services})
    return {"compose.yaml": "\n".join([heading, *compose]) + "\n", **files}


def _list_labels(plan: Plan, location: Location) -> dict[str, str]:
    """List the labels of one service: its own part of the dynamic configuration."""
    only = replace(
        plan.site,
        backend=location.backend,
        path=location.path,
        strip_path=location.strip_path,
        others=(),
        name=plan.site.name_of(location),
    )
    tree = traefik.make_dynamic(replace(plan, site=only))["http"]
    for service in tree["services"].values():
        port = str(location.server.port)
        service["loadBalancer"] = {"server": {"port": port}}
    labels = {"traefik.enable": "true"}
    for key, value in flatten(tree):
        # Compose replaces $NAME, and takes $$ for a dollar.
        labels[f"traefik.http.{key}"] = value.replace("$", "$$")
    return labels


def flatten(tree: Mapping[str, Any], begin: str = "") -> Iterator[tuple[str, str]]:
    """Spell a tree as Traefik's flags and labels do: dotted, lists by comma."""
    for key, value in tree.items():
        name = f"{begin}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{name}.")
        elif isinstance(value, list):
            yield name, ",".join(value)
        else:
            yield name, "true" if value in (True, {}) else str(value)


TRAEFIK_LABELS = replace(
    traefik.TRAEFIK,
    name="traefik-labels",
    title="Traefik's labels",
    write=_write_labels,
)


# ingress-nginx.

_PREFIX = "nginx.ingress.kubernetes.io"
# What the controller sets in every request, from a template of its own.
_ALWAYS = {
    "x-real-ip": Value.PEER,
    "x-forwarded-for": Value.PEER,
    "x-forwarded-host": Value.HOST,
    "x-forwarded-port": Value.PORT,
    "x-forwarded-proto": Value.SCHEME,
    "x-forwarded-scheme": Value.SCHEME,
    "x-scheme": Value.SCHEME,
    # Whatever came in X-Forwarded-For: nothing here can change that.
    "x-original-forwarded-for": None,
}
_MOUNT_POINT = "X-Forwarded-Prefix"
_VARIABLES = {
    Value.PEER: "$remote_addr",
    Value.PEER_AND_PORT: "$remote_addr:$remote_port",
    Value.SCHEME: "$pass_access_scheme",
    Value.HOST: "$best_http_host",
    Value.PORT: "$pass_port",
}


def _write_ingress(plan: Plan) -> dict[str, str]:
    site = plan.site
    lines = [f"# {site.name}: the trusted headers are {name_headers(plan)}."]
    lines += [
        "# The two ConfigMaps are for the whole controller; restart it after a change.",
        *write_yaml(_make_settings(plan)),
        "---",
        *write_yaml(_make_headers(plan)),
    ]
    for location in site.locations:
        lines += ["---", *write_yaml(_make_ingress(plan, location))]
    if site.tls is not None:
        pair = f"--cert={site.tls.certificate} --key={site.tls.key}"
        lines.insert(1, f"# kubectl create secret tls {site.name}-tls {pair}")
    return {f"{site.name}-ingress.yaml": "\n".join(lines) + "\n"}


def _make_map(name: str, data: Mapping[str, str]) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "ingress-nginx"},
        "data": dict(data),
    }


def _make_settings(plan: Plan) -> Tree:
    site = plan.site
    data = {"proxy-set-headers": f"ingress-nginx/{site.name}-headers"}
    trusts = any(name.lower() in _ALWAYS for name in plan.handed_on)
    data["use-forwarded-headers"] = str(trusts).lower()
    if trusts:
        # Without the networks, everybody would be trusted.
        data["proxy-real-ip-cidr"] = ",".join(site.outer_networks)
        data["compute-full-forwarded-for"] = "true"
    # It sends a policy of its own unless that is switched off.
    data["hsts"] = str(site.hsts is not None).lower()
    if site.hsts is not None:
        policy = HSTSPolicy.parse(site.hsts, option="hsts")
        data["hsts-max-age"] = str(policy.max_age)
        data["hsts-include-subdomains"] = str(policy.include_subdomains).lower()
        data["hsts-preload"] = str(policy.preload).lower()
    return _make_map("ingress-nginx-controller", data)


def _make_headers(plan: Plan) -> Tree:
    data: dict[str, str] = {}
    for header in plan.common:
        if header.name.lower() in _ALWAYS:
            continue
        word = header.text or _VARIABLES[header.value]
        data[header.name] = (
            f"$http_{_spell(header.name)}, {word}" if header.appends else word
        )
    # An empty value removes what a client sent; an Ingress may set its mount point.
    mounts = (name for name in plan.mount_points if name not in plan.handed_on)
    gone = [name for name in (*plan.removed, *mounts) if name.lower() not in _ALWAYS]
    data.update(dict.fromkeys(gone, ""))
    return _make_map(f"{plan.site.name}-headers", data)


def _spell(name: str) -> str:
    return name.lower().replace("-", "_")


def _make_ingress(plan: Plan, location: Location) -> Tree:
    site = plan.site
    notes: dict[str, str] = {}
    path, kind = location.path or "/", "Prefix"
    if location.prefix:
        path, kind = f"{location.prefix}(/|$)(.*)", "ImplementationSpecific"
        notes[f"{_PREFIX}/use-regex"] = "true"
        notes[f"{_PREFIX}/rewrite-target"] = "/$2"
    for header in plan.list_mounts(location):
        if header.text:
            notes[f"{_PREFIX}/x-forwarded-prefix"] = header.text
    if site.tls is not None:
        # Whether plain HTTP is redirected is for the application to say.
        notes[f"{_PREFIX}/ssl-redirect"] = "false"
    server = location.server
    service = {"name": server.host, "port": {"number": server.port}}
    rule = {
        "paths": [{"path": path, "pathType": kind, "backend": {"service": service}}]
    }
    rules: list[Tree] = [{"host": name, "http": rule} for name in site.server_names]
    spec: Tree = {"ingressClassName": "nginx", "rules": rules or [{"http": rule}]}
    if site.tls is not None:
        hosts = {"hosts": list(site.server_names)} if site.server_names else {}
        spec["tls"] = [{**hosts, "secretName": f"{site.name}-tls"}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": site.name_of(location), "annotations": notes},
        "spec": spec,
    }


def _check_ingress(plan: Plan) -> None:
    _refuse_addresses(plan)
    for header in plan.common:
        if _ALWAYS.get(header.name.lower(), header.value) is not header.value:
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS",
                header.name,
                "a header that ingress-nginx can set: it hands on what a client sent",
            )
        if header.appends or header.name.lower() not in _ALWAYS or not plan.is_inner:
            continue
        raise ConfigurationError(
            "outer_headers",
            plan.handed_on,
            f"possible with ingress-nginx, which takes {header.name} from the outer "
            f"proxies as well: name it too",
        )
    for name in plan.mount_points:
        if name.lower() != _MOUNT_POINT.lower():
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS",
                name,
                f"a header that ingress-nginx sets for one Ingress: use {_MOUNT_POINT}",
            )
    if (plan.site.http_port, plan.site.https_port) != (80, 443):
        raise ConfigurationError(
            "http_port", plan.site.http_port, "possible: the controller has its own"
        )


INGRESS_NGINX = Frontend(
    "ingress-nginx",
    "ingress-nginx",
    _write_ingress,
    values=frozenset({Value.NOTHING, Value.TEXT, *_VARIABLES}),
    appends_mount_points=False,
    unsayable="$*{}",
    cannot={
        "socket": "it speaks with services",
        "address": "the controller has its own",
        "access_log": "the controller's is for all of its sites",
    },
    check_more=_check_ingress,
)
