"""
Run a probe: send what is planned, compare, split what is not clear, stop at the bounds.

In:  a target, perhaps a token and the server behind it, and limits.
Out: a `Card`; or a `ProbeError` where nothing can be probed.

Nothing forged is sent before two honest requests were answered, and not by a shared
cache that takes them for one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Protocol

from ..headers import Category
from .cards import Asked, make_card
from .effects import is_failure, is_refusal, list_sent
from .forgeries import Forger
from .plan import Ground, list_honest, list_trials
from .records import (
    DEFAULT_LIMITS,
    Answer,
    Card,
    Effect,
    Kind,
    Limits,
    Trial,
    Trick,
    Way,
)
from .seen import Seen, compare_seen, read_seen
from .signs import ECHO, ECHOED, Signs, compare_signs, read_signs

if TYPE_CHECKING:
    from .targets import Target

#: The parameter that makes every request one of its own, for caches.
PARAMETER = "trustedproxy-probe"
#: How many requests that were refused are split, to see which of their lines it was:
#: of one trial, and in all.
_MOST_SPLITS = 12
_MOST_SPLITS_IN_ALL = 24
#: Failures in a row, no answer or a status from 500 on, after which an honest request
#: shows whether anybody is there.
_MOST_FAILURES = 3


class ProbeError(Exception):
    """Nothing can be probed; the text says why, and what to do."""


class Asks(Protocol):
    """What sends requests: a `trustedproxy.probe.client.Client`."""

    def ask(self, trial: Trial, target: str) -> Answer:
        """Send one request."""
        ...

    def is_local(self) -> bool:
        """Say whether the target is reached from this machine itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What is asked for.

    Attributes:
        target: What is probed.

        client: What asks it.

        by_page: Whether the page of `trustedproxy.report` answers, by a token.

        direct: The server behind it, or ``None``.

        direct_client: What asks that.

        frontend: Which front end it is; empty: the answers may show it.

        limits: What it may cost.
    """

    target: Target
    client: Asks
    by_page: bool = False
    direct: Target | None = None
    direct_client: Asks | None = None
    frontend: str = ""
    limits: Limits = DEFAULT_LIMITS


@dataclass(slots=True)
class Pace:
    """
    How fast it goes.

    Attributes:
        clock: Seconds, from anywhere.

        sleep: Waits so many seconds.

        count: Called with 1 for each request.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    count: Callable[[int], object] = lambda more: None


class _Over(Exception):
    """A bound was reached, or the target does not want any more."""


class _Fallen(_Over):
    """The target fails for honest requests, too, by now."""


@dataclass(frozen=True, slots=True)
class _Note:
    """What a trial showed, and how many requests had been sent by then."""

    sent: int
    trial: Trial
    effect: Effect


def run_probe(
    wanted: Wanted, *, pace: Pace | None = None, random: Random | None = None
) -> Card:
    """
    Probe a deployment.

    Args:
        wanted: What is asked for.

        pace: How fast it goes.

        random: Makes the forged texts.

    Raises:
        ProbeError: Nothing can be probed.
    """
    run = _Run(wanted, pace or Pace(), random or SystemRandom())
    try:
        front = run.begin(Way.FRONT)
    except _Over as error:
        raise ProbeError(str(error)) from None
    run.examine_all(front)
    direct: _Side | None = None
    is_reachable = False
    is_whole = not run.incomplete
    if wanted.direct is not None and is_whole:
        direct, is_reachable = run.begin_direct()
        if direct is not None:
            run.examine_all(direct)
    return make_card(
        Asked(
            target=wanted.target.url,
            direct="" if wanted.direct is None else wanted.direct.where,
            by_page=wanted.by_page,
            is_secure=wanted.target.is_secure,
            frontend=wanted.frontend,
            headers=front.answers[0].headers,
            seen=front.seen,
            visible=front.visible,
            sent=run.sent,
            refused=run.refused,
            is_whole=is_whole,
            is_direct_whole=not run.incomplete,
            is_reachable=is_reachable,
            is_local=run.is_local,
            direct_seen=None if direct is None else direct.seen,
            incomplete=tuple(run.incomplete),
        ),
        [(note.trial, note.effect) for note in run.notes],
    )


@dataclass(slots=True, kw_only=True)
class _Side:
    """One way, and what honest requests that take it are answered with."""

    way: Way
    answers: list[Answer]
    seen: Seen | None = None
    unstable: frozenset[Category] = frozenset()
    signs: tuple[Signs, ...] = ()
    echo: Signs | None = None
    trials: list[Trial] = field(default_factory=list)

    @property
    def visible(self) -> frozenset[Category]:
        """What an answer shows."""
        return frozenset().union(*(each.visible for each in self.signs))


class _Run:
    """One run: what was sent, and what is left of the bounds."""

    def __init__(self, wanted: Wanted, pace: Pace, random: Random) -> None:
        self._wanted = wanted
        self._pace = pace
        self._random = random
        self._forgers = _make_forgers(wanted.target, random)
        self._began = pace.clock()
        self._last = float("-inf")
        self._failures = 0
        # Of the first of the failures in a row: its number, and how many were refused.
        self._first_failure = 0, 0
        self._splits = 0
        self._splits_in_all = 0
        self.sent = 0
        self.refused = 0
        self.is_local = False
        self.notes: list[_Note] = []
        self.incomplete: list[str] = []

    # -- honest requests ---------------------------------------------------------------

    def begin(self, way: Way) -> _Side:
        """Ask honestly, and plan what follows."""
        answers = [self._send(replace(t, way=way)) for t in list_honest()]
        for answer in answers:
            if answer.failure:
                name = self._name(way)
                raise _Unreachable(f"{name} cannot be probed: {answer.failure}.")
            if answer.status >= 500:
                name = self._name(way)
                raise ProbeError(f"{name} answers {answer.status} to honest requests.")
            if answer.status == 429:
                raise ProbeError(f"{self._name(way)} answers 429: try again later.")
            if _is_cached(answer):
                raise ProbeError(_CACHED)
        return self._plan(_Side(way=way, answers=answers))

    def begin_direct(self) -> tuple[_Side | None, bool]:
        """Ask the server behind; say whether it can be reached at all."""
        asks = self._wanted.direct_client
        assert asks is not None
        self.is_local = asks.is_local()
        try:
            return self.begin(Way.DIRECT), True
        except _Unreachable:
            return None, False
        except (ProbeError, _Over) as error:
            self.incomplete.append(f"The server behind was not probed: {error}")
            return None, not isinstance(error, _Over)

    def _plan(self, side: _Side) -> _Side:
        target = self._target(side.way)
        trusted: dict[str, Category] = {}
        forger, also = self._forgers
        if self._wanted.by_page:
            self._read_page(side)
            assert side.seen is not None
            trusted = dict(side.seen.listed)
            if side.seen.after[Category.SCHEME] == forger.scheme:
                # The application has another opinion than the front end.
                forger = also or forger
            also = None
        else:
            side.signs = tuple(read_signs(each, target.host) for each in side.answers)
            echo = self._send(Trial(trick=Trick.HONEST, way=side.way, lines=_ECHO))
            side.echo = read_signs(echo, target.host)
        ground = Ground(
            target=target,
            forger=forger,
            also=also,
            trusted=trusted,
            address_rule=side.answers[0].status in (401, 403, 404),
        )
        side.trials = list_trials(ground, side.way)
        return side

    def _read_page(self, side: _Side) -> None:
        """Read what the page says of the honest requests."""
        read = [read_seen(answer) for answer in side.answers]
        first, second = read[0], read[1]
        if first is None or second is None:
            name = self._name(side.way)
            raise ProbeError(f"{name}: {_describe_other_answer(side.answers[0])}")
        side.seen = first
        side.unstable = frozenset(
            category for category in Category if _differ(first, second, category)
        )

    # -- trials ------------------------------------------------------------------------

    def examine_all(self, side: _Side) -> None:
        """Send all trials of one way, as far as the bounds allow."""
        for number, trial in enumerate(side.trials):
            self._splits = 0
            try:
                self._examine(trial, side)
            except _Over as error:
                if isinstance(error, _Fallen):
                    self._forget_failures()
                left = len(side.trials) - number
                self.incomplete.append(
                    f"{error} {left} of the planned requests were not sent, or not to "
                    "the end."
                )
                return
        self._ask_at_the_end(side)

    def _ask_at_the_end(self, side: _Side) -> None:
        """
        Ask honestly once more, where else the last answers may mean nothing.

        A token that has run out is refused whatever is sent, and a target that has
        fallen over fails.
        """
        has_token = side.seen is not None
        if not has_token and not self._failures:
            return
        try:
            answer = self._send(Trial(trick=Trick.HONEST, way=side.way))
        except _Over as error:
            what = (
                "Whether the token was still good"
                if has_token
                else "Whether the target still answered"
            )
            self.incomplete.append(f"{error} {what} was not asked.")
            return
        if _has_failed(answer):
            self._forget_failures()
            self.incomplete.append(_describe_failure(answer))
        elif has_token and read_seen(answer) is None:
            self.incomplete.append(
                "The page does not answer any more: the token may have run out in "
                "between, and what was refused then may be open."
            )

    def _forget_failures(self) -> None:
        """Forget what was seen since the failures began: no header has done that."""
        first, self.refused = self._first_failure
        self.notes = [note for note in self.notes if note.sent < first]

    def _examine(self, trial: Trial, side: _Side) -> None:
        """Send a trial; where it is not clear which line did something, its halves."""
        answer = self._send(trial)
        effects = self._judge(trial, side, answer)
        self.refused += any(effect.kind is Kind.REFUSED for effect in effects)
        unclear = [e for e in effects if self._is_unclear(trial, e)]
        sent = self.sent
        self.notes += [_Note(sent, trial, e) for e in effects if e not in unclear]
        if not unclear:
            return
        self._count_split(unclear)
        start = len(self.notes)
        try:
            for half in _split(trial):
                self._examine(half, side)
        finally:
            found = {(n.effect.kind, n.effect.category) for n in self.notes[start:]}
            # Two lines may do together what neither does alone.
            self.notes += [
                _Note(sent, trial, e)
                for e in unclear
                if e.kind is not Kind.REFUSED and (e.kind, e.category) not in found
            ]

    def _is_unclear(self, trial: Trial, effect: Effect) -> bool:
        if len(trial.forgeries) < 2 or effect.header:
            return False
        if effect.kind is not Kind.REFUSED:
            return True
        most = self._splits_in_all < _MOST_SPLITS_IN_ALL
        return most and self._splits < _MOST_SPLITS

    def _count_split(self, unclear: Sequence[Effect]) -> None:
        if all(effect.kind is Kind.REFUSED for effect in unclear):
            self._splits += 1
            self._splits_in_all += 1

    def _judge(self, trial: Trial, side: _Side, answer: Answer) -> list[Effect]:
        if side.seen is None:
            host = self._target(side.way).host
            now = read_signs(answer, host)
            return compare_signs(trial, side.signs, side.echo, now)
        seen = read_seen(answer)
        if seen is not None:
            effects = compare_seen(trial, side.seen, seen, side.unstable)
            if any(e.kind is Kind.SERVED for e in effects) and self._is_refused(trial):
                return [Effect(kind=Kind.REFUSED)]
            return effects
        return [_judge_other_answer(trial, side.answers[0], answer)]

    def _is_refused(self, trial: Trial) -> bool:
        """
        Say whether the application refuses a host, which the page does not.

        The page answers those who have a token before the application is asked.
        """
        bare = Trial(trick=Trick.HONEST, way=trial.way, has_token=False)
        honest = self._send(bare)
        return is_refusal(honest, self._send(replace(trial, has_token=False)))

    # -- sending -----------------------------------------------------------------------

    def _send(self, trial: Trial) -> Answer:
        """Send one request, at its time; stop where a bound is reached."""
        self._check_bounds()
        self._wait()
        answer = self._ask(trial)
        if answer.status == 429 and trial.trick is not Trick.HONEST:
            raise _Over("The target answered 429, too many requests: ask less often.")
        if not _has_failed(answer):
            self._failures = 0
            return answer
        if self._failures == 0:
            self._first_failure = self.sent, self.refused
        self._failures += 1
        if self._failures >= _MOST_FAILURES and trial.trick is not Trick.HONEST:
            self._check_bounds()
            self._wait()
            honest = self._ask(Trial(trick=Trick.HONEST, way=trial.way))
            if _has_failed(honest):
                raise _Fallen(_describe_failure(honest))
            self._failures = 0
        return answer

    def _ask(self, trial: Trial) -> Answer:
        wanted = self._wanted
        asks = wanted.client if trial.way is Way.FRONT else wanted.direct_client
        assert asks is not None
        own = f"{PARAMETER}={self._random.getrandbits(64):016x}"
        self.sent += 1
        answer = asks.ask(trial, self._target(trial.way).write_target([own]))
        self._pace.count(1)
        return answer

    def _check_bounds(self) -> None:
        limits = self._wanted.limits
        if self.sent >= limits.most_requests:
            raise _Over(f"The bound of {limits.most_requests} requests was reached.")
        if self._pace.clock() - self._began > limits.most_seconds:
            raise _Over(f"The bound of {limits.most_seconds:g} seconds was reached.")

    def _wait(self) -> None:
        pause = self._last + 1 / self._wanted.limits.a_second - self._pace.clock()
        if pause > 0:
            self._pace.sleep(pause)
        self._last = self._pace.clock()

    def _target(self, way: Way) -> Target:
        if way is Way.DIRECT:
            assert self._wanted.direct is not None
            return self._wanted.direct
        return self._wanted.target

    def _name(self, way: Way) -> str:
        target = self._target(way)
        return target.url if way is Way.FRONT else target.where


def _has_failed(answer: Answer) -> bool:
    """Say whether nobody answered, or a server that fails."""
    return bool(answer.failure) or (answer.status >= 500 and answer.status != 501)


def _describe_failure(honest: Answer) -> str:
    if honest.failure:
        return "The target does not answer any more."
    return f"The target answers {honest.status} to honest requests, too, by now."


def _split(trial: Trial) -> tuple[Trial, Trial]:
    """Split the forged lines of a trial in two."""
    middle = len(trial.forgeries) // 2
    return (
        replace(trial, forgeries=trial.forgeries[:middle]),
        replace(trial, forgeries=trial.forgeries[middle:]),
    )


class _Unreachable(ProbeError):
    """Nobody answers there."""


_ECHO = ((ECHO, ECHOED),)
_CACHED = (
    "The answer comes from a shared cache that does not look at the query. A forged "
    "answer could stay there for others, so nothing forged is sent. Probe a path that "
    "is not cached, such as the page with a token."
)
#: What an answer says that comes from a cache: header, and how its value begins.
_HITS = (
    ("X-Cache", "hit"),
    ("X-Cache-Status", "hit"),
    ("CF-Cache-Status", "hit"),
    ("X-Proxy-Cache", "hit"),
)


def _is_cached(answer: Answer) -> bool:
    """Say whether a cache answered, for a query that nobody has asked before."""
    ages = [age for age in answer.list_values("Age") if age.strip().isdecimal()]
    if any(int(age) > 0 for age in ages):
        return True
    if any(len(ids.split()) > 1 for ids in answer.list_values("X-Varnish")):
        return True
    return any(
        value.strip().lower().startswith(begins)
        for name, begins in _HITS
        for value in answer.list_values(name)
    )


def _differ(first: Seen, second: Seen, category: Category) -> bool:
    return first.after.get(category) != second.after.get(category)


def _describe_other_answer(answer: Answer) -> str:
    """Say what to do where the page does not answer."""
    where = next(iter(answer.list_values("Location")), "")
    if 300 <= answer.status < 400:
        return f"it redirects to {where!r}: give the address of the page itself."
    if answer.status == 403:
        return (
            "the token is refused: tokens are good for minutes and for one run. Make a "
            "new one."
        )
    if answer.status == 404:
        return "there is no page at this path: give the address of the page."
    return (
        f"it answers {answer.status}, and not what the page of trustedproxy answers "
        "to a probe's token: give the address of the page."
    )


def _judge_other_answer(trial: Trial, honest: Answer, answer: Answer) -> Effect:
    """Judge an answer that is not the page's, though the honest one was."""
    seen = f"status {answer.status}"
    if is_failure(honest, answer):
        kind = Kind.FAILED
    elif _reroutes(trial, answer):
        forgery = trial.forgeries[0]
        return Effect(
            kind=Kind.TAKEN,
            category=Category.OTHER,
            header=forgery.header,
            sent=list_sent(trial, forgery),
            seen=seen,
        )
    elif is_refusal(honest, answer) or trial.hosts is not None:
        kind = Kind.REFUSED
    else:
        kind = Kind.CHANGED
    return Effect(kind=kind, sent=list_sent(trial, None), seen=seen)


def _reroutes(trial: Trial, answer: Answer) -> bool:
    alone = len(trial.forgeries) == 1
    asks = alone and Category.OTHER in trial.forgeries[0].marks
    return asks and answer.status in (404, 405, 501)


def _make_forgers(target: Target, random: Random) -> tuple[Forger, Forger | None]:
    """Make what forges the scheme that is not spoken, and the one that is."""
    schemes = ("http", "https") if target.is_secure else ("https", "http")
    first, second = (Forger(scheme, random) for scheme in schemes)
    return first, second


def plan_all(wanted: Wanted, random: Random | None = None) -> Sequence[Trial]:
    """List everything that is planned, as far as it is known before it is sent."""
    chance = random or SystemRandom()
    forger, also = _make_forgers(wanted.target, chance)
    planned = list_honest()
    # The page is asked at the end whether the token is still good.
    lines = () if wanted.by_page else _ECHO
    planned.append(Trial(trick=Trick.HONEST, lines=lines))
    also = None if wanted.by_page else also
    planned += list_trials(Ground(target=wanted.target, forger=forger, also=also))
    if wanted.direct is not None:
        planned += [
            replace(trial, way=Way.DIRECT)
            for trial in planned
            if trial.trick is Trick.HONEST
        ]
        ground = Ground(target=wanted.direct, forger=forger, also=also)
        planned += list_trials(ground, Way.DIRECT)
    return planned
