"""
The one logger, and what keeps it from being flooded.

In:  problems seen in requests, and mistakes that are worth one line a process.
Out: records of the logger ``trustedproxy``, with ``code``, ``header`` and ``peer`` as
     attributes.

Untrusted text is shown through `repr` and shortened.  Requests may be logged from many
threads at once: dictionaries are written without a lock, and the worst that a race can
do is to log something twice.  What is kept here decides nothing.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from .decision import CODES

if TYPE_CHECKING:
    from .decision import Problem

logger: logging.Logger = logging.getLogger("trustedproxy")

#: Seconds between two records about the same thing from the same peer.
INTERVAL = 60.0
#: Records of `warn` in such a time at the most, over all codes and peers.
MOST_RECORDS = 100

# More codes and peers than that at once: start again, and log something twice.
_MOST_KEYS = 1024
_LONGEST = 120

_logged_once: set[str] = set()
_last: dict[tuple[str, str | None], float] = {}


class _Budget:
    """How many records were written in the present interval, and how many left out."""

    def __init__(self) -> None:
        self.began = float("-inf")
        self.written = 0
        self.left_out = 0

    def allows(self, now: float) -> bool:
        """Take one record from the budget, if there is one."""
        if now - self.began >= INTERVAL:
            left_out = self.left_out
            self.began, self.written, self.left_out = now, 0, 0
            if left_out:
                logger.warning(
                    "trustedproxy: %d records were left out, since there were more "
                    "than %d in %d seconds",
                    left_out,
                    MOST_RECORDS,
                    INTERVAL,
                    extra={"code": "left-out", "header": None, "peer": None},
                )
        if self.written >= MOST_RECORDS:
            self.left_out += 1
            return False
        self.written += 1
        return True


_budget = _Budget()


def forget() -> None:
    """Forget what was logged, as after a start."""
    _logged_once.clear()
    _last.clear()
    _budget.began = float("-inf")
    _budget.written = _budget.left_out = 0


def shorten(value: object) -> str:
    """Show an untrusted *value* safely: through `repr`, and not too much of it."""
    if isinstance(value, str):
        # Cut before it is escaped: of a long text, little is read.
        shown, length = repr(value[:_LONGEST]), len(value)
    else:
        whole = _show(value)
        shown, length = whole[:_LONGEST], len(whole)
    return f"{shown}… ({length} characters)" if length > _LONGEST else shown


def _show(value: object) -> str:
    """Show what is no text; of what cannot even say what it is, the type."""
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def warn_once(
    code: str,
    message: str,
    *args: object,
    header: str | None = None,
    peer: str | None = None,
) -> None:
    """Log *message* at WARNING, once a process for a *code* and *peer*."""
    key = code if peer is None else f"{code} {peer}"
    # What is left out is no less worth logging later.
    if key in _logged_once or not _budget.allows(monotonic()):
        return
    if len(_logged_once) >= _MOST_KEYS:
        _logged_once.clear()
    _logged_once.add(key)
    _write(code, header, peer, message, args)


def is_due(code: str, peer: str | None) -> bool:
    """Say whether a record about *code* and *peer* may be written again."""
    now = monotonic()
    last = _last.get((code, peer))
    if last is not None and now - last < INTERVAL:
        return False
    if len(_last) >= _MOST_KEYS:
        _last.clear()
    _last[code, peer] = now
    return _budget.allows(now)


def warn(
    code: str,
    peer: str | None,
    message: str,
    *args: object,
    header: str | None = None,
    about: str | None = None,
) -> None:
    """
    Log *message* at WARNING, at most once a minute for a *code* and *peer*.

    Args:
        code: A word for what is logged, which stays the same.

        peer: Whose request it is about; ``None`` where it is about none.

        message: As for `logging`, with its *args*.

        args: What the message shows.

        header: The header that it is about.

        about: What takes the place of the peer in the limit, such as a file.
    """
    if is_due(code, peer if about is None else about):
        _write(code, header, peer, message, args)


def log_problems(
    problems: tuple[Problem, ...], peer: str | None, level: int = logging.WARNING
) -> None:
    """
    Log a request's *problems*, at most once a minute for a code and *peer*.

    Below WARNING nothing is counted: what strangers send leaves room for the rest.
    """
    for problem in problems:
        if level < logging.WARNING or is_due(problem.code, peer):
            shown = (
                CODES[problem.code],
                problem.code,
                problem.header,
                shorten(problem.value),
                shorten(peer),
            )
            message = "%s (%s): header %s, value %s, from peer %s"
            _write(problem.code, problem.header, peer, message, shown, level)


def _write(
    code: str,
    header: str | None,
    peer: str | None,
    message: str,
    args: tuple[object, ...],
    level: int = logging.WARNING,
) -> None:
    logger.log(
        level,
        f"trustedproxy: {message}",
        *args,
        extra={"code": code, "header": header, "peer": peer},
        stacklevel=3,
    )
