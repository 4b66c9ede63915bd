"""
Nothing of the page before it is asked for.

In:  interpreters of their own.
Out: the modules that they have loaded.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from trustedproxy import report


def list_loaded(statement: str) -> set[str]:
    """List the modules of the page that are loaded after *statement*."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    names = set(answer.stdout.split())
    return {name for name in names if name.startswith("trustedproxy.report")}


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    """Neither by the package nor by the wrappers."""
    assert not list_loaded(
        "from trustedproxy import read_settings\n"
        "read_settings({}).wrap_wsgi(lambda environ, start_response: [])"
    )


def test_name_of_the_package_loads_what_it_needs() -> None:
    """The page itself, and what it stands on."""
    assert list_loaded("import trustedproxy.report") == {"trustedproxy.report"}
    assert "trustedproxy.report.page" in list_loaded(
        "from trustedproxy.report import Page"
    )


def test_names_are_those_of_the_package() -> None:
    """Each is there, and no other."""
    assert sorted(report.__all__) == report.__all__
    for name in report.__all__:
        assert getattr(report, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = report.nothing
