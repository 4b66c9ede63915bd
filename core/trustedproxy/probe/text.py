"""
A plan and a report card, as plain text.

In:  trials, or a `Card`.
Out: text for a pipe, a log, a mail.

Texts of the target are shown through `repr` or in the lines that were sent, so that
nothing in them steers a terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .records import Limits, Severity, Trick, Verdict, Way

if TYPE_CHECKING:
    from .records import Card, Finding, Remedy, Trial
    from .targets import Target

_MEANINGS = {
    Trick.HONEST: "to compare with",
    Trick.HEADER: "headers that say who the client is and what it asked for, forged",
    Trick.CASE: "the same in other capitals",
    Trick.TWICE: "the same on two lines each",
    Trick.VALUE: "values that a careless reader takes for something else",
    Trick.VARIANT: "names with underscores for hyphens",
    Trick.CONNECTION: "a Connection header that asks proxies to remove others",
    Trick.UPGRADE: "an Upgrade header that asks for a protocol of nobody's",
    Trick.HOST: "hosts that are not the target's",
    Trick.HOSTS: "the target's own and another one, in either order",
}


def count_tricks(trials: Sequence[Trial]) -> list[tuple[Way, Trick, int, str]]:
    """Count the planned requests: way, trick, how many, and what they are, in words."""
    counts = Counter((trial.way, trial.trick) for trial in trials)
    return [(way, trick, n, _MEANINGS[trick]) for (way, trick), n in counts.items()]


def write_plan(
    target: Target,
    address: str,
    trials: Sequence[Trial],
    limits: Limits,
    *,
    direct: Target | None = None,
) -> str:
    """
    Write what will be sent.

    Args:
        target: Where to.

        address: The address that its name was resolved to.

        trials: What is planned.

        limits: What it may cost.

        direct: The server behind it, or ``None``.
    """
    lines = [f"Target: {target.url}, at {address}"]
    if direct is not None:
        lines.append(f"The server behind it: {direct.where}")
    lines.append(f"Planned are {len(trials)} GET requests without a body:")
    for way, trick, count, meaning in count_tricks(trials):
        direction = f" {way}" if direct is not None else ""
        lines.append(f"  {count:3} x {trick}{direction}: {meaning}")
    lines += [
        "What an answer leaves open is asked again in parts.",
        f"At most {limits.most_requests} are sent, {limits.a_second:g} a second, for "
        f"{limits.most_seconds:g} seconds.",
        "Each has a query of its own. No redirect is followed, and nobody else is "
        "asked.",
    ]
    return "\n".join(lines)


def write_card(card: Card) -> str:
    """Write a report card."""
    return "\n".join(_list_lines(card))


def _list_lines(card: Card) -> Iterator[str]:
    yield f"Report card of {card.target}"
    yield f"  {describe_run(card)}"
    yield ""
    width = max(len(subject.name) for subject in card.subjects)
    for subject in card.subjects:
        note = f" ({subject.note})" if subject.note else ""
        yield f"  {subject.name:<{width}}  {subject.verdict}{note}"
    for finding in card.findings:
        if finding.severity is not Severity.NOTE:
            yield ""
            yield from _write_finding(finding)
    yield ""
    for finding in card.findings:
        if finding.severity is Severity.NOTE:
            yield f"note: {finding.title} {describe_how(finding)} ({finding.code})"
    for sentence in card.incomplete:
        yield f"Incomplete: {sentence}"
    yield summarize(card)


def describe_run(card: Card) -> str:
    """Say how it was found out, in a sentence or two."""
    by = (
        "The application itself said what it saw."
        if card.seen_by == "page"
        else "Judged by what the answers show: redirects, cookies, links, texts."
    )
    guess = " (a guess, from its answers)" if card.frontend_is_guess else ""
    front = f" The front end is {card.frontend}{guess}." if card.frontend else ""
    return f"{card.sent} requests, {card.refused} of them refused. {by}{front}"


def _write_finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity}: {finding.title} ({finding.code})"
    yield f"  {describe_how(finding)}"
    yield f"  {finding.means}"
    for evidence in finding.evidence:
        yield f"    sent  {shorten_lines(evidence.sent)}"
        yield f"    seen  {make_visible(evidence.seen)}"
    for remedy in finding.remedies:
        yield from _write_remedy(remedy)


def describe_how(finding: Finding) -> str:
    """Say by which trick and which way, and name the headers."""
    more = len(finding.headers) - _MOST_NAMES
    shown = ", ".join(finding.headers[:_MOST_NAMES])
    names = f": {shown}" if shown else ""
    if more > 0:
        names += f" and {more} more"
    return f"By {finding.trick}, {finding.way}{names}."


def _write_remedy(remedy: Remedy) -> Iterator[str]:
    guess = " (a guess)" if remedy.guess and remedy.lines else ""
    page = f" [{remedy.page}]" if remedy.page else ""
    yield f"  {remedy.where}{guess}: {remedy.text}{page}"
    for line in remedy.lines:
        yield f"      {line}"


def shorten_lines(lines: Sequence[str], most: int = 2) -> str:
    """Show a few header lines."""
    shown = "; ".join(make_visible(line) for line in lines[:most])
    return f"{shown}; and {len(lines) - most} more" if len(lines) > most else shown


def make_visible(text: str) -> str:
    """Show *text* so that it is one line and steers no terminal."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)


_LONGEST = 200
_MOST_NAMES = 6


def summarize(card: Card) -> str:
    """Say how it came out, in a sentence."""
    open_ones = [one for one in card.findings if one.severity > 0]
    if open_ones:
        count = len(open_ones)
        return (
            f"{count} {'thing' if count == 1 else 'things'} got through; the worst is "
            f"{card.worst}."
        )
    if card.incomplete:
        return "Nothing that was tried got through."
    if any(subject.verdict is Verdict.UNSEEN for subject in card.subjects):
        return "Nothing that can be seen in the answers got through."
    return "Nothing got through."
