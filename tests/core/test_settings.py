"""
Setting names to settings, and the text of environment variables to values.

In:  mappings as Django, Flask and the environment have them.
Out: `Settings`, and errors that name the setting.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import (
    ConfigurationError,
    HSTSPolicy,
    ProxyPolicy,
    Settings,
    read_settings,
)
from trustedproxy.hsts import EXPECTED
from trustedproxy.option_table import OPTIONS, read_environment, unused_names
from trustedproxy.policy import make_policy

from .making import FOR, PROTO

DEFAULTS = {option.name: option.default for option in OPTIONS}


def test_settings_of_nothing_are_the_defaults() -> None:
    """Nothing is trusted, redirected, mounted or restricted."""
    settings = read_settings({"SECRET_KEY": "x", "DEBUG": True, "TRUST": 1})

    assert settings.policy.headers == ()
    assert settings == Settings(settings.policy)
    assert (settings.https_only, settings.hsts) == (None, None)
    assert (dict(settings.mount_points), settings.restrict_signals) == ({}, False)


def test_defaults_written_out_are_the_defaults() -> None:
    """Whoever copies the table into the settings changes nothing."""
    settings = read_settings(DEFAULTS)

    assert repr(settings.policy) == repr(ProxyPolicy())
    assert settings.https_only is None
    assert unused_names(DEFAULTS) == []


def test_settings_hold_everything_that_is_set() -> None:
    """The policy, HTTPS, mount points and signals, from one mapping."""
    settings = read_settings(
        {
            "TRUSTED_PROXY_HEADERS": [FOR],
            "TRUSTED_PROXIES": "loopback",
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_HOST": "app.example:8443",
            "TRUSTED_PROXY_HTTPS_STATUS": 308,
            "TRUSTED_PROXY_HTTPS_EXEMPT": ["/healthz"],
            "TRUSTED_PROXY_HSTS_POLICY": "max-age=60",
            "TRUSTED_PROXY_MOUNT_POINTS": {"/blog/": "http://127.0.0.1:8001/"},
            "TRUSTED_PROXY_RESTRICT_SIGNALS": True,
        }
    )

    assert settings.policy.proxies == ("loopback",)
    assert settings.https_only is not None
    assert settings.hsts == HSTSPolicy(max_age=60)
    assert settings.mount_points == {"/blog/": "http://127.0.0.1:8001/"}
    assert settings.restrict_signals is True


def test_hsts_policy_may_be_one() -> None:
    """Text or the record, which is then the same object."""
    hsts = HSTSPolicy(max_age=60)

    assert read_settings({"TRUSTED_PROXY_HSTS_POLICY": hsts}).hsts is hsts
    assert read_settings({"TRUSTED_PROXY_HSTS_POLICY": str(hsts)}).hsts == hsts


def test_mount_points_that_are_none_are_no_mount_points() -> None:
    """``None`` and nothing say the same."""
    nothing: list[Any] = [None, {}]
    for value in nothing:
        settings = read_settings({"TRUSTED_PROXY_MOUNT_POINTS": value})
        assert settings.mount_points == {}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TRUSTED_PROXY_RESTRICT_SIGNALS", "on", "True or False"),
        ("TRUSTED_PROXY_RESTRICT_SIGNALS", None, "True or False"),
        ("TRUSTED_PROXY_HTTPS_ONLY", 1, "True or False"),
        ("TRUSTED_PROXY_HSTS_POLICY", 31536000, EXPECTED),
        ("TRUSTED_PROXY_MOUNT_POINTS", [], "a mapping of URL paths to URLs"),
        ("TRUSTED_PROXY_MOUNT_POINTS", "/a=http://b", "a mapping of URL paths to URLs"),
    ],
)
def test_value_of_a_wrong_type_is_an_error(
    name: str, value: object, expected: str
) -> None:
    """The error names the setting, the value and what it should be."""
    with pytest.raises(ConfigurationError) as caught:
        read_settings({name: value})

    error = caught.value
    assert (error.option, error.value, error.expected) == (name, value, expected)


@pytest.mark.parametrize(
    "setting",
    [
        {"TRUSTED_PROXIES": ["10.0.0.0/33"]},
        {"TRUSTED_PROXY_HTTPS_STATUS": 200},
        {"TRUSTED_PROXY_HTTPS_HOST": "a/b"},
        {"TRUSTED_PROXY_HSTS_POLICY": "max-age"},
        {"TRUSTED_PROXY_MOUNT_POINTS": {"blog": "http://127.0.0.1/"}},
        {"TRUSTED_PROXY_MOUNT_POINTS": {"/blog": "gopher://127.0.0.1/"}},
    ],
    ids=str,
)
def test_wrong_value_is_refused_before_it_is_used(setting: dict[str, Any]) -> None:
    """Even where what it belongs to is not switched on."""
    [name] = setting

    with pytest.raises(ConfigurationError) as caught:
        read_settings(setting)

    assert caught.value.option.startswith(name)


def test_policy_is_made_of_its_own_settings() -> None:
    """Those of HTTPS and the rest are not the policy's, and named as such."""
    given = {
        "TRUSTED_PROXY_HEADERS": PROTO,
        "TRUSTED_PROXIES": "loopback",
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        "TRUSTED_PROXY_HTTPS_STATUS": 301,
        "TRUSTED_PROXY_MOUNT_POINTS": {"/a": "http://b/"},
    }

    assert [header.name for header in make_policy(given).headers] == [PROTO]
    assert unused_names(given) == [
        "TRUSTED_PROXY_HTTPS_ONLY",
        "TRUSTED_PROXY_MOUNT_POINTS",
    ]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_empty_variable_is_never_an_error(option: Any) -> None:
    """Whoever empties a variable takes the setting back, or lists nothing."""
    given = read_environment({option.name: ""})

    settings = read_settings(given)
    if option.name != "TRUSTED_PROXIES":
        assert repr(settings.policy) == repr(ProxyPolicy())
        assert not unused_names(given) or given[option.name] == ""
    else:
        assert settings.policy.proxies == ()


def test_https_only_reports_as_its_policy_does() -> None:
    """A policy that only logs has a redirect that only logs."""
    for wanted in (False, True):
        settings = read_settings(
            {"TRUSTED_PROXY_HTTPS_ONLY": True, "TRUSTED_PROXY_REPORT_ONLY": wanted}
        )

        assert settings.https_only is not None
        assert settings.https_only.report_only is wanted


def test_settings_pass_over_keys_that_are_no_text() -> None:
    """A mapping of others may have any keys."""
    settings = read_settings({1: 2, None: 3})  # type: ignore[dict-item]  # keys that are no text are what is asked

    assert settings.policy.headers == ()


def test_environment_refuses_a_number_of_thousands_of_digits() -> None:
    """A number that no setting has is a configuration error, and nothing else."""
    with pytest.raises(ConfigurationError, match="a whole number"):
        ProxyPolicy.from_env({"TRUSTED_PROXY_HOPS": "1" * 5000})
