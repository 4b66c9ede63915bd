"""
``flask trustedproxy``: the policy in force, and one request explained.

In:  command lines, through Flask's own test runner for them.
Out: the text of `trustedproxy.explain`, and nothing of a secret.
"""

from __future__ import annotations

import pytest

from trustedproxy.explain import describe_settings

from .conftest import POLICY, make_app

CONFIG = {
    **POLICY,
    "TRUSTED_PROXY_SECRET_HEADER": "X-Edge-Secret",
    "TRUSTED_PROXY_SECRETS": ["hush-hush-hush-hush"],
}


def run(*arguments: str, **config: object) -> str:
    """Run the command in an application with *config*."""
    app = make_app(**(config or POLICY))
    result = app.test_cli_runner().invoke(args=["trustedproxy", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_command_shows_the_settings_in_force() -> None:
    """Without options it shows what `describe_settings` says of the application."""
    app = make_app(**POLICY, TRUSTED_PROXY_HTTPS_ONLY=True)

    result = app.test_cli_runner().invoke(args=["trustedproxy"])

    settings = app.extensions["trustedproxy"].settings
    assert result.output == describe_settings(settings) + "\n"
    assert "TRUSTED_PROXIES = 10.0.0.0/8" in result.output
    assert "TRUSTED_PROXY_HTTPS_ONLY = True" in result.output


def test_command_explains_a_request_of_a_trusted_proxy() -> None:
    """With `--explain` it says what becomes of a request like the one described."""
    output = run(
        *("--explain", "--peer", "10.0.0.5"),
        *("-H", "X-Forwarded-For: 6.6.6.6"),
        *("-H", "x-forwarded-for:203.0.113.7"),
        *("--header", "X-Forwarded-Proto: https"),
        *("-H", "X-Real-IP: 6.6.6.6"),
    )

    assert "'10.0.0.5' is a trusted proxy: its headers are read." in output
    assert "X-Forwarded-For: '6.6.6.6,203.0.113.7'" in output
    assert "1. '203.0.113.7' is not a trusted proxy." in output
    assert "client address  '203.0.113.7', was '10.0.0.5'" in output
    assert "scheme          'https', was 'http'" in output
    assert "Removed\n  X-Real-IP" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--peer", "10.0.0.5"],
        ["-H", "X-Real-IP: 6.6.6.6"],
        ["--scheme", "https"],
        ["--server", "backend"],
        ["--port", "8443"],
        ["--mount-point", ""],
        ["--path", "/a"],
    ],
)
def test_option_of_a_request_implies_the_explanation(arguments: list[str]) -> None:
    """Whoever describes a request wants to hear of it."""
    output = run(*arguments)

    assert output == run("--explain", *arguments)
    assert "The application sees" in output


def test_command_helps() -> None:
    """The help says what a request is where no option describes it."""
    output = run("--help")

    for default in ("127.0.0.1", "http", "localhost", "8000", "nowhere", "/"):
        assert f"[default: {default}]" in " ".join(output.split())


def test_command_explains_a_direct_request() -> None:
    """A peer that is not listed is not trusted, and the text says so."""
    output = run(
        *("--explain", "--peer", "198.51.100.7"), *("-H", "X-Forwarded-For: 6.6.6.6")
    )

    assert "'198.51.100.7' is not a trusted proxy" in output
    assert "client address  '198.51.100.7'\n" in output


def test_command_takes_the_rest_of_the_request() -> None:
    """All that a server says of a connection can be given."""
    output = run(
        *("--explain", "--path", "/a/b", "--scheme", "https"),
        *("--server", "backend", "--port", "8443", "--mount-point", "/m"),
        *("-H", "Host: app.example"),
    )

    assert "scheme 'https', host 'app.example', mount point '/m', path '/a/b'" in output
    assert "server name     'backend'" in output
    assert "port            '8443'" in output


def test_command_takes_a_unix_socket() -> None:
    """An empty peer is a unix socket."""
    output = run("--explain", "--peer", "")

    assert "The unix socket '' is not a trusted proxy" in output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--explain", "--peer", "10.0.0.5", "-H", "X-Edge-Secret: hush-hush-hush-hush"],
    ],
)
def test_command_shows_no_secret(arguments: list[str]) -> None:
    """Neither a configured secret nor a sent one is printed."""
    output = run(*arguments, **CONFIG)

    assert "X-Edge-Secret" in output
    assert "hush" not in output


@pytest.mark.parametrize("line", ["X-Forwarded-For", ": value", ""])
def test_command_refuses_what_is_no_header(line: str) -> None:
    """A header without a name or a colon is an error that shows what was given."""
    app = make_app(**POLICY)

    result = app.test_cli_runner().invoke(args=["trustedproxy", "-H", line])

    assert result.exit_code == 2
    assert f"{line!r} is not a header such as 'X-Scheme: https'." in result.output


def test_command_is_only_there_with_the_extension() -> None:
    """An application without the extension has no such command."""
    from .conftest import make_bare_app

    result = make_bare_app().test_cli_runner().invoke(args=["trustedproxy"])

    assert result.exit_code == 2
