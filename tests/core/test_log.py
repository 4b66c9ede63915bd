"""
What is told in the log, and how often.

In:  problems and notices, and a clock that stands still until it is set.
Out: records of the logger ``trustedproxy``.
"""

from __future__ import annotations

import logging

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
    """Put the clock into the hands of the test; nothing was told before."""
    log.forget()
    clock = Clock()
    monkeypatch.setattr(log, "monotonic", clock)
    return clock


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="trustedproxy")


def test_notice_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A key is told once a process, however often, until all is forgotten."""
    for _ in range(3):
        log.tell_once("key", "said of %s", "one")
        clock.now += 1000 * log.INTERVAL
    log.tell_once("another", "said of %s", "two")
    log.forget()
    log.tell_once("key", "said of %s", "three")

    assert [r.getMessage() for r in caplog.records] == [
        "said of one",
        "said of two",
        "said of three",
    ]
    assert {(r.name, r.levelname) for r in caplog.records} == {
        ("trustedproxy", "WARNING")
    }


def test_problem_is_told_once_a_minute_for_a_code_and_peer(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Within a minute, the same code from the same peer is told once."""
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
        log.tell_problems(problems, peer)

    told = [record.getMessage() for record in caplog.records]
    assert [("malformed" in text, text.rpartition(" ")[2]) for text in told] == [
        (True, "'10.0.0.1'"),
        (False, "'10.0.0.1'"),
        (True, "'10.0.0.2'"),
        (True, "'10.0.0.1'"),
        (True, "None"),
    ]


@pytest.mark.parametrize("code", CODES)
def test_problem_is_told_with_all_it_has(
    code: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Code, meaning, header, value and peer are in the record; the rest is `repr`."""
    log.tell_problems((Problem(code, "X-Real-IP", "a\r\nb"),), "evil\n")

    [record] = caplog.records
    assert record.getMessage() == (
        f"{CODES[code]} ({code}): header X-Real-IP, value 'a\\r\\nb', "
        "from peer 'evil\\n'"
    )


def test_what_was_told_is_remembered_within_bounds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many peers there are, the memo does not grow."""
    monkeypatch.setattr(log, "_MOST", 3)

    due = [log.is_due("malformed", f"10.0.0.{n}") for n in range(10)]

    assert all(due)
    assert 0 < len(log._last) <= 3
    assert not log.is_due("malformed", "10.0.0.9")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("short", "'short'"),
        ("a\nb", "'a\\nb'"),
        (None, "None"),
        ("x" * 120, repr("x" * 120)),
        ("x" * 121, repr("x" * 120) + "… (121 characters)"),
        ("\n" * 5000, repr("\n" * 120) + "… (5000 characters)"),
    ],
)
def test_untrusted_text_is_shown_escaped_and_shortened(
    value: object, shown: str
) -> None:
    """Nothing that a client sends can write a line of its own into the log."""
    assert log.shorten(value) == shown


def test_everything_is_due_after_all_was_forgotten(clock: Clock) -> None:
    """As after a start."""
    assert log.is_due("malformed", "10.0.0.1")
    assert not log.is_due("malformed", "10.0.0.1")

    log.forget()

    assert log.is_due("malformed", "10.0.0.1")


def test_interval_is_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A line a minute for a code and peer; `tell` and `tell_problems` share it."""
    problem = Problem("missing", "X-Forwarded-For")
    for seconds in range(0, 181, 20):
        clock.now = 1000.0 + seconds
        log.tell("missing", "10.0.0.1", "told at %s", seconds)
        log.tell_problems((problem,), "10.0.0.1")

    assert [r.getMessage() for r in caplog.records] == [
        f"told at {seconds}" for seconds in (0, 60, 120, 180)
    ]
