"""
What the application says it saw: the answer of the page of `trustedproxy.report`.

In:  an `Answer` with JSON, of a request whose token is good.
Out: `Seen`; and the `Effect` records of a trial, by comparison with an honest one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..headers import Category
from .effects import find_forgery, holds_mark, list_sent
from .records import Effect, Kind, Trick

if TYPE_CHECKING:
    from .records import Answer, Forgery, Trial

#: What of a request is compared, and the variable that says it.
VARIABLES: Mapping[Category, str] = {
    Category.CLIENT: "REMOTE_ADDR",
    Category.SCHEME: "wsgi.url_scheme",
    Category.HOST: "HTTP_HOST",
    Category.SERVER: "SERVER_NAME",
    Category.PORT: "SERVER_PORT",
    Category.MOUNT_POINT: "SCRIPT_NAME",
    Category.OTHER: "PATH_INFO",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    What the application saw of one request.

    Attributes:
        before: As the server said it, by category.

        after: As the application has it.

        arrived: Headers that came, small letters → value.

        left: The same for those that the application still has.

        listed: The headers that the policy trusts, name → category.

        peer: Who connected to the server.

        peer_trusted: Whether that one is trusted.

        entry: The entry of ``TRUSTED_PROXIES`` by which it is; or nothing.

        reason: Why the client is who it is: the name of a `Reason`.

        rejected: Whether the policy answers 400.

        host_refused: Whether the host is refused before the application is asked.
    """

    before: Mapping[Category, str | None]
    after: Mapping[Category, str | None]
    arrived: Mapping[str, str]
    left: Mapping[str, str]
    listed: Mapping[str, Category]
    peer: str
    peer_trusted: bool
    entry: str
    reason: str
    rejected: bool
    host_refused: bool


def read_seen(answer: Answer) -> Seen | None:
    """Read what the page says; ``None`` where the answer is not the page's."""
    if answer.status != 200:
        return None
    try:
        return _read(json.loads(answer.body)["explanation"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _read(said: dict[str, Any]) -> Seen:
    variables = {each["wsgi"]: each for each in said["variables"]}
    # Headers say in words which variable they are for.
    of_variable = {name: category for category, name in VARIABLES.items()}
    categories = {
        each["name"]: of_variable[each["wsgi"]]
        for each in said["variables"]
        if each["wsgi"] in of_variable
    }
    rows = [row for row in said["headers"] if row["value"] is not None]
    # In report-only mode the application has what the server said.
    report_only = said["outcome"]["report_only"]
    after = "before" if report_only else "after"
    left = "value" if report_only else "value_after"
    return Seen(
        before={c: variables[name]["before"] for c, name in VARIABLES.items()},
        after={c: variables[name][after] for c, name in VARIABLES.items()},
        arrived={row["name"].lower(): row["value"] for row in rows},
        left={row["name"].lower(): row[left] for row in rows if row[left] is not None},
        listed={
            row["name"]: categories[row["categories"][0]]
            for row in said["headers"]
            if row["listed"]
        },
        peer=str(said["peer"]["text"]),
        peer_trusted=said["peer"]["trusted"],
        entry=said["peer"]["entry"] or "",
        reason=said["outcome"]["reason"],
        rejected=said["outcome"]["rejected"] and not report_only,
        host_refused=any(
            each["status"] == 400 and not each["only_logged"]
            for each in said["answers"]
        ),
    )


def compare_seen(
    trial: Trial, honest: Seen, now: Seen, unstable: frozenset[Category]
) -> list[Effect]:
    """
    Say what a trial did.

    Args:
        trial: The trial.

        honest: What the application sees of an honest request.

        now: What it saw of the trial.

        unstable: What differs between honest requests, too.
    """
    if now.rejected:
        return [Effect(kind=Kind.REFUSED)]
    taken = list(_compare_variables(trial, honest, now, unstable))
    return [
        *taken,
        *_compare_headers(trial, now, {effect.header for effect in taken}),
        *_compare_connection(trial, honest, now),
    ]


def _compare_variables(
    trial: Trial, honest: Seen, now: Seen, unstable: frozenset[Category]
) -> Iterator[Effect]:
    for category, variable in VARIABLES.items():
        was, after = honest.after[category], now.after[category]
        if was == after or _is_in_order(trial, category, now):
            continue
        forgery = find_forgery(trial, category, after or "")
        if forgery is None and category in unstable:
            continue
        kind = _choose_kind(trial, category, forgery, after)
        yield Effect(
            kind=kind,
            category=category,
            header="" if forgery is None else forgery.header,
            sent=list_sent(trial, forgery),
            seen=f"{variable}: {was!r} → {after!r}",
            by_server=_did_the_server(trial, category, honest, now),
            listed=None if forgery is None else _is_listed(forgery, now),
        )


def _is_in_order(trial: Trial, category: Category, now: Seen) -> bool:
    """Say whether a variable differs because another host was asked for, no more."""
    if trial.hosts is None:
        return False
    if category is Category.HOST:
        marks = {c for f in trial.forgeries for c in f.marks}
        return now.host_refused or Category.HOST not in marks
    # Some servers name themselves as they were called, or leave a URL in the path.
    return category in (Category.SERVER, Category.OTHER)


def _choose_kind(
    trial: Trial, category: Category, forgery: Forgery | None, after: str | None
) -> Kind:
    if trial.hosts is not None and category is Category.HOST:
        return Kind.SERVED
    if forgery is not None or any(
        holds_mark(each, category, after or "") for each in trial.forgeries
    ):
        return Kind.TAKEN
    return Kind.LOST if trial.trick is Trick.CONNECTION else Kind.CHANGED


def _did_the_server(trial: Trial, category: Category, honest: Seen, now: Seen) -> bool:
    """Say whether a header made the variable another one before the policy."""
    before = now.before[category]
    if trial.hosts is not None or before == honest.before[category]:
        return False
    return before == now.after[category]


def _is_listed(forgery: Forgery, now: Seen) -> bool:
    return forgery.header in now.listed


def _compare_headers(trial: Trial, now: Seen, taken: set[str]) -> Iterator[Effect]:
    """Say which forged headers came through, though nothing was made of them."""
    for forgery in trial.forgeries:
        if forgery.header in taken or not forgery.header:
            continue
        for name in dict.fromkeys((forgery.name.lower(), forgery.header.lower())):
            if not _stands_in(forgery, now.arrived.get(name)):
                continue
            remains = _stands_in(forgery, now.left.get(name))
            yield Effect(
                kind=Kind.IN_APPLICATION if remains else Kind.AT_SERVER,
                category=next(iter(forgery.marks), None),
                header=forgery.header,
                sent=list_sent(trial, forgery),
                seen=f"{forgery.name}: {now.arrived[name]!r}",
                listed=_is_listed(forgery, now),
            )
            break


def _stands_in(forgery: Forgery, value: str | None) -> bool:
    return value is not None and any(
        holds_mark(forgery, category, value) for category in forgery.marks
    )


def _compare_connection(trial: Trial, honest: Seen, now: Seen) -> Iterator[Effect]:
    """Say what a list in ``Connection`` took away, and whether it was handed on."""
    for name in trial.named:
        small = name.lower()
        if small in honest.arrived and small not in now.arrived:
            yield Effect(
                kind=Kind.LOST,
                category=honest.listed.get(name),
                header=name,
                sent=list_sent(trial, None),
                seen=f"{name}: {honest.arrived[small]!r} → nothing",
                listed=name in honest.listed,
            )
    options = now.arrived.get("connection", "")
    handed_on = [name for name in trial.named if name.lower() in options.lower()]
    if handed_on:
        yield Effect(
            kind=Kind.HANDED_ON,
            header=handed_on[0],
            sent=list_sent(trial, None),
            seen=f"Connection: {options!r}",
        )
    if trial.trick is Trick.UPGRADE and "upgrade" in now.arrived:
        yield Effect(
            kind=Kind.UPGRADED,
            sent=list_sent(trial, None),
            seen=f"Upgrade: {now.arrived['upgrade']!r}",
        )
