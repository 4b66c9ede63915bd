"""
The trusted headers: this project beside the real mod_wsgi, over sockets.

In:  thousands of generated requests, and those that Hypothesis draws.
Out: the same answer to every well-formed one; to the others, exactly the differences
     that the ledger names.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .cases import CATEGORY, requests
from .conftest import Outcome, Run, ask
from .ledger import ALL, LEDGER, NONE, answer, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .client import Client

#: How many examples Hypothesis draws.
EXAMPLES = 400

_SHOWN = 5


def _show(outcomes: Iterable[Outcome]) -> str:
    """Write the first few *outcomes* down."""
    return "\n".join(str(outcome) for outcome in list(outcomes)[:_SHOWN])


def test_run_is_large_and_quick(run: Run) -> None:
    """At least 5,000 requests are compared in less than three minutes."""
    assert len(run.outcomes) >= 5_000
    assert run.seconds < 180


def test_run_is_well_formed_and_trusted_for_the_most_part(run: Run) -> None:
    """At least half of the requests are well-formed and from a trusted peer."""
    plain = [o for o in run.outcomes if o.request.well_formed and o.peer_trusted]

    assert 2 * len(plain) >= len(run.outcomes)


@pytest.mark.parametrize("name", CATEGORY)
def test_header_wins_often(run: Run, name: str) -> None:
    """Each of the fifteen headers wins at least fifty well-formed requests."""
    key = "HTTP_" + name.upper().replace("-", "_")
    category = CATEGORY[name]
    won = [
        outcome
        for outcome in run.outcomes
        if outcome.request.well_formed
        and answer(outcome.request, NONE).winners.get(category) == name
        # It stayed, on both sides.
        and key in outcome.theirs
        and key in outcome.ours
    ]

    assert len(won) >= 50


def test_well_formed_requests_are_answered_alike(run: Run) -> None:
    """The environ of every well-formed request is the one that mod_wsgi makes."""
    differing = [
        outcome
        for outcome in run.outcomes
        if outcome.request.well_formed and outcome.ours != outcome.theirs
    ]

    assert not differing, _show(differing)


def test_requests_of_direct_peers_are_answered_alike(run: Run) -> None:
    """From a peer that is not trusted, only more synonyms are removed."""
    direct = [outcome for outcome in run.outcomes if not outcome.peer_trusted]
    allowed = {kind for kind in LEDGER if "synonyms are known" in kind.name}
    differing = [outcome for outcome in direct if explain(outcome.request) - allowed]

    assert len(direct) >= 100
    assert not differing, _show(differing)


def test_nothing_else_differs(run: Run) -> None:
    """All other keys are mod_wsgi's, and REQUEST_SCHEME says what the scheme is."""
    differing = [outcome for outcome in run.outcomes if outcome.strays]

    assert not differing, {key for outcome in differing for key in outcome.strays}


def test_mod_wsgi_does_what_the_ledger_takes_for_its_way(run: Run) -> None:
    """With every difference taken out, the ledger says what mod_wsgi says."""
    differing = [
        outcome
        for outcome in run.outcomes
        if outcome.theirs != answer(outcome.request, NONE).environ
    ]

    assert not differing, _show(differing)


def test_the_answer_is_the_ledger_s(run: Run) -> None:
    """With all its differences, the ledger says what this project says."""
    differing = [
        outcome
        for outcome in run.outcomes
        if outcome.ours != answer(outcome.request, ALL).environ
    ]

    assert not differing, _show(differing)


def test_every_difference_has_a_kind_and_every_kind_a_difference(
    run: Run, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """No difference is unexplained, and no kind explains nothing."""
    counts: Counter[str] = Counter({kind.name: 0 for kind in LEDGER})
    unexplained = []
    for outcome in run.outcomes:
        if outcome.ours == outcome.theirs:
            continue
        kinds = explain(outcome.request)
        counts.update(kind.name for kind in kinds)
        if not kinds:
            unexplained.append(outcome)
    for name, count in sorted(counts.items()):
        record_testsuite_property(f"oracle: {name}", count)

    assert not unexplained, _show(unexplained)
    assert not [name for name, count in counts.items() if not count]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_drawn_requests_are_answered_by_the_ledger(
    client: Client, peers: tuple[str, ...], data: st.DataObject
) -> None:
    """Whatever Hypothesis draws, both sides answer as the ledger says."""
    request = data.draw(requests(peers))

    outcome = ask(client, request)

    assert outcome.theirs == answer(request, NONE).environ
    assert outcome.ours == answer(request, ALL).environ
    assert outcome.ours == outcome.theirs or explain(request)


def test_ledger_names_rule_and_reason() -> None:
    """Every kind has a name of its own, a rule of the design and a reason."""
    names = [kind.name for kind in LEDGER]

    assert len(set(names)) == len(names)
    assert all(kind.rule.startswith("R") and kind.reason for kind in LEDGER)
