"""
Add up what the tox environments reported.

In:  a folder of JUnit files, one for each environment that ran tests, and tox's own
     report, which also knows of the environments that ran none.
Out: a table, and the plain closing line ``N passed, N failed, N skipped``.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What one environment came to.

    Attributes:
        name: The environment's name.
        passed: How many of its tests passed.
        failed: How many failed, broke, or could not be collected.
        skipped: How many were skipped, expected failures among them.
        seconds: How long its tests took.
        ok: Whether tox was content with it, tests or not.
        tests: Whether it ran any tests at all.
    """

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    ok: bool
    tests: bool

    @property
    def counted_failures(self) -> int:
        """Its failed tests; one, if it failed otherwise (a check, an installation)."""
        return self.failed if self.ok else max(self.failed, 1)


def read_outcome(name: str, ok: bool, junit: Path) -> Outcome:
    """Read one environment's JUnit file, if it wrote one."""
    if not junit.exists():
        return Outcome(name, 0, 0, 0, 0.0, ok, False)
    total = failed = skipped = 0
    seconds = 0.0
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
        seconds += float(suite.get("time", 0))
    passed = max(total - failed - skipped, 0)
    return Outcome(name, passed, failed, skipped, seconds, ok, True)


def read_outcomes(report: Path, junit: Path, names: list[str]) -> list[Outcome]:
    """
    Read the outcome of every environment that should have run.

    One that tox says nothing about did not run to its end, and has failed.
    """
    environments = {}
    if report.exists():
        environments = json.loads(report.read_text()).get("testenvs", {})
    outcomes = []
    for name in names:
        result = environments.get(name, {}).get("result", {})
        ok = bool(result.get("success", False))
        outcomes.append(read_outcome(name, ok, junit / f"{name}.xml"))
    return outcomes


def describe(outcomes: list[Outcome]) -> str:
    """Return the table, one environment a line."""
    lines = [f"{'environment':<18} {'passed':>7} {'failed':>7} {'skipped':>7} {'s':>6}"]
    for outcome in outcomes:
        verdict = "" if outcome.ok else "  FAILED"
        if outcome.tests:
            numbers = (
                f"{outcome.passed:>7} {outcome.failed:>7} {outcome.skipped:>7} "
                f"{outcome.seconds:>6.0f}"
            )
        else:
            numbers = f"{'ok' if outcome.ok else '':>7}"
        lines.append(f"{outcome.name:<18} {numbers}{verdict}")
    return "\n".join(lines)


def close(outcomes: list[Outcome]) -> str:
    """Return the closing line over all environments."""
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.counted_failures for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    return f"{passed} passed, {failed} failed, {skipped} skipped"
