"""
Every kind of configuration is accepted by the front end that it is for.

nginx, Apache, HAProxy, Caddy, Envoy, Varnish and lighttpd look the files over by
themselves; Traefik has to be started for that.
"""

from __future__ import annotations

import itertools
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from trustedproxy import ProxyPolicy
from trustedproxy.exceptions import ConfigurationError
from trustedproxy.frontends import TLS, Site, write_files

from ..servers.fronts import (
    FRONTS,
    Front,
    find_program,
    make_command,
    make_front_environment,
    place_files,
)
from ..servers.processes import find_free_ports
from .asking import NAME, Ground, started
from .test_requests import ALL, CUSTOM, SECRET, make_policy

PATHS: Mapping[str, Mapping[str, Any]] = {
    "root": {},
    "below": {"path": "/app"},
    "odd": {"path": "/user/a.b@c+d:e=!f~g_h-i"},
}
ROLES: Mapping[str, Mapping[str, Any]] = {
    "first": {},
    "inner": {"behind": ("10.0.0.0/8", "2001:db8::/32", "loopback")},
    "inner of a CDN": {"behind": "10.0.0.0/8", "outer_headers": "X-Forwarded-For"},
}
# These go through their values side by side, so that each meets many of the others.
BESIDE: tuple[Mapping[str, Any], ...] = (
    # Names that front ends have for things of their own.
    {"websockets": True, "name": "http"},
    {"server_names": (), "name": "server"},
    {"server_names": ("example.com", "www.example.com", "under_score")},
    {"address": "127.0.0.1", "name": "a-longer-name"},
    {"address": "::1"},
    {"http_port": None},
    {"access_log": "/tmp/trustedproxy-test-access.log"},
)
PROXIES = ("loopback", "unix", "10.0.0.0/8", "2001:db8::/32")
TRUSTED: Mapping[str, tuple[Sequence[Any], Mapping[str, Any]]] = {
    "left in": (ALL, {"strip_mount_point": True}),
    "Forwarded": (("Forwarded", "X-Script-Name"), {}),
    "custom": (CUSTOM, {"secret_header": "X-Proof", "secrets": [SECRET]}),
    "port beside the address": (("CloudFront-Viewer-Address", "X-HTTPS"), {}),
}
POLICIES: Mapping[str, ProxyPolicy] = {
    name: make_policy(*headers, proxies=PROXIES, **more)
    for name, (headers, more) in TRUSTED.items()
}


@dataclass(frozen=True, slots=True)
class Case:
    """One configuration."""

    front: Front
    policy: str
    said: Mapping[str, Any]
    unix: bool
    secure: bool
    name: str

    def make_site(self, tls: TLS, socket: str, ports: Sequence[int]) -> Site:
        """Make the site, with what this machine has."""
        secure = {"tls": tls, "hsts": "max-age=31536000; other=100%25"}
        said = {
            "backend": f"unix:{socket}" if self.unix else "127.0.0.1:8000",
            "http_port": ports[0],
            "https_port": ports[1],
            "server_names": NAME,
            "secret": SECRET,
            **(secure if self.secure else {}),
            **self.said,
        }
        return Site(**said)

    @property
    def is_possible(self) -> bool:
        """Whether the front end can do this; test_frontends.py says what it cannot."""
        tls = TLS("/c.crt", "/c.key")
        try:
            site = self.make_site(tls, "/run/app.sock", (80, 443))
            self.front.print_for(Path("/"), site, POLICIES[self.policy])
        except ConfigurationError:
            return False
        return True


def list_cases() -> Iterator[Case]:
    """List what is tried: all of the main parts with each other, the rest in turn."""
    for front in FRONTS:
        beside = itertools.cycle(BESIDE)
        parts = itertools.product(POLICIES, PATHS.items(), ROLES.items())
        for number, (policy, (path, at), (role, place)) in enumerate(parts):
            if role == "inner of a CDN" and policy != "left in":
                # The others do not trust that header.
                continue
            more = next(beside)
            keeps = {"strip_path": False} if number % 3 == 0 else {}
            yield Case(
                front,
                policy,
                {**at, **place, **more, **keeps},
                unix=number % 4 == 1,
                secure=not front.no_tls and (number % 2 == 0 or "http_port" in more),
                name=f"{front.name}-{policy}-{path}-{role}-{'-'.join(more)}",
            )


CASES = [case for case in list_cases() if case.is_possible]


def test_most_of_what_is_tried_is_possible() -> None:
    """nginx, Apache, Caddy and Envoy can do nearly all of it, the others their part."""
    counts = Counter(case.front.name for case in CASES)

    assert min(counts[name] for name in ("nginx", "apache", "caddy", "envoy")) > 20
    assert min(counts[front.name] for front in FRONTS) > 5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_configuration_is_accepted(ground: Ground, case: Case) -> None:
    """The front end finds nothing wrong with it, and warns of nothing of ours."""
    ports = find_free_ports(2)
    site = case.make_site(ground.tls, ground.socket, ports)
    folder = ground.make_folder()
    run = case.front.print_for(folder, site, POLICIES[case.policy])

    if not case.front.check:
        # Traefik says what it does not take when it starts, and goes on.
        with started(ground, case.front, run):
            told = ground.manager.processes[-1].read_log()
        assert " ERR " not in strip_colours(told)
        return
    place_files(case.front, run)
    done = subprocess.run(
        make_command(case.front.check, run),
        env=make_front_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert [line for line in lines if WARNING.search(line)] == []


WARNING = re.compile(
    r"\[(?:warn|emerg|alert)\]|WARNING|\"level\":\"warn\"|hash_max_size"
)


def strip_colours(text: str) -> str:
    """Take a terminal's colours off."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"path": "/app", "websockets": True},
        {"path": "/app", "strip_path": False},
        {"behind": "10.0.0.0/8"},
    ],
    ids=["root", "below", "left in", "inner"],
)
def test_labels_are_what_traefik_reads(ground: Ground, said: Mapping[str, Any]) -> None:
    """Flags and labels, spelled out as a file, start Traefik without an error."""
    http, https = find_free_ports(2)
    site = Site(
        backend="app:8000",
        server_names=NAME,
        http_port=http,
        https_port=https,
        tls=ground.tls,
        hsts="max-age=1",
        **said,
    )
    policy = POLICIES["left in"]
    files = write_files("traefik-labels", policy, site)
    compose = yaml.safe_load(files["compose.yaml"])["services"]
    flags = dict(f[2:].split("=", 1) for f in compose["traefik"]["command"])
    labels = compose["app"]["labels"]
    folder = ground.make_folder()
    dynamic = spell_out(
        {key: value.replace("$$", "$") for key, value in labels.items()}
    )["traefik"]
    # Docker says the address; here it is the recorder's.
    [service] = dynamic["http"]["services"].values()
    assert service["loadBalancer"]["server"] == {"port": "8000"}
    service["loadBalancer"] = {"servers": [{"url": f"http://{ground.backend}"}]}
    dynamic.pop("enable")
    dynamic.update(yaml.safe_load(files["certificates.yml"]))
    (folder / "dynamic.yml").write_text(yaml.safe_dump(split_lists(dynamic)))
    own = {k: v for k, v in flags.items() if not k.startswith("providers.")}
    own["providers.file.filename"] = str(folder / "dynamic.yml")
    command = [find_program("traefik"), *(f"--{k}={v}" for k, v in own.items())]

    process = ground.manager.start("labels", command, [("127.0.0.1", http)])
    process.wait_ready()
    process.stop()
    ground.manager.processes.remove(process)

    assert " ERR " not in strip_colours(process.read_log())
    assert flags["providers.docker.exposedByDefault"] == "false"


def spell_out(flat: Mapping[str, str]) -> dict[str, Any]:
    """Make a tree of dotted names, as Traefik does with labels."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *places, last = name.split(".")
        inside = tree
        for place in places:
            inside = inside.setdefault(place, {})
        inside[last] = value
    return tree


# Where Traefik's file has a list, and a label one text with commas.
LISTS = ("entryPoints", "middlewares", "prefixes", "sourceRange")


def split_lists(tree: Any, name: str = "") -> Any:
    """Split at commas where a list belongs."""
    if isinstance(tree, dict):
        return {key: split_lists(value, key) for key, value in tree.items()}
    return tree.split(",") if name in LISTS else tree
