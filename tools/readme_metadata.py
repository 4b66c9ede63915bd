"""
The README as an index of packages shows it, where no relative link works.

In:  ``README.md``, and the documentation's address: ``documentation`` under
     ``[tool.trustedproxy]`` in ``pyproject.toml``, empty until there is one.
Out: the metadata of every wheel and sdist: the text, and the address once there is one.

Hatchling asks this file while it builds.  Without an address, whatever needs a link is
left out: lines with one, of which each is a sentence or a row of a table, and what
stands between ``<!-- documentation -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PART = re.compile(r"<!-- documentation -->\n\n(.*?)<!-- end -->\n\n?", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(#[^)]*)?\)")
_PAGE = re.compile(r"docs/(.+)\.md")


def convert_readme(text: str, address: str) -> str:
    """
    Make every link of the README absolute, or leave out what it stands in.

    Args:
        text: The README.

        address: The documentation's, or ``""``.
    """
    address = address.rstrip("/")
    text = _PART.sub(r"\1" if address else "", text)
    lines: list[str] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        converted = line if is_code else _convert_line(line, address)
        if converted is not None:
            lines.append(converted)
    return "\n".join(lines) + "\n"


def _convert_line(line: str, address: str) -> str | None:
    """Convert one sentence, or one row; ``None`` where a link of it leads nowhere."""
    targets = [_PAGE.fullmatch(target) for target, _ in _LINK.findall(line)]
    if targets and (not address or None in targets):
        return None
    return _LINK.sub(lambda link: f"]({_make_url(address, link)})", line)


def _make_url(address: str, link: re.Match[str]) -> str:
    # As MkDocs writes pages: mkdocs.yml has `use_directory_urls: false`.
    page = link[1].removeprefix("docs/").removesuffix(".md")
    return f"{address}/{page}.html{link[2] or ''}"


def read_address(root: Path) -> str:
    """Read the documentation's address."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    address: str = project["tool"]["trustedproxy"]["documentation"]
    return address


class ReadmeMetadataHook(MetadataHookInterface):
    """What Hatchling calls."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Put the text, and the address once there is one, into *metadata*."""
        root = Path(self.root)
        address = read_address(root)
        text = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": convert_readme(text, address),
        }
        metadata["urls"] = {"Documentation": address} if address else {}
