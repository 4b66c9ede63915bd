"""
Whole runs against deployments that have no sockets: what is found, where it stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.framework import Framework
from trustedproxy.probe import Limits, Pace, ProbeError, Wanted, parse_target, plan_all
from trustedproxy.probe.records import Answer, Card, Line, Trial, Trick, Way
from trustedproxy.probe.running import PARAMETER

from .making import (
    CLIENT,
    EVERYBODY,
    LIMITS,
    POLICY,
    URL,
    Deployment,
    append,
    hand_on,
    judge,
    list_codes,
    make_environ,
    overwrite,
    probe,
    show,
)

SITE = "http://www.example.com/"
LISTED = Framework(name="The application")


# What is found.


@pytest.mark.parametrize("by_page", [True, False])
def test_nothing_is_found_where_all_is_closed(by_page: bool) -> None:
    """A front end that overwrites, removes and drops, and a list of hosts."""
    card = probe(Deployment(), url=URL if by_page else SITE, by_page=by_page)

    assert card.findings == ()
    assert card.incomplete == ()
    assert "open" not in judge(card).values()
    assert card.seen_by == ("page" if by_page else "answers")


@pytest.mark.parametrize("by_page", [True, False])
def test_front_end_that_hands_everything_on(by_page: bool) -> None:
    """Client and scheme are forged, in every spelling."""
    deployment = Deployment(front=hand_on, policy=EVERYBODY)

    card = probe(deployment, url=URL if by_page else SITE, by_page=by_page)

    found = {(one.code, one.trick) for one in card.findings}
    assert {
        ("client-forged", Trick.HEADER),
        ("client-forged", Trick.VARIANT),
        ("scheme-forged", Trick.HEADER),
        ("scheme-forged", Trick.VARIANT),
    } <= found
    assert judge(card)["the client's address"] == "open"
    [client] = [
        one
        for one in card.findings
        if (one.code, one.trick) == ("client-forged", Trick.HEADER)
    ]
    assert client.headers == ("X-Forwarded-For",)


def test_list_of_proxies_closes_a_front_end_that_appends() -> None:
    """The policy walks from the right; where every peer is trusted, it does not."""
    closed = probe(Deployment(front=append))
    open_ = probe(Deployment(front=append, policy=EVERYBODY))

    assert "client-forged" not in list_codes(closed)
    assert "client-forged" in list_codes(open_)


def test_count_that_is_too_large_is_named() -> None:
    """The element that it reaches is the client's own."""
    policy = ProxyPolicy(headers="X-Forwarded-For", hops=2, strip="all")

    card = probe(Deployment(front=append, policy=policy))

    finding = next(one for one in card.findings if one.code == "client-forged")
    texts = [remedy.text for remedy in finding.remedies]
    assert any("TRUSTED_PROXY_HOPS is more than" in text for text in texts)


def test_line_of_a_batch_that_flips_the_scheme_is_found() -> None:
    """All lines of the category say the same, so that they are sent in halves."""

    def trust_one(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_FRONT_END_HTTPS") == "on":
            environ["wsgi.url_scheme"] = "https"
        return show(environ, start_response)

    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    deployment = Deployment(front=append, policy=policy, app=trust_one)

    card = probe(deployment, url=SITE, by_page=False)

    finding = next(
        one
        for one in card.findings
        if (one.code, one.trick) == ("scheme-forged", Trick.HEADER)
    )
    assert finding.headers == ("Front-End-Https",)


def test_host_that_is_forged_alone_leaves_the_scheme_closed() -> None:
    """A redirect that leads elsewhere has lost the own host, and not the scheme."""

    def redirect(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        host = environ.get("HTTP_X_FORWARDED_HOST") or environ["HTTP_HOST"]
        start_response("302 Found", [("Location", f"http://{host}/there")])
        return [b""]

    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    deployment = Deployment(front=append, policy=policy, app=redirect)

    card = probe(deployment, url=SITE, by_page=False)

    assert "host-forged" in list_codes(card)
    assert "scheme-forged" not in list_codes(card)


def test_host_and_scheme_that_are_forged_together_are_both_open() -> None:
    """By one header that says both, as RFC 7239 has it."""

    def redirect(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        said = environ.get("HTTP_FORWARDED", "").replace('"', "")
        parts = dict(pair.split("=", 1) for pair in said.split(";") if "=" in pair)
        host = parts.get("host", environ["HTTP_HOST"])
        where = f"{parts.get('proto', 'http')}://{host}/there"
        start_response("302 Found", [("Location", where)])
        return [b""]

    deployment = Deployment(front=append, policy=ProxyPolicy(), app=redirect)

    card = probe(deployment, url=SITE, by_page=False)

    assert {"host-forged", "scheme-forged"} <= set(list_codes(card))
    assert judge(card)["the scheme"] == "open"


def test_two_lines_that_do_it_together_are_shown_together() -> None:
    """Halved, none does anything; the whole is the evidence then."""

    def trust_two(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        both = "HTTP_FRONT_END_HTTPS" in environ and "HTTP_X_URL_SCHEME" in environ
        if both and environ["HTTP_X_URL_SCHEME"] == "https":
            environ["wsgi.url_scheme"] = "https"
        return show(environ, start_response)

    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    deployment = Deployment(front=append, policy=policy, app=trust_two)

    card = probe(deployment, url=SITE, by_page=False)

    [finding] = [
        one
        for one in card.findings
        if (one.code, one.trick) == ("scheme-forged", Trick.HEADER)
    ]
    assert finding.headers == ()
    assert len(finding.evidence[0].sent) > 2


def test_batch_that_is_refused_is_sent_in_halves() -> None:
    """One line that the server does not like hides none of the others."""

    def refuse(lines: list[Line]) -> list[Line]:
        names = {name for name, _ in lines}
        return [] if "CF-Visitor" in names else append(lines)

    policy = ProxyPolicy(headers="X-Client-IP", proxies="loopback")
    card = probe(Deployment(front=refuse, policy=policy))

    [finding] = [
        one
        for one in card.findings
        if (one.code, one.trick) == ("header-in-application", Trick.HEADER)
    ]
    assert "Front-End-Https" in finding.headers
    assert "CF-Visitor" not in finding.headers
    assert card.refused > 1


def test_server_that_reads_headers_by_itself_is_named() -> None:
    """The variable was another one before the policy was asked."""

    class Gullible(Deployment):
        def show_page(self, environ: dict[str, Any]) -> Answer:
            if environ.get("HTTP_X_FORWARDED_SSL") == "on":
                environ["wsgi.url_scheme"] = "https"
            return super().show_page(environ)

    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    card = probe(Gullible(front=append, policy=policy))

    finding = next(
        one
        for one in card.findings
        if (one.code, one.trick) == ("scheme-forged", Trick.HEADER)
    )
    assert finding.headers == ("X-Forwarded-SSL",)
    assert [remedy.where for remedy in finding.remedies] == ["server"]


def test_scheme_that_the_application_sees_is_the_other_one() -> None:
    """Behind TLS, with nobody who says so, https is what a client forges."""
    secure = URL.replace("http:", "https:")

    card = probe(Deployment(front=hand_on, policy=EVERYBODY), url=secure)

    assert "scheme-forged" in list_codes(card)
    [subject] = [one for one in card.subjects if one.name == "the scheme"]
    assert subject.note == "but the application sees http over TLS"


def test_scheme_that_is_right_needs_no_note() -> None:
    """The application sees what is spoken."""

    def secured(lines: list[Line]) -> list[Line]:
        return overwrite(lines, scheme="https")

    card = probe(Deployment(front=secured), url=URL.replace("http:", "https:"))

    assert [one.note for one in card.subjects if one.name == "the scheme"] == [""]


def test_client_that_differs_from_request_to_request_is_no_change() -> None:
    """A network with several addresses towards the world."""
    addresses = iter(f"192.168.9.{n % 250}" for n in range(10_000))

    def spread(lines: list[Line]) -> list[Line]:
        return overwrite(lines, client=next(addresses))

    assert probe(Deployment(front=spread)).findings == ()


def test_report_only_policy_leaves_what_the_server_says() -> None:
    """What the application sees is what counts, and not what would be."""
    policy = ProxyPolicy(
        headers="X-Forwarded-For X-Forwarded-Proto", proxies="*", report_only=True
    )

    card = probe(Deployment(front=hand_on, policy=policy))

    assert "client-forged" not in list_codes(card)
    assert "header-in-application" in list_codes(card)


def test_rejected_requests_are_refusals() -> None:
    """A policy that answers 400 to what is malformed lets nothing through."""
    policy = ProxyPolicy(
        headers="X-Forwarded-For", proxies="loopback", malformed="reject", strip="all"
    )

    card = probe(Deployment(front=hand_on, policy=policy))

    assert "value-changed" not in list_codes(card)
    assert card.refused > 0


@pytest.mark.parametrize("by_page", [True, False])
def test_front_end_that_obeys_connection_loses_what_it_says(by_page: bool) -> None:
    """As some do with what they have set themselves."""

    def obey(lines: list[Line]) -> list[Line]:
        options = ",".join(v for n, v in lines if n == "Connection").lower()
        named = {option.strip() for option in options.split(",")}
        kept = overwrite(lines, scheme="https")
        return [line for line in kept if line[0].lower() not in named]

    card = probe(Deployment(front=obey), url=URL if by_page else SITE, by_page=by_page)

    [finding] = card.findings
    assert (finding.code, finding.trick) == ("value-lost", Trick.CONNECTION)
    assert judge(card)["the Connection header"] == "open"
    if by_page:
        assert finding.headers == ("X-Forwarded-For", "X-Forwarded-Proto")


def test_host_is_asked_about_without_the_token() -> None:
    """The page answers for every host; the application itself need not."""
    deployment = Deployment(front=hand_on)

    limited = probe(deployment)
    unlimited = probe(Deployment(front=hand_on, app=show_anything))

    assert "any-host" not in list_codes(limited)
    assert "any-host" in list_codes(unlimited)
    assert any(not trial.has_token for trial, _ in deployment.asked)


def show_anything(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer for every host, with a link to it."""
    start_response("200 OK", [])
    return [f'<a href="http://{environ["HTTP_HOST"]}/">here</a>'.encode()]


def test_host_that_the_framework_refuses_is_a_refusal() -> None:
    """The page knows the framework's list."""

    class Hosts:
        def accepts_host(self, request: Any) -> bool:
            return bool(request.get("HTTP_HOST", "").startswith("www."))

        def exempts_view(self, request: Any) -> bool:
            return False

    framework = Framework(
        name="It", site=Hosts(), allowed_hosts=["www.example.com"], hosts_setting="H"
    )
    card = probe(
        Deployment(front=hand_on, app=show_anything, framework=framework),
    )

    assert not any(
        one.code == "any-host" and one.trick is Trick.HOST for one in card.findings
    )


def test_path_of_another_page_is_found() -> None:
    """X-Original-URL leads elsewhere, by the page and by the answers."""

    class Rerouting(Deployment):
        def serve(self, lines: list[Line], target: str, *, has_token: bool) -> Answer:
            if any(name == "X-Original-URL" for name, _ in lines):
                return Answer(status=404)
            return super().serve(lines, target, has_token=has_token)

    for by_page in (True, False):
        deployment = Rerouting(front=append)
        card = probe(deployment, url=URL if by_page else SITE, by_page=by_page)

        finding = next(one for one in card.findings if one.code == "path-forged")
        assert finding.headers == ("X-Original-URL",)
        assert judge(card)["the path"] == "open"


@pytest.mark.parametrize("by_page", [True, False])
def test_server_that_fails_is_found(by_page: bool) -> None:
    """An error page is nothing that a client should be able to ask for."""

    class Failing(Deployment):
        def serve(self, lines: list[Line], target: str, *, has_token: bool) -> Answer:
            if ("X-Forwarded-For", '"') in lines:
                return Answer(status=500)
            return super().serve(lines, target, has_token=has_token)

    card = probe(Failing(front=append), url=URL if by_page else SITE, by_page=by_page)

    assert "server-error" in list_codes(card)


def test_answer_that_is_no_more_the_pages_is_a_change() -> None:
    """A redirect in the place of the page, for a header that nobody is to trust."""

    class Redirecting(Deployment):
        def serve(self, lines: list[Line], target: str, *, has_token: bool) -> Answer:
            if any(name == "X-HTTPS" for name, _ in lines):
                return Answer(status=301, headers=(("Location", "/"),))
            return super().serve(lines, target, has_token=has_token)

    card = probe(Redirecting(front=append))

    [finding] = [one for one in card.findings if one.code == "value-changed"]
    assert finding.evidence[-1].seen == "status 301"


# Past the front end.


def test_server_behind_that_trusts_whoever_comes() -> None:
    """High, where it was asked from elsewhere; the policy trusts every peer."""
    behind = Deployment(front=hand_on, policy=EVERYBODY, peer="192.168.1.1")

    card = probe(Deployment(), direct=behind)

    [finding] = card.findings
    assert (finding.code, str(finding.severity)) == ("direct-trusted", "high")
    assert finding.way is Way.DIRECT
    assert [remedy.where for remedy in finding.remedies] == ["network", "settings"]
    assert judge(card)["the server behind it"] == "open"


def test_server_behind_that_is_asked_from_the_same_machine() -> None:
    """Low: the front end may be there, too."""
    card = probe(Deployment(), direct=Deployment(front=hand_on, local=True))

    [finding] = card.findings
    assert (finding.code, str(finding.severity)) == ("direct-trusted", "low")


@pytest.mark.parametrize(("local", "severity"), [(True, "note"), (False, "low")])
def test_server_behind_that_trusts_nobody_can_be_reached(
    local: bool, severity: str
) -> None:
    """What the front end forbids, it answers."""
    behind = Deployment(front=hand_on, peer="192.168.1.1", local=local)

    card = probe(Deployment(), direct=behind)

    [finding] = card.findings
    assert (finding.code, str(finding.severity)) == ("server-reachable", severity)


class Unreachable(Deployment):
    """Nobody listens."""

    def ask(self, trial: Trial, target: str) -> Answer:
        """Fail."""
        return Answer(status=0, failure="nothing listens there")


def test_server_behind_that_cannot_be_reached_is_closed() -> None:
    """That is how it should be."""
    card = probe(Deployment(), direct=Unreachable())

    assert card.findings == ()
    [subject] = [one for one in card.subjects if one.name == "the server behind it"]
    assert (str(subject.verdict), subject.note) == (
        "closed",
        "it cannot be reached from here",
    )


def test_server_behind_without_the_page_is_not_probed() -> None:
    """It answers, and with something else: the card says so."""

    class Other(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            return Answer(status=404)

    card = probe(Deployment(), direct=Other())

    assert "no page at this path" in card.incomplete[0]
    assert "server-reachable" in list_codes(card)


def test_server_behind_is_judged_by_its_answers() -> None:
    """Without a token, as the front end is."""
    behind = Deployment(front=hand_on, policy=EVERYBODY)

    card = probe(Deployment(), url=SITE, by_page=False, direct=behind)

    assert "direct-trusted" in list_codes(card)


# What cannot be probed.


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=0, failure="nothing listens there"), "nothing listens there"),
        (Answer(status=429), "try again later"),
        (Answer(status=502), "answers 502 to honest requests"),
        (Answer(status=403), "the token is refused"),
        (Answer(status=404), "no page at this path"),
        (Answer(status=302, headers=(("Location", "/en/"),)), "redirects to '/en/'"),
        (Answer(status=200, body=b"<html>"), "give the address of the page"),
        (Answer(status=200, body=b"[]"), "give the address of the page"),
        (Answer(status=200, body=b'{"explanation": {}}'), "give the address"),
    ],
)
def test_target_that_cannot_be_probed_says_why(answer: Answer, says: str) -> None:
    """Nothing forged is sent."""

    class Fixed(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            super().ask(trial, target)
            return answer

    deployment = Fixed()

    with pytest.raises(ProbeError, match=says):
        probe(deployment)

    assert all(trial.trick is Trick.HONEST for trial, _ in deployment.asked)


@pytest.mark.parametrize(
    "header",
    [
        ("Age", "12"),
        ("X-Cache", "HIT from cache"),
        ("CF-Cache-Status", "HIT"),
        ("X-Varnish", "32770 5"),
    ],
)
def test_cache_that_ignores_the_query_is_not_fed(header: Line) -> None:
    """A forged answer could stay there for others."""
    deployment = Deployment(server_headers=(header,))

    with pytest.raises(ProbeError, match="shared cache"):
        probe(deployment, url=SITE, by_page=False)

    assert all(not trial.forgeries for trial, _ in deployment.asked)


@pytest.mark.parametrize(
    "header", [("Age", "0"), ("Age", "x"), ("X-Cache", "MISS"), ("X-Varnish", "32770")]
)
def test_cache_that_has_not_answered_is_in_order(header: Line) -> None:
    """Each query is one of its own there."""
    card = probe(Deployment(server_headers=(header,)), url=SITE, by_page=False)

    assert card.incomplete == ()


def test_every_request_has_a_query_of_its_own() -> None:
    """No cache takes one for another, forged or not."""
    deployment = Deployment()

    probe(deployment)

    queries = [target.partition("?")[2] for _, target in deployment.asked]
    assert all(query.startswith(f"{PARAMETER}=") for query in queries)
    assert len(set(queries)) == len(queries)


# Bounds.


def run_with(limits: Limits, **more: Any) -> tuple[Card, Deployment]:
    """Probe an open deployment within *limits*."""
    deployment = Deployment(front=hand_on, policy=EVERYBODY)
    return probe(deployment, limits=limits, **more), deployment


def test_bound_of_requests_is_kept() -> None:
    """What was found until then is on the card, and what is missing is said."""
    card, deployment = run_with(Limits(a_second=1e6, most_requests=12))

    assert len(deployment.asked) == card.sent == 12
    assert "12 requests was reached" in card.incomplete[0]
    assert "client-forged" in list_codes(card)


def test_what_was_not_tried_is_not_closed() -> None:
    """Neither through the front end nor past it."""
    limits = Limits(a_second=1e6, most_requests=12)

    card = probe(Deployment(), direct=Deployment(), limits=limits)
    opened = probe(Deployment(front=hand_on, policy=EVERYBODY), limits=limits)
    shown = probe(Deployment(), url=SITE, by_page=False, limits=limits)
    secure = URL.replace("http:", "https:")
    noted = probe(Deployment(), url=secure, limits=limits)

    assert set(judge(card).values()) == {"not tried"}
    assert judge(opened)["the client's address"] == "open"
    assert judge(opened)["the Connection header"] == "not tried"
    # What no answer would have shown.
    assert judge(shown)["other protocols"] == "not seen"
    notes = {one.name: one.note for one in noted.subjects}
    assert notes["the scheme"] == "but the application sees http over TLS"
    assert "the run is incomplete" in notes["the host"]


def test_server_behind_that_is_not_probed_to_the_end_is_not_closed() -> None:
    """The front end is, whose trials were all sent."""

    class Failing(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            return Answer(status=502)

    sent = probe(Deployment()).sent
    limits = Limits(a_second=1e6, most_requests=sent + 10)

    bounded = probe(Deployment(), direct=Deployment(local=True), limits=limits)
    failing = probe(Deployment(), direct=Failing(local=True))

    for card in (bounded, failing):
        assert card.incomplete != ()
        assert judge(card)["the host"] == "closed"
        assert judge(card)["the server behind it"] == "not tried"


def test_bound_that_is_reached_while_halves_are_sent_keeps_the_whole() -> None:
    """What a batch did is known, though not which line."""

    def trust_any(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_FRONT_END_HTTPS" in environ:
            environ["wsgi.url_scheme"] = "https"
        return show(environ, start_response)

    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    deployment = Deployment(front=append, policy=policy, app=trust_any)
    order = [t for t in plan_all(make_wanted()) if t.way is Way.FRONT]
    first = next(
        i
        for i, trial in enumerate(order, 1)
        if "Front-End-Https" in {f.name for f in trial.forgeries}
    )

    card = probe(
        deployment,
        url=SITE,
        by_page=False,
        limits=Limits(a_second=1e6, most_requests=first),
    )

    [finding] = [one for one in card.findings if one.code == "scheme-forged"]
    assert finding.headers == ()


def test_bound_of_seconds_is_kept() -> None:
    """By a clock that is given."""
    now = iter(range(10_000))
    pace = Pace(clock=lambda: next(now), sleep=lambda seconds: None)

    card, _ = run_with(Limits(a_second=1e6, most_seconds=60), pace=pace)

    assert "60 seconds was reached" in card.incomplete[0]


def test_bound_that_leaves_no_room_for_honest_requests_is_an_error() -> None:
    """There would be nothing to compare with."""
    with pytest.raises(ProbeError, match="1 requests was reached"):
        run_with(Limits(a_second=1e6, most_requests=1))


def test_bound_that_is_reached_before_the_server_behind_is_asked() -> None:
    """It is not probed at all then."""
    sent = probe(Deployment()).sent

    card = probe(
        Deployment(),
        direct=Deployment(),
        limits=Limits(a_second=1e6, most_requests=sent),
    )

    assert "was not probed" in card.incomplete[0]


def test_bound_that_leaves_no_room_for_the_token_is_said() -> None:
    """The last question is one of the requests, too."""
    sent = probe(Deployment()).sent
    deployment = Deployment()

    card = probe(deployment, limits=Limits(a_second=1e6, most_requests=sent - 1))

    assert len(deployment.asked) == sent - 1
    assert "the token was still good was not asked" in card.incomplete[0]


def test_requests_are_sent_no_faster_than_wanted() -> None:
    """The pause is what is missing since the one before."""
    now = 0.0
    pauses: list[float] = []
    counted: list[int] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        pauses.append(round(seconds, 6))
        now += seconds

    pace = Pace(clock=lambda: now, sleep=sleep, count=counted.append)

    card = probe(Deployment(), limits=Limits(a_second=4, most_seconds=1e4), pace=pace)

    assert set(pauses) == {0.25}
    assert len(pauses) == card.sent - 1
    assert sum(counted) == card.sent


def test_target_that_asks_for_less_is_left_alone() -> None:
    """With 429 the run ends, and the card says what to do."""

    class Tired(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            if len(self.asked) > 20:
                return Answer(status=429)
            return super().ask(trial, target)

    card = probe(Tired())

    assert "too many requests" in card.incomplete[0]
    assert card.sent == 22


def test_target_that_vanishes_is_left_alone() -> None:
    """After a few failures an honest request shows that nobody is there."""

    class Vanishing(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            if len(self.asked) > 20:
                return Answer(status=0, failure="nothing listens there")
            return super().ask(trial, target)

    card = probe(Vanishing())

    assert "does not answer any more" in card.incomplete[0]


# From the first forged one on, while a batch is sent in halves, and at the very end.
@pytest.mark.parametrize("answered", [6, 20, 22, 25, 28, 34, -3, -2, -1])
@pytest.mark.parametrize("by_page", [True, False])
def test_target_that_falls_over_is_left_alone(by_page: bool, answered: int) -> None:
    """What it answers by then to everybody is no finding about headers."""
    url = URL if by_page else SITE
    whole = probe(Deployment(), url=url, by_page=by_page).sent
    most = answered % whole

    class Falling(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            return Answer(status=502) if len(self.asked) > most else answer

    card = probe(Falling(), url=url, by_page=by_page)

    assert "The target answers 502 to honest requests, too" in card.incomplete[0]
    assert most < card.sent <= most + 4
    assert card.findings == ()
    if answered > 0:
        assert card.refused == 0


def test_what_a_batch_did_before_the_target_fell_over_is_kept() -> None:
    """It was seen, though not which line it was."""

    def trust_one(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_FRONT_END_HTTPS" in environ:
            environ["wsgi.url_scheme"] = "https"
        return show(environ, start_response)

    class Falling(Deployment):
        has_fallen = False

        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            fallen, names = self.has_fallen, {f.name for f in trial.forgeries}
            self.has_fallen = fallen or "Front-End-Https" in names
            return Answer(status=502) if fallen else answer

    policy = ProxyPolicy(headers="X-Forwarded-For", proxies="loopback")
    card = probe(
        Falling(front=append, policy=policy, app=trust_one), url=SITE, by_page=False
    )

    assert "The target answers 502 to honest requests, too" in card.incomplete[0]
    assert list_codes(card) == ["scheme-forged"]


def test_bound_that_leaves_failures_at_the_end_in_doubt_is_said() -> None:
    """Whether it was a header that did that is not known."""
    whole = probe(Deployment(), url=SITE, by_page=False).sent

    class Falling(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            return Answer(status=502) if len(self.asked) == whole else answer

    card = probe(
        Falling(),
        url=SITE,
        by_page=False,
        limits=Limits(a_second=1e6, most_requests=whole),
    )

    assert "Whether the target still answered was not asked" in card.incomplete[0]


def test_failure_at_the_end_that_a_header_caused_is_a_finding() -> None:
    """An honest request is answered then."""

    class Failing(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            return Answer(status=502) if trial.trick is Trick.HOSTS else answer

    card = probe(Failing(), url=SITE, by_page=False)

    assert card.incomplete == ()
    assert list_codes(card) == ["server-error"]


def test_target_that_fails_for_forgers_alone_goes_on() -> None:
    """That is a finding."""

    class Failing(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            return Answer(status=500) if trial.forgeries else answer

    card = probe(Failing(), limits=Limits(a_second=1e6, most_requests=1000))

    assert card.incomplete == ()
    assert "server-error" in list_codes(card)


def test_honest_request_in_between_is_within_the_bound() -> None:
    """It is one of the requests that were allowed."""

    class Falling(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            gone = len(self.asked) > 3
            return Answer(status=0, failure="nobody is there") if gone else answer

    card = probe(Falling(), limits=Limits(a_second=1e6, most_requests=6))

    assert card.sent == 6
    assert "The bound of 6 requests was reached." in card.incomplete[0]


def test_token_that_runs_out_leaves_the_run_incomplete() -> None:
    """From then on everything is refused, and looks closed."""

    class Counting(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            is_over = trial.has_token and len(self.asked) > 40
            return Answer(status=403) if is_over else answer

    card = probe(Counting())

    assert "the token may have run out" in card.incomplete[0]


def test_target_that_closes_connections_to_forgers_goes_on() -> None:
    """That is a refusal."""

    class Closing(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            answer = super().ask(trial, target)
            if trial.forgeries and trial.hosts is None:
                return Answer(status=0, failure="it closed the connection")
            return answer

    for by_page in (True, False):
        card = probe(Closing(), url=URL if by_page else SITE, by_page=by_page)

        assert card.incomplete == ()
        assert card.findings == ()
        assert card.refused > 30


# The plan.


def make_wanted(**more: Any) -> Wanted:
    """Make what is asked for, without asking anybody."""
    return Wanted(target=parse_target(SITE), client=Deployment(), **more)


@pytest.mark.parametrize("by_page", [True, False])
def test_plan_counts_what_a_closed_deployment_is_sent(by_page: bool) -> None:
    """Refusals and hosts are asked about again, nothing else."""
    wanted = make_wanted(by_page=by_page, direct=parse_target(SITE))

    planned = plan_all(wanted)

    tricks = {trial.trick for trial in planned}
    assert tricks == set(Trick)
    assert {trial.way for trial in planned} == set(Way)
    assert 60 < len(planned) < LIMITS.most_requests


@pytest.mark.parametrize("by_page", [True, False])
def test_plan_is_all_that_is_sent_where_nothing_is_asked_again(by_page: bool) -> None:
    """The honest requests are in it, the last one, too: a bound may be that number."""
    url = URL if by_page else SITE
    wanted = Wanted(target=parse_target(url), client=Deployment(), by_page=by_page)
    planned = plan_all(wanted)
    again = 0

    class Counting(Deployment):
        def ask(self, trial: Trial, target: str) -> Answer:
            nonlocal again
            again += not trial.has_token
            return super().ask(trial, target)

    card = probe(Counting(), url=url, by_page=by_page)

    assert card.sent - again == len(planned)


def test_gullible_server_of_these_tests_folds_names() -> None:
    """What the tests stand on."""
    lines = [("X-Forwarded-For", "a"), ("X_Forwarded_For", "b")]

    assert make_environ(lines, "/", CLIENT)["HTTP_X_FORWARDED_FOR"] == "a,b"
    assert POLICY.proxies is not None
