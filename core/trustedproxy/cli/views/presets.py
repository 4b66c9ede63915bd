"""
Platforms: the list of them, and one of them.

In:  presets, and platforms without one.
Out: text, or something that rich prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group

from ...presets import GROUPS, Preset, Unconfirmed
from ...presets.combining import setting_of
from ...setting_lines import write_line
from .styles import DIM, GOOD, STRONG, make_table, write, write_below, write_heading

if TYPE_CHECKING:
    from rich.console import RenderableType

    Platform = Preset | Unconfirmed

# A preset's own networks are a long line.
_MOST_ENTRIES = 4


def write_presets(presets: Sequence[Preset], others: Sequence[Unconfirmed]) -> str:
    """Write a line a platform."""
    lines = [
        f"{preset.name:<22} {preset.title}; {describe_needs(preset)}"
        for preset in presets
    ]
    lines.append("\nWithout a preset, since what they send is not confirmed:")
    lines += [f"{other.name:<22} {other.title}" for other in others]
    return "\n".join(lines)


def describe_needs(preset: Preset) -> str:
    """Say what has to be set beside a preset."""
    if preset.needs is not None:
        return f"set {setting_of(preset.needs)} too"
    if preset.networks is not None:
        return f"its networks of {preset.networks.published}"
    return "nothing else has to be set"


def draw_presets(
    presets: Sequence[Preset], others: Sequence[Unconfirmed]
) -> RenderableType:
    """Draw a row a platform, group by group."""
    parts: list[RenderableType] = []
    for group, title in GROUPS.items():
        table = make_table("preset", "for", "headers", "whom to trust")
        for preset in presets:
            if preset.group == group:
                table.add_row(
                    write(preset.name, STRONG),
                    write(preset.title),
                    write(_list_headers(preset)),
                    write(describe_needs(preset), DIM),
                )
        parts += [write_heading(title), table]
    names = ", ".join(other.name for other in others)
    last = f"Without a preset, but with what to measure: {names}"
    return Group(*parts, write_below(last))


def _list_headers(preset: Preset) -> str:
    headers = preset.arguments.get("headers", ())
    assert isinstance(headers, tuple)
    return ", ".join(map(str, headers))


def write_platform(platform: Platform) -> str:
    """Write everything that is known of a platform, as paragraphs."""
    parts = [f"{platform.title} ({platform.name})\n  {platform.audience}"]
    parts += [
        "\n".join([title, *(f"  - {sentence}" for sentence in sentences)])
        for title, sentences in _list_sections(platform)
        if sentences
    ]
    parts.append(
        "\n".join(["Settings", *(f"  {line}" for line in list_lines(platform))])
    )
    return "\n\n".join(parts)


def _list_sections(platform: Platform) -> Iterator[tuple[str, Sequence[str]]]:
    yield "What an application gets", platform.sends
    yield "What a client can send through it", platform.forgeable
    yield "What to know", platform.caution
    if isinstance(platform, Unconfirmed):
        yield "What to measure first", platform.measure
    yield "Sources", [f"{source.url}: {source.says}" for source in platform.sources]


def list_lines(platform: Platform) -> list[str]:
    """List the lines to paste."""
    if isinstance(platform, Unconfirmed):
        return [_write(name, value) for name, value in platform.then.items()]
    said = [write_line("TRUSTED_PROXY_PRESET", platform.name)]
    said += [_write(name, value) for name, value in platform.example.items()]
    comments = [
        f"# the preset says {_shorten(_write(name, value), value)}"
        for name, value in platform.arguments.items()
        if name not in platform.example
    ]
    return [*said, *comments]


def _write(argument: str, value: object) -> str:
    return write_line(setting_of(argument), value)


def _shorten(line: str, value: object) -> str:
    if not isinstance(value, tuple) or len(value) <= _MOST_ENTRIES:
        return line
    name = line.partition(" = ")[0]
    shown = ", ".join(map(str, value[:_MOST_ENTRIES]))
    return f"{name} = {shown} and {len(value) - _MOST_ENTRIES} more"


def draw_platform(platform: Platform) -> RenderableType:
    """Draw everything that is known of a platform."""
    parts: list[RenderableType] = [
        write(f"{platform.title} ({platform.name})", STRONG),
        write(platform.audience),
    ]
    for title, sentences in _list_sections(platform):
        if sentences:
            parts.append(write_heading(title))
            parts += [write(f"• {sentence}") for sentence in sentences]
    parts.append(write_heading("Settings"))
    parts += [write(line, GOOD) for line in list_lines(platform)]
    return Group(*parts)
