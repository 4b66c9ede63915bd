"""
Write the configurations of docs/frontends/ and docs/servers.md, as they are printed.

In:  pages with regions between ``<!-- printed: SHAPE -->`` and ``<!-- end -->``.
Out: the same pages with the regions written anew, and nothing else touched.

``PYTHONPATH=core python tools/frontend_pages.py`` writes; tests hold the pages against
`fill`, and run every block on the real front ends.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from trustedproxy import ConfigurationError, ProxyPolicy
from trustedproxy.frontends import (
    SERVERS,
    TLS,
    Site,
    find_frontend,
    make_command,
    write_files,
)

DOCS = Path(__file__).resolve().parent.parent / "docs"

_REGION = re.compile(r"<!-- printed: (?P<name>[^>]+) -->\n.*?<!-- end -->", re.DOTALL)

Settings = Mapping[str, object]

_TRUSTED = ["X-Forwarded-For", "X-Forwarded-Proto"]
_BELOW = [*_TRUSTED, "X-Forwarded-Prefix"]


@dataclass(frozen=True, slots=True)
class Shape:
    """
    One kind of deployment: both halves of its configuration.

    Attributes:
        settings: The application's half.

        site: The front end's half.
    """

    site: Site
    headers: tuple[str, ...] = tuple(_TRUSTED)
    proxies: tuple[str, ...] = ("loopback",)
    more: Settings = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, object]:
        """The settings of the application."""
        return {
            "TRUSTED_PROXY_HEADERS": list(self.headers),
            "TRUSTED_PROXIES": list(self.proxies),
            "TRUSTED_PROXY_STRIP": "all",
            **self.more,
        }


_TCP = "127.0.0.1:8000"
_NAMES = ("www.example.com",)

SHAPES: Mapping[str, Shape] = {
    "root": Shape(Site(backend=_TCP, server_names=_NAMES)),
    "tls": Shape(
        Site(
            backend=_TCP,
            server_names=_NAMES,
            tls=TLS("/etc/ssl/example.crt", "/etc/ssl/example.key"),
            hsts="max-age=31536000",
            websockets=True,
        )
    ),
    "path": Shape(
        Site(backend=_TCP, path="/app", server_names=_NAMES), headers=tuple(_BELOW)
    ),
    "left in": Shape(
        Site(backend=_TCP, path="/app", strip_path=False, server_names=_NAMES),
        headers=tuple(_BELOW),
        more={"TRUSTED_PROXY_STRIP_MOUNT_POINT": True},
    ),
    "unix": Shape(
        Site(backend="unix:/run/example/app.sock", server_names=_NAMES),
        proxies=("unix",),
    ),
    "inner": Shape(
        Site(
            backend=_TCP,
            server_names=_NAMES,
            http_port=8080,
            websockets=True,
            behind="10.0.0.5",
        ),
        headers=tuple(_BELOW),
        proxies=("loopback", "10.0.0.5"),
    ),
}
"""The shapes of a page, by the names of its regions."""

# Where the backend is a service, and the front end another container.
_SERVICES = {
    "traefik-labels": ("app:8000", "172.18.0.0/16"),
    "ingress-nginx": ("app:8000", "10.244.0.0/16"),
}
_LANGUAGES = {
    "nginx": "nginx",
    "apache": "apache",
    "traefik": "yaml",
    "envoy": "yaml",
    "ingress-nginx": "yaml",
    "traefik-labels": "yaml",
}


def find_shape(frontend: str, name: str) -> Shape:
    """
    Find the shape called *name*, as *frontend* has it.

    Raises:
        KeyError: There is none.
    """
    shape = SHAPES[name]
    if frontend not in _SERVICES:
        return shape
    backend, network = _SERVICES[frontend]
    proxies = (network, *(one for one in shape.proxies if one != "loopback"))
    http_port = 80 if frontend == "ingress-nginx" else shape.site.http_port
    site = replace(shape.site, backend=backend, http_port=http_port)
    return replace(shape, site=site, proxies=proxies)


def print_shape(frontend: str, name: str) -> dict[str, str]:
    """Print the files of a shape."""
    shape = find_shape(frontend, name)
    policy = ProxyPolicy.from_mapping(shape.settings)
    return write_files(frontend, policy, shape.site)


def render(frontend: str, name: str) -> str:
    """Render a region: the settings, then each file."""
    settings = find_shape(frontend, name).settings
    lines = "".join(f"{key} = {_write(value)}\n" for key, value in settings.items())
    parts = ["The settings:", f"```python\n{lines}```"]
    language = _LANGUAGES.get(frontend, "text")
    for path, text in print_shape(frontend, name).items():
        parts += [f"`{path}`:", f"```{language}\n{text}```"]
    return "\n\n".join(parts)


def _write(value: object) -> str:
    text = repr(value)
    # Texts in double quotes, as everywhere in the documentation.
    return text.replace("'", '"')


def list_regions(page: str) -> list[str]:
    """List the names of the regions of *page*."""
    return [match["name"] for match in _REGION.finditer(page)]


def render_lines(backend: str) -> str:
    """Render the lines that start each server that can listen at *backend*."""
    lines: list[str] = []
    files: dict[str, str] = {}
    for server in SERVERS:
        try:
            command = make_command(server, Site(backend=backend))
        except ConfigurationError:
            # mod_wsgi has no unix sockets; the table below says so.
            continue
        lines += [f"# {command.note}"] if command.note else []
        lines.append(shlex.join(command.words))
        files.update(command.files)
    parts = ["```bash", *lines, "```"]
    for path, text in files.items():
        parts += ["", f"`{path}`:", "", f"```python\n{text}```"]
    return "\n".join(parts)


def fill(page: str, parts: Callable[[str], str]) -> str:
    """
    Write every region of *page* anew.

    Args:
        parts: Renders a region, by its name.

    Raises:
        KeyError: A region is named after nothing.
    """

    def replace_region(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- printed: {name} -->\n\n{parts(name)}\n\n<!-- end -->"

    return _REGION.sub(replace_region, page)


LINES = {
    "lines": render_lines("127.0.0.1:8000"),
    "lines on a unix socket": render_lines("unix:/run/example/app.sock"),
}
"""The regions of docs/servers.md."""


def list_pages() -> dict[str, Path]:
    """List the pages of front ends, by their names."""
    pages = sorted((DOCS / "frontends").glob("*.md"))
    return {find_frontend(path.stem).name: path for path in pages}


def fill_all() -> dict[Path, str]:
    """Fill every page."""
    filled = {
        path: fill(path.read_text(encoding="utf-8"), partial(render, frontend))
        for frontend, path in list_pages().items()
    }
    servers = DOCS / "servers.md"
    page = servers.read_text(encoding="utf-8")
    return {**filled, servers: fill(page, LINES.__getitem__)}


def main() -> None:
    """Write all pages."""
    for path, page in fill_all().items():
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
