"""
Findings, remedies and the card: what is said of what was seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.decision import Reason
from trustedproxy.frontends import TLS, Site, write_config
from trustedproxy.headers import Category
from trustedproxy.probe import Severity, parse_target, plan_all, write_card, write_plan
from trustedproxy.probe.findings import list_findings, list_rows
from trustedproxy.probe.front_end_lines import (
    FRONT_ENDS,
    guess_frontend,
    write_header_lines,
    write_variant_lines,
)
from trustedproxy.probe.records import (
    DEFAULT_LIMITS,
    Effect,
    Finding,
    Forgery,
    Kind,
    Limits,
    Trial,
    Trick,
    Way,
)
from trustedproxy.probe.remedies import Situation, find_remedies
from trustedproxy.probe.text import make_visible, shorten_lines

from .making import EVERYBODY, Deployment, append, hand_on, probe
from .test_running import make_wanted

DOCS = Path(__file__).parents[3] / "docs"
NOWHERE = Situation()


def observe(
    kind: Kind,
    category: Category | None = Category.CLIENT,
    *,
    trick: Trick = Trick.HEADER,
    way: Way = Way.FRONT,
    header: str = "X-Forwarded-For",
    listed: bool | None = None,
    by_server: bool = False,
) -> tuple[Trial, Effect]:
    """Observe something."""
    effect = Effect(
        kind=kind,
        category=category,
        header=header,
        sent=(f"{header}: 1",),
        seen=f"{kind}",
        listed=listed,
        by_server=by_server,
    )
    return Trial(trick=trick, way=way), effect


def find(
    *observed: tuple[Trial, Effect], situation: Situation = NOWHERE
) -> tuple[Finding, ...]:
    """Make findings."""
    return list_findings(observed, situation)


@pytest.mark.parametrize("kind", [k for k in Kind if k is not Kind.REFUSED])
@pytest.mark.parametrize("category", Category)
def test_every_effect_has_its_words(kind: Kind, category: Category) -> None:
    """A code, a sentence, what a client gains, and what to change."""
    [finding] = find(observe(kind, category))

    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", finding.code)
    assert finding.title.endswith(".")
    assert finding.means.endswith(".")
    assert finding.remedies


def test_effects_of_one_kind_are_one_finding() -> None:
    """Other capitals and repeated lines are closed by what closes the header."""
    [finding] = find(
        observe(Kind.TAKEN),
        observe(Kind.TAKEN, trick=Trick.CASE),
        observe(Kind.TAKEN, trick=Trick.TWICE, header="X-Real-IP"),
    )

    assert finding.headers == ("X-Forwarded-For", "X-Real-IP")
    assert finding.trick is Trick.HEADER


def test_worst_finding_comes_first() -> None:
    """Whatever was seen first."""
    found = find(
        observe(Kind.AT_SERVER, header="X-Other"),
        observe(Kind.FAILED, None),
        observe(Kind.LOST, Category.SCHEME, trick=Trick.CONNECTION),
        observe(Kind.TAKEN),
    )

    assert [str(one.severity) for one in found] == ["high", "medium", "low", "note"]


@pytest.mark.parametrize(
    "less",
    [
        observe(Kind.REFUSED),
        observe(Kind.CHANGED, trick=Trick.VALUE),
        observe(Kind.TAKEN, trick=Trick.VALUE),
        observe(Kind.IN_APPLICATION, trick=Trick.VARIANT),
        observe(Kind.AT_SERVER),
        observe(Kind.SHOWN),
    ],
    ids=lambda one: f"{one[1].kind} by {one[0].trick}",
)
def test_what_follows_from_another_effect_is_left_out(
    less: tuple[Trial, Effect],
) -> None:
    """A header that can be forged also comes through, of course."""
    [finding] = find(observe(Kind.TAKEN), less)

    assert finding.code == "client-forged"
    assert len(finding.evidence) == 1


@pytest.mark.parametrize("kind", [Kind.AT_SERVER, Kind.SERVED, Kind.CHANGED])
def test_server_behind_does_what_servers_do(kind: Kind) -> None:
    """Nothing was there to overwrite or to refuse."""
    assert find(observe(kind, way=Way.DIRECT)) == ()


def test_odd_value_that_only_came_through_belongs_to_its_header() -> None:
    """It is removed by the same line."""
    [finding] = find(
        observe(Kind.AT_SERVER), observe(Kind.AT_SERVER, trick=Trick.VALUE)
    )

    assert finding.trick is Trick.HEADER


# Remedies.


@pytest.mark.parametrize("frontend", FRONT_ENDS)
def test_lines_of_a_remedy_are_those_that_config_prints(frontend: str) -> None:
    """Word for word, whatever the blanks."""
    policy = ProxyPolicy(
        headers="X-Forwarded-For X-Forwarded-Proto", proxies="loopback", strip="all"
    )
    tls = None if frontend == "varnish" else TLS("/a.crt", "/a.key")
    site = Site(backend="127.0.0.1:8000", server_names="www.example.com", tls=tls)
    printed = squeeze(write_config(frontend, policy, site))
    front = FRONT_ENDS[frontend]
    names = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "X-Host"]

    lines = [
        *write_header_lines(frontend, names, set(names[:2]), secure=False),
        *write_variant_lines(frontend, ["X_Real_IP"]),
        *front.connection,
        *front.upgrade,
    ]

    assert len(lines) >= 5
    for line in lines:
        if line in BY_DEFAULT or (frontend, line) in NOT_PRINTED:
            continue
        assert squeeze(line.partition("  # ")[0]) in printed, line


#: What a front end does by itself, so that nothing is printed for it.
BY_DEFAULT = {"underscores_in_headers off;"}
#: Headers that it sets by itself: nothing of a client's is left in them.
NOT_PRINTED = {
    ("caddy", "request_header -X-Forwarded-For"),
    ("caddy", "request_header -X-Forwarded-Proto"),
    ("traefik", 'X-Forwarded-For: ""  # headers.customRequestHeaders'),
    ("lighttpd", '"X-Host" => "",  # setenv.set-request-header'),
}


def squeeze(text: str) -> str:
    """Take all blanks out."""
    return re.sub(r"\s+", "", text)


def test_lines_for_a_front_end_that_is_unknown_are_none() -> None:
    """The page has them all."""
    assert write_header_lines("squid", ["X-Real-IP"], set(), secure=False) == ()
    assert write_variant_lines("squid", ["X_Real_IP"]) == ()


def test_line_for_a_custom_header_removes_it() -> None:
    """Nobody knows what its value is made of."""
    [line] = write_header_lines("nginx", ["X-Edge"], {"X-Edge"}, secure=True)

    assert line == 'proxy_set_header X-Edge "";'


@pytest.mark.parametrize(
    ("headers", "frontend"),
    [
        ([("server", "nginx/1.22.1")], "nginx"),
        ([("Server", "Apache/2.4.71 (Debian)")], "apache"),
        ([("Via", "1.1 Caddy")], "caddy"),
        ([("X-Varnish", "12")], "varnish"),
        ([("Server", "gunicorn")], ""),
        ([], ""),
    ],
)
def test_front_end_is_guessed_from_what_it_says(
    headers: Sequence[tuple[str, str]], frontend: str
) -> None:
    """A server behind it may say something, too."""
    assert guess_frontend(headers) == frontend


@pytest.mark.parametrize("trick", Trick)
@pytest.mark.parametrize("frontend", ["", *FRONT_ENDS])
def test_remedies_name_pages_that_exist(trick: Trick, frontend: str) -> None:
    """And each says where something is to be changed."""
    situation = Situation(frontend=frontend, is_guess=bool(frontend))
    _, effect = observe(Kind.TAKEN, listed=False)

    remedies = find_remedies(trick, Way.FRONT, [effect], situation)

    assert remedies
    for remedy in remedies:
        assert not remedy.page or (DOCS.parent / remedy.page).is_file()
        assert remedy.where in ("front end", "settings", "framework", "server")


def test_remedy_for_what_the_server_did_is_the_servers() -> None:
    """The front end may be as it is."""
    [finding] = find(observe(Kind.TAKEN, Category.SCHEME, by_server=True))

    assert [remedy.where for remedy in finding.remedies] == ["server"]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (Reason.FIRST_ELEMENT, "TRUSTED_PROXIES"),
        (Reason.TOO_FEW_ELEMENTS, ""),
        (Reason.ALL_HOPS_TRUSTED, ""),
    ],
)
def test_remedy_for_how_the_client_is_found_is_a_setting(
    reason: Reason, says: str
) -> None:
    """The policy could find the true one."""
    situation = Situation(has_policy=True, reason=reason.name)

    [finding] = find(observe(Kind.TAKEN, listed=True), situation=situation)

    _, remedy = finding.remedies
    assert remedy.where == "settings"
    assert says in "".join(remedy.lines)


# The card, as text and as JSON.


def test_card_in_words_says_what_was_sent_and_seen() -> None:
    """And what to do, with the front end's lines, marked as a guess."""
    deployment = Deployment(
        front=hand_on, policy=EVERYBODY, server_headers=(("Server", "nginx"),)
    )

    text = write_card(probe(deployment))

    assert "The front end is nginx (a guess, from its answers)." in text
    assert "high: The client's address can be forged. (client-forged)" in text
    assert "sent  X-Forwarded-For: " in text
    assert "seen  REMOTE_ADDR: '127.0.0.1' → '" in text
    assert "front end (a guess): Let the front end overwrite X-Forwarded-For" in text
    assert "      proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "note: Forged headers reach the server" in text
    assert text.splitlines()[-1].endswith("got through; the worst is high.")


def test_card_in_words_where_not_everything_was_tried() -> None:
    """What was not sent may get through."""
    limits = Limits(a_second=1e6, most_requests=12)

    text = write_card(probe(Deployment(), limits=limits))

    assert "Incomplete: The bound of 12 requests was reached." in text
    assert "the Connection header   not tried (or not all of it" in text
    assert text.endswith("Nothing that was tried got through.")


def test_card_in_words_where_nothing_got_through() -> None:
    """It says what was not to be seen."""
    by_page = write_card(probe(Deployment(), frontend="nginx"))
    by_answers = write_card(
        probe(Deployment(), url="http://www.example.com/", by_page=False)
    )

    assert by_page.endswith("Nothing got through.")
    assert "The front end is nginx." in by_page
    assert by_answers.endswith("Nothing that can be seen in the answers got through.")
    assert "not seen (nothing in the answers shows it" in by_answers


def test_card_in_words_says_what_is_missing() -> None:
    """A run that was ended is no clean bill."""
    limits = DEFAULT_LIMITS.__class__(a_second=1e6, most_requests=5)

    text = write_card(probe(Deployment(front=append), limits=limits))

    assert "Incomplete: The bound of 5 requests was reached." in text


def test_one_thing_is_not_many() -> None:
    """In the last line."""
    behind = Deployment(front=hand_on, peer="192.168.1.1")

    text = write_card(probe(Deployment(), direct=behind))

    assert text.endswith("1 thing got through; the worst is low.")


def test_card_in_plain_values_is_json() -> None:
    """Enumerations are words there."""
    card = probe(Deployment(front=hand_on, policy=EVERYBODY))

    said = json.loads(json.dumps(card.as_dict()))

    assert said["worst"] == "high"
    assert said["subjects"][0] == {
        "name": "the client's address",
        "verdict": "open",
        "note": "",
    }
    assert {*said["findings"][0]} == {
        "code",
        "severity",
        "way",
        "trick",
        "title",
        "means",
        "categories",
        "headers",
        "evidence",
        "remedies",
    }
    assert said["findings"][0]["trick"] == "a forged header"
    assert probe(Deployment()).worst is Severity.NOTE


def test_text_of_the_target_steers_no_terminal() -> None:
    """Control characters are spelled out, and long texts cut."""
    assert make_visible("a\x1b[31mb\r\n") == r"a\x1b[31mb\r\n"
    assert make_visible("x" * 300) == "x" * 200 + "…"
    assert shorten_lines(["a", "b", "c", "d"]) == "a; b; and 2 more"
    assert shorten_lines(["a"]) == "a"


def test_plan_in_words_says_what_and_how_much() -> None:
    """Before anything is sent."""
    target = parse_target("http://www.example.com/")
    direct = parse_target("http://10.0.0.5:8000/")
    trials = plan_all(make_wanted())
    both = plan_all(make_wanted(direct=direct))

    text = write_plan(target, "192.0.2.9:80", trials, DEFAULT_LIMITS)
    text_of_both = write_plan(
        target, "192.0.2.9:80", both, DEFAULT_LIMITS, direct=direct
    )

    assert "Target: http://www.example.com/, at 192.0.2.9:80" in text
    assert f"Planned are {len(trials)} GET requests" in text
    assert "At most 200 are sent, 5 a second, for 300 seconds." in text
    assert "past the front end" not in text
    assert "The server behind it: 10.0.0.5:8000" in text_of_both
    assert "a forged header past the front end: " in text_of_both


def test_page_of_the_command_has_every_code() -> None:
    """With its severity."""
    page = (DOCS / "commands" / "probe.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", page, re.MULTILINE))

    assert rows == {row.code: str(row.severity) for row in list_rows()}


def test_page_of_the_command_has_every_key() -> None:
    """Of the JSON of a card and of its findings."""
    page = (DOCS / "commands" / "probe.md").read_text(encoding="utf-8")
    said = probe(Deployment(front=hand_on, policy=EVERYBODY)).as_dict()
    [finding, *_] = said["findings"]

    keys = {*said, *finding, *finding["remedies"][0], *finding["evidence"][0]}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_forgery_has_its_line() -> None:
    """As it is sent."""
    forgery = Forgery(name="X", value="1", header="X", marks={})

    assert forgery.line == ("X", "1")
