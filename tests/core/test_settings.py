"""
Setting names to settings, and the text of environment variables to values.

In:  mappings as Django, Flask and the environment have them.
Out: `Settings`, and errors that name the setting.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from trustedproxy import (
    ConfigurationError,
    HSTSPolicy,
    ProxyPolicy,
    Settings,
    read_settings,
)
from trustedproxy.settings import (
    OPTION_OF,
    OPTIONS,
    PREFIX,
    make_policy,
    read_environment,
    select_settings,
    unused_names,
)

from .making import FOR, PROTO

#: Design, section 6: every setting, its default, its argument of `ProxyPolicy`.
NAMES: dict[str, tuple[Any, str | None]] = {
    "TRUSTED_PROXY_HEADERS": ((), "headers"),
    "TRUSTED_PROXIES": (None, "proxies"),
    "TRUSTED_PROXY_HOPS": (None, "hops"),
    "TRUSTED_PROXY_SECRET_HEADER": (None, "secret_header"),
    "TRUSTED_PROXY_SECRETS": ((), "secrets"),
    "TRUSTED_PROXY_STRIP": ("listed", "strip"),
    "TRUSTED_PROXY_MALFORMED": ("ignore", "malformed"),
    "TRUSTED_PROXY_MISSING": ("ignore", "missing"),
    "TRUSTED_PROXY_PORT_IN_HOST": (False, "port_in_host"),
    "TRUSTED_PROXY_STRIP_MOUNT_POINT": (False, "strip_mount_point"),
    "TRUSTED_PROXY_REPORT_ONLY": (False, "report_only"),
    "TRUSTED_PROXY_HTTPS_ONLY": (False, None),
    "TRUSTED_PROXY_HTTPS_HOST": (None, None),
    "TRUSTED_PROXY_HTTPS_STATUS": (301, None),
    "TRUSTED_PROXY_HTTPS_EXEMPT": ((), None),
    "TRUSTED_PROXY_HSTS_POLICY": (None, None),
    "TRUSTED_PROXY_MOUNT_POINTS": ({}, None),
    "TRUSTED_PROXY_RESTRICT_SIGNALS": (False, None),
}


@pytest.mark.parametrize("name", NAMES)
def test_setting_has_its_default_and_its_argument(name: str) -> None:
    """One name everywhere, one default everywhere."""
    option = OPTION_OF[name]

    assert (option.default, option.argument) == NAMES[name]
    assert option.meaning and not option.meaning.endswith(".")
    assert name.startswith(PREFIX)
    if option.argument is not None:
        parameter = inspect.signature(ProxyPolicy).parameters[option.argument]
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default == option.default


def test_every_argument_of_a_policy_is_a_setting() -> None:
    """Whatever can be said in Python can be configured."""
    arguments = {option.argument for option in OPTIONS if option.argument}

    assert arguments == set(inspect.signature(ProxyPolicy).parameters)
    assert len(OPTION_OF) == len(OPTIONS)


def test_settings_of_nothing_are_the_defaults() -> None:
    """Nothing is trusted, redirected, mounted or restricted."""
    settings = read_settings({"SECRET_KEY": "x", "DEBUG": True, "TRUST": 1})

    assert settings.policy.headers == ()
    assert settings == Settings(settings.policy)
    assert (settings.https_only, settings.hsts) == (None, None)
    assert (dict(settings.mount_points), settings.restrict_signals) == ({}, False)


def test_defaults_written_out_are_the_defaults() -> None:
    """Whoever copies the table into the settings changes nothing."""
    settings = read_settings({name: default for name, (default, _) in NAMES.items()})

    assert repr(settings.policy) == repr(ProxyPolicy())
    assert settings.https_only is None
    assert unused_names({name: default for name, (default, _) in NAMES.items()}) == []


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
        ("TRUSTED_PROXY_HSTS_POLICY", 31536000, "the text of an HSTS policy"),
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

    assert str(caught.value) == f"{name}: {value!r} is not {expected}."


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
def test_wrong_value_is_told_before_it_is_used(setting: dict[str, Any]) -> None:
    """Even where what it belongs to is not switched on."""
    [name] = setting

    with pytest.raises(ConfigurationError) as caught:
        read_settings(setting)

    assert caught.value.option.startswith(name)


def test_our_names_are_picked_out() -> None:
    """Others are not looked at, whatever they hold; an unknown one of ours is told."""
    mapping = {"TRUSTED_PROXY_HOPS": 1, "TRUSTED_HOSTS": object(), "DEBUG": object()}

    assert select_settings(mapping) == {"TRUSTED_PROXY_HOPS": 1}
    for name, near in [
        ("TRUSTED_PROXY_HOP", " (the nearest is 'TRUSTED_PROXY_HOPS')"),
        ("TRUSTED_PROXYS", " (the nearest is 'TRUSTED_PROXIES')"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            select_settings({name: 1})
        assert caught.value.option == caught.value.value == name
        assert caught.value.expected == f"a known setting{near}"


def test_policy_is_made_of_its_own_settings() -> None:
    """Those of HTTPS and the rest are not the policy's, and named as such."""
    given = {
        "TRUSTED_PROXY_HEADERS": PROTO,
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        "TRUSTED_PROXY_HTTPS_STATUS": 301,
        "TRUSTED_PROXY_MOUNT_POINTS": {"/a": "http://b/"},
    }

    assert [header.name for header in make_policy(given).headers] == [PROTO]
    assert unused_names(given) == [
        "TRUSTED_PROXY_HTTPS_ONLY",
        "TRUSTED_PROXY_MOUNT_POINTS",
    ]


# -- the environment -------------------------------------------------------------------

YES = ("true", "True", "YES", "on", "1", " 1 ")
NO = ("false", "False", "no", "OFF", "0", "", " ")
FLAGS = [option.name for option in OPTIONS if isinstance(option.default, bool)]


@pytest.mark.parametrize("name", FLAGS)
def test_flag_is_a_word_in_the_environment(name: str) -> None:
    """Yes and no in the words that people use; empty is no."""
    assert [read_environment({name: text})[name] for text in YES] == [True] * len(YES)
    assert [read_environment({name: text})[name] for text in NO] == [False] * len(NO)
    for text in ("y", "maybe", "2"):
        with pytest.raises(ConfigurationError) as caught:
            read_environment({name: text})
        assert str(caught.value) == f"{name}: {text!r} is not true or false."


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TRUSTED_PROXY_HEADERS", f"{FOR}, {PROTO}", f"{FOR}, {PROTO}"),
        ("TRUSTED_PROXY_HEADERS", "", ""),
        ("TRUSTED_PROXIES", "", ""),
        ("TRUSTED_PROXY_HOPS", "2", 2),
        ("TRUSTED_PROXY_HOPS", " 2 ", 2),
        ("TRUSTED_PROXY_HOPS", "", None),
        ("TRUSTED_PROXY_SECRET_HEADER", " X-Proof ", "X-Proof"),
        ("TRUSTED_PROXY_SECRET_HEADER", "", None),
        ("TRUSTED_PROXY_STRIP", "all", "all"),
        ("TRUSTED_PROXY_STRIP", " ", "listed"),
        ("TRUSTED_PROXY_MALFORMED", "reject ", "reject"),
        ("TRUSTED_PROXY_MALFORMED", "", "ignore"),
        ("TRUSTED_PROXY_MISSING", "reject", "reject"),
        ("TRUSTED_PROXY_MISSING", "", "ignore"),
        ("TRUSTED_PROXY_HTTPS_HOST", ":8443", ":8443"),
        ("TRUSTED_PROXY_HTTPS_HOST", "", None),
        ("TRUSTED_PROXY_HTTPS_STATUS", "308", 308),
        ("TRUSTED_PROXY_HTTPS_STATUS", "", 301),
        ("TRUSTED_PROXY_HTTPS_EXEMPT", "/a /b", "/a /b"),
        ("TRUSTED_PROXY_HSTS_POLICY", "max-age=60; preload", "max-age=60; preload"),
        ("TRUSTED_PROXY_HSTS_POLICY", "", None),
        ("TRUSTED_PROXY_MOUNT_POINTS", "", {}),
        (
            "TRUSTED_PROXY_MOUNT_POINTS",
            "/a=http://b/?x=1, /c=unix:/s|http://d/",
            {"/a": "http://b/?x=1", "/c": "unix:/s|http://d/"},
        ),
    ],
)
def test_text_of_a_variable_is_the_settings_value(
    name: str, text: str, value: object
) -> None:
    """Lists stay text, numbers and flags are read, an empty text is unset or empty."""
    assert read_environment({name: text, "PATH": "/bin"}) == {name: value}


@pytest.mark.parametrize(
    ("name", "text", "value", "expected"),
    [
        ("TRUSTED_PROXY_HOPS", "two", "two", "a whole number"),
        ("TRUSTED_PROXY_HOPS", "-1", "-1", "a whole number"),
        ("TRUSTED_PROXY_HOPS", "1.0", "1.0", "a whole number"),
        ("TRUSTED_PROXY_HOPS", "\u0662", "\u0662", "a whole number"),
        ("TRUSTED_PROXY_HTTPS_STATUS", "see", "see", "a whole number"),
        (
            "TRUSTED_PROXY_MOUNT_POINTS",
            "/a=http://b /c",
            "/c",
            "one PATH=URL for each path",
        ),
        (
            "TRUSTED_PROXY_MOUNT_POINTS",
            "/a=http://b,/a=http://c",
            "/a=http://c",
            "one PATH=URL for each path",
        ),
    ],
)
def test_text_that_is_no_value_is_an_error(
    name: str, text: str, value: str, expected: str
) -> None:
    """The error shows the word that is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        read_environment({name: text})

    assert str(caught.value) == f"{name}: {value!r} is not {expected}."


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


def test_https_only_shadows_as_its_policy_does() -> None:
    """A policy that only logs has a redirect that only logs."""
    for shadow in (False, True):
        settings = read_settings(
            {"TRUSTED_PROXY_HTTPS_ONLY": True, "TRUSTED_PROXY_REPORT_ONLY": shadow}
        )

        assert settings.https_only is not None
        assert settings.https_only.report_only is shadow


def test_settings_pass_over_keys_that_are_no_text() -> None:
    """A mapping of others may have any keys."""
    settings = read_settings({1: 2, None: 3})  # type: ignore[dict-item]

    assert settings.policy.headers == ()


def test_environment_refuses_a_number_of_thousands_of_digits() -> None:
    """A number that no setting has is a configuration error, and nothing else."""
    with pytest.raises(ConfigurationError, match="a whole number"):
        ProxyPolicy.from_env({"TRUSTED_PROXY_HOPS": "1" * 5000})
