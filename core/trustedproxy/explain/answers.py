"""
What stands between the policy and the application, and answers in its place.

In:  a `Case`.
Out: `Answer` records, in the order in which the request meets them; the last one with a
     status is what the client gets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..https_only import FORBIDDEN, RequestFacts, read_environ
from ..https_only.signs import list_signs
from ..log import shorten
from ..mount_points.points import compile_mount_points, find_mount_point
from .records import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

HTTPS_ONLY = "HTTPS only"
MOUNT_POINTS = "Proxy mount points"


def list_answers(case: Case) -> tuple[Answer, ...]:
    """List what answers, or changes something, before the application does."""
    if case.policy.refuses(case.decision):
        # Nothing else comes of it.
        return (_describe_rejection(case),)
    answers = [*_say_https_only(case)]
    if not _is_answered(answers):
        answers += _say_mount_points(case)
    if not _is_answered(answers):
        answers += _say_framework(case)
    return tuple(answers)


def _is_answered(answers: list[Answer]) -> bool:
    return any(a.status is not None and not a.only_logged for a in answers)


def _describe_rejection(case: Case) -> Answer:
    problem = case.decision.rejected
    assert problem is not None
    setting = "TRUSTED_PROXY_MISSING"
    if problem.code in ("malformed", "too-long") and case.policy.malformed == "reject":
        setting = "TRUSTED_PROXY_MALFORMED"
    return Answer(
        by=setting,
        status=400,
        sentence=f"{setting} is 'reject': the request is answered with 400, since "
        f"{problem.header} is to blame ({problem.code}), and does not reach the "
        "application.",
    )


def _read_facts(case: Case) -> RequestFacts:
    """Read what HTTPS only knows of the request after the policy."""
    request = case.request
    facts = replace(
        read_environ(case.met),
        # The environ of a scope lacks the names with underscores in them.
        signs=list_signs(
            request.headers, case.sent.get("connection", ""), case.decision
        ),
        websocket=request.websocket,
        host_refused=not case.accepts_host(case.decision.host),
    )
    framework = case.framework
    if framework.forced_mount_point is None or not framework.forces_before_https_only:
        return facts
    if request.scope is not None:
        # ASGI's path has the mount point in it, and nobody puts one in front.
        return facts
    return replace(facts, mount_point=framework.forced_mount_point.encode())


_LOGGED = " In report-only mode this is only logged."


def _say_https_only(case: Case) -> Iterator[Answer]:
    """Say whether plain HTTP is redirected, refused, or exempt."""
    https = case.settings.https_only
    facts = _read_facts(case)
    if https is None or facts.secure:
        return
    if https.exempts(facts):
        yield Answer(
            by=HTTPS_ONLY,
            status=None,
            sentence=f"The scheme is http, and the request is not redirected: "
            f"{_say_exemption(case, facts)} is exempt.",
        )
        return
    site = case.framework.site
    if site is not None and not facts.websocket and site.exempts_view(case.met):
        yield Answer(
            by=HTTPS_ONLY,
            status=None,
            sentence="The scheme is http, and the request is not redirected: its view "
            "is exempt.",
        )
        return
    answer = https.respond(facts)
    only_logged = case.policy.report_only or https.report_only
    location = dict(answer.headers).get("Location")
    yield Answer(
        by=HTTPS_ONLY,
        status=answer.status,
        location=location,
        only_logged=only_logged,
        sentence=_say_plain(answer.status, location, facts)
        + (_LOGGED if only_logged else ""),
    )


def _say_exemption(case: Case, facts: RequestFacts) -> str:
    https = case.settings.https_only
    assert https is not None
    exemptions = https.exemptions
    if exemptions.cover_path(facts.mount_point, facts.path, facts.raw_path):
        return f"the path {shorten(case.met.get('PATH_INFO', ''))}"
    return f"the peer {shorten(facts.peer)}, which speaks for itself,"


def _say_plain(status: int, location: str | None, facts: RequestFacts) -> str:
    if status == FORBIDDEN.status:
        return "The scheme is ws, so that the websocket is refused with 403."
    if location is None:
        what = f"the host {shorten(facts.host)}"
        if not facts.host_refused and facts.host:
            what = "the target"
        return (
            f"The scheme is http, and {what} is refused: the request is answered with "
            f"{status} and not redirected."
        )
    return (
        f"The scheme is http, so that the request is redirected with {status} to "
        f"{shorten(location)} and does not reach the application."
    )


def _say_mount_points(case: Case) -> Iterator[Answer]:
    """Say whether the request goes to another server."""
    found = find_mount_point(
        compile_mount_points(case.settings.mount_points), case.met.get("PATH_INFO", "")
    )
    if found is not None:
        mount_point, _ = found
        yield Answer(
            by=MOUNT_POINTS,
            status=None,
            sentence=f"The path is below {mount_point.path}/: the request goes to "
            f"{mount_point.url} and does not reach the application.",
        )


def _say_framework(case: Case) -> Iterator[Answer]:
    """Say what the framework does by itself."""
    framework, decision = case.framework, case.decision
    if framework.forced_mount_point is not None:
        yield Answer(
            by=framework.forced_by,
            status=None,
            sentence=f"The application's own mount point is "
            f"{framework.forced_mount_point!r}: {framework.forced_by} forces it, "
            "whatever a header says.",
        )
    if (
        framework.redirects is not None
        and decision.scheme == "http"
        and not framework.exempts(case.met)
    ):
        yield Answer(
            by=framework.redirects,
            status=301,
            sentence=f"The scheme is http, so that {framework.name} redirects the "
            f"request by itself ({framework.redirects}).",
        )
    if not case.accepts_host(decision.host):
        yield Answer(
            by=framework.hosts_setting,
            status=400,
            sentence=f"The host {shorten(decision.host)} is not in "
            f"{framework.hosts_setting}, so that {framework.name} answers with 400.",
        )
