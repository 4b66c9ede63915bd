"""
What is logged, and how often.

In:  problems and mistakes, and a clock that stands still until it is set.
Out: records of the logger ``trustedproxy``.
"""

from __future__ import annotations

import logging
import sys

import pytest

from trustedproxy import Problem, log
from trustedproxy.decision import CODES


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put the clock into the hands of the test; nothing was logged before."""
    log.forget()
    clock = Clock()
    monkeypatch.setattr(log, "monotonic", clock)
    return clock


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="trustedproxy")


def read_messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Read the messages that were logged, without the project's name before them."""
    return [r.getMessage().removeprefix("trustedproxy: ") for r in caplog.records]


def read_extras(record: logging.LogRecord) -> dict[str, object]:
    """Read what a filter or a formatter finds in a record."""
    return {name: getattr(record, name) for name in ("code", "header", "peer")}


# -- once a process --------------------------------------------------------------------


def test_mistake_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Once a process, however often, until all is forgotten; and at WARNING."""
    for _ in range(3):
        log.warn_once("code", "said of %s", "one")
        clock.now += 1000 * log.INTERVAL
    log.warn_once("another", "said of %s", "two")
    log.forget()
    log.warn_once("code", "said of %s", "three")

    assert read_messages(caplog) == ["said of one", "said of two", "said of three"]
    assert {(r.name, r.levelname) for r in caplog.records} == {
        ("trustedproxy", "WARNING")
    }


def test_mistake_is_logged_once_for_each_peer(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a peer is named; the record has code, header and peer as attributes."""
    for peer in ("10.0.0.1", "10.0.0.2", "10.0.0.1", ""):
        log.warn_once("code", "of %s", peer, header="X-Real-IP", peer=peer)

    assert [read_extras(record) for record in caplog.records] == [
        {"code": "code", "header": "X-Real-IP", "peer": peer}
        for peer in ("10.0.0.1", "10.0.0.2", "")
    ]


# -- once a minute ---------------------------------------------------------------------


def test_problem_is_logged_once_a_minute_for_a_code_and_peer(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Within a minute, the same code from the same peer is logged once."""
    malformed = Problem("malformed", "X-Forwarded-For", "garbage")
    missing = Problem("missing", "X-Forwarded-For")

    for seconds, peer, problems in [
        (0, "10.0.0.1", (malformed, missing)),
        (1, "10.0.0.1", (malformed, malformed)),
        (1, "10.0.0.2", (malformed,)),
        (59.9, "10.0.0.1", (missing,)),
        (60, "10.0.0.1", (malformed,)),
        (60, None, (malformed,)),
    ]:
        clock.now = 1000 + seconds
        log.log_problems(problems, peer)

    assert [read_extras(record) for record in caplog.records] == [
        {"code": code, "header": "X-Forwarded-For", "peer": peer}
        for code, peer in [
            ("malformed", "10.0.0.1"),
            ("missing", "10.0.0.1"),
            ("malformed", "10.0.0.2"),
            ("malformed", "10.0.0.1"),
            ("malformed", None),
        ]
    ]


@pytest.mark.parametrize("code", CODES)
def test_problem_is_logged_with_all_it_has(
    code: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Project, meaning, code, header, value and peer; untrusted text by `repr`."""
    log.log_problems((Problem(code, "X-Real-IP", "a\r\nb"),), "evil\n")

    [record] = caplog.records
    assert record.getMessage() == (
        f"trustedproxy: {CODES[code]} ({code}): header X-Real-IP, value 'a\\r\\nb', "
        "from peer 'evil\\n'"
    )
    assert read_extras(record) == {
        "code": code,
        "header": "X-Real-IP",
        "peer": "evil\n",
    }


def test_interval_is_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A record a minute for a code and peer; `warn` and `log_problems` share it."""
    problem = Problem("missing", "X-Forwarded-For")
    for seconds in range(0, 181, 20):
        clock.now = 1000.0 + seconds
        log.warn("missing", "10.0.0.1", "at %s", seconds, header="X-Forwarded-For")
        log.log_problems((problem,), "10.0.0.1")

    assert read_messages(caplog) == [f"at {seconds}" for seconds in (0, 60, 120, 180)]
    assert read_extras(caplog.records[0]) == {
        "code": "missing",
        "header": "X-Forwarded-For",
        "peer": "10.0.0.1",
    }


def test_everything_is_due_after_all_was_forgotten(clock: Clock) -> None:
    """As after a start."""
    assert log.is_due("malformed", "10.0.0.1")
    assert not log.is_due("malformed", "10.0.0.1")

    log.forget()

    assert log.is_due("malformed", "10.0.0.1")


# -- the bound over all peers ----------------------------------------------------------


def test_records_are_bounded_over_all_peers(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """H-14: of 100,000 peers a minute, few are logged, and the rest are counted."""
    for number in range(100_000):
        log.warn("malformed", f"peer {number}", "from %s", number)
    in_the_flood = len(caplog.records)
    clock.now += log.INTERVAL
    log.warn("malformed", "peer 1", "from %s", 1)

    assert in_the_flood == log.MOST_RECORDS
    counted, last = caplog.records[-2:]
    assert counted.getMessage() == (
        "trustedproxy: 99900 records were left out, since there were more than 100 in "
        "60 seconds"
    )
    assert read_extras(counted) == {"code": "left-out", "header": None, "peer": None}
    assert last.getMessage() == "trustedproxy: from 1"


def test_bound_holds_for_what_is_logged_once_too(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake for each of very many peers is as good as a problem of each."""
    for number in range(10 * log.MOST_RECORDS):
        log.warn_once("code", "said", peer=f"peer {number}")

    assert len(caplog.records) == log.MOST_RECORDS


def test_mistake_that_was_left_out_is_logged_later(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Strangers who use the bound up cannot keep an operator's mistake out for good."""
    for number in range(log.MOST_RECORDS):
        log.warn("named-in-connection", f"stranger {number}", "of %s", number)
    log.warn_once("mistake", "said of %s", "one")
    clock.now += log.INTERVAL
    for _ in range(2):
        log.warn_once("mistake", "said of %s", "one")

    assert read_messages(caplog)[log.MOST_RECORDS :] == [
        "1 records were left out, since there were more than 100 in 60 seconds",
        "said of one",
    ]


def test_nothing_is_said_of_records_that_were_not_left_out(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Just as many as the bound allows, minute after minute, are all there."""
    for minute in range(3):
        clock.now = 1000.0 + minute * log.INTERVAL
        for number in range(log.MOST_RECORDS):
            log.warn("malformed", f"peer {number}", "from %s", number)

    assert len(caplog.records) == 3 * log.MOST_RECORDS
    assert not any("left out" in message for message in read_messages(caplog))


def test_what_is_kept_of_peers_is_bounded(clock: Clock) -> None:
    """Neither what is logged once nor what is logged once a minute grows."""

    def measure() -> int:
        return sum(
            sys.getsizeof(kept)
            for kept in vars(log).values()
            if isinstance(kept, (dict, set)) and kept is not vars(log)["__builtins__"]
        )

    sizes = set()
    for number in range(5_000):
        # So seldom that none is left out.
        clock.now += log.INTERVAL / 10
        log.is_due("malformed", f"peer {number}")
        log.warn_once("code", "said", peer=f"peer {number}")
        sizes.add(measure())

    assert max(sizes) < 200_000
    clock.now += log.INTERVAL
    assert log.is_due("malformed", "peer 5000")
    assert not log.is_due("malformed", "peer 5000")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("short", "'short'"),
        ("a\nb", "'a\\nb'"),
        (None, "None"),
        ("x" * 120, repr("x" * 120)),
        ("x" * 121, repr("x" * 120) + "… (121 characters)"),
        ("\n" * 5000, repr("\n" * 120) + "… (5000 characters)"),
        (["x"] * 3, "['x', 'x', 'x']"),
        (["x" * 200], "['" + "x" * 118 + "… (204 characters)"),
        (ValueError("x" * 5000), "ValueError('" + "x" * 108 + "… (5014 characters)"),
    ],
)
def test_untrusted_text_is_shown_escaped_and_shortened(
    value: object, shown: str
) -> None:
    """Nothing that a client sends can write a line of its own into the log."""
    assert log.shorten(value) == shown
