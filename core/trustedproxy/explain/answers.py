"""
What stands between the policy and the application, and answers in its place.

In:  a `Case`.
Out: `Answer` records, in the order in which the request meets them; the last one with a
     status is what the client gets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..decision import DECISION_KEY
from ..https_only import FORBIDDEN, RequestFacts, read_environ
from ..https_only.signs import list_signs
from ..log import shorten
from ..mount_points.client_side import describe_client_side
from ..mount_points.heads import BackendRequest
from ..mount_points.points import compile_mount_points
from ..mount_points.request_plan import plan_request
from ..mount_points.wsgi import read_head
from ..parsing.grammar import PATH_SAFE
from ..wsgi_text import read_path
from .records import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..mount_points.heads import ClientSide, RequestHead
    from ..responses import Answer as ShortAnswer
    from .case import Case

HTTPS_ONLY = "HTTPS only"
MOUNT_POINTS = "Proxy mount points"


def list_answers(case: Case) -> tuple[Answer, ...]:
    """List what answers, or changes something, before the application does."""
    if case.policy.rejects(case.decision):
        # Nothing else comes of it.
        return (_describe_rejection(case),)
    answers = [*_say_https_only(case)]
    if _is_answered(answers):
        return tuple(answers)
    # What goes to another server does not come here, whatever that answers.
    return (*answers, *(tuple(_say_mount_points(case)) or _say_framework(case)))


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
        return f"the path {shorten(read_path(case.met.get('PATH_INFO', '')))}"
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
    """Say whether the request goes to another server, or is answered on the way."""
    rows = compile_mount_points(case.settings.mount_points)
    # A request for another host is the framework's to refuse.
    if not rows or not case.accepts_met_host():
        return
    planned = plan_request(rows, _read_head(case), _read_client_side(case))
    if planned is None:
        return
    if isinstance(planned, BackendRequest):
        mount_point = planned.mount_point
        yield Answer(
            by=MOUNT_POINTS,
            status=None,
            sentence=f"The path is below {mount_point.path}/: the request goes to "
            f"{mount_point.url} and does not reach the application.",
        )
        return
    location = dict(planned.headers).get("Location")
    yield Answer(
        by=MOUNT_POINTS,
        status=planned.status,
        location=location,
        sentence=_say_refused(planned)
        if location is None
        else "The path is a proxy mount point without its final slash: the request is "
        f"redirected with {planned.status} to {shorten(location)} and does not reach "
        "the application.",
    )


def _say_refused(answer: ShortAnswer) -> str:
    why = answer.body.decode().removeprefix(f"{answer.reason}. ").strip()
    return (
        f"The request is answered with {answer.status}, and reaches neither another "
        f"server nor the application: {why}"
    )


def _read_head(case: Case) -> RequestHead:
    head = read_head(case.met)
    if case.request.environ is not None:
        return head
    # Nobody has said whether the server finds the end of a body: most do.
    return replace(head, ends_chunked=True, websocket=case.request.websocket)


def _read_client_side(case: Case) -> ClientSide:
    connection = case.policy.read_connection(case.met)
    return describe_client_side(
        case.met.get(DECISION_KEY),
        replace(
            connection,
            mount_point=quote(connection.mount_point, PATH_SAFE, "latin-1", "replace"),
        ),
        case.met.get("HTTP_X_FORWARDED_FOR"),
    )


def _say_framework(case: Case) -> Iterator[Answer]:
    """Say what the framework does by itself, with the request that it meets."""
    framework, met = case.framework, case.met
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
        and met.get("wsgi.url_scheme", "http") == "http"
        and not framework.exempts(case.met)
    ):
        yield Answer(
            by=framework.redirects,
            status=301,
            sentence=f"The scheme is http, so that {framework.name} redirects the "
            f"request by itself ({framework.redirects}).",
        )
    if not case.accepts_met_host():
        yield Answer(
            by=framework.hosts_setting,
            status=400,
            sentence=f"The host {shorten(met.get('HTTP_HOST'))} is not in "
            f"{framework.hosts_setting}, so that {framework.name} answers with 400.",
        )
