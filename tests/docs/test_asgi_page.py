"""
docs/asgi.md: its examples are those that run, and its tables are what was measured.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..real.asgi.running import GUNICORN, SERVERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asgi.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PRAGMA = re.compile(r"  # type: ignore.*$", re.MULTILINE)

#: The examples by which `test_frameworks` starts its servers.
EXAMPLES = {
    name: PRAGMA.sub("", (ROOT / "examples" / name).read_text(encoding="utf-8"))
    for name in (
        "asgi_app.py",
        "starlette_app.py",
        "fastapi_app.py",
        "quart_app.py",
        "django_asgi_app.py",
        "channels_app.py",
    )
}


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_of_the_page_is_part_of_an_example(block: str) -> None:
    """What the page shows is, letter for letter, in a file that the tests run."""
    assert any(block in text for text in EXAMPLES.values()), block


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_on_the_page(name: str) -> None:
    """The page shows a part of every example."""
    assert any(block in EXAMPLES[name] for block in BLOCKS)


def test_page_names_every_switch_and_option_that_was_tried() -> None:
    """The options with which the servers were run are those that the page tells."""
    rows = [*SERVERS.values(), *GUNICORN.values()]
    tried = {o for row in rows for o in (*row.switch[:1], row.mount)}

    assert sorted(option for option in tried if f"`{option}" not in PAGE) == []
