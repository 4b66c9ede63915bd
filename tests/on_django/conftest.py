"""
Set up Django, once, for the tests of the Django app.

In:  `SETTINGS`.
Out: Django, ready; and tests that leave each other nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import django
import pytest
from django.conf import settings
from django.urls import clear_script_prefix, get_script_prefix

from trustedproxy import log

from .settings import SETTINGS

if not settings.configured:
    settings.configure(**SETTINGS)
    django.setup()


@pytest.fixture(autouse=True)
def leave_nothing() -> Iterator[None]:
    """Forget what was logged before, and find the script prefix as it was."""
    log.forget()
    clear_script_prefix()
    yield
    assert get_script_prefix() == "/"
