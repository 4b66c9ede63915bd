"""
The wheel holds what it should, and the tests run against it.

In:  the distribution that is installed in this environment.
Out: nothing; outside of tox, where nothing is installed, these tests are skipped.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

import trustedproxy

PACKAGES = {"trustedproxy", "django_trustedproxy", "flask_trustedproxy"}
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wheel() -> Distribution:
    """Return the installed distribution."""
    try:
        return distribution("trustedproxy")
    except PackageNotFoundError:
        pytest.skip("trustedproxy is not installed here: run the tests through tox")


def list_top_level(wheel: Distribution) -> set[str]:
    """Return what the wheel put into site-packages, metadata and the command aside."""
    scripts = {file for file in wheel.files or [] if file.name == "trustedproxy"}
    assert [file.parent.name for file in scripts] == ["bin"]
    files = set(wheel.files or []) - scripts
    return {file.parts[0] for file in files if not file.parts[0].endswith(".dist-info")}


def test_wheel_holds_exactly_the_three_packages(wheel: Distribution) -> None:
    """Nothing else may appear beside the three packages, and no module ``core``."""
    actual = list_top_level(wheel)

    assert actual == PACKAGES


def test_wheel_installs_no_module_named_core(wheel: Distribution) -> None:
    """A module ``core`` would hide the app of that name in many projects."""
    assert importlib.util.find_spec("core") is None


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_wheel_is_typed(wheel: Distribution, package: str) -> None:
    """Each package tells type checkers that its annotations count."""
    names = {str(file) for file in wheel.files or []}

    assert f"{package}/py.typed" in names


def test_wheel_holds_every_source_file(wheel: Distribution) -> None:
    """Each file of the packages in the checkout is in the wheel, under its own name."""
    roots = [CHECKOUT / "core" / "trustedproxy"]
    roots += [CHECKOUT / name for name in sorted(PACKAGES - {"trustedproxy"})]
    expected = {
        str(path.relative_to(root.parent))
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    actual = {
        str(file)
        for file in wheel.files or []
        if file.parts[0] in PACKAGES and "__pycache__" not in file.parts
    }

    assert actual == expected


def test_wheel_is_what_the_tests_import(wheel: Distribution) -> None:
    """The checkout's packages must not hide the installed ones."""
    expected = Path(str(wheel.locate_file("trustedproxy")))

    assert Path(trustedproxy.__file__).parent == expected
    assert not expected.is_relative_to(CHECKOUT / "core")


def test_core_needs_nothing_at_run_time(wheel: Distribution) -> None:
    """Every requirement belongs to an extra."""
    requirements = wheel.requires or []

    assert [line for line in requirements if "extra ==" not in line] == []


def test_extras_are_the_documented_ones(wheel: Distribution) -> None:
    """The extras are those of the README, each of them with a requirement."""
    extras = set(wheel.metadata.get_all("Provides-Extra") or [])
    used = set(re.findall(r"extra == '(\w+)'", " ".join(wheel.requires or [])))

    assert extras == used == {"django", "flask", "cli", "mount"}


def test_requirements_have_lower_bounds_only(wheel: Distribution) -> None:
    """An upper bound in a library locks its users in."""
    for requirement in wheel.requires or []:
        name_and_bound, _, _ = requirement.partition(";")

        assert re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+", name_and_bound.strip()), (
            requirement
        )


def test_metadata_names_version_python_and_licence(wheel: Distribution) -> None:
    """The installer reads these three."""
    assert wheel.version == "0.1.0"
    assert wheel.metadata["Requires-Python"] == ">=3.11"
    assert wheel.metadata["License-Expression"] == "BSD-3-Clause"


def test_core_imports_no_framework() -> None:
    """Importing the whole core loads neither Django nor Flask nor an HTTP client."""
    script = (
        "import sys, trustedproxy as t; [getattr(t, name) for name in t.__all__ "
        "if 'MountPoints' not in name]; "
        "print(sorted({'django', 'flask', 'werkzeug', 'httpx', 'urllib3', "
        "'django_trustedproxy', 'flask_trustedproxy'} & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"
