"""
What all subcommands have in common: help, version, errors, exit statuses.

In:  words, right and wrong.
Out: text or JSON, the nearest of what was meant, and 0, 1 or 2.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from io import StringIO

import click
import pytest

from trustedproxy import read_settings
from trustedproxy.cli import program
from trustedproxy.cli.program import SUBCOMMANDS, Program, Session, run
from trustedproxy.cli.program import program as group
from trustedproxy.cli.sources import Loaded

from .making import TRUSTING, ask


def load() -> Loaded:
    """Load the settings of a framework."""
    return Loaded(read_settings({}), "a framework")


def test_help_lists_every_subcommand() -> None:
    """With a line about each; nothing else has to be loaded for it."""
    result = ask("--help")

    assert result.status == 0
    for name, (_, line) in SUBCOMMANDS.items():
        assert f"  {name:<10}  {line}" in result.output


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help(name: str) -> None:
    """``-h`` is short for it."""
    long, short = ask(name, "--help"), ask(name, "-h")

    assert long.status == short.status == 0
    assert long.output == short.output
    assert f"trustedproxy {name}" in long.output


def test_command_without_words_shows_its_help() -> None:
    """Nothing was asked for, which is no success."""
    result = ask()

    assert result.status == 2
    assert "Commands:" in result.errors


def test_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the distribution; of a checkout nobody knows it."""
    monkeypatch.setattr(program, "version", lambda name: "1.2.3")
    installed = ask("--version")

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(program, "version", missing)
    checkout = ask("--version")

    assert installed.output == "trustedproxy 1.2.3\n"
    assert checkout.output == "trustedproxy unknown\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["chekc"], "'chekc' is not a subcommand (the nearest is 'check')."),
        (["xyzzy"], "'xyzzy' is not a subcommand: one of check, settings"),
        (["check", "--strickt"], "--strict"),
        (["--versoin"], "--version"),
        (
            ["settings", "--set", "htps-only=true"],
            "--set: 'htps-only' is not a setting (the nearest is 'https_only')",
        ),
        (["settings", "--preset", "cloudfare"], "(the nearest is 'cloudflare')"),
        (["settings", "--proxies", "loopbak"], "(the nearest is 'loopback')"),
        (["preset", "cloudfare"], "(the nearest is 'cloudflare')"),
        (["config", "ngnix", *TRUSTING], "(the nearest is 'nginx')"),
        (["completion", "bsh"], "SHELL: 'bsh' is not one of bash, zsh, fish (the n"),
        (["preset", "vercl"], "(the nearest is 'vercel')"),
        (
            ["settings", "--preset", "vercl"],
            "'vercel' is near, a platform that has none",
        ),
        (["config", "nginx", "--server", "gunicron"], "(the nearest is 'gunicorn')"),
        (["convert", "--from", "uvicron"], "--from: 'uvicron' is not one of proxyfix"),
        (["convert", "--to", "djnago"], "(the nearest is 'django')"),
        (["explain", "--scheme", "htps"], "(the nearest is 'https')"),
        (
            ["explain", "--log", "-", "--log-format", "ngnix"],
            "(the nearest is 'nginx')",
        ),
        (["probe", "http://a.example/", "--fail-on", "lwo"], "(the nearest is 'low')"),
        (["networks", "update", "cloudfare", "--to", "x"], "nearest is 'cloudflare'"),
        (
            ["networks", "update", "cloudflare", "--to", "x", "--form", "linse"],
            "--form: 'linse' is not one of",
        ),
        (["check", "--ignore", "count-alon"], "(the nearest is 'count-alone')"),
    ],
)
def test_unknown_word_names_the_nearest(words: list[str], expected: str) -> None:
    """Exit status 2, nothing on standard output."""
    result = ask(*words)

    assert result.status == 2
    assert result.output == ""
    assert "Error: " in result.errors
    assert expected in " ".join(result.errors.split())


def test_word_of_a_choice_has_any_case() -> None:
    """It is taken as it is listed."""
    result = ask("config", "NGINX", "--preset", "nginx-local", "--json")

    assert result.json["frontend"] == "nginx"


def test_error_of_usage_shows_how_a_subcommand_is_used() -> None:
    """Which one it was is in its first line."""
    result = ask("check", "--strickt")

    assert result.errors.startswith("Usage: trustedproxy check [OPTIONS]\n")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["settings", "--proxies", "loopbak"],
            {"setting": "TRUSTED_PROXIES[0]", "nearest": "loopback"},
        ),
        (["settings", "--app", "no_such_module", "--json"], {}),
        (["chekc"], {}),
    ],
)
def test_error_as_json(words: list[str], error: dict[str, str]) -> None:
    """Whoever reads JSON gets JSON, and the same exit status."""
    result = ask(*words, "--json")

    assert result.status == 2
    assert result.errors == ""
    said = result.json["error"]
    assert said.pop("message")
    assert said == error


def test_abort_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has pressed Ctrl-C."""

    def abort(*_: object, **__: object) -> None:
        raise click.Abort

    monkeypatch.setattr(Program, "invoke", abort)

    result = ask("check")

    assert (result.status, result.errors) == (2, "Aborted.\n")


class Full(StringIO):
    """A file on a disk that is full, with a buffer in front of it."""

    def flush(self) -> None:
        """Write what is waiting."""
        raise OSError(28, "No space left on device")


class Unbuffered(StringIO):
    """The same without a buffer."""

    def write(self, text: str) -> int:
        """Write it."""
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("words", [["preset"], ["preset", "--json"], ["--help"]])
@pytest.mark.parametrize("kind", [Full, Unbuffered])
def test_output_that_cannot_be_written_is_no_success(
    kind: type[StringIO], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said beside the output, and what is left of that is given up."""
    monkeypatch.setattr(sys, "stdout", kind())
    errors = StringIO()

    status = run(words, Session(errors=errors))

    assert (status, errors.getvalue()) == (2, "Error: No space left on device\n")
    sys.stdout.flush()


def test_file_that_the_system_refuses_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As JSON, too: the output is not what has failed."""

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/a/file")

    monkeypatch.setattr(Program, "invoke", fail)

    result = ask("check", "--json")

    assert result.status == 2
    assert result.json == {"error": {"message": "/a/file: Permission denied"}}


def test_streams_that_are_closed_are_written_to_by_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever says `>&-` wants nothing printed."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)

    assert run(["preset"]) == 0
    assert run(["chekc"]) == 2


def test_options_of_a_source_are_gone_below_a_framework() -> None:
    """There the policy is that of the project, and nothing else."""
    alone, below = ask("check", "--help"), ask("check", "--help", load=load)
    result = ask("check", "--proxies", "loopback", load=load)

    assert "--django" in alone.output
    for option in ("--django", "--app", "--preset", "--proxies", "--hops", "--set"):
        assert f"{option} " not in below.output
    assert result.status == 2


def test_subcommand_of_a_group_is_there_below_a_framework() -> None:
    """A group is copied with what is in it."""
    result = ask("networks", "list", load=load)

    assert result.status == 0
    assert "cloudflare" in result.output


def test_policy_of_the_framework_is_used() -> None:
    """It is loaded when a subcommand asks for it."""
    result = ask("settings", "--json", load=load)

    assert result.json["origin"] == "a framework"


def test_program_can_be_run_by_click_itself() -> None:
    """As shells do that complete it: without a session."""
    context = click.Context(group)

    command = group.get_command(context, "check")

    assert command is not None
    assert group.get_command(context, "chekc") is None
    assert group.list_commands(context) == list(SUBCOMMANDS)
