"""
Probes of the real front ends: each hole is found, and where all is closed nothing is.
"""

from __future__ import annotations

import pytest

from trustedproxy.probe import Card, Finding, Verdict, write_card

from ..servers.fronts import FRONTS, Front, find_front
from .holes import HOLES, Hole
from .sites import Ground, list_open, running

SCHEMES = [
    pytest.param(front, secure, id=f"{front.name}-{'https' if secure else 'http'}")
    for front in FRONTS
    for secure in (False, True)[: 1 if front.no_tls else 2]
]


@pytest.mark.parametrize(("front", "secure"), SCHEMES)
def test_probe_is_silent_where_all_is_closed(
    ground: Ground, front: Front, secure: bool
) -> None:
    """The configuration as it is printed lets nothing through, whoever looks."""
    with running(ground, front) as site:
        cards = [site.probe(secure=secure, by_page=each) for each in (True, False)]

    for card in cards:
        assert list_open(card) == [], write_card(card)
        assert card.incomplete == ()
        assert Verdict.OPEN not in {subject.verdict for subject in card.subjects}


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: f"{hole.front}: {hole.title}")
def test_probe_finds_what_is_open(ground: Ground, hole: Hole) -> None:
    """It says how and by which headers, and what the front end has to say instead."""
    front = find_front(hole.front)

    with running(ground, front, hole.changes, **hole.policy) as site:
        by_page = site.probe(secure=hole.secure)
        by_answers = site.probe(secure=hole.secure, by_page=False)

    finding = find(by_page, hole)
    assert {*hole.headers} <= {*finding.headers}
    lines = [line.partition("  # ")[0] for r in finding.remedies for line in r.lines]
    assert not hole.line or hole.line in lines
    if hole.answers_show:
        assert find(by_answers, hole).code == hole.code
    else:
        assert list_open(by_answers) == [], write_card(by_answers)


def find(card: Card, hole: Hole) -> Finding:
    """Find what the card has to say of *hole*."""
    found = [
        one
        for one in list_open(card)
        if (one.code, one.trick) == (hole.code, hole.trick)
    ]
    assert len(found) == 1, write_card(card)
    return found[0]


def test_list_of_proxies_closes_what_appends(ground: Ground) -> None:
    """An nginx that adds to X-Forwarded-For is no hole where the proxies are known."""
    changes = {
        r"X-Forwarded-For +\$remote_addr": "X-Forwarded-For $proxy_add_x_forwarded_for"
    }

    with running(ground, find_front("nginx"), changes) as site:
        card = site.probe()

    assert list_open(card) == [], write_card(card)


def test_server_behind_trusts_this_machine(ground: Ground) -> None:
    """Past the front end, from this machine, everything is forged; it says so."""
    with running(ground, find_front("nginx")) as site:
        card = site.probe(direct=True)

    [finding] = list_open(card)
    assert finding.code == "direct-trusted"
    assert {"X-Forwarded-For", "X-Forwarded-Proto"} <= {*finding.headers}
    assert "from another one" in finding.remedies[-1].text


def test_server_behind_trusts_the_front_end_alone(ground: Ground) -> None:
    """Where the list has another proxy, it trusts nobody who comes past that one."""
    with running(ground, find_front("nginx"), proxies="192.0.2.1") as site:
        card = site.probe(direct=True)

    assert list_open(card) == [], write_card(card)
    assert [one.code for one in card.findings if one.way == "past the front end"] == [
        "server-reachable"
    ]
