"""
Process signals: a server process keeps its handlers, a forked child gets the defaults.

In:  a call of `restrict_signals` in the process that serves.
Out: ``signal.signal()`` there logs a warning and changes nothing, for the signals that
     are the server's; in a child forked from it, it works again, and SIGTERM, SIGINT
     and SIGUSR1 end the child.

It is what mod_wsgi's ``WSGIRestrictSignal On`` does.  The server's own handlers are the
server's business: whoever replaces them takes away its way to stop.  And a child that
inherits them does not stop at all: they only wake a server's loop, which it has not.

Signals that the server left alone are the application's, since half of a pair is worse
than none: a timer whose handler was refused still fires, and ends the process.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .log import logger
from .options import Option, parse_flag


def _find_signals(*names: str) -> tuple[signal.Signals, ...]:
    """Find those of the signals *names* that this system has."""
    return tuple(
        signal.Signals[name] for name in names if name in signal.Signals.__members__
    )


OPTIONS: tuple[Option, ...] = (
    Option(
        "TRUSTED_PROXY_RESTRICT_SIGNALS",
        False,
        "whether signal.signal() is refused in server processes",
        parse=parse_flag,
    ),
)

#: What ends a child, and is back at its default in one.
RESET = _find_signals("SIGTERM", "SIGINT", "SIGUSR1")
#: What is the server's in any case: it stops or reloads by these, or minds its workers.
ALWAYS_REFUSED = _find_signals("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGCHLD")

# Python itself ignores these, so that writing to a closed pipe and to a full disk are
# exceptions.
_IGNORED_BY_PYTHON = _find_signals("SIGPIPE", "SIGXFSZ")
# Where Linux says which signals a process catches and ignores, C code's included, as
# hexadecimal masks: bit 0 is signal 1 (proc_pid_status(5)).
_STATUS = Path("/proc/self/status")

#: The process that is restricted; ``None`` while none is.
_owner: int | None = None
#: The signals for which it is.
_refused: frozenset[int] = frozenset()
#: The functions as Python made them, and those that a restriction took the place of.
_real: dict[str, Callable[..., Any]] = {}
_replaced: dict[str, Callable[..., Any]] = {}
#: ``before``: the signals that were blocked before this thread began to fork;
#: ``closing``: it closes a loop, which takes that loop's own handlers away.
_thread = threading.local()
_hooked = False


def restrict_signals() -> None:
    """
    Keep the server's signal handlers in this process (``WSGIRestrictSignal``).

    From now on ``signal.signal()`` logs a warning with its caller's stack, changes
    nothing and returns the handler in force, for the signals that have a handler of the
    server's now and for `ALWAYS_REFUSED`.  All others stay the application's.

    Calling it again costs next to nothing, so that it can be called with every request.
    Call it in the process that serves, once its server has its handlers: a parent that
    forks its servers later has to keep the right to set handlers.
    """
    global _owner, _refused
    if _owner == os.getpid():
        return
    _refused = find_server_signals()
    # Threads may come here together: each reads before it writes, and what is written
    # twice is the same.
    for place, name in _find_calls():
        current = getattr(place, name)
        if current is not _REFUSALS[name]:
            _real.setdefault(name, current)
            _replaced[name] = current
            setattr(place, name, _REFUSALS[name])
    _hook()
    _owner = os.getpid()


def find_server_signals() -> frozenset[int]:
    """
    Find the signals that are the server's in this process.

    Returns:
        `ALWAYS_REFUSED`, and every signal whose handler is neither the default nor an
        ignore that Python itself sets; where the system shows it (Linux), C code's too.
    """
    numbers = signal.valid_signals()
    handlers = {number: signal.getsignal(number) for number in numbers}
    # What C code set after Python's start is the default to Python still; what it set
    # before is None.
    caught = _read_mask("SigCgt:")
    ignored = _read_mask("SigIgn:").difference(_IGNORED_BY_PYTHON)
    for number, handler in handlers.items():
        if handler == signal.SIG_IGN and number not in _IGNORED_BY_PYTHON:
            ignored.add(number)
        elif handler not in (signal.SIG_DFL, signal.SIG_IGN):
            caught.add(number)
    return frozenset({*ALWAYS_REFUSED, *caught, *ignored}.intersection(numbers))


def _read_mask(name: str) -> set[int]:
    """Read which signals are in a mask of this process, where the system shows it."""
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return set()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(name)]
    return {
        number
        for mask in masks
        for number in range(1, signal.NSIG)
        if mask >> (number - 1) & 1
    }


def _find_calls() -> tuple[tuple[Any, str], ...]:
    """
    Where the refusals go.

    ``add_signal_handler`` of asyncio's loops would replace the wakeup descriptor, and
    a handler that the server registered with the same loop, before it ever comes to
    ``signal.signal``. uvloop's loops are built in C and cannot be reached.
    """
    # Late, since importing it takes longer than all the rest of the package.
    import asyncio

    return (
        (signal, "signal"),
        (asyncio.SelectorEventLoop, "add_signal_handler"),
        (asyncio.SelectorEventLoop, "remove_signal_handler"),
    )


def _hook() -> None:
    global _hooked
    # Where no process is ever forked there is nothing to do around one.
    if not _hooked and hasattr(os, "register_at_fork"):
        _hooked = True
        os.register_at_fork(
            before=_before_fork,
            after_in_parent=_after_in_parent,
            after_in_child=_after_in_child,
        )


def _lift_restriction() -> None:
    """Take the restriction back, where nobody replaced the functions since."""
    global _owner
    for place, name in _find_calls():
        if getattr(place, name) is _REFUSALS[name]:
            setattr(place, name, _replaced[name])
    _owner = None


def _is_refused(number: Any) -> bool:
    """Say whether this process may not set a handler for the signal *number*."""
    # A process that was forked behind Python's back is not the one restricted.
    return number in _refused and os.getpid() == _owner


def _refuse_signal(signalnum: int, handler: Any) -> Any:
    """
    Log a warning with the caller's stack, and change nothing.

    Returns:
        The handler in force, as `signal.getsignal` gives it.
    """
    if not _is_refused(signalnum) or getattr(_thread, "closing", False):
        return _real["signal"](signalnum, handler)
    in_force = signal.getsignal(signalnum)
    _log_refusal("signal.signal()", signalnum)
    return in_force


def _refuse_adding(loop: Any, sig: int, callback: Any, *args: Any) -> None:
    """Log a warning with the caller's stack, and change nothing."""
    if _is_refused(sig):
        _log_refusal("add_signal_handler() of asyncio", sig)
    else:
        _real["add_signal_handler"](loop, sig, callback, *args)


def _refuse_removing(loop: Any, sig: int) -> bool:
    """Log a warning with the caller's stack, and say that nothing was removed."""
    if _is_refused(sig) and loop.is_running():
        _log_refusal("remove_signal_handler() of asyncio", sig)
        return False
    # A loop that is closed takes its handlers away by itself; those of the server's
    # signals are the server's, since nobody else could add any.
    _thread.closing = True
    try:
        removed: bool = _real["remove_signal_handler"](loop, sig)
    finally:
        _thread.closing = False
    return removed


_REFUSALS: dict[str, Callable[..., Any]] = {
    "signal": _refuse_signal,
    "add_signal_handler": _refuse_adding,
    "remove_signal_handler": _refuse_removing,
}


def _log_refusal(call: str, number: int) -> None:
    """Log the refusal as the caller's own line, with the stack that led to it."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    logger.warning(
        "trustedproxy: %s for %s is refused: what the server of this process set stays "
        "in force, and a handler that is given here is never called "
        "(TRUSTED_PROXY_RESTRICT_SIGNALS). A child that this process forks can set its "
        "own.",
        call,
        name,
        stack_info=True,
        stacklevel=3,
        extra={"code": "signal-refused", "header": None, "peer": None},
    )


# Around a fork.  A signal that meets the child before its handlers are back at their
# defaults would be swallowed by the server's, and be written to the descriptor that
# wakes the parent; so they are blocked until then, and wait.


def _before_fork() -> None:
    if _owner == os.getpid():
        _thread.before = signal.pthread_sigmask(signal.SIG_BLOCK, RESET)


def _after_in_parent() -> None:
    before = _thread.__dict__.pop("before", None)
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _after_in_child() -> None:
    """Make the child a process of its own: restriction and shutdown handlers go."""
    before = _thread.__dict__.pop("before", None)
    if before is None:
        return
    _lift_restriction()
    # The thread that forked is the main one now, so Python lets it set handlers; a
    # handler that C code set, as uWSGI and mod_wsgi do, is replaced, too.
    signal.set_wakeup_fd(-1)
    for number in RESET:
        _real["signal"](number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set(before).difference(RESET))
