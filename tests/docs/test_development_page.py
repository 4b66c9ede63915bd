"""
docs/development.md and CONTRIBUTING.md: what they say can be run is there.

In:  the pages, tox.ini, the Makefile.
Out: assertions that environments, targets, tests and tools are called as they say.
"""

from __future__ import annotations

import re
import shlex

from .pages import ROOT, blocks, read, rows, sections

PAGE = read("development.md")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TOX = (ROOT / "tox.ini").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for page in (PAGE, CONTRIBUTING)
    for block in blocks(page, "console")
    for line in block.splitlines()
]


def test_every_environment_has_a_row() -> None:
    """What ``make test`` runs, and nothing else."""
    [listed] = re.findall(r"^env_list =\n((?: +.*\n)+)", TOX, re.MULTILINE)
    names = {re.sub(r"py\{[\d,]+\}", "py3XX", name) for name in listed.split()}
    names = {re.sub(r"(django|flask)[\d{},]+$", r"\1YY", name) for name in names}

    table = rows(sections(PAGE)["One environment at a time"])

    assert sorted(cells[0].strip("`") for cells in table) == sorted(names)


def test_targets_of_make_are_there() -> None:
    """Each ``make`` on the pages is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = " ".join(re.findall(r"^([\w ]+):", makefile, re.MULTILINE)).split()
    named = [line.split()[1] for line in COMMANDS if line.startswith("make ")]

    assert named
    assert set(named) <= set(targets)


def test_tests_of_the_pages_are_there() -> None:
    """Each file and folder of tests that a command or a table names exists."""
    named = [
        word for line in COMMANDS for word in shlex.split(line) if "tests/" in word
    ]
    named += re.findall(r"`(tests/[\w./]+)`", PAGE + CONTRIBUTING)

    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_tools_of_the_pages_are_there() -> None:
    """Each tool that makes a part of a page exists."""
    named = re.findall(r"`(tools/\w+\.py)`", PAGE)

    assert len(named) >= 3
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_settled_commands_are_those_of_the_environment() -> None:
    """What ``make develop`` makes is where the pages look for it."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    folders = {line.split("/bin/")[0] for line in COMMANDS if line.startswith("build/")}

    assert folders == {"build/develop"}
    assert "devenv -e develop build/develop" in makefile
    assert "[testenv:develop]" in TOX


def test_links_of_contributing_lead_somewhere() -> None:
    """Each page that it links to is there."""
    for target in re.findall(r"\]\(([^)]+)\)", CONTRIBUTING):
        assert (ROOT / target.partition("#")[0]).is_file(), target
