"""Before each test of HTTPS only, nothing has been logged."""

from __future__ import annotations

import pytest

from trustedproxy import log


@pytest.fixture(autouse=True)
def _nothing_logged() -> None:
    log.forget()
