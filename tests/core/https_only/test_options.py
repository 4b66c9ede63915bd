"""The settings of HTTPS only, as `read_settings` takes them."""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ConfigurationError, HSTSPolicy, read_settings
from trustedproxy.https_only.options import OPTIONS
from trustedproxy.https_only.rules import SETTINGS

BASE = {"TRUSTED_PROXIES": ["10.0.0.0/8"]}


def test_settings_become_rules() -> None:
    """Each setting is an argument of the rules."""
    rules = read_settings(
        {
            **BASE,
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_HOST": "www.example.com",
            "TRUSTED_PROXY_HTTPS_STATUS": 307,
            "TRUSTED_PROXY_HTTPS_EXEMPT": ["/healthz"],
            "TRUSTED_PROXY_HSTS_POLICY": "max-age=60",
            "TRUSTED_PROXY_REPORT_ONLY": True,
        }
    ).https_only

    assert rules is not None
    assert (rules.host, rules.status) == ("www.example.com", 307)
    assert (rules.exempt, rules.hsts) == (("/healthz",), HSTSPolicy(60))
    assert rules.report_only


def test_settings_and_keywords_are_the_same() -> None:
    """Every setting of the table has its keyword, but the switch itself."""
    names = {option.name for option in OPTIONS} - {"TRUSTED_PROXY_HTTPS_ONLY"}

    assert names == set(SETTINGS.values()) - {"TRUSTED_PROXY_REPORT_ONLY"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TRUSTED_PROXY_HTTPS_ONLY", "yes", True),
        ("TRUSTED_PROXY_HTTPS_HOST", " a.example ", "a.example"),
        ("TRUSTED_PROXY_HTTPS_STATUS", "302", 302),
        ("TRUSTED_PROXY_HTTPS_EXEMPT", "/a, /b", "/a, /b"),
        ("TRUSTED_PROXY_HSTS_POLICY", "max-age=1", "max-age=1"),
    ],
)
def test_environment_variable(name: str, text: str, value: object) -> None:
    """A variable's text is the value of the setting."""
    (option,) = (option for option in OPTIONS if option.name == name)

    assert option.read_text(text) == value


@pytest.mark.parametrize("value", [None, 5, b"/healthz", {"/healthz": 1}])
def test_exempt_that_is_no_list(value: Any) -> None:
    """What is neither a list nor one string is an error with the setting's name."""
    with pytest.raises(ConfigurationError) as caught:
        read_settings({**BASE, "TRUSTED_PROXY_HTTPS_EXEMPT": value})

    assert caught.value.option == "TRUSTED_PROXY_HTTPS_EXEMPT"
    assert caught.value.value == value


def test_wrong_setting_of_what_is_off() -> None:
    """It is an error before anybody switches HTTPS only on."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HTTPS_STATUS"):
        read_settings({**BASE, "TRUSTED_PROXY_HTTPS_STATUS": 303})
