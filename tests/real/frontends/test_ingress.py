"""
What is printed for ingress-nginx, on the real nginx, as the controller has it.

No cluster runs here: the lines around what is printed are those that the template
writes for every location, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from trustedproxy.frontends import Site, write_config

from ..servers.client import get
from ..servers.farm import CLIENT
from ..servers.fronts import Run, find_front
from ..servers.processes import find_free_ports
from .asking import NAME, Ground, forge_everything, in_parts, started
from .judging import judge, list_left_over
from .test_requests import ALL, make_policy

_PREFIX = "nginx.ingress.kubernetes.io"


def render(documents: list[Any], backend: str, port: int) -> str:
    """Render a server as the controller does, from the three documents."""
    settings, headers, ingress = documents
    notes = ingress["metadata"]["annotations"]
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert settings["data"]["proxy-set-headers"] == (
        f"ingress-nginx/{headers['metadata']['name']}"
    )
    trusts = settings["data"]["use-forwarded-headers"] == "true"
    location = f'~* "^{path["path"]}"' if "use-regex" in str(notes) else path["path"]
    rewrite = notes.get(f"{_PREFIX}/rewrite-target")
    lines = [
        "map $http_x_forwarded_for $full_x_forwarded_for {",
        '    default "$http_x_forwarded_for, $realip_remote_addr";',
        '    "" "$realip_remote_addr";',
        "}",
        "server {",
        f"listen 127.0.0.1:{port};",
        f"server_name {rule['host']};",
        "proxy_headers_hash_max_size 2048;",
        "proxy_headers_hash_bucket_size 128;",
    ]
    if trusts:
        for network in settings["data"]["proxy-real-ip-cidr"].split(","):
            lines.append(f"set_real_ip_from {network};")
        lines.append("real_ip_header X-Forwarded-For;")
        lines.append("real_ip_recursive on;")
    scheme = "$http_x_forwarded_proto" if trusts else "$scheme"
    host = "$http_x_forwarded_host" if trusts else "$http_host"
    lines += [
        f"location {location} {{",
        f"set $pass_access_scheme {scheme};",
        f"set $best_http_host {host};",
        "set $pass_port $server_port;",
        "proxy_set_header Host $best_http_host;",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_set_header X-Forwarded-For "
        f"{'$full_x_forwarded_for' if trusts else '$remote_addr'};",
        "proxy_set_header X-Forwarded-Host $best_http_host;",
        "proxy_set_header X-Forwarded-Port $pass_port;",
        "proxy_set_header X-Forwarded-Proto $pass_access_scheme;",
        "proxy_set_header X-Forwarded-Scheme $pass_access_scheme;",
        "proxy_set_header X-Scheme $pass_access_scheme;",
        "proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;",
    ]
    for name, value in headers["data"].items():
        lines.append(f'proxy_set_header {name} "{value}";')
    if prefix := notes.get(f"{_PREFIX}/x-forwarded-prefix"):
        lines.append(f'proxy_set_header X-Forwarded-Prefix "{prefix}";')
    if rewrite:
        lines.append(f'rewrite "(?i){path["path"]}" {rewrite} break;')
    lines += [f"proxy_pass http://{backend};", "}", "}"]
    return "\n".join(lines) + "\n"


#: What the controller itself sets, whatever is listed, and cannot be told not to.
ALWAYS = {
    *("x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port"),
    *("x-forwarded-proto", "x-forwarded-scheme", "x-scheme"),
    "x-original-forwarded-for",
}
SITES: Mapping[str, Mapping[str, Any]] = {
    "root": {},
    "below": {"path": "/app"},
    "left in": {"path": "/app", "strip_path": False},
}


@pytest.mark.parametrize("name", SITES)
def test_request_through_the_template_arrives_as_the_policy_expects(
    ground: Ground, name: str
) -> None:
    """Whatever is forged beside it."""
    policy = make_policy(
        *ALL, proxies=["127.0.0.1"], strip_mount_point=name == "left in"
    )
    site = Site(backend="app:8000", server_names=NAME, **SITES[name])
    printed = write_config("ingress-nginx", policy, site)
    documents = list(yaml.safe_load_all(printed))
    [port] = find_free_ports(1)
    text = render(documents, ground.backend, port)
    own = Site(backend=ground.backend, address="127.0.0.1", http_port=port)
    run = Run(ground.make_folder(), {"site.conf": text}, own)

    with started(ground, find_front("nginx"), run):
        answers = [
            get(
                ("127.0.0.1", port),
                f"{site.path}/page",
                lines,
                host=NAME,
                source=CLIENT,
            ).json()
            for lines in [[], *in_parts(forge_everything("http"))]
        ]

    for answer in answers:
        left = {one.lower() for one in list_left_over(policy, answer["lines"])}
        assert left <= ALWAYS
        seen = judge(policy, answer, unix=False).seen
        assert seen == {
            "client": CLIENT,
            "scheme": "http",
            "host": NAME,
            "mount_point": site.path,
            "path": "/page",
        }


def test_inner_controller_hands_on_what_the_balancer_said(ground: Ground) -> None:
    """The networks in front of it are trusted, and the client is who they say."""
    policy = make_policy(*ALL[:3], proxies=["127.0.0.1"])
    site = Site(backend="app:8000", server_names=NAME, behind="127.0.0.1")
    printed = write_config("ingress-nginx", policy, site)
    [port] = find_free_ports(1)
    text = render(list(yaml.safe_load_all(printed)), ground.backend, port)
    own = Site(backend=ground.backend, address="127.0.0.1", http_port=port)
    run = Run(ground.make_folder(), {"site.conf": text}, own)
    said = [
        ("X-Forwarded-For", f"198.51.100.66, {CLIENT}"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "outer.example"),
    ]

    with started(ground, find_front("nginx"), run):
        answer = get(("127.0.0.1", port), "/page", said, host=NAME).json()

    seen = judge(policy, answer, unix=False).seen
    assert seen["client"] == CLIENT
    assert (seen["scheme"], seen["host"]) == ("https", "outer.example")
