"""
Assert what was decided, and explain where it was something else.

In:  the environ or the scope that the application saw, and what the test expects.
Out: nothing; or an `AssertionError` that shows each difference, and the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..decision import Decision, get_decision


def assert_decision(
    found: Decision | Mapping[str, Any], /, **expected: object
) -> Decision:
    """
    Assert what was decided about a request.

    Args:
        found: The decision, or the environ or the scope that the application saw.

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
        lines = ["the decision differs:", *wrong, "", *_say_why(decision)]
        raise AssertionError("\n".join(lines))
    return decision


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
