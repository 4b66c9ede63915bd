"""
Providers that publish their networks, and what an update has done.

In:  publications; an `Update`.
Out: text, or something that rich prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Group

from .styles import BAD, DIM, GOOD, STRONG, make_table, write

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...presets import Publication
    from ...presets.update import Update


def write_published(found: Mapping[str, Publication]) -> str:
    """Write a line a provider."""
    return "\n".join(f"{name:<22} {one.url}" for name, one in found.items())


def draw_published(found: Mapping[str, Publication]) -> RenderableType:
    """Draw a row a provider."""
    table = make_table("provider", "published at", "part of it")
    for name, one in found.items():
        table.add_row(
            write(name, STRONG), write(one.url), write(one.service or "", DIM)
        )
    return table


def write_update(done: Update) -> str:
    """Write what has changed, a line a network."""
    lines = [f"+ {network}" for network in done.added]
    lines += [f"- {network}" for network in done.removed]
    return "\n".join([*lines, _summarize(done)])


def _summarize(done: Update) -> str:
    return (
        f"{done.path} has {len(done.networks)} networks of {done.url}: "
        f"{len(done.added)} new, {len(done.removed)} gone."
    )


def draw_update(done: Update) -> RenderableType:
    """Draw what has changed."""
    return Group(
        *(write(f"+ {network}", GOOD) for network in done.added),
        *(write(f"- {network}", BAD) for network in done.removed),
        write(_summarize(done), STRONG),
    )
