"""
The request as it came, from what a policy has made of it.

In:  an environ or a scope, with the decision in it or without one.
Out: a copy, in which everything is as before the decision.

A decision keeps what it replaced, but for the proxy's secret, which nobody is to see.
Where one came, one of the policy's takes its place in the copy, and is masked like it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..decision import DECISION_KEY, REPORT_KEY, Reason
from ..headers import environ_key

if TYPE_CHECKING:
    from .._types import Environ, Scope
    from ..decision import Decision
    from ..policy import ProxyPolicy

#: Names in ``original`` that are keys of a scope, and no header's.
_OF_SCOPE = frozenset({"client", "path", "raw_path", "root_path", "scheme", "server"})


def restore_environ(policy: ProxyPolicy, environ: Environ) -> Environ:
    """Make a copy of *environ* as the server made it."""
    restored = dict(environ)
    decision, was_written = _take_decision(restored)
    if decision is None:
        return restored
    if was_written:
        for key, value in decision.original.items():
            if value is None:
                restored.pop(key, None)
            else:
                restored[key] = value
    if _had_secret(policy, decision):
        restored[environ_key(policy.secret_header or "")] = policy.secrets[0]
    return restored


def restore_scope(policy: ProxyPolicy, scope: Scope) -> Scope:
    """Make a copy of *scope* as the server made it; a header is one line in it."""
    restored = dict(scope)
    decision, was_written = _take_decision(restored)
    if decision is None:
        return restored
    put: dict[str, str | None] = {}
    if was_written:
        for key, value in decision.original.items():
            if key in _OF_SCOPE:
                restored[key] = value
            else:
                put[key] = value
    if _had_secret(policy, decision):
        put[(policy.secret_header or "").lower()] = policy.secrets[0]
    lines = [
        line
        for line in restored.get("headers") or ()
        if line[0].decode("latin-1").lower() not in put
    ]
    restored["headers"] = lines + [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in put.items()
        if value is not None
    ]
    return restored


def _take_decision(holder: dict[str, Any]) -> tuple[Decision | None, bool]:
    """Take the decision out, and say whether it was written there."""
    reported = holder.pop(REPORT_KEY, None)
    decision = holder.pop(DECISION_KEY, None)
    return (reported, False) if decision is None else (decision, True)


def _had_secret(policy: ProxyPolicy, decision: Decision) -> bool:
    """Say whether the request knew the secret."""
    return bool(policy.secrets) and decision.reason not in (
        Reason.SECRET_MISSING,
        Reason.NO_TRUSTED_HEADERS,
    )
