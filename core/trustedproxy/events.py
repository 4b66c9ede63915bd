"""
One event a decision, for those who watch: counters, traces, dashboards.

In:  listeners, which anybody may add at any time.
Out: each is called with every decision that a policy makes, and the request it is for.

A listener changes nothing: what it raises is logged, at most once a minute for each
kind of exception, and the request goes on.  Where nobody listens, it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .decision import Decision
from .log import is_due, logger, shorten

#: What is called: the decision, and the environ or the scope of its request.
Listener: TypeAlias = Callable[[Decision, Mapping[str, Any]], object]

#: Those who listen, in the order in which they came.
listeners: list[Listener] = []


def on_decision(listener: Listener) -> Listener:
    """
    Call *listener* with every decision from now on, in this process.

    Args:
        listener:
            Called with the `trustedproxy.Decision` and the environ or the scope of the
            request, in which the decision already is. It runs before the application,
            in the thread or the event loop of the request, and is not to block or to
            change either. Adding it twice changes nothing.

    Returns:
        The listener itself, so that this is a decorator.
    """
    if listener not in listeners:
        listeners.append(listener)
    return listener


def stop_listening(listener: Listener) -> None:
    """Call *listener* no more; one that does not listen is passed over."""
    if listener in listeners:
        listeners.remove(listener)


def send(decision: Decision, request: Mapping[str, Any]) -> None:
    """Call everybody who listens; nobody's exception reaches the request."""
    for listener in tuple(listeners):
        try:
            listener(decision, request)
        except Exception as error:
            # What they say of themselves may take its time, and is asked when logged.
            if is_due("listener-failed", type(error).__qualname__):
                _log_failure(listener, error)


def _log_failure(listener: Listener, error: Exception) -> None:
    logger.warning(
        "trustedproxy: the listener %s raised %s, which changes nothing for the "
        "request",
        shorten(listener),
        # It may hold a whole header.
        shorten(error),
        extra={"code": "listener-failed", "header": None, "peer": None},
    )
