"""
The last records of the log.

In:  records of the logger ``trustedproxy``.
Out: a hundred at the most, the newest first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from trustedproxy.log import logger, warn
from trustedproxy.report import recent


@pytest.fixture(autouse=True)
def keep() -> Iterator[None]:
    """Keep records for one test."""
    recent.forget()
    recent.keep()
    yield
    recent.forget()


def test_records_are_kept_the_newest_first() -> None:
    """With their attributes, and without the project's name in front."""
    warn("first", "10.0.0.5", "one of %s", "two", header="X-Scheme")
    warn("second", None, "the other")

    second, first = recent.list_recent()

    assert second.code == "second"
    assert first.code == "first"
    assert first.text == "one of two"
    assert first.time.tzinfo is not None


def test_requests_are_not_kept() -> None:
    """What is logged of each request at DEBUG is no problem."""
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("a request")
        logger.warning("a problem")
    finally:
        logger.setLevel(logging.NOTSET)

    assert [record.text for record in recent.list_recent()] == ["a problem"]


def test_records_are_bounded() -> None:
    """A hundred, each of a bounded length."""
    for number in range(recent.MOST + 20):
        logger.warning("%d %s", number, "a" * 5000)

    kept = recent.list_recent()

    assert len(kept) == recent.MOST
    assert kept[0].text.startswith(f"{recent.MOST + 19} ")
    assert max(len(record.text) for record in kept) < 1100


def test_log_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """No handler is added, so that what prints records without any still does."""
    before = list(logger.handlers)
    recent.keep()

    logger.warning("seen")

    assert logger.handlers == before
    assert caplog.messages == ["seen"]
    assert len(recent.list_recent()) == 1
