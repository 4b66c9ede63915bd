"""
Every configuration of docs/frontends/ is run as it is printed there.

Only ports, files and the outer proxy's address are this machine's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import ProxyPolicy

from ...docs.test_frontend_pages import ROOT, frontend_pages
from ..servers.farm import CLIENT
from ..servers.fronts import FRONTS, Front, Run
from ..servers.processes import find_free_ports
from .asking import Ground, Running, forge_everything, in_parts, started
from .judging import judge, list_left_over
from .test_requests import OWN

_BLOCK = re.compile(r"`(?P<path>[^`\n]+)`:\n\n```\w+\n(?P<text>.*?)```", re.DOTALL)


def read_page(front: Front) -> str:
    """Read the page of *front*."""
    path: Path = ROOT / "docs" / "frontends" / f"{front.name}.md"
    return path.read_text(encoding="utf-8")


def read_blocks(front: Front, shape: str) -> dict[str, str]:
    """Read the files of a region."""
    _, _, after = read_page(front).partition(f"<!-- printed: {shape} -->")
    region, _, _ = after.partition("<!-- end -->")
    return {match["path"]: match["text"] for match in _BLOCK.finditer(region)}


def list_shapes() -> list[Any]:
    """List every shape of every page."""
    return [
        pytest.param(front, shape, id=f"{front.name}-{shape}")
        for front in FRONTS
        for shape in frontend_pages.list_regions(read_page(front))
    ]


@contextmanager
def run_block(
    ground: Ground, front: Front, shape: str, backend_port: str = ""
) -> Iterator[tuple[Running, ProxyPolicy]]:
    """Run the files of a region, with ports and files of this machine."""
    made = frontend_pages.find_shape(front.name, shape)
    http, https = map(str, find_free_ports(2))
    numbers = {
        "80": http,
        "443": https,
        "8080": http,
        "8000": backend_port or ground.backend.partition(":")[2],
    }
    texts = {
        "/etc/ssl/example.crt": ground.tls.certificate,
        "/etc/ssl/example.key": ground.tls.key,
        "/run/example/app.sock": ground.socket,
        "10.0.0.5": "127.0.0.1",
    }

    def adapt(text: str) -> str:
        for printed, own in texts.items():
            text = text.replace(printed, own)
        return re.sub(r"\b(80|443|8080|8000)\b", lambda m: numbers[m[0]], text)

    files = {path: adapt(text) for path, text in read_blocks(front, shape).items()}
    assert files
    site = replace(
        made.site,
        http_port=int(http),
        https_port=int(https),
        tls=None if made.site.tls is None else ground.tls,
    )
    run = Run(ground.make_folder(), files, site)
    if front.name == "apache" and shape != "inner":
        # As a distribution's own files do, for the usual ports.
        [(path, text)] = files.items()
        listens = [f"Listen {listener.port}\n" for listener in site.listeners]
        run = replace(run, printed={path: "".join(listens) + text})
    with started(ground, front, run):
        policy = ProxyPolicy.from_mapping(
            {
                **made.settings,
                "TRUSTED_PROXIES": [texts.get(entry, entry) for entry in made.proxies],
            }
        )
        yield Running(ground, site), policy


def check(
    front: Front, policy: ProxyPolicy, answer: Mapping[str, Any], unix: bool
) -> dict[str, str]:
    """Let the policy decide, and look for what should not be there."""
    left = list_left_over(policy, answer["lines"])
    own = OWN.get(front.name, set())
    assert [name for name in left if name.lower() not in own] == []
    return judge(policy, answer, unix=unix).seen


@pytest.mark.parametrize(
    ("front", "shape"), [one for one in list_shapes() if one.values[1] != "inner"]
)
def test_first_proxy_of_a_page_runs_as_printed(
    ground: Ground, front: Front, shape: str
) -> None:
    """An honest request arrives as it was asked, and so does a forging one."""
    with run_block(ground, front, shape) as (run, policy):
        path = f"{run.site.path}/page"
        for secure in (False, True)[: len(run.site.listeners)]:
            scheme = "https" if secure else "http"
            expected = {
                "client": CLIENT,
                "scheme": scheme,
                "host": run.host(secure),
                "mount_point": run.site.path,
                "path": "/page",
            }
            parts = [[], *in_parts(forge_everything(scheme))]
            seen = [
                check(
                    front,
                    policy,
                    run.get(path, lines, secure=secure).json(),
                    unix=shape == "unix",
                )
                for lines in parts
            ]
            assert seen == [expected] * len(parts)
        if run.site.websockets:
            answer = run.hear(path, secure=True, lines=[])
            assert check(front, policy, answer, unix=False)["scheme"] == "https"


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.name)
@pytest.mark.parametrize("outer", ["root", "path", "left in"])
def test_pair_of_a_page_runs_as_printed(
    ground: Ground, front: Front, outer: str
) -> None:
    """An outer proxy, with the inner one's port for the application's: both fit."""
    with run_block(ground, front, "inner") as (inner, policy):
        [listener] = inner.site.listeners
        with run_block(ground, front, outer, str(listener.port)) as (run, other):
            path = f"{run.site.path}/page"
            parts = [[], *in_parts(forge_everything("http"))]
            answers = [run.get(path, lines).json() for lines in parts]
    # The application's settings: those of the inner proxy, and what the path asks for.
    made = frontend_pages.find_shape(front.name, outer)
    settings = {
        "TRUSTED_PROXY_HEADERS": [header.name for header in policy.headers],
        "TRUSTED_PROXIES": ["loopback"],
        "TRUSTED_PROXY_STRIP": "all",
        **made.more,
    }
    both = ProxyPolicy.from_mapping(settings)

    seen = [check_inner(front, both, answer) for answer in answers]

    expected = {
        "client": CLIENT,
        "scheme": "http",
        "host": run.host(False),
        "mount_point": run.site.path,
        "path": "/page",
    }
    assert seen == [expected] * len(parts)
    assert other.headers


def check_inner(
    front: Front, policy: ProxyPolicy, answer: Mapping[str, Any]
) -> dict[str, str]:
    """Look at an answer through two proxies."""
    left = list_left_over(policy, answer["lines"])
    own = OWN.get(front.name, set())
    assert [name for name in left if name.lower() not in own] == []
    return judge(policy, answer, unix=False).seen
