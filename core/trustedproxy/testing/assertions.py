"""
Assert what was decided, and explain where it was something else.

In:  the environ or the scope that the application saw, and what the test expects.
Out: nothing; or an `AssertionError` that shows each difference, and the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..decision import Decision, get_decision

if TYPE_CHECKING:
    from ..policy import ProxyPolicy


def assert_decision(
    found: Decision | Mapping[str, Any],
    /,
    *,
    policy: ProxyPolicy | None = None,
    **expected: object,
) -> Decision:
    """
    Assert what was decided about a request.

    Args:
        found: The decision, or the environ or the scope that the application saw.

        policy:
            The policy that decided: beside an environ or a scope, a failure shows every
            step of it, as ``trustedproxy explain`` does.

        expected:
            Attribute of the `trustedproxy.Decision` → its value:
            ``assert_decision(environ, client="203.0.113.7", scheme="https")``.

    Returns:
        The decision, for further questions.

    Raises:
        AssertionError: There is no decision, or an attribute differs.
    """
    decision = found if isinstance(found, Decision) else get_decision(found)
    if decision is None:
        raise AssertionError(
            "no policy was applied to this request: the middleware is missing, or in "
            "report-only mode"
        )
    wrong = [
        f"  {name}: {getattr(decision, name)!r}, expected {value!r}"
        for name, value in expected.items()
        if getattr(decision, name) != value
    ]
    if wrong:
        why = _explain(policy, found) or "\n".join(_say_why(decision))
        lines = ["the decision differs:", *wrong, "", why]
        raise AssertionError("\n".join(lines))
    return decision


def _explain(
    policy: ProxyPolicy | None, found: Decision | Mapping[str, Any]
) -> str | None:
    """Explain the request as it came, where it and its policy are known."""
    if policy is None or isinstance(found, Decision):
        return None
    # Only a test that fails needs them.
    from ..explain import explain_environ, explain_scope, write_text
    from ..report.restoring import restore_environ, restore_scope

    if "type" in found:
        scope = restore_scope(policy, dict(found))
        return write_text(explain_scope(policy, scope))
    return write_text(explain_environ(policy, restore_environ(policy, dict(found))))


def _say_why(decision: Decision) -> Iterator[str]:
    """Say in a few lines why a decision is what it is."""
    trusted = "trusted" if decision.peer_trusted else "not trusted"
    yield f"The peer {decision.peer!r} is {trusted}."
    yield f"The client is {decision.client!r}: {decision.reason}."
    for category, name in decision.winners.items():
        yield f"The {category} is what {name} says."
    if decision.removed:
        yield f"Removed: {', '.join(decision.removed)}."
    for problem in decision.problems:
        yield f"Problem: {problem.code} ({problem.header}): {problem.value!r}."
