"""
Set up the Django project of these tests, and hold the log against its silence.

In:  `project.SETTINGS`; a test that expects a record has the mark ``logged``.
Out: Django with its tables in memory, and a failure where the log says anything else.
"""

from __future__ import annotations

from collections.abc import Iterator

import django
import pytest
from django.conf import settings
from django.core.management import call_command

from trustedproxy import log

from .project import SETTINGS

if not settings.configured:
    settings.configure(**SETTINGS)
    django.setup()


@pytest.fixture(scope="session", autouse=True)
def _tables() -> None:
    """Make the tables of the project, in memory."""
    assert SETTINGS["ROOT_URLCONF"] == settings.ROOT_URLCONF, (
        "Django is set up for other tests in this process: run these alone"
    )
    call_command("migrate", verbosity=0)


@pytest.fixture(autouse=True)
def silence(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fail a test of a recommended set-up in which our own log says anything."""
    log.forget()
    yield
    if request.node.get_closest_marker("logged") is None:
        said = [r.getMessage() for r in caplog.get_records("call")]
        assert [text for text in said if text.startswith("trustedproxy: ")] == []


def pytest_configure(config: pytest.Config) -> None:
    """Register the one mark of these tests."""
    config.addinivalue_line("markers", "logged: our own log is expected to say it")
