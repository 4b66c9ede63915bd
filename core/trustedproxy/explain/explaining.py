"""
Explain a request: put all the steps together.

In:  settings, a `Request`, what is known of the framework.
Out: an `Explanation`.

What is concluded comes from the rules themselves; nothing is logged, and nothing of the
request is changed.  The cost is linear in what the request sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..advice import (
    DECIDED_TWICE,
    Advice,
    advise,
)
from ..decision import CODES
from ..framework import NO_FRAMEWORK, Framework
from .answers import HTTPS_ONLY, list_answers
from .case import Case
from .header_verdicts import SETS, STATED_BY, list_headers
from .hops import describe_peer, describe_way
from .records import (
    Explanation,
    Outcome,
    Request,
    ShownProblem,
    Stated,
)
from .variables import list_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..settings import Settings
    from .records import Answer, Header, Hop


def explain_request(
    settings: Settings, request: Request, framework: Framework = NO_FRAMEWORK
) -> Explanation:
    """
    Explain what *settings* make of one request, step by step.

    Args:
        settings: What is in force.

        request: The request.

        framework: What the application does by itself.
    """
    return explain_case(Case(settings, request, framework))


def explain_case(case: Case) -> Explanation:
    """Explain a request that was decided."""
    request = case.request
    headers = list_headers(case)
    peer = describe_peer(case)
    answers = list_answers(case)
    return Explanation(
        where=request.where,
        method=request.method,
        connection=_list_connection(case),
        peer=peer,
        way=describe_way(case, peer, _choose_hops(case, headers)),
        headers=headers,
        stated=tuple(_list_stated(case)),
        variables=list_variables(case),
        outcome=_describe_outcome(case),
        answers=answers,
        problems=tuple(_list_problems(case)),
        notes=tuple(_list_notes(case)),
        advice=_list_advice(case, answers),
    )


def _list_connection(case: Case) -> dict[str, str | None]:
    connection = case.request.connection
    fields = ("peer", "scheme", "host", "server", "port", "mount_point", "path")
    return {
        name: None if value is None else str(value)
        for name in fields
        for value in (getattr(connection, name),)
    }


def _choose_hops(case: Case, headers: Sequence[Header]) -> tuple[Hop, ...]:
    """Choose the elements of the header that named the client, or did not."""
    name = case.decision.verdict.header
    for header in headers:
        if header.hops and header.name == name:
            return header.hops
    return ()


def _list_stated(case: Case) -> Iterator[Stated]:
    """Say what is stated, and whether it holds for this request (rule R21)."""
    for category, value in case.policy.fixed.items():
        holds = (
            "holds, since the peer is trusted"
            if case.is_read
            else "does not hold for this request, whose headers do not count"
        )
        yield Stated(
            category=SETS[category],
            setting=STATED_BY[category],
            value=value,
            sentence=f"{value!r} is stated as the {SETS[category]}, and {holds}.",
        )


def _describe_outcome(case: Case) -> Outcome:
    decision = case.decision
    return Outcome(
        client=decision.client,
        client_known=decision.client_known,
        address=decision.address,
        reason=decision.reason.name,
        sentence=str(decision.reason),
        rejected=decision.rejected is not None,
        report_only=case.policy.report_only,
    )


def _list_problems(case: Case) -> Iterator[ShownProblem]:
    for problem in case.decision.problems:
        yield ShownProblem(
            code=problem.code,
            header=problem.header,
            value=problem.value,
            meaning=CODES[problem.code],
        )


def _list_notes(case: Case) -> Iterator[str]:
    """Say what else a reader has to know."""
    if case.request.decided:
        yield (
            "A policy was applied to this request before, and its decision stands. "
            "What follows is about the request as that left it."
        )
    if case.policy.report_only:
        yield "In report-only mode all of this is only logged, and nothing is changed."
    if case.misplaced:
        yield (
            f"A secret of this policy stands in {', '.join(case.misplaced)}, where it "
            "does not belong. It is masked, and what follows takes it as it is masked."
        )
    if case.settings.policy.changes_nothing:
        yield "This policy changes nothing: no header is listed, and none is removed."


def _list_advice(case: Case, answers: Sequence[Answer]) -> tuple[Advice, ...]:
    """List what to change if this is not what was wanted."""
    found = []
    rewritten = case.request.rewritten
    if rewritten is not None:
        found.append(Advice("rewritten-before", None, rewritten))
    if case.request.decided:
        found.append(Advice("decided-twice", None, DECIDED_TWICE))
    exempts = any(a.by == HTTPS_ONLY and a.status is None for a in answers)
    found += advise(case.describe_situation(exempts=exempts))
    return tuple(found)
