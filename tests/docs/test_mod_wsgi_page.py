"""
The page for those who come from mod_wsgi: it has every kind of difference, in words.

In:  the ledgers and ``docs/mod_wsgi.md``.
Out: assertions that none is missing there, and that its examples run.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

from ..oracle.express_ledger import HTTPS_LEDGER, MOUNT_LEDGER
from ..oracle.ledger import LEDGER, Kind

PAGE = Path(__file__).parents[2] / "docs" / "mod_wsgi.md"


@pytest.mark.parametrize(
    "kind",
    dict.fromkeys((*LEDGER, *HTTPS_LEDGER, *MOUNT_LEDGER)),
    ids=lambda kind: kind.name,
)
def test_page_names_the_kind(kind: Kind) -> None:
    """Every kind of difference stands on the page under its name."""
    page = PAGE.read_text(encoding="utf-8").replace("`", "").lower()

    assert kind.name.lower() in page


def test_page_examples_do_what_they_say() -> None:
    """The code on the page runs, and gives what stands below it."""
    policy, session = re.findall(
        r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(compile(policy, str(PAGE), "exec"), names)
    test = doctest.DocTestParser().get_doctest(session, {}, "page", str(PAGE), 0)

    assert [header.name for header in names["policy"].headers] == [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
    ]
    assert doctest.DocTestRunner().run(test) == (0, len(test.examples))
    assert test.examples
