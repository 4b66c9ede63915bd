"""
YAML as a person would lay it out: blocks, and in JSON what fits on a line.

In:  mappings, lists and texts.
Out: lines.  Every text is a JSON string, which is a YAML string too, so that none can
     be anything else (YAML 1.2 section 1.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Long enough for a header and its value on one line.
_WIDTH = 100


def write_yaml(value: Mapping[str, Any], margin: str = "") -> list[str]:
    """
    Write *value* as lines of YAML.

    Args:
        margin: What stands in front of each line.
    """
    lines: list[str] = []
    for key, one in value.items():
        begin = f"{margin}{_write_key(key)}:"
        short = json.dumps(one)
        if not isinstance(one, (dict, list)) or len(begin) + len(short) < _WIDTH:
            lines.append(f"{begin} {short}")
        elif isinstance(one, dict):
            lines += [begin, *write_yaml(one, margin + "  ")]
        else:
            lines.append(begin)
            for item in one:
                lines += _write_item(item, margin + "  ")
    return lines


def _write_item(item: Any, margin: str) -> list[str]:
    short = f"{margin}- {json.dumps(item)}"
    if not isinstance(item, dict) or len(short) < _WIDTH + 20:
        return [short]
    first, *rest = write_yaml(item, margin + "  ")
    return [f"{margin}- {first.strip()}", *rest]


def _write_key(key: str) -> str:
    return json.dumps(key) if key.startswith("@") else key
