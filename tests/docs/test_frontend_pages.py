"""
The pages of front ends and servers show what the generator prints, and nothing else.

tests/real/frontends runs what they show.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import FRONTENDS, Site, write_config

ROOT = Path(__file__).parents[2]
if str(ROOT / "tools") not in sys.path:
    sys.path.append(str(ROOT / "tools"))

import frontend_pages as frontend_pages  # noqa: E402  # its folder is on the path by now

FILLED = frontend_pages.fill_all()


@pytest.mark.parametrize("path", FILLED, ids=lambda path: path.stem)
def test_page_shows_what_is_printed(path: Path) -> None:
    """`PYTHONPATH=core python tools/frontend_pages.py` writes it anew."""
    assert path.read_text(encoding="utf-8") == FILLED[path]


def test_every_front_end_has_a_page() -> None:
    """And the overview leads to it."""
    overview = (ROOT / "docs" / "frontends.md").read_text(encoding="utf-8")

    assert set(frontend_pages.list_pages()) == set(FRONTENDS)
    for name in FRONTENDS:
        assert f"(frontends/{name}.md)" in overview


@pytest.mark.parametrize("name", FRONTENDS)
def test_page_has_every_shape_that_the_front_end_can_serve(name: str) -> None:
    """At the root, with TLS, below a path, over a socket, as an inner proxy."""
    page = frontend_pages.list_pages()[name].read_text(encoding="utf-8")
    missing = {"varnish": {"tls"}, "traefik": {"unix"}}
    missing |= {"traefik-labels": {"unix"}, "ingress-nginx": {"unix"}}

    regions = frontend_pages.list_regions(page)

    assert len(regions) == len(set(regions))
    assert set(regions) == set(frontend_pages.SHAPES) - missing.get(name, set())
    # No configuration stands outside of them.
    outside = frontend_pages.fill(page, lambda shape: "")
    assert "```" not in outside


@pytest.mark.parametrize("name", FRONTENDS)
def test_settings_beside_a_configuration_are_valid(name: str) -> None:
    """Each block of settings makes the policy that the configuration is for."""
    page = frontend_pages.list_pages()[name].read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)

    policies = [ProxyPolicy.from_mapping(read_settings(block)) for block in blocks]

    assert len(policies) == len(frontend_pages.list_regions(page))
    assert all(policy.strip == "all" for policy in policies)


def read_settings(block: str) -> dict[str, object]:
    """Read a block of settings."""
    lines = (line.partition(" = ") for line in block.splitlines())
    return {name: ast.literal_eval(value) for name, _, value in lines}


def test_example_in_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The overview's example prints a configuration and a command line."""
    page = (ROOT / "docs" / "frontends.md").read_text(encoding="utf-8")
    [example, site] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}

    exec(compile(example, "frontends.md", "exec"), names)
    exec(compile(site, "frontends.md", "exec"), names)

    printed = capsys.readouterr().out
    assert "proxy_set_header X-Forwarded-For" in printed
    assert shlex.split(printed.splitlines()[-1])[0] == "uvicorn"
    policy, logged = names["policy"], names["site"]
    assert isinstance(policy, ProxyPolicy)
    assert isinstance(logged, Site)
    assert "log_format" in write_config("nginx", policy, logged)
