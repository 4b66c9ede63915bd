"""
``flask trustedproxy …``, and ``trustedproxy --app`` with a Flask application.

In:  command lines, through Flask's own test runner for them.
Out: what the subcommands print for this application, and their exit status.
"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import Result
from flask import Flask, Request

from flask_trustedproxy import cli as cli_module
from flask_trustedproxy.framework import read_framework
from flask_trustedproxy.loading import load, load_app
from flask_trustedproxy.site import FlaskSite
from trustedproxy.explain import describe_settings

from .conftest import POLICY, make_app, make_bare_app

SECRETS = {
    "TRUSTED_PROXY_SECRET_HEADER": "X-Edge-Secret",
    "TRUSTED_PROXY_SECRETS": ["hush-hush-hush-hush"],
}


@pytest.fixture(autouse=True)
def _extra() -> None:
    """Skip these tests where the command cannot run."""
    pytest.importorskip("rich", reason="the extra cli is not installed here")


def invoke(*words: str, **config: Any) -> Result:
    """Run the command in an application with *config* beside the policy."""
    app = make_app(**{**POLICY, **config})
    return app.test_cli_runner().invoke(args=["trustedproxy", *words])


def test_settings_are_those_of_the_application() -> None:
    """In words."""
    result = invoke("settings", TRUSTED_PROXY_HTTPS_ONLY=True)

    settings = make_app(**POLICY, TRUSTED_PROXY_HTTPS_ONLY=True).extensions
    assert result.exit_code == 0
    assert result.output == f"{describe_settings(settings['trustedproxy'].settings)}\n"
    assert "TRUSTED_PROXY_HTTPS_ONLY = True" in result.output


def test_request_is_explained() -> None:
    """Step by step, with the application's own policy."""
    result = invoke(
        *("explain", "--peer", "10.0.0.5"),
        *("-H", "X-Forwarded-For: 6.6.6.6"),
        *("-H", "x-forwarded-for:203.0.113.7"),
        *("--header", "X-Forwarded-Proto: https"),
        *("-H", "X-Real-IP: 6.6.6.6"),
    )

    for text in (
        "'10.0.0.5' is a trusted proxy, by the entry '10.0.0.0/8'",
        "X-Forwarded-For: '6.6.6.6,203.0.113.7'",
        "1. '203.0.113.7' is not a trusted proxy.",
        "client address  '203.0.113.7', was '10.0.0.5'",
        "scheme          'https', was 'http'",
        "X-Real-IP (client address): removed",
    ):
        assert text in result.output


def test_refused_host_is_explained() -> None:
    """By Flask's own rule."""
    result = invoke(
        "explain",
        "http://evil.example/",
        "--peer=10.0.0.5",
        TRUSTED_HOSTS=["app.example"],
    )

    assert "TRUSTED_HOSTS\n  The host 'evil.example' is not in TRUSTED_HOSTS" in (
        result.output
    )
    assert 'TRUSTED_HOSTS = ["app.example", "evil.example"]' in result.output


def test_check_is_the_cores() -> None:
    """With the exit status for CI."""
    fine = invoke("check", TRUSTED_PROXY_HEADERS=["X-Forwarded-For"])
    risky = invoke("check", TRUSTED_PROXIES="*", TRUSTED_PROXY_HTTPS_ONLY=True)

    assert fine.exit_code == 0
    assert risky.exit_code == 1
    assert "(every-peer)" in risky.output
    assert "TRUSTED_HOSTS = ['www.example.com']" in risky.output


def test_secret_is_not_shown() -> None:
    """A secret stays one."""
    for words in (
        ["settings"],
        ["explain", "-H", "X-Edge-Secret: hush-hush-hush-hush"],
    ):
        assert "hush" not in invoke(*words, **SECRETS).output


@pytest.mark.parametrize("words", [["chekc"], ["check", "--frobnicate"], []])
def test_wrong_use(words: list[str]) -> None:
    """Exit status 2."""
    assert invoke(*words).exit_code == 2


def test_help_is_the_programs() -> None:
    """By the name that was typed, and without options of other sources."""
    result = invoke("check", "--help")

    assert result.output.startswith("Usage: flask trustedproxy check [OPTIONS]")
    assert "--django" not in result.output


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask brings click alone."""
    monkeypatch.setattr(cli_module, "name_missing", lambda: "Install this.")

    result = invoke("check")

    assert result.exit_code == 2
    assert "Install this.\n" in result.output


def test_application_is_found_in_middlewares() -> None:
    """As a server is given it."""
    app = make_app(**POLICY)

    def outer(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    loaded = load_app(outer)

    assert loaded == load(app)
    assert loaded.settings is app.extensions["trustedproxy"].settings
    assert loaded.origin == f"the Flask application {app.name}"


@pytest.mark.parametrize(
    ("hosts", "expected"), [(None, None), (["a.example"], ("a.example",))]
)
def test_framework_says_what_flask_does(hosts: Any, expected: Any) -> None:
    """Its hosts, by the configuration or by the class of requests."""
    configured = make_app(**POLICY, TRUSTED_HOSTS=hosts)
    classed = make_app(**POLICY)

    class Classed(Request):
        trusted_hosts = hosts

    classed.request_class = Classed

    for app in (configured, classed):
        framework = read_framework(app)
        assert framework.allowed_hosts == expected
        assert isinstance(framework.site, FlaskSite)


def test_application_without_the_extension_has_no_command() -> None:
    """Nothing is there that could be asked."""
    app: Flask = make_bare_app()

    assert "trustedproxy" not in app.cli.commands
