"""
The presets by their names: what there is, what is said of a wrong one, what is loaded.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from trustedproxy import ConfigurationError, presets
from trustedproxy.presets import load, names, read_preset
from trustedproxy.presets.combining import setting_of
from trustedproxy.settings import read_settings


def test_names_are_sorted_and_have_the_platforms_that_everybody_uses() -> None:
    """A name that goes would break deployments."""
    assert list(names()) == sorted(names())
    assert set(names()) >= {
        "nginx-local",
        "nginx-append",
        "apache",
        "haproxy",
        "caddy",
        "traefik",
        "ingress-nginx",
        "envoy-edge",
        "istio",
        "aws-alb",
        "aws-cloudfront",
        "aws-cloudfront-alb",
        "cloudflare",
        "gcp-lb",
        "azure-appgw",
        "azure-frontdoor",
        "heroku",
        "fly",
        "railway",
    }


def test_preset_is_loaded_as_settings() -> None:
    """Under the names that settings have, and nobody changes it."""
    settings = load("heroku")

    assert settings == {
        "TRUSTED_PROXY_HEADERS": ("X-Forwarded-For", "X-Forwarded-Proto"),
        "TRUSTED_PROXIES": ("private",),
        "TRUSTED_PROXY_HOPS": 1,
        "TRUSTED_PROXY_STRIP": "all",
    }
    read_only: Any = settings
    with pytest.raises(TypeError):
        read_only["TRUSTED_PROXY_HOPS"] = 2


def test_loaded_settings_are_settings() -> None:
    """They can stand in for the preset wherever settings are read."""
    policy = read_settings(load("cloudflare")).policy

    assert [header.name for header in policy.headers] == [
        "CF-Connecting-IP",
        "X-Forwarded-Proto",
    ]


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("proxies", "TRUSTED_PROXIES"),
        ("hops", "TRUSTED_PROXY_HOPS"),
        ("secret_header", "TRUSTED_PROXY_SECRET_HEADER"),
    ],
)
def test_argument_has_the_name_of_its_setting(argument: str, name: str) -> None:
    """As the table of settings has it."""
    assert setting_of(argument) == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("cloudflair", "cloudflare"), ("Heroku", "heroku"), ("aws_alb", "aws-alb")],
)
def test_refuses_an_unknown_name_and_names_the_nearest(name: str, nearest: str) -> None:
    """A misspelled preset is no preset."""
    with pytest.raises(ConfigurationError) as caught:
        read_preset(name)

    assert caught.value.option == "TRUSTED_PROXY_PRESET"
    assert caught.value.nearest == nearest


@pytest.mark.parametrize("name", ["", "zzz", "../records", None, 3, ["heroku"]])
def test_refuses_what_is_near_to_no_name_and_lists_all(name: object) -> None:
    """Whatever a setting holds; a path leads nowhere."""
    with pytest.raises(ConfigurationError) as caught:
        read_preset(name)

    assert caught.value.nearest is None
    assert "aws-alb, aws-cloudfront" in str(caught.value)


def test_refuses_an_unconfirmed_platform_and_says_where_to_read() -> None:
    """It is known, and that is all."""
    with pytest.raises(ConfigurationError, match=r"docs/platforms\.md says what to"):
        read_preset("render")


def test_preset_is_read_once() -> None:
    """Every policy of a process shares it."""
    assert read_preset("fly") is read_preset("fly")
    assert presets.read_unconfirmed("render") is presets.read_unconfirmed("render")


def test_nothing_is_loaded_before_a_preset_is_asked_for() -> None:
    """Neither TOML nor a client library, and of the latter nothing for a preset."""
    code = """
import sys
# What measures coverage may have loaded it before.
sys.modules.pop("tomllib", None)
from trustedproxy import presets
print("tomllib" in sys.modules, "urllib3" in sys.modules)
presets.read_preset("cloudflare")
print("tomllib" in sys.modules, "urllib3" in sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )

    assert done.stdout.split() == ["False", "False", "True", "False"]
