"""
The signal of a decision, for those who watch: counters, traces, audits.

In:  decisions of the core's event, and the application that each is for.
Out: `decision_made`, a signal of blinker as Flask's own ones are.

Where nobody is connected, the core's event has no listener of this module either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from blinker import NamedSignal, Namespace

from trustedproxy import on_decision
from trustedproxy.log import warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from trustedproxy import Decision
    from trustedproxy._types import Environ

#: Where an environ says which application its decision is for.
APPLICATION: Final = "flask_trustedproxy.application"

decision_made: NamedSignal = Namespace().signal(
    "decision-made",
    doc="""
    Sent with each decision, before the request is answered.

    The sender is the application; ``decision`` is the `trustedproxy.Decision`, and
    ``environ`` the request's environ, in which it already is. There is no request
    context yet. In report-only mode it is what would have been decided.
    """,
)


def name_application(environ: Environ, app: Flask) -> None:
    """Say in *environ* whom the decision that follows is for, if anybody listens."""
    if decision_made.receivers:
        environ[APPLICATION] = app


def _send(decision: Decision, request: Mapping[str, Any]) -> None:
    """Call each receiver; nobody's exception reaches the request or another one."""
    app: Flask | None = request.get(APPLICATION)
    if app is None or decision_made.is_muted:
        return
    for receiver in decision_made.receivers_for(app):
        try:
            # As Flask sends its own signals: receivers may be coroutine functions.
            app.ensure_sync(receiver)(app, decision=decision, environ=request)
        except Exception as error:
            warn(
                "listener-failed",
                None,
                "the receiver %r raised %r, which changes nothing for the request",
                receiver,
                error,
                about=type(error).__qualname__,
            )


def _listen(*_: object, **__: object) -> None:
    on_decision(_send)


# The core calls nobody before somebody is connected here.
decision_made.receiver_connected.connect(_listen)
