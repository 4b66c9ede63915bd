"""
A process that has logged nothing yet, for each test of the page.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trustedproxy import log
from trustedproxy.report import recent


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Forget what was logged, and what was kept of it."""
    log.forget()
    yield
    recent.forget()
    log.forget()
