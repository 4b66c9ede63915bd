"""
Fixtures of the proving ground: everything runs once, for all the tests.

Needs Debian with the packages of apt.txt.  As root, front ends read the sockets of
servers that run as somebody else, as they do in production.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import trustme

from .client import trusting
from .farm import Farm, Starter
from .matrix import Outcomes
from .processes import ProcessManager


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the measured pages."""
    parser.addoption(
        "--write-matrix",
        action="store_true",
        help="write what is measured into docs/ instead of comparing it",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the comparison of the pages behind everything that it compares."""
    items.sort(key=lambda item: "test_pages.py" in item.nodeid)


@pytest.fixture(scope="session")
def manager() -> Iterator[ProcessManager]:
    """Start programs, and stop all of them at the end, also after a failure."""
    with tempfile.TemporaryDirectory(
        prefix="proving-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        # Workers of front ends run as an unprivileged user.
        folder.chmod(0o755)
        with ProcessManager(folder) as running:
            yield running


@pytest.fixture(scope="session")
def farm(manager: ProcessManager) -> Farm:
    """Run every front end and every server of the matrix."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "app.example")
    folder = manager.folder
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate, key = folder / "site.crt", folder / "site.key"
    issued.private_key_pem.write_to_path(str(key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(certificate), append=True)
    made = Farm(manager, certificate=str(certificate), key=str(key))
    made.start_matrix()
    return made


@pytest.fixture(scope="session")
def tls(farm: Farm) -> ssl.SSLContext:
    """Speak TLS with the front ends of the farm."""
    return trusting(str(farm.folder / "authority.pem"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the programs wrote during a test that failed."""
    report = yield
    funcargs = getattr(item, "funcargs", {})
    if report.failed and "manager" in funcargs:
        for process in funcargs["manager"].processes:
            news = process.read_news()
            if news:
                report.sections.append((f"log of {process.name}", news[-3000:]))
    return report


@pytest.fixture
def start(manager: ProcessManager) -> Iterator[Starter]:
    """Start a server for one test, with options and a policy of its own."""
    starter = Starter(manager)
    yield starter
    starter.stop()


@pytest.fixture(scope="session")
def outcomes() -> Outcomes:
    """Collect what the checks of the matrix find."""
    return Outcomes()
