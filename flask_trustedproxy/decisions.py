"""
What was decided about a request.

In:  a request, by default the current one.
Out: its `trustedproxy.Decision`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import has_request_context, request
from werkzeug.local import LocalProxy

from trustedproxy.decision import get_decision as _get_decision

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from trustedproxy import Decision


def get_decision(of: Request | None = None) -> Decision | None:
    """
    Return what was decided about a request, or ``None``.

    ``None`` outside of a request, where the request did not pass the extension, and in
    report-only mode, which changes nothing: what would have been is at
    `trustedproxy.decision.REPORT_KEY` of ``request.environ``.

    Args:
        of: The request; by default the current one.
    """
    if of is None:
        if not has_request_context():
            return None
        of = request
    return _get_decision(of.environ)


def _require_decision() -> Decision:
    """Return the decision about the current request."""
    if not has_request_context():
        raise RuntimeError("current_decision is there only while a request is handled.")
    decision = get_decision()
    if decision is None:
        raise RuntimeError(
            "There is no decision about this request: TRUSTED_PROXY_REPORT_ONLY is on, "
            "or the request did not go through TrustedProxy."
        )
    return decision


#: The `trustedproxy.Decision` about the current request. It is false, and using it a
#: `RuntimeError`, where there is none; `get_decision` gives ``None`` there.
# Typed as what it stands for, so that its attributes are known.
current_decision: Decision = cast("Decision", LocalProxy(_require_decision))
