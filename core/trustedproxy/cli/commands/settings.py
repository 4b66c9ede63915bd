"""
``trustedproxy settings``: the settings in force, in words.

In:  the policy in force.
Out: a row a setting: its name, its value, what it means.
"""

from __future__ import annotations

from dataclasses import asdict

import click

from ...explain import describe_settings, list_rows
from ..options import Load, prints, takes_settings
from ..screen import Screen
from ..views.settings import draw_rows


@click.command("settings")
@takes_settings
@prints
def command(load: Load, *, screen: Screen) -> None:
    """Show the settings in force, each with what it means. No secret is shown."""
    loaded = load()
    rows = list_rows(loaded.settings)
    screen.show(
        as_json=lambda: {
            "origin": loaded.origin,
            "settings": [asdict(row) for row in rows],
        },
        as_text=lambda: describe_settings(loaded.settings),
        as_table=lambda: draw_rows(rows, loaded.origin),
    )
