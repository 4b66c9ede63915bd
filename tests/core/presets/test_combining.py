"""
A preset and the arguments beside it: what takes whose place, and what has to be said.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.presets import arguments_of, describe_age, read_preset
from trustedproxy.presets.records import OLD

SECRET = "0123456789abcdef"


def test_argument_takes_the_place_of_the_presets_whole_value() -> None:
    """Lists are not joined."""
    combined = arguments_of("cloudflare", {"proxies": ["10.0.0.5"]})

    assert combined == {
        "headers": ("CF-Connecting-IP", "X-Forwarded-Proto"),
        "proxies": ["10.0.0.5"],
        "strip": "all",
    }


def test_count_stays_beside_proxies_that_are_said() -> None:
    """The list says who may speak, the count how many elements the platform writes."""
    combined = arguments_of("aws-alb", {"proxies": "10.0.1.0/24"})

    assert combined["hops"] == 1
    assert combined["proxies"] == "10.0.1.0/24"


def test_none_takes_an_argument_away() -> None:
    """Then the list of proxies is walked instead."""
    combined = arguments_of("aws-alb", {"proxies": "10.0.1.0/24", "hops": None})

    assert combined["hops"] is None


@pytest.mark.parametrize("said", [{}, {"proxies": None}, {"hops": 1}, {"secrets": ()}])
def test_refuses_a_count_alone(said: dict[str, object]) -> None:
    """A preset without networks wants to hear whom to trust (rule R4)."""
    with pytest.raises(ConfigurationError) as caught:
        arguments_of("aws-alb", said)

    assert caught.value.option == "TRUSTED_PROXIES"
    assert caught.value.keyword == "proxies"
    assert "the subnets of the load balancer" in str(caught.value)
    assert "'*'" in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        {"proxies": "*"},
        {"proxies": []},
        {"secret_header": "X-Edge-Secret", "secrets": [SECRET]},
    ],
)
def test_whom_to_trust_is_said_by_proxies_or_a_secret(said: dict[str, object]) -> None:
    """Every peer on purpose, nobody, or who has the secret."""
    assert arguments_of("aws-alb", said)["hops"] == 1


def test_refuses_to_take_the_networks_of_a_preset_away() -> None:
    """What is left would trust everybody."""
    with pytest.raises(ConfigurationError) as caught:
        arguments_of("cloudflare", {"proxies": None})

    assert "write your proxies" in str(caught.value)


@pytest.mark.parametrize("said", [{}, {"proxies": ["198.51.100.0/24"]}])
def test_refuses_a_preset_of_a_secret_without_one(said: dict[str, object]) -> None:
    """Its networks are everybody's, so that networks alone are not enough."""
    with pytest.raises(ConfigurationError) as caught:
        arguments_of("azure-frontdoor", said)

    assert caught.value.option == "TRUSTED_PROXY_SECRETS"
    assert caught.value.keyword == "secrets"
    assert "the ID of your Front Door profile" in str(caught.value)


def test_secret_header_can_be_given_up_for_proxies() -> None:
    """On purpose, and then they have to be said."""
    given_up = {"secret_header": None, "proxies": ["198.51.100.0/24"]}

    assert arguments_of("azure-frontdoor", given_up)["secret_header"] is None
    with pytest.raises(ConfigurationError) as caught:
        arguments_of("azure-frontdoor", {"secret_header": None})
    assert caught.value.option == "TRUSTED_PROXIES"


def test_refuses_a_secret_header_without_secrets_beside_any_preset() -> None:
    """The message does not promise what the preset does not know."""
    with pytest.raises(ConfigurationError, match="it needs one secret or more"):
        arguments_of("cloudflare", {"secret_header": "X-Edge-Secret"})


def test_preset_is_not_changed_by_what_is_said_beside_it() -> None:
    """It is read once and shared."""
    before = dict(read_preset("heroku").arguments)
    combined = arguments_of("heroku", {"hops": 2})
    combined["strip"] = "listed"

    assert dict(read_preset("heroku").arguments) == before


def published(name: str) -> date:
    """Return the day of the networks of the preset *name*."""
    networks = read_preset(name).networks
    assert networks is not None
    return networks.published


def test_old_networks_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With the day, the age, and what to do; once a process."""
    today = published("cloudflare") + timedelta(days=OLD + 1)

    with caplog.at_level(logging.WARNING, "trustedproxy"):
        arguments_of("cloudflare", {}, today=today)
        arguments_of("cloudflare", {}, today=today)

    [record] = caplog.records
    assert record.__dict__["code"] == "old-networks:cloudflare"
    text = record.getMessage()
    assert f"those of {published('cloudflare')}, {OLD + 1} days old" in text
    assert "trustedproxy networks update cloudflare" in text


@pytest.mark.parametrize(
    ("name", "said", "days"),
    [
        ("cloudflare", {}, OLD),
        ("cloudflare", {}, -400),
        ("cloudflare", {"proxies": ["10.0.0.5"]}, OLD + 1),
        ("heroku", {}, OLD + 1),
    ],
    ids=["not yet", "a clock that is wrong", "networks of the user's", "no networks"],
)
def test_nothing_is_logged_of_networks_that_are_not_old(
    name: str, said: dict[str, object], days: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Only those of a provider that are in force have an age."""
    today = published("cloudflare") + timedelta(days=days)

    with caplog.at_level(logging.WARNING, "trustedproxy"):
        arguments_of(name, said, today=today)

    assert not caplog.records
    assert describe_age(read_preset(name), said, today) is None
