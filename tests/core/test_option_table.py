"""
The table of settings, and how names and texts become values.

In:  mappings as Django, Flask and the environment have them.
Out: our settings by their names, and errors that name the nearest one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from trustedproxy import ConfigurationError, ProxyPolicy
from trustedproxy.option_table import (
    OPTION_OF,
    OPTIONS,
    is_ours,
    read_environment,
    select_settings,
    unused_names,
)
from trustedproxy.options import PREFIX
from trustedproxy.policy_options import read_policy_options

from .making import FOR, PROTO

#: Design, section 6: every setting, its default, its argument of `ProxyPolicy`.
NAMES: dict[str, tuple[Any, str | None]] = {
    "TRUSTED_PROXY_HEADERS": ((), "headers"),
    "TRUSTED_PROXIES": (None, "proxies"),
    "TRUSTED_PROXY_HOPS": (None, "hops"),
    "TRUSTED_PROXY_SECRET_HEADER": (None, "secret_header"),
    "TRUSTED_PROXY_SECRETS": ((), "secrets"),
    "TRUSTED_PROXY_PRESET": (None, "preset"),
    "TRUSTED_PROXY_STRIP": ("listed", "strip"),
    "TRUSTED_PROXY_MALFORMED": ("ignore", "malformed"),
    "TRUSTED_PROXY_MISSING": ("ignore", "missing"),
    "TRUSTED_PROXY_PORT_IN_HOST": (False, "port_in_host"),
    "TRUSTED_PROXY_STRIP_MOUNT_POINT": (False, "strip_mount_point"),
    "TRUSTED_PROXY_REPORT_ONLY": (False, "report_only"),
    "TRUSTED_PROXY_FIXED_SCHEME": (None, "fixed_scheme"),
    "TRUSTED_PROXY_FIXED_HOST": (None, "fixed_host"),
    "TRUSTED_PROXY_FIXED_PORT": (None, "fixed_port"),
    "TRUSTED_PROXY_FIXED_MOUNT_POINT": (None, "fixed_mount_point"),
    "TRUSTED_PROXY_HTTPS_ONLY": (False, None),
    "TRUSTED_PROXY_HTTPS_HOST": (None, None),
    "TRUSTED_PROXY_HTTPS_STATUS": (301, None),
    "TRUSTED_PROXY_HTTPS_EXEMPT": ((), None),
    "TRUSTED_PROXY_HSTS_POLICY": (None, None),
    "TRUSTED_PROXY_MOUNT_POINTS": ({}, None),
    "TRUSTED_PROXY_RESTRICT_SIGNALS": (False, None),
    "TRUSTED_PROXY_TOKEN_FILE": (None, None),
}


@pytest.mark.parametrize("name", NAMES)
def test_setting_has_its_default_and_its_argument(name: str) -> None:
    """One name everywhere, one default everywhere."""
    option = OPTION_OF[name]

    assert (option.default, option.argument) == NAMES[name]
    assert option.meaning and not option.meaning.endswith(".")
    assert name.startswith(PREFIX)
    if option.argument is not None:
        parameter = inspect.signature(read_policy_options).parameters[option.argument]
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default == option.default


def test_every_argument_of_a_policy_is_a_setting() -> None:
    """Whatever can be said in Python can be configured."""
    arguments = {option.argument for option in OPTIONS if option.argument}

    assert arguments == set(inspect.signature(read_policy_options).parameters)
    assert [option.name for option in OPTIONS] == list(NAMES)


def test_our_names_are_picked_out() -> None:
    """Others are not looked at, whatever they hold."""
    mapping: dict[Any, Any] = {
        "TRUSTED_PROXY_HOPS": 1,
        "TRUSTED_HOSTS": object(),
        "DEBUG": object(),
        7: object(),
        None: object(),
    }

    assert select_settings(mapping) == {"TRUSTED_PROXY_HOPS": 1}


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("TRUSTED_PROXY_HOP", "TRUSTED_PROXY_HOPS"),
        ("TRUSTED_PROXYS", "TRUSTED_PROXIES"),
        ("TRUSTED_PROXIE", "TRUSTED_PROXIES"),
        ("TRUSTEDPROXY_HEADERS", "TRUSTED_PROXY_HEADERS"),
        ("TRUSTEDPROXIES", "TRUSTED_PROXIES"),
        ("TRUSTED-PROXY-HEADERS", "TRUSTED_PROXY_HEADERS"),
        ("TRUST_PROXY_HEADERS", "TRUSTED_PROXY_HEADERS"),
        ("TRUSTED_PORXY_HEADERS", "TRUSTED_PROXY_HEADERS"),
        ("TRUSTD_PROXIES", "TRUSTED_PROXIES"),
        ("TURSTED_PROXY_STRIP", "TRUSTED_PROXY_STRIP"),
        ("trusted_proxy_headers", "TRUSTED_PROXY_HEADERS"),
        ("TRUSTED_PROXY_REPORTONLY", "TRUSTED_PROXY_REPORT_ONLY"),
        ("TRUSTED_PROXY_SHADOW", None),
    ],
)
@pytest.mark.parametrize("select", [select_settings, read_environment])
def test_name_that_is_nearly_ours_is_an_error(
    select: Callable[[Any], object], name: str, near: str | None
) -> None:
    """Nobody reads a misspelled setting, so that it would be missing silently."""
    with pytest.raises(ConfigurationError) as caught:
        select({name: "1"})

    assert caught.value.option == caught.value.value == name
    assert caught.value.expected.startswith("a known setting")
    if near is not None:
        assert caught.value.nearest == near


@pytest.mark.parametrize(
    "name",
    [
        "TRUSTED_HOSTS",
        "TRUSTED_ORIGINS",
        "CSRF_TRUSTED_ORIGINS",
        "TRUST_PROXY",
        "TIME_ZONE",
        "HTTP_PROXY",
        "SECURE_PROXY_SSL_HEADER",
        "APP_TRUSTED_PROXIES",
        "MY_TRUSTED_PROXY_HEADERS",
        "T",
        "",
    ],
)
def test_name_of_somebody_elses_is_not_taken_for_ours(name: str) -> None:
    """Django, Flask, servers and applications have settings of their own."""
    assert not is_ours(name)
    assert read_environment({name: "1"}) == {}


def test_settings_that_a_policy_alone_does_not_use_are_named() -> None:
    """What belongs to HTTPS and the rest, where it is set to anything."""
    given = {
        "TRUSTED_PROXY_HEADERS": PROTO,
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        "TRUSTED_PROXY_HTTPS_STATUS": 301,
        "TRUSTED_PROXY_MOUNT_POINTS": {"/a": "http://b/"},
    }

    assert unused_names(given) == [
        "TRUSTED_PROXY_HTTPS_ONLY",
        "TRUSTED_PROXY_MOUNT_POINTS",
    ]


# -- the environment -------------------------------------------------------------------

YES = ("true", "True", "YES", "on", "1", " 1 ")
NO = ("false", "False", "no", "OFF", "0")
FLAGS = [option.name for option in OPTIONS if isinstance(option.default, bool)]


@pytest.mark.parametrize("name", FLAGS)
def test_flag_is_a_word_in_the_environment(name: str) -> None:
    """Yes and no in the words that people use."""
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
        ("TRUSTED_PROXY_SECRET_HEADER", " X-Proof ", "X-Proof"),
        ("TRUSTED_PROXY_STRIP", "all", "all"),
        ("TRUSTED_PROXY_PRESET", " cloudflare ", "cloudflare"),
        ("TRUSTED_PROXY_SECRETS", "one\ntwo", "one\ntwo"),
        ("TRUSTED_PROXY_FIXED_SCHEME", " https ", "https"),
        ("TRUSTED_PROXY_FIXED_PORT", "8443", "8443"),
        ("TRUSTED_PROXY_MALFORMED", "reject ", "reject"),
        ("TRUSTED_PROXY_MISSING", "reject", "reject"),
        ("TRUSTED_PROXY_HTTPS_HOST", ":8443", ":8443"),
        ("TRUSTED_PROXY_HTTPS_STATUS", "308", 308),
        ("TRUSTED_PROXY_HTTPS_EXEMPT", "/a /b", "/a /b"),
        ("TRUSTED_PROXY_HSTS_POLICY", "max-age=60; preload", "max-age=60; preload"),
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
    """Lists stay text, an empty one too; numbers and flags are read."""
    assert read_environment({name: text, "PATH": "/bin"}) == {name: value}


LISTS = {
    "TRUSTED_PROXY_HEADERS",
    "TRUSTED_PROXIES",
    "TRUSTED_PROXY_SECRETS",
    "TRUSTED_PROXY_HTTPS_EXEMPT",
}


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_empty_variable_is_an_empty_list_or_unset(text: str) -> None:
    """What is not set is often handed on as an empty text."""
    environment = dict.fromkeys(OPTION_OF, text)

    assert read_environment(environment) == dict.fromkeys(LISTS, text)


@pytest.mark.parametrize(
    ("name", "argument"),
    [("TRUSTED_PROXY_STRIP", "strip"), ("TRUSTED_PROXY_HOPS", "hops")],
)
def test_empty_variable_leaves_the_preset_as_it_is(name: str, argument: str) -> None:
    """Nobody meant to take the preset's own word back."""
    preset = ProxyPolicy.from_preset("heroku", proxies="*")
    variables = {"TRUSTED_PROXY_PRESET": "heroku", "TRUSTED_PROXIES": "*", name: " "}

    assert getattr(ProxyPolicy.from_env(variables), argument) is not None
    assert ProxyPolicy.from_env(variables) == preset


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
            "/a=http://b /c:http://d",
            "/c:http://d",
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
