"""
``trustedproxy preset``: list and show the presets for platforms.

In:  a platform's name, or none.
Out: the list; or what is known of one platform, and what to set.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from ...presets import (
    names,
    read_preset,
    read_unconfirmed,
    unconfirmed_names,
)
from ..options import Choice, prints
from ..views.presets import draw_platform, draw_presets, write_platform, write_presets

if TYPE_CHECKING:
    from ...presets import Preset, Unconfirmed
    from ..screen import Screen


def _list_names() -> tuple[str, ...]:
    return (*names(), *unconfirmed_names())


@click.command("preset")
@click.argument("name", required=False, type=Choice("NAME", _list_names))
@prints
def command(*, name: str | None, screen: Screen) -> None:
    """
    List the presets for platforms, or show what is known of one.

    A platform whose headers are not confirmed has no preset, but what to measure.
    """
    if name is None:
        presets = [read_preset(each) for each in names()]
        others = [read_unconfirmed(each) for each in unconfirmed_names()]
        screen.show(
            as_json=lambda: {
                "presets": [_summarize(each) for each in presets],
                "unconfirmed": [_summarize(each) for each in others],
            },
            as_text=lambda: write_presets(presets, others),
            as_table=lambda: draw_presets(presets, others),
        )
        return
    platform: Preset | Unconfirmed
    if name in unconfirmed_names():
        platform = read_unconfirmed(name)
    else:
        platform = read_preset(name)
    screen.show(
        as_json=lambda: _as_plain(platform),
        as_text=lambda: write_platform(platform),
        as_table=lambda: draw_platform(platform),
    )


def _summarize(platform: Preset | Unconfirmed) -> dict[str, object]:
    said = _as_plain(platform)
    return {key: said[key] for key in _SUMMARY if key in said}


_SUMMARY = ("name", "title", "group", "audience", "arguments", "needs", "elements")


def _as_plain(value: Any) -> Any:
    """Say a record in plain values, its test requests left out."""
    if is_dataclass(value):
        return {
            each.name: _as_plain(getattr(value, each.name))
            for each in fields(value)
            if each.name != "vectors"
        }
    if hasattr(value, "items"):
        return {str(key): _as_plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
