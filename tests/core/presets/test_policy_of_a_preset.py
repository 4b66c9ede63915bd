"""
A preset as policies and settings ask for it: by name, with something said beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trustedproxy import ConfigurationError, Connection, ProxyPolicy
from trustedproxy.option_table import read_environment
from trustedproxy.settings import read_settings

PROXY = Connection(peer="10.0.1.5", host="app.example")
HEADERS = {"X-Forwarded-For": "192.0.2.66, 203.0.113.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: ProxyPolicy.from_preset("aws-alb", proxies=["10.0.1.0/24"]),
        lambda: ProxyPolicy.from_mapping(
            {"TRUSTED_PROXY_PRESET": "aws-alb", "TRUSTED_PROXIES": ["10.0.1.0/24"]}
        ),
        lambda: ProxyPolicy.from_env(
            {"TRUSTED_PROXY_PRESET": "aws-alb", "TRUSTED_PROXIES": "10.0.1.0/24"}
        ),
        lambda: (
            read_settings(
                read_environment(
                    {
                        "TRUSTED_PROXY_PRESET": "aws-alb",
                        "TRUSTED_PROXIES": "10.0.1.0/24",
                    }
                )
            ).policy
        ),
    ],
    ids=["arguments", "settings", "environment", "read_settings"],
)
def test_preset_makes_the_same_policy_wherever_it_is_named(
    make: Callable[[], ProxyPolicy],
) -> None:
    """Its headers, its count, and the proxies that were said."""
    policy = make()

    decision = policy.decide(PROXY, HEADERS)

    assert decision.client == "203.0.113.7"
    assert decision.scheme == "https"
    assert policy.strip == "all"
    assert not policy.decide(Connection(peer="10.0.2.5"), HEADERS).peer_trusted


def test_policy_refuses_a_preset_that_does_not_say_whom_to_trust() -> None:
    """A count alone would trust everybody (rule R4)."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy.from_preset("aws-alb")

    assert caught.value.option == "TRUSTED_PROXIES"


def test_policy_refuses_a_stated_fact_beside_a_header_of_the_preset() -> None:
    """One says it or the other, and the message names the preset."""
    with pytest.raises(ConfigurationError, match="heroku"):
        ProxyPolicy.from_preset("heroku", fixed_scheme="https")


def test_stated_fact_goes_with_the_headers_that_are_left() -> None:
    """As the page of platforms says."""
    policy = ProxyPolicy.from_preset(
        "heroku", headers=["X-Forwarded-For"], fixed_scheme="https"
    )

    decision = policy.decide(PROXY, {"X-Forwarded-For": "203.0.113.7"})

    assert decision.client == "203.0.113.7"
    assert decision.scheme == "https"


def test_policy_refuses_an_unknown_preset() -> None:
    """And names the nearest."""
    with pytest.raises(ConfigurationError, match="'heroku'"):
        ProxyPolicy.from_mapping({"TRUSTED_PROXY_PRESET": "heroko"})
