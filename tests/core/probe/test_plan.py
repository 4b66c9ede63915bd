"""
What is planned: every known header in every spelling, in requests that servers take.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from trustedproxy.frontends.plan import spell_variants
from trustedproxy.headers import KNOWN_HEADERS, Category, ProxyHeader
from trustedproxy.probe.forgeries import Forger
from trustedproxy.probe.plan import (
    MOST_LINES,
    USUAL,
    Ground,
    list_honest,
    list_trials,
)
from trustedproxy.probe.records import Trick, Way
from trustedproxy.probe.targets import parse_target

TARGET = parse_target("http://www.example.com/")


def make_ground(**more: Any) -> Ground:
    """Make what a plan is made from."""
    return Ground(target=TARGET, forger=Forger("https", Random(1)), **more)


TRIALS = list_trials(make_ground())
SENT = {f.name.lower() for trial in TRIALS for f in trial.forgeries}


@pytest.mark.parametrize("header", KNOWN_HEADERS, ids=lambda header: header.name)
def test_known_header_is_sent_in_every_spelling(header: ProxyHeader) -> None:
    """Its name, and each with underscores for some or all hyphens."""
    spelled = [header.name, *spell_variants(header.name)]

    assert {name.lower() for name in spelled} <= SENT


@pytest.mark.parametrize("way", Way)
def test_request_has_no_more_lines_than_servers_take(way: Way) -> None:
    """A hundred is the bound of most."""
    for trial in list_trials(make_ground(), way):
        assert trial.way is way
        assert len(trial.forgeries) <= MOST_LINES
        assert len(trial.forgeries) + len(trial.lines) < 90


def test_tricks_are_all_there() -> None:
    """Each kind of forgery that is known, but for honesty."""
    assert {trial.trick for trial in TRIALS} == set(Trick) - {Trick.HONEST}


@pytest.mark.parametrize("name", USUAL)
def test_usual_header_is_tried_alone_and_named_in_connection(name: str) -> None:
    """Others beside it could hide what it does."""
    alone = [t for t in TRIALS if [f.name for f in t.forgeries] == [name]]
    named = [t for t in TRIALS if t.named == (name,)]

    assert alone[0].trick is Trick.HEADER
    assert [t.lines for t in named] == [(("Connection", f"close, {name}"),)]


def test_trusted_header_is_tried_as_the_usual_ones() -> None:
    """What the application says that it trusts, a custom header among them."""
    ground = make_ground(trusted={"X-Edge-Client": Category.CLIENT})
    trials = list_trials(ground)

    tricks = {
        trial.trick
        for trial in trials
        if "X-Edge-Client" in {f.header for f in trial.forgeries} | {*trial.named}
    }
    assert tricks == {
        Trick.HEADER,
        Trick.CASE,
        Trick.TWICE,
        Trick.VARIANT,
        Trick.CONNECTION,
    }


def test_both_schemes_are_forged_where_nobody_says_which_is_seen() -> None:
    """Behind TLS an application may take every request for plain HTTP."""
    trials = list_trials(make_ground(also=Forger("http", Random(2))))

    said = {
        f.value
        for trial in trials
        for f in trial.forgeries
        if f.header == "X-Forwarded-Proto" and trial.trick is Trick.HEADER
    }
    assert said == {"http", "https"}


@pytest.mark.parametrize("address_rule", [True, False])
def test_own_machine_is_claimed_where_a_rule_may_stand(address_rule: bool) -> None:
    """Only where the honest answer is a refusal."""
    trials = list_trials(make_ground(address_rule=address_rule))

    values = {f.value for trial in trials for f in trial.forgeries}
    assert ("127.0.0.1" in values) == address_rule


def test_title_names_a_few_of_many() -> None:
    """A line of the plan has to be readable."""
    titles = [trial.title for trial in TRIALS]

    assert "a forged header: X-Forwarded-For" in titles
    assert "a header named in Connection: X-Forwarded-For" in titles
    assert "another protocol in Upgrade" in titles
    assert list_honest()[0].title == "nothing forged"
    assert any(title.endswith(" more") for title in titles)
