"""
Read the data files: one TOML file a platform.

In:  `platforms/NAME.toml` and `unconfirmed/NAME.toml` beside this module.
Out: `Preset` and `Unconfirmed`.

The files are ours, and a test reads every one of them: what is wrong in one is found
there, not here.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .records import Networks, Preset, Publication, Source, Unconfirmed, Vector

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

PLATFORMS = "platforms"
UNCONFIRMED = "unconfirmed"
_SUFFIX = ".toml"


def list_names(folder: str) -> tuple[str, ...]:
    """List the names of the platforms in *folder*, sorted."""
    entries = (entry.name for entry in _open(folder).iterdir())
    return tuple(
        sorted(name.removesuffix(_SUFFIX) for name in entries if name.endswith(_SUFFIX))
    )


def read_platform(name: str) -> Preset:
    """Read the preset *name*, which `list_names` has."""
    data = _load(PLATFORMS, name)
    networks = _read_networks(data.get("networks"))
    arguments = _freeze(data["arguments"])
    if networks is not None:
        arguments = _freeze({**arguments, "proxies": networks.entries})
    example = _freeze(data.get("example", {}))
    return Preset(
        **_read_common(name, data),
        arguments=arguments,
        needs=data.get("needs"),
        needed=data.get("needed", ""),
        overwrites=tuple(data.get("overwrites", ())),
        appends=tuple(data.get("appends", ())),
        configured=tuple(data.get("configured", ())),
        elements=data["elements"],
        networks=networks,
        front_end=data.get("front_end"),
        example=example,
        vectors=tuple(_read_vector(row, example) for row in data["vectors"]),
    )


def read_unconfirmed(name: str) -> Unconfirmed:
    """Read the platform *name* that has no preset, which `list_names` has."""
    data = _load(UNCONFIRMED, name)
    return Unconfirmed(
        **_read_common(name, data),
        measure=tuple(data["measure"]),
        then=_freeze(data.get("then", {})),
    )


def _open(folder: str) -> Traversable:
    return files("trustedproxy.presets").joinpath(folder)


def _load(folder: str, name: str) -> dict[str, Any]:
    text = _open(folder).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return tomllib.loads(text)


def _read_common(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    publication = data.get("publication")
    return {
        "name": name,
        "title": data["title"],
        "group": data["group"],
        "audience": data["audience"],
        "sends": tuple(data["sends"]),
        "forgeable": tuple(data["forgeable"]),
        "caution": tuple(data["caution"]),
        "sources": tuple(Source(**source) for source in data["sources"]),
        "checked": data["checked"],
        "publication": None if publication is None else Publication(**publication),
    }


def _read_networks(data: Mapping[str, Any] | None) -> Networks | None:
    if data is None:
        return None
    return Networks(tuple(data["entries"]), data["published"], data["source"])


def _read_vector(row: Mapping[str, Any], example: Mapping[str, object]) -> Vector:
    return Vector(
        name=row["name"],
        peer=row["peer"],
        headers=_freeze(row["headers"]),
        expected=_freeze(row["expected"]),
        arguments=_freeze(row["arguments"]) if "arguments" in row else example,
        **{key: row[key] for key in ("scheme", "host") if key in row},
    )


def _freeze(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make a mapping that nobody changes: a preset is read once and shared."""
    return MappingProxyType(
        {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in table.items()
        }
    )
