"""
The one logger, and what keeps it from being flooded.

In:  problems seen in requests, and notices that are worth one line a process.
Out: records at WARNING of the logger ``trustedproxy``.

Untrusted text is shown through `repr` and shortened.  Requests may be told from many
threads at once: dictionaries are written without a lock, and the worst that a race can
do is to tell something twice.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from .decision import CODES

if TYPE_CHECKING:
    from .decision import Problem

logger = logging.getLogger("trustedproxy")

#: Seconds between two records about the same thing from the same peer.
INTERVAL = 60.0
#: Equal requests without headers, from one peer, at most for which no clock is asked.
QUIET_REQUESTS = 1000

# More kinds and peers than that at once: start again, and tell something twice.
_MOST = 1024
_SHOWN = 120

_told: set[str] = set()
_last: dict[tuple[str, str | None], float] = {}


def forget() -> None:
    """Forget what was told, as after a start."""
    _told.clear()
    _last.clear()


def shorten(text: object) -> str:
    """Show untrusted *text* safely: through `repr`, and not too much of it."""
    if isinstance(text, str) and len(text) > _SHOWN:
        return f"{text[:_SHOWN]!r}… ({len(text)} characters)"
    return repr(text)


def tell_once(key: str, message: str, *args: object) -> None:
    """Log *message* at WARNING, once a process for a *key*."""
    if key not in _told:
        _told.add(key)
        logger.warning(message, *args)


def is_due(code: str, peer: str | None) -> bool:
    """Say whether a record about *code* and *peer* may be written again."""
    now = monotonic()
    last = _last.get((code, peer))
    if last is not None and now - last < INTERVAL:
        return False
    if len(_last) >= _MOST:
        _last.clear()
    _last[code, peer] = now
    return True


def tell(code: str, peer: str | None, message: str, *args: object) -> None:
    """Log *message* at WARNING, at most once a minute for a *code* and *peer*."""
    if is_due(code, peer):
        logger.warning(message, *args)


def tell_problems(problems: tuple[Problem, ...], peer: str | None) -> None:
    """Log a request's *problems*, at most once a minute for a code and *peer*."""
    for problem in problems:
        last = _last.get((problem[0], peer))
        if last is not None and monotonic() - last < INTERVAL:
            continue
        code, header, value = problem
        tell(
            code,
            peer,
            "%s (%s): header %s, value %s, from peer %s",
            CODES[code],
            code,
            header,
            shorten(value),
            shorten(peer),
        )
