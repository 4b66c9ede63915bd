"""
Fixtures: the servers that the tests start, each once, stopped at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from ..servers.processes import ProcessManager
from .running import Starter


@pytest.fixture(scope="session")
def start() -> Iterator[Starter]:
    """Start servers, and stop all of them at the end, also after a failure."""
    with (
        tempfile.TemporaryDirectory(prefix="asgi-") as folder,
        ProcessManager(Path(folder)) as manager,
    ):
        yield Starter(manager)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers wrote during a test that failed."""
    report = yield
    starter = getattr(item, "funcargs", {}).get("start")
    if report.failed and starter is not None:
        for process in starter.manager.processes:
            news = process.read_news()
            if news:
                report.sections.append((f"log of {process.name}", news[-3000:]))
    return report
