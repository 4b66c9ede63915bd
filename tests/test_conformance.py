"""
The conformance table, every row and its variants through every surface.

In:  `CASES`, the known attacks among them.
Out: one test a row and surface; tests of the table itself; and what no row can say.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from trustedproxy import Decision, ProxyPolicy, Reason, log
from trustedproxy.decision import CODES
from trustedproxy.headers import KNOWN_HEADERS

from .cases import ATTACKS, CASES, Case, Way, variants
from .cases.case import CATEGORIES, SECRET, SECRET_HEADER, Unstated
from .surfaces import (
    FIELDS,
    GROUP,
    SURFACES,
    Answer,
    Ask,
    make_environ,
    policy_of,
    present,
)

ASKED: Final = [
    (surface, case)
    for surface in present()
    for case in CASES
    if SURFACES[surface].admits(case)
]

#: What the decision says, and an application sees.
DECIDED: Final = ("address", "scheme", "host", "server", "port", "mount_point")

#: A websocket's scheme, where http has its own.
WEBSOCKET: Final = {"http": "ws", "https": "wss"}


def expect(case: Case, surface: str, before: dict[str, Any]) -> dict[str, Any]:
    """Say what *case* wants of *surface*, which was given *before*."""
    expected: dict[str, Any] = {"status": 400 if case.rejected else 200}
    fields = {
        field: before[field]
        for field in before
        if isinstance(getattr(case, field, Unstated.UNSTATED), Unstated)
    }
    fields |= {
        field: getattr(case, field)
        for field in FIELDS
        if field in before and field not in fields
    }
    if case.expected_address != case.peer:
        fields["address"] = case.expected_address
    if surface == "websocket":
        fields["scheme"] = WEBSOCKET.get(fields["scheme"], fields["scheme"])
    if surface.startswith("django") and fields["path"] == "":
        fields["path"] = "/"
    if "client_port" in before:
        moved = case.expected_address != case.peer
        fields["client_port"] = before["client_port"]
        if moved or case.client_port is not None:
            port = case.client_port
            fields["client_port"] = None if port is None else str(port)
        if "REMOTE_PORT" in case.after:
            fields["client_port"] = case.after["REMOTE_PORT"]
    expected["fields"] = fields
    expected["headers"] = case.expected_remaining
    expected["decision"] = {
        "peer_trusted": case.peer_trusted,
        "client": case.expected_client,
        "client_known": case.expected_client is not None,
        "reason": case.reason,
        "winners": case.expected_winners,
        "problems": sorted(case.problems),
        "rejected": case.rejected,
    }
    return expected


def expect_nothing(case: Case, before: dict[str, Any]) -> dict[str, Any]:
    """Say what a surface shows of *case* where nothing may change but the secret."""
    return {
        "status": 200,
        "fields": before,
        "headers": case.sent_headers,
        "decision": None,
    }


def describe(answer: Answer) -> dict[str, Any]:
    """Write *answer* in the words of `expect`."""
    decision = answer.decision
    return {
        "status": answer.status,
        "fields": answer.seen,
        "headers": answer.headers,
        "decision": None if decision is None else describe_decision(decision),
    }


def describe_decision(decision: Decision) -> dict[str, Any]:
    """Write *decision* in the words of `expect`."""
    return {
        "peer_trusted": decision.peer_trusted,
        "client": decision.client,
        "client_known": decision.client_known,
        "reason": decision.reason,
        "winners": {str(k): v.lower() for k, v in decision.winners.items()},
        "problems": sorted(problem.code for problem in decision.problems),
        "rejected": decision.rejected and decision.rejected.code,
    }


def differences(seen: Any, expected: Any, at: str = "") -> dict[str, tuple[Any, Any]]:
    """Give the place of each difference, and there what was seen and expected."""
    if isinstance(seen, dict) and isinstance(expected, dict):
        return {
            place: pair
            for key in seen.keys() | expected.keys()
            for place, pair in differences(
                seen.get(key, "(nothing)"),
                expected.get(key, "(nothing)"),
                f"{at}.{key}" if at else key,
            ).items()
        }
    return {} if seen == expected else {at: (seen, expected)}


def squeeze(headers: dict[str, str]) -> dict[str, str]:
    """Leave the blanks around commas out of *headers*, and the empty elements."""
    return {
        name: ",".join(e.strip(" \t") for e in value.split(",") if e.strip(" \t"))
        for name, value in headers.items()
    }


@pytest.mark.usefixtures("no_resolver")
@pytest.mark.parametrize(
    ("surface", "case"),
    ASKED,
    ids=[f"{surface}: {case.name}" for surface, case in ASKED],
    indirect=["surface"],
)
def test_row_holds(case: Case, ask: Ask, surface: str) -> None:
    """What the row says is what the surface does, in every variant of the row."""
    for variant in variants(case):
        check(variant, ask(variant), surface)


def check(case: Case, answer: Answer, surface: str) -> None:
    """Hold *answer*, which *surface* gave, against the row."""
    seen = describe(answer)
    expected = expect(case, surface, answer.before)
    if case.report_only and surface != "decide":
        check_report(case, answer, expected)
        expected = expect_nothing(case, answer.before)
    if case.rejected and surface != "decide" and not case.report_only:
        expected["status"] = check_rejection(answer, surface)
        # An application that is not reached sees nothing, and a scope was only given.
        for part in ("fields", "headers", "decision"):
            if not seen[part]:
                expected[part] = seen[part]
    if policy_of(case).changes_nothing and seen["decision"] is None:
        expected["decision"] = None
    names = {name.lower() for name, _ in case.headers}
    if case.loose or len(names) < len(case.headers):
        seen["headers"] = squeeze(seen["headers"])
        expected["headers"] = squeeze(expected["headers"])
    assert (case.name, differences(seen, expected)) == (case.name, {})
    if answer.variables is not None and not case.report_only:
        check_variables(case, answer)
    if answer.decision is not None and answer.seen:
        check_decision(case, answer)


def check_decision(case: Case, answer: Answer) -> None:
    """Hold what the decision says against what the application saw."""
    decided = {field: getattr(answer.decision, field) for field in DECIDED}
    seen = {field: answer.seen[field] for field in DECIDED}
    if "server" in case.given.scope or "scheme" in case.given.scope:
        # What a scope does not have, a decision says by the specification's defaults.
        decided = {field: decided[field] for field in ("address", "mount_point")}
        seen = {field: seen[field] for field in decided}
    assert (case.name, differences(decided, seen)) == (case.name, {})


def check_report(case: Case, answer: Answer, expected: dict[str, Any]) -> None:
    """Hold what would have been decided, in report-only mode, against the row."""
    assert answer.decision is None
    assert answer.report is not None
    reported = describe_decision(answer.report)
    assert (case.name, differences(reported, expected["decision"])) == (case.name, {})


def check_rejection(answer: Answer, surface: str) -> int:
    """Return the status of a rejection; a 400 is one that no cache keeps."""
    if surface == "websocket":
        # Closed before it is accepted, which servers answer with 403.
        return 403
    assert answer.answer_headers is not None
    assert answer.answer_headers["cache-control"] == "no-store"
    return 400


def check_variables(case: Case, answer: Answer) -> None:
    """Hold the other variables of the environ, and the originals, against the row."""
    assert answer.variables is not None
    after = {key: answer.variables.get(key) for key in case.after}
    assert after == dict(case.after)
    if case.original is not None and answer.decision is not None:
        original = {
            key: case.peer if key == "REMOTE_ADDR" else value
            for key, value in case.original.items()
        }
        if "SCRIPT_NAME" in original:
            original["SCRIPT_NAME"] = case.given.mount_point
        assert answer.decision.original == original


# -- the table itself ------------------------------------------------------------------


def test_table_has_every_row_once() -> None:
    """There are 300 rows and more, and none is there twice under another name."""
    names = Counter(case.name for case in CASES)
    asked = Counter(repr(replace(case, name="")) for case in CASES)

    assert len(CASES) >= 300
    assert [name for name, count in names.items() if count > 1] == []
    assert [row for row, count in asked.items() if count > 1] == []


def test_table_names_are_sentences() -> None:
    """A name is several words, in one line, without a full stop."""
    odd = [
        case.name
        for case in CASES
        if len(case.name.split()) < 3
        or case.name != " ".join(case.name.split())
        or case.name.endswith(".")
    ]

    assert odd == []


def test_table_names_rejections() -> None:
    """The first word says whether a row expects a 400; no row is about a start."""
    wrong = [
        case.name
        for case in CASES
        if bool(case.rejected) is not case.name.startswith("rejects ")
        or case.name.startswith("refuses")
    ]

    assert wrong == []


def test_table_holds_off_every_attack() -> None:
    """Each attack is named by rows on every surface, or by a module that tests it."""
    here = Path(__file__).parent
    rows: dict[str, list[Case]] = {id_: [] for id_ in ATTACKS}
    for case in CASES:
        for id_ in case.attack.split():
            rows[id_].append(case)

    for id_, attack in ATTACKS.items():
        tried = {way for case in rows[id_] for way in case.ways} - {Way.DECIDE}
        if attack.elsewhere:
            assert id_ in (here / f"{attack.elsewhere}.py").read_text("utf-8")
        elif attack.ways:
            assert Way.ASGI in tried, id_
        else:
            assert tried == {Way.WSGI, Way.ASGI, Way.DJANGO_ASGI}, id_


def test_table_names_clauses_of_standards() -> None:
    """A clause is one that can be looked up; the RFC's own examples are all there."""
    clauses = {case.clause for case in CASES if case.clause}

    assert all(re.fullmatch(r"RFC \d+ section [\d.]+|mod_wsgi: .+", c) for c in clauses)
    assert {
        f"RFC 7239 section {n}" for n in ("4", "5.2", "5.3", "7.1", "7.5")
    } <= clauses


def test_table_has_every_known_header() -> None:
    """Each known header has rows, and the specification's categories are the code's."""
    sent = {name.lower() for case in CASES for name, _ in case.headers}
    known = {
        header.name.lower(): tuple(map(str, header.categories))
        for header in KNOWN_HEADERS
    }
    specified = {
        name: categories
        for name, categories in CATEGORIES.items()
        if not name.startswith("x-edge-")
    }

    assert known.keys() - sent == set()
    assert known == specified


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        (Reason, {case.reason for case in CASES}),
        (CODES, {code for case in CASES for code in case.problems}),
        (Way, {way for case in CASES for way in case.ways}),
    ],
    ids=["reasons", "problems", "ways"],
)
def test_table_has_every_outcome(kind: Any, there: set[Any]) -> None:
    """Each reason, each problem and each way in is expected by some row."""
    assert set(kind) - there == set()


@pytest.mark.parametrize("suffix", ["mapped peer", "mounted", "split lines"])
def test_table_has_variants(suffix: str) -> None:
    """Each kind of variant is asked of many rows."""
    made = [
        variant
        for case in CASES
        for variant in variants(case)
        if variant.name.endswith(f"[{suffix}]")
    ]

    assert len(made) >= 30


def test_surfaces_are_those_of_this_environment() -> None:
    """An environment of tox asks the surfaces that it is for, and all of them."""
    wanted = {
        "core": ["decide", "wsgi", "asgi", "websocket"],
        "django": ["django-wsgi", "django-asgi"],
        "flask": ["flask"],
    }

    assert GROUP is None or present() == wanted[GROUP]
    assert {s.group for s in SURFACES.values()} == wanted.keys()


def test_row_that_is_wrong_turns_red(ask: Ask, surface: str) -> None:
    """A row whose expectation is not met fails, field by field."""
    case = next(case for case in CASES if case.name.startswith("corrects every"))
    changed: dict[str, Any] = {
        "client": "203.0.113.8",
        "scheme": "http",
        "host": "other.example",
        "server": "other.example",
        "port": "444",
        "mount_point": "/other",
        "reason": Reason.ALL_HOPS_TRUSTED,
        "winners": {},
        "problems": ("malformed",),
        "remaining": {},
    }

    for field, value in changed.items():
        check_turns_red(replace(case, **{field: value}), ask, surface)


def test_report_that_is_wrong_turns_red(ask: Ask, surface: str) -> None:
    """A row about report-only mode fails where the report is another."""
    case = next(case for case in CASES if case.name.startswith("changes nothing in"))
    changed: dict[str, Any] = {
        "client": "203.0.113.8",
        "reason": Reason.ALL_HOPS_TRUSTED,
        "winners": {},
        "problems": ("malformed",),
    }

    for field, value in changed.items():
        check_turns_red(replace(case, **{field: value}), ask, surface)


def check_turns_red(wrong: Case, ask: Ask, surface: str) -> None:
    """Hold that a row, of which one expectation is wrong, fails."""
    with pytest.raises(AssertionError):
        check(wrong, ask(wrong), surface)


# -- what no single row can say --------------------------------------------------------


@pytest.mark.parametrize(
    "surface", [name for name in present() if name != "decide"], indirect=True
)
def test_problems_are_logged(
    caplog: pytest.LogCaptureFixture, ask: Ask, surface: str
) -> None:
    """Each problem of a row is in the log, once; a stranger's at DEBUG (R17)."""
    for case in CASES:
        if not case.problems or not SURFACES[surface].admits(case):
            continue
        caplog.clear()
        log.forget()
        with caplog.at_level(logging.DEBUG, logger="trustedproxy"):
            ask(case)
        logged = [record.getMessage() for record in caplog.records]
        for code in case.problems:
            assert sum(f"({code})" in line for line in logged) == 1, case.name
        assert not [line for line in logged if "\n" in line or "\r" in line], case.name


def test_secret_is_shown_to_nobody(caplog: pytest.LogCaptureFixture, ask: Ask) -> None:
    """No log, no decision and no policy shows a secret (R17)."""
    asked = [case for case in CASES if "secrets" in case.policy]
    with caplog.at_level(logging.DEBUG):
        decisions = [ask(case).decision for case in asked]

    shown = caplog.text + repr(decisions) + repr([policy_of(case) for case in asked])
    assert len(asked) > 5
    assert SECRET_HEADER in repr(policy_of(asked[0]))
    assert SECRET not in shown


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.peer_trusted and not c.report_only][::10],
    ids=lambda c: c.name,
)
def test_second_application_does_nothing(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    """What was decided once is not decided again, by any policy, and that is logged."""
    environ = make_environ(case)
    first = policy_of(case)
    second = ProxyPolicy(headers=["X-Real-IP", "X-Host"], proxies="*", strip="all")
    log.forget()
    decision = first.apply(environ)
    copy = dict(environ)

    with caplog.at_level(logging.WARNING, logger="trustedproxy"):
        again = [second.apply(environ), second.apply(environ)]

    assert environ == copy
    assert all(other is decision for other in again)
    assert sum("applied" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize(
    "names",
    [
        [header.name for header in KNOWN_HEADERS],
        [reason.name for reason in Reason],
        list(CODES),
    ],
    ids=["headers", "reasons", "problems"],
)
def test_page_of_decisions_names(names: list[str]) -> None:
    """``docs/decisions.md`` has a line for each header, reason and problem."""
    page = Path(__file__).parents[1] / "docs" / "decisions.md"
    text = page.read_text("utf-8")

    assert [name for name in names if f"`{name}`" not in text] == []


def test_page_of_attacks_names_each() -> None:
    """``docs/attacks.md`` says what an attacker does, in the words of the table."""
    page = Path(__file__).parents[1] / "docs" / "attacks.md"
    text = page.read_text("utf-8")

    assert [
        id_
        for id_, attack in ATTACKS.items()
        if f"\n| {id_} | {attack.mechanism} | " not in text
    ] == []
