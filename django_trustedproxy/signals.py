"""
The signal of a decision, for those who watch: counters, traces, audits.

In:  decisions of `django_trustedproxy.middleware.TrustedProxyMiddleware`.
Out: `decision_made`, a signal of Django's.
"""

from __future__ import annotations

from django.dispatch import Signal

#: Sent by the middleware with each decision, before the view: the sender is the class
#: of the middleware, ``request`` the request, corrected, and ``decision`` the
#: `trustedproxy.Decision`; in report-only mode, what would have been decided.  What a
#: receiver raises is logged by ``django.dispatch``, and changes nothing.
decision_made: Signal = Signal()
