"""
Keep the last records of the logger ``trustedproxy``, for the page.

In:  records of level WARNING and higher, once `keep` was called.
Out: `list_recent`: a hundred of this process at the most, the newest first.

The log itself stays as it is: a filter looks at each record and lets it pass, so that
no handler is added, and what prints records where logging is not configured still does.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from ..log import logger

#: How many are kept.
MOST = 100
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """
    One record.

    Attributes:
        time: When, in UTC.

        code: Its code, or nothing.

        text: What it says, shortened.
    """

    time: datetime
    code: str
    text: str


_kept: deque[Record] = deque(maxlen=MOST)


def keep() -> None:
    """Keep what is logged from now on; again and again does no harm."""
    logger.addFilter(_look)


def forget() -> None:
    """Keep nothing any more, and forget what was kept."""
    logger.removeFilter(_look)
    _kept.clear()


def list_recent() -> tuple[Record, ...]:
    """List what is kept, the newest first."""
    return tuple(reversed(_kept))


def _look(record: logging.LogRecord) -> bool:
    if record.levelno >= logging.WARNING:
        said = record.getMessage().removeprefix("trustedproxy: ")
        _kept.append(
            Record(
                datetime.fromtimestamp(record.created, UTC),
                str(getattr(record, "code", ""))[:_LONGEST],
                said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…",
            )
        )
    return True
