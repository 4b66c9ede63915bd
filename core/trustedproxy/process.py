"""
Process signals: a server process keeps its handlers, a forked child gets the defaults.

In:  a call of `restrict_signals` in the process that serves.
Out: ``signal.signal()`` there logs a warning and changes nothing; in a child forked
     from it, it works again, and SIGTERM, SIGINT and SIGUSR1 end the child.

It is what mod_wsgi's ``WSGIRestrictSignal On`` does.  The server's own handlers are the
server's business: whoever replaces them takes away its way to stop. And a child that
inherits them does not stop at all: they only tell a server's loop, which it has not.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from .log import logger
from .options import Option, parse_flag

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS: tuple[Option, ...] = (
    Option(
        "TRUSTED_PROXY_RESTRICT_SIGNALS",
        False,
        "whether signal.signal() is refused in server processes",
        parse=parse_flag,
    ),
)

#: What ends a child, and is back at its default in one.
RESET = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)

#: The process that is restricted; ``None`` while none is.
_owner: int | None = None
#: The functions as Python made them, and those that a restriction took the place of.
_real: dict[str, Callable[..., Any]] = {}
_replaced: dict[str, Callable[..., Any]] = {}
#: ``before``: the signals that were blocked before this thread began to fork;
#: ``closing``: it closes a loop, which takes that loop's own handlers away.
_thread = threading.local()
_hooked = False


def restrict_signals() -> None:
    """
    Refuse ``signal.signal()`` in this process from now on (``WSGIRestrictSignal``).

    Calling it again costs next to nothing, so that it can be called with every request.
    Call it in the process that serves, once its server has its handlers: a parent that
    forks its servers later has to keep the right to set handlers.
    """
    global _owner
    if _owner == os.getpid():
        return
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
    if not _hooked:
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


def _refuse_signal(signalnum: int, handler: Any) -> Any:
    """
    Log a warning with the caller's stack, and change nothing.

    Returns:
        The handler in force, as `signal.getsignal` gives it.
    """
    # A process that was forked behind Python's back is not the one restricted.
    if os.getpid() != _owner or getattr(_thread, "closing", False):
        return _real["signal"](signalnum, handler)
    in_force = signal.getsignal(signalnum)
    _tell("signal.signal()", signalnum)
    return in_force


def _refuse_adding(loop: Any, sig: int, callback: Any, *args: Any) -> None:
    """Log a warning with the caller's stack, and change nothing."""
    if os.getpid() != _owner:
        _real["add_signal_handler"](loop, sig, callback, *args)
        return
    _tell("add_signal_handler() of asyncio", sig)


def _refuse_removing(loop: Any, sig: int) -> bool:
    """Log a warning with the caller's stack, and say that nothing was removed."""
    # A loop that is closed takes its handlers away by itself; those are the server's,
    # since nobody else could add any.
    if os.getpid() != _owner or not loop.is_running():
        _thread.closing = True
        try:
            removed: bool = _real["remove_signal_handler"](loop, sig)
        finally:
            _thread.closing = False
        return removed
    _tell("remove_signal_handler() of asyncio", sig)
    return False


_REFUSALS: dict[str, Callable[..., Any]] = {
    "signal": _refuse_signal,
    "add_signal_handler": _refuse_adding,
    "remove_signal_handler": _refuse_removing,
}


def _tell(call: str, number: int) -> None:
    """Log the refusal as the caller's own line, with the stack that led to it."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    logger.warning(
        "%s for %s is refused: the handlers of this process are its server's "
        "(TRUSTED_PROXY_RESTRICT_SIGNALS). A child that it forks can set its own.",
        call,
        name,
        stack_info=True,
        stacklevel=3,
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
