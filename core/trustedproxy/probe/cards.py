"""
Put the report card together.

In:  what was asked, and everything that was observed.
Out: a `Card`: a verdict for each subject, the findings, what was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..headers import Category
from .findings import list_findings, make_reachable
from .front_end_lines import guess_frontend
from .records import Card, Finding, Severity, Subject, Trick, Verdict, Way
from .remedies import Situation

if TYPE_CHECKING:
    from .findings import Observed
    from .records import Line
    from .seen import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    What was asked, and what honest requests were answered with.

    Attributes:
        target, direct: As of `Card`.

        by_page: Whether the application itself said what it saw.

        is_secure: Whether TLS was spoken.

        frontend: Which front end it is; empty: the answers may show it.

        headers: The header lines of an honest answer.

        seen: What the application saw of an honest request, if it said so.

        visible: What of a request an honest answer shows.

        sent, refused, incomplete: As of `Card`.

        is_whole: Whether all trials through the front end were sent and could be
            judged, so that what showed nothing is closed.

        is_direct_whole: The same of those past it, or that nobody answers there.

        is_reachable: Whether the server behind answered.

        is_local: Whether it was asked from the same machine.

        direct_seen: What the application saw of an honest direct request.
    """

    target: str
    direct: str
    by_page: bool
    is_secure: bool
    frontend: str
    headers: tuple[Line, ...]
    seen: Seen | None
    visible: frozenset[Category]
    sent: int
    refused: int
    is_whole: bool
    is_direct_whole: bool
    is_reachable: bool
    is_local: bool
    direct_seen: Seen | None
    incomplete: tuple[str, ...]


def make_card(asked: Asked, observed: Sequence[Observed]) -> Card:
    """Put the card together."""
    guess = guess_frontend(asked.headers)
    frontend = asked.frontend or guess
    situation = Situation(
        frontend=frontend,
        is_guess=not asked.frontend,
        is_secure=asked.is_secure,
        has_policy=asked.seen is not None and bool(asked.seen.listed),
        trusts_everybody=_trusts_everybody(asked.direct_seen or asked.seen),
        reason="" if asked.seen is None else asked.seen.reason,
        is_local=asked.is_local,
    )
    findings = list_findings(observed, situation)
    has_direct = any(one.way is Way.DIRECT for one in findings)
    if asked.is_reachable and not has_direct:
        findings = (*findings, make_reachable(situation))
    return Card(
        target=asked.target,
        direct=asked.direct,
        seen_by="page" if asked.by_page else "answers",
        frontend=frontend,
        frontend_is_guess=bool(frontend) and not asked.frontend,
        sent=asked.sent,
        refused=asked.refused,
        subjects=tuple(_list_subjects(asked, findings)),
        findings=findings,
        incomplete=asked.incomplete,
    )


def _trusts_everybody(seen: Seen | None) -> bool:
    return seen is not None and seen.peer_trusted and not seen.entry


#: What a line of the card is called, and what of a request it is about.
_CATEGORIES = (
    ("the client's address", Category.CLIENT),
    ("the scheme", Category.SCHEME),
    ("the host", Category.HOST),
    ("the port", Category.PORT),
    ("the mount point", Category.MOUNT_POINT),
    ("the path", Category.OTHER),
)
#: The same by what was tried, and what has to be visible for a verdict.
_TRICKS = (
    ("names with underscores", Trick.VARIANT, Category),
    ("the Connection header", Trick.CONNECTION, (Category.SCHEME,)),
    ("other protocols", Trick.UPGRADE, ()),
)
_UNSEEN = "nothing in the answers shows it: use the page and a token"
_UNTRIED = "or not all of it: the run is incomplete"


def _list_subjects(asked: Asked, findings: tuple[Finding, ...]) -> Iterator[Subject]:
    open_ones = [one for one in findings if one.severity > Severity.NOTE]
    front = [one for one in open_ones if one.way is Way.FRONT]
    for name, category in _CATEGORIES:
        is_open = any(str(category) in one.categories for one in front)
        # Another page has another status.
        visible = asked.by_page or category in {*asked.visible, Category.OTHER}
        note = _compare_schemes(asked) if category is Category.SCHEME else ""
        yield _judge(asked, name, is_open=is_open, visible=visible, note=note)
    for name, trick, needs in _TRICKS:
        is_open = any(one.trick is trick for one in front)
        shown = any(category in asked.visible for category in needs)
        yield _judge(asked, name, is_open=is_open, visible=asked.by_page or shown)
    yield _judge_direct(asked, open_ones)


def _compare_schemes(asked: Asked) -> str:
    """Say that the application takes https for http, the commonest complaint."""
    if asked.seen is None or not asked.is_secure:
        return ""
    scheme = asked.seen.after[Category.SCHEME]
    return "" if scheme == "https" else f"but the application sees {scheme} over TLS"


def _judge(
    asked: Asked, name: str, *, is_open: bool, visible: bool, note: str = ""
) -> Subject:
    if is_open:
        return Subject(name=name, verdict=Verdict.OPEN, note=note)
    if not visible:
        return Subject(name=name, verdict=Verdict.UNSEEN, note=_UNSEEN)
    if not asked.is_whole:
        return Subject(name=name, verdict=Verdict.UNTRIED, note=note or _UNTRIED)
    return Subject(name=name, verdict=Verdict.CLOSED, note=note)


def _judge_direct(asked: Asked, open_ones: Sequence[Finding]) -> Subject:
    name = "the server behind it"
    if not asked.direct:
        return Subject(name=name, verdict=Verdict.UNTRIED, note="say --direct")
    if any(one.way is Way.DIRECT for one in open_ones):
        return Subject(name=name, verdict=Verdict.OPEN)
    if not asked.is_direct_whole:
        return Subject(name=name, verdict=Verdict.UNTRIED, note=_UNTRIED)
    note = "" if asked.is_reachable else "it cannot be reached from here"
    return Subject(name=name, verdict=Verdict.CLOSED, note=note)
