"""
The pages "I come from …": their examples and tables, and how both are written anew.

In:  docs/coming_from/*.md.
Out: `Page`: pairs of a configuration and what convert prints for it, rows of tables.

A block that begins with ``# From`` is what is printed for the block above it.  Run as a
program (``python -m tests.docs.coming_from``), this writes every such block anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from trustedproxy.convert import convert_text, write_report

FOLDER = Path(__file__).parents[2] / "docs" / "coming_from"

#: Page → the kind that it is about.
KIND_OF = {
    "proxyfix": "proxyfix",
    "django": "django",
    "uvicorn": "uvicorn",
    "gunicorn": "gunicorn",
    "hypercorn": "hypercorn",
    "waitress": "waitress",
    "mod_wsgi": "mod_wsgi",
    "django_ipware": "django-ipware",
    "django_xff": "django-xff",
    "flask_talisman": "flask-talisman",
    "nginx_realip": "nginx-realip",
    "mod_remoteip": "mod_remoteip",
}

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTED = "# From "


@dataclass(frozen=True, slots=True)
class Pair:
    """
    A configuration, and what a page prints for it.

    Attributes:
        text: The configuration.

        command: The command line that the page shows between the two.

        printed: What the page prints.
    """

    text: str
    command: str
    printed: str

    @property
    def target(self) -> str:
        """For whom it is written."""
        options = self.command.split()
        return options[options.index("--to") + 1]

    @property
    def name(self) -> str:
        """The file's name; "" for what comes from a pipe."""
        last = self.command.split()[-1]
        return last if "." in last or last == "Procfile" else ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    name: str
    text: str

    @property
    def kind(self) -> str:
        """The kind that it is about."""
        return KIND_OF[self.name]

    def blocks(self) -> list[tuple[str, str]]:
        """List the blocks of code with their languages."""
        return [(match[1], match[2]) for match in _BLOCK.finditer(self.text)]

    def pairs(self) -> Iterator[Pair]:
        """List the configurations and what is printed for each."""
        before, end = "", 0
        for match in _BLOCK.finditer(self.text):
            if match[2].startswith(_PRINTED):
                words = self.text[end : match.start()]
                [command] = re.findall(r"`([^`]*trustedproxy convert [^`]*)`", words)
                yield Pair(before, command, match[2])
            before, end = match[2], match.end()

    def rows(self) -> list[tuple[str, list[str]]]:
        """List the rows of tables: a configuration, the settings it becomes."""
        rows: list[tuple[str, list[str]]] = []
        lines = self.text.splitlines()
        for line, following in pairwise(lines):
            if following.startswith("|---"):
                continue
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| `") and len(cells) >= 2:
                text = cells[0].strip("`").replace("` `", "\n").replace("`<br>`", "\n")
                rows.append((text, re.findall(r"`(TRUSTED[^`]*)`", cells[1])))
        return rows

    def rewritten(self) -> str:
        """The page, with every printed block as convert prints it now."""
        pairs = self.pairs()

        def write(match: re.Match[str]) -> str:
            if not match[2].startswith(_PRINTED):
                return match[0]
            return f"```{match[1]}\n{self.print(next(pairs))}```"

        return _BLOCK.sub(write, self.text)

    def print(self, pair: Pair) -> str:
        """What convert prints for a configuration of this page."""
        conversion = convert_text(pair.text, self.kind, name=pair.name)
        return write_report(conversion, pair.target)


def read_pages() -> dict[str, Page]:
    """Read every page about a kind."""
    return {
        name: Page(name, (FOLDER / f"{name}.md").read_text(encoding="utf-8"))
        for name in KIND_OF
    }


if __name__ == "__main__":
    for page in read_pages().values():
        path = FOLDER / f"{page.name}.md"
        path.write_text(page.rewritten(), encoding="utf-8")
