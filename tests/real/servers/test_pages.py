"""
The measured pages of the documentation say what was measured.

They run last. With ``--write-matrix`` (``make matrix``) they write the pages.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .farm import Farm
from .matrix import Outcomes, hide_versions, write_page
from .pages import DOCS, MEASURED, fill_regions, list_regions

Keep = Callable[[str, str], str]


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Keep:
    """Return what a page says; with the option, after writing what it should say."""

    def compare(name: str, measured: str) -> str:
        path = DOCS / name
        if request.config.getoption("--write-matrix"):
            path.write_text(measured, encoding="utf-8")
        return path.read_text(encoding="utf-8")

    return compare


def test_matrix_page_says_what_was_measured(
    outcomes: Outcomes, keep: Keep, request: pytest.FixtureRequest
) -> None:
    """docs/matrix.md is what the checks of every cell found, versions aside."""
    missing = outcomes.list_missing()
    if missing and not _ran_everything(request):
        pytest.skip("only a part of the matrix was asked for on the command line")
    assert missing == []

    measured = write_page(outcomes)

    assert hide_versions(keep("matrix.md", measured)) == hide_versions(measured)


def _ran_everything(request: pytest.FixtureRequest) -> bool:
    options = request.config.option
    return not (options.keyword or options.markexpr) and all(
        "::" not in argument and not argument.endswith(".py")
        for argument in request.config.args
    )


def test_servers_page_says_what_was_measured(farm: Farm, keep: Keep) -> None:
    """docs/servers.md has every measured table, as measured now."""
    page = (DOCS / "servers.md").read_text(encoding="utf-8")
    measured = {name: write(farm) for name, write in MEASURED.items()}

    expected = fill_regions(page, measured)

    assert sorted(list_regions(page)) == sorted(measured)
    assert keep("servers.md", expected) == expected
