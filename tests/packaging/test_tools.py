"""
The scripts behind ``make test`` count honestly and leave out only what they name.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"

JUNIT = """\
<testsuites><testsuite tests="10" failures="{failures}" errors="1" skipped="2" \
time="3.5"/></testsuites>
"""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return a function that imports a module of ``tools/``."""
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module


@pytest.fixture
def summary(load: object) -> ModuleType:
    """Return the module that adds up."""
    return importlib.import_module("summary")


@pytest.fixture
def run_tests(load: object) -> ModuleType:
    """Return the module that chooses and runs."""
    return importlib.import_module("run_tests")


def test_summary_adds_up_every_environment(summary: ModuleType, tmp_path: Path) -> None:
    """Broken tests count as failed, and a failed check without tests as one."""
    report = tmp_path / "tox.json"
    success = {"result": {"success": True}}
    failure = {"result": {"success": False}}
    report.write_text(
        json.dumps({"testenvs": {"a": failure, "lint": failure, "docs": success}})
    )
    (tmp_path / "a.xml").write_text(JUNIT.format(failures=3))

    outcomes = summary.read_outcomes(report, tmp_path, ["a", "lint", "docs"])

    assert summary.close(outcomes) == "4 passed, 5 failed, 2 skipped"


def test_summary_fails_an_environment_that_never_ended(
    summary: ModuleType, tmp_path: Path
) -> None:
    """What tox says nothing about has failed."""
    outcomes = summary.read_outcomes(tmp_path / "absent.json", tmp_path, ["a"])

    assert [outcome.ok for outcome in outcomes] == [False]
    assert summary.close(outcomes) == "0 passed, 1 failed, 0 skipped"


def test_summary_marks_failures_in_the_table(
    summary: ModuleType, tmp_path: Path
) -> None:
    """A reader of the table sees which environment failed."""
    outcomes = summary.read_outcomes(tmp_path / "absent.json", tmp_path, ["lint"])

    assert "FAILED" in summary.describe(outcomes).splitlines()[-1]


def test_choose_names_the_python_that_is_missing(run_tests: ModuleType) -> None:
    """An environment without its Python is left out, with the reason in words."""
    chosen, left_out = run_tests.choose(
        ["py311-core", "py314-core", "lint"], ["3.11"], {}
    )

    assert chosen == ["py311-core", "lint"]
    assert left_out == {"py314-core": "Python 3.14 is not on this machine"}


@pytest.mark.parametrize(
    ("pythons", "measured"),
    [(["3.12", "3.13"], False), (["3.11"], True), (["3.11", "3.14"], True)],
)
def test_choose_leaves_coverage_out_where_nothing_measures_it(
    run_tests: ModuleType, pythons: list[str], measured: bool
) -> None:
    """A machine that has Python 3.12 alone does not fail for want of another."""
    chosen, left_out = run_tests.choose(["coverage"], pythons, {})

    assert chosen == (["coverage"] if measured else [])
    assert left_out == (
        {} if measured else {"coverage": "only Python 3.11 measures it"}
    )


def test_what_is_left_out_is_said_once_for_each_reason(run_tests: ModuleType) -> None:
    """A reader sees at the end what did not run, and why."""
    absent = "Python 3.14 is not on this machine"

    actual = run_tests.describe_left_out(
        {"oracle": "missing: apache2", "py314-core": absent, "py314-flask31": absent}
    )

    assert actual == (
        "Left out oracle: missing: apache2.\n"
        "Left out py314-core, py314-flask31: Python 3.14 is not on this machine.\n"
    )


def test_choose_runs_the_long_environments_first(run_tests: ModuleType) -> None:
    """The long ones start at once, those without their servers not at all."""
    chosen, left_out = run_tests.choose(
        ["py311-core", "servers", "oracle"], ["3.11"], {"oracle": "missing: apache2"}
    )

    assert chosen == ["servers", "py311-core"]
    assert left_out == {"oracle": "missing: apache2"}


@pytest.mark.parametrize(
    ("root", "advice"),
    [
        (False, "as root on Debian they get installed"),
        (True, "apt-get could not install them"),
    ],
)
def test_servers_that_are_not_here_leave_their_environments_out(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, root: bool, advice: str
) -> None:
    """Without root or without a network the others run, and words say what is not."""
    monkeypatch.setattr(run_tests, "find_missing", lambda names: ["libnss-wrapper"])
    monkeypatch.setattr(run_tests, "is_root_on_debian", lambda: root)
    monkeypatch.setattr(run_tests, "install_packages", lambda names: False)

    unprepared = run_tests.prepare_servers()

    assert unprepared == {"oracle": f"missing: libnss-wrapper; {advice}"}


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("#!/bin/sh\n# {folder}/python\n", True),
        ("#!/bin/sh\n# {folder}/python\nexit 1\n", False),
        ("#!/bin/sh\n# /elsewhere/.venv/bin/python\n", False),
        ("#!{folder}/no-such-python\n", False),
        (None, False),
    ],
    ids=["whole", "broken", "copied", "without its Python", "not there"],
)
def test_environment_is_used_again_only_where_it_was_made(
    load: object, tmp_path: Path, text: str | None, usable: bool
) -> None:
    """One that was copied, moved, or has lost its Python is made anew."""
    tox = tmp_path / "tox"
    if text is not None:
        tox.write_text(text.format(folder=tmp_path))
        tox.chmod(0o755)

    assert importlib.import_module("environment").is_usable(tox) is usable


def test_package_lists_are_read_without_comments(load: object, tmp_path: Path) -> None:
    """One package a line, comments and empty lines aside, each name once."""
    first = tmp_path / "first.txt"
    second = tmp_path / "second.txt"
    first.write_text("# real servers\nnginx\n\napache2  # and its tools\n")
    second.write_text("nginx\nhaproxy\n")

    actual = importlib.import_module("debian").read_packages([first, second])

    assert actual == ["apache2", "haproxy", "nginx"]


def test_pythons_are_what_they_are_called(load: object) -> None:
    """Each Python that is found really is of the version under which it is listed."""
    found = importlib.import_module("pythons").find_pythons()

    assert found
    for version, python in found.items():
        assert python.is_file()
        assert version.startswith("3.")
