"""
What got through, how bad that is, and what a client gains.

In:  the `Effect` records of all trials.
Out: `Finding` records, the worst first; effects of one kind are one finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..headers import Category
from .records import Effect, Evidence, Finding, Kind, Severity, Trick, Way
from .remedies import Situation, find_remedies

if TYPE_CHECKING:
    from .records import Trial

#: How many requests are shown for a finding.
_MOST_EVIDENCE = 3


@dataclass(frozen=True, slots=True)
class Row:
    """How bad an effect is: its code, the sentence for it, what a client gains."""

    code: str
    severity: Severity
    title: str
    means: str


_HIGH, _MEDIUM, _LOW, _NOTE = (
    Severity.HIGH,
    Severity.MEDIUM,
    Severity.LOW,
    Severity.NOTE,
)

#: A forged value is taken for the truth, or another page comes back.
_TAKEN: Mapping[Category, Row] = {
    Category.CLIENT: Row(
        "client-forged",
        _HIGH,
        "The client's address can be forged.",
        "Anybody can be any client: bans, rate limits, logs and rules for addresses "
        "are worth nothing.",
    ),
    Category.SCHEME: Row(
        "scheme-forged",
        _HIGH,
        "The scheme can be forged.",
        "A client decides whether a request counts as secure: redirects to https, "
        "links and cookies follow it.",
    ),
    Category.HOST: Row(
        "host-forged",
        _HIGH,
        "The host can be forged.",
        "Links, redirects and password-reset mails lead to a host of the client's "
        "choice; a shared cache may keep them for others.",
    ),
    Category.SERVER: Row(
        "server-forged",
        _LOW,
        "The server's name can be forged.",
        "Where there is no host, URLs are made of it.",
    ),
    Category.PORT: Row(
        "port-forged",
        _MEDIUM,
        "The port can be forged.",
        "URLs lead to a port of the client's choice; a shared cache may keep them.",
    ),
    Category.MOUNT_POINT: Row(
        "mount-point-forged",
        _HIGH,
        "The mount point can be forged.",
        "Links and redirects begin with what the client wants, and rules for paths "
        "may be passed.",
    ),
    Category.OTHER: Row(
        "path-forged",
        _HIGH,
        "Another page is served than the one that was asked for.",
        "What the front end allows or forbids for a path is worth nothing.",
    ),
}
#: The same, where a true value is gone, or an odd value makes it another one.
_LOST = Row(
    "value-lost",
    _MEDIUM,
    "A client can take away what the front end says.",
    "Without it every client may look like the proxy, or https like http.",
)
_CHANGED = Row(
    "value-changed",
    _MEDIUM,
    "A client can change what the application sees.",
    "Not to a value of its choice, but away from the true one.",
)
_ROWS: Mapping[Kind, Row] = {
    Kind.LOST: _LOST,
    Kind.CHANGED: _CHANGED,
    Kind.IN_APPLICATION: Row(
        "header-in-application",
        _LOW,
        "Forged headers reach the application.",
        "The policy makes nothing of them, but a library or a view may read them.",
    ),
    Kind.AT_SERVER: Row(
        "header-at-server",
        _NOTE,
        "Forged headers reach the server, and the policy removes them.",
        "Nothing, as long as the policy stands in front of everything.",
    ),
    Kind.HANDED_ON: Row(
        "connection-handed-on",
        _LOW,
        "The client's Connection header is handed on.",
        "A second proxy would obey it, and remove what the first one says.",
    ),
    Kind.UPGRADED: Row(
        "upgrade-handed-on",
        _HIGH,
        "A client may ask for another protocol.",
        "On such a connection nothing is overwritten or removed any more.",
    ),
    Kind.SERVED: Row(
        "any-host",
        _HIGH,
        "The application answers for a host that is not its own.",
        "Links, redirects and password-reset mails lead to a host of the client's "
        "choice; a shared cache may keep them for others.",
    ),
    Kind.SHOWN: Row(
        "value-shown",
        _LOW,
        "A forged value is shown in the answer.",
        "A sign that it is read, and a way to write into a page that a cache keeps.",
    ),
    Kind.FAILED: Row(
        "server-error",
        _LOW,
        "The server fails.",
        "An error page, a record in the log, and time.",
    ),
}
#: Tricks that are closed in the same way.
_SAME = {Trick.CASE: Trick.HEADER, Trick.TWICE: Trick.HEADER}

REACHABLE = Row(
    "server-reachable",
    _LOW,
    "The server can be reached past the front end.",
    "It trusts nothing that comes this way, as it should; but what the front end "
    "forbids, it answers.",
)

_DIRECT = Row(
    "direct-trusted",
    _HIGH,
    "Whoever reaches the server past the front end is trusted.",
    "What the front end overwrites and forbids is worth nothing.",
)


def list_rows() -> tuple[Row, ...]:
    """List everything that can be found, for the documentation."""
    return (*_TAKEN.values(), *_ROWS.values(), REACHABLE, _DIRECT)


#: Code, trick, way, and whether the server did it: what is one finding.
_Key = tuple[str, Trick, Way, bool]
#: One thing that was seen: the trial, and what it did.
Observed = tuple["Trial", Effect]


def list_findings(
    observed: Sequence[Observed], situation: Situation
) -> tuple[Finding, ...]:
    """
    Make findings of everything that was seen.

    Args:
        observed: Trials and their effects; what was refused is passed over.

        situation: What the remedies depend on.
    """
    groups: dict[_Key, list[Observed]] = {}
    for trial, effect in _leave_out_what_follows(observed):
        groups.setdefault(_make_key(trial, effect), []).append((trial, effect))
    found = [_make_finding(key, group, situation) for key, group in groups.items()]
    return tuple(sorted(found, key=lambda one: -one.severity))


def _leave_out_what_follows(observed: Sequence[Observed]) -> Iterator[Observed]:
    """Leave out refusals, and what another effect says already, with more weight."""
    taken = [o for o in observed if o[1].kind in (Kind.TAKEN, Kind.SERVED)]
    by_header = {(trial.way, effect.header) for trial, effect in taken}
    by_category = {(trial.way, effect.category) for trial, effect in taken}
    plainly = {
        (trial.way, effect.category)
        for trial, effect in taken
        if trial.trick is Trick.HEADER
    }
    for trial, effect in observed:
        category = trial.way, effect.category
        follows = (
            effect.kind is Kind.REFUSED
            or (trial.trick is Trick.VALUE and category in plainly)
            or (effect.kind in _IDLE and (trial.way, effect.header) in by_header)
            or (effect.kind is Kind.SHOWN and category in by_category)
            or (trial.way is Way.DIRECT and effect.kind in _USUAL)
        )
        if not follows:
            yield trial, effect


#: A header came through, and nothing was made of it.
_IDLE = (Kind.IN_APPLICATION, Kind.AT_SERVER)
#: What any server does for those who reach it.
_USUAL = (Kind.AT_SERVER, Kind.SERVED, Kind.CHANGED)


def _make_key(trial: Trial, effect: Effect) -> _Key:
    """Say which effects are one finding: those that are closed in the same way."""
    if trial.way is Way.DIRECT:
        return _find_row(trial, effect).code, Trick.HEADER, trial.way, False
    trick = _SAME.get(trial.trick, trial.trick)
    if trick is Trick.VALUE and effect.kind in _IDLE:
        trick = Trick.HEADER
    return _find_row(trial, effect).code, trick, trial.way, effect.by_server


def _find_row(trial: Trial, effect: Effect) -> Row:
    if effect.kind is Kind.TAKEN and trial.way is Way.DIRECT:
        return _DIRECT
    if effect.kind is Kind.TAKEN:
        return _TAKEN[effect.category or Category.OTHER]
    return _ROWS[effect.kind]


def _make_finding(key: _Key, group: list[Observed], situation: Situation) -> Finding:
    _, trick, way, _ = key
    effects = [effect for _, effect in group]
    row = _find_row(*group[0])
    severity = row.severity
    if way is Way.DIRECT and situation.is_local:
        # Everybody on this machine is the proxy, which may be in order.
        severity = min(severity, Severity.LOW)
    headers = dict.fromkeys(e.header for e in effects if e.header)
    evidence = dict.fromkeys(Evidence(sent=e.sent, seen=e.seen) for e in effects)
    return Finding(
        code=row.code,
        severity=severity,
        way=way,
        trick=trick,
        title=row.title,
        means=row.means,
        categories=tuple(dict.fromkeys(str(e.category) for e in effects if e.category)),
        headers=tuple(headers),
        evidence=tuple(evidence)[:_MOST_EVIDENCE],
        remedies=find_remedies(trick, way, effects, situation),
    )


def make_reachable(situation: Situation) -> Finding:
    """Make the finding that the server behind the front end answers at all."""
    return Finding(
        code=REACHABLE.code,
        severity=Severity.NOTE if situation.is_local else REACHABLE.severity,
        way=Way.DIRECT,
        trick=Trick.HONEST,
        title=REACHABLE.title,
        means=REACHABLE.means,
        categories=(),
        headers=(),
        evidence=(),
        remedies=find_remedies(Trick.HONEST, Way.DIRECT, [], situation),
    )
