"""
``trustedproxy preset``, ``networks`` and ``completion``.

In:  names of platforms, providers' answers, shells.
Out: what is known of them; lists that are refreshed; scripts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from rich.console import Console

from trustedproxy import ProxyPolicy
from trustedproxy.cli.program import program
from trustedproxy.cli.views.presets import draw_platform, write_platform
from trustedproxy.presets import names, read_preset, unconfirmed_names, update
from trustedproxy.presets.failures import Failure, UpdateError

from .making import ask

ANSWER = json.dumps(
    {"result": {"ipv4_cidrs": ["173.245.48.0/20"], "ipv6_cidrs": ["2400:cb00::/32"]}}
).encode()

# -- preset ----------------------------------------------------------------------------


def test_every_platform_is_listed() -> None:
    """Those with a preset, and those without."""
    result = ask("preset")

    for name in (*names(), *unconfirmed_names()):
        assert f"\n{name} " in f"\n{result.output}"


def test_list_as_json() -> None:
    """With the arguments of each."""
    said = ask("preset", "--json").json

    assert [each["name"] for each in said["presets"]] == list(names())
    assert [each["name"] for each in said["unconfirmed"]] == list(unconfirmed_names())
    for each in said["presets"]:
        assert each["arguments"]["headers"]


def test_list_on_a_terminal() -> None:
    """In groups."""
    result = ask("preset", terminal=True)

    assert "Servers that you run" in result.output
    assert "with what to measure" in " ".join(result.output.split())


@pytest.mark.parametrize("name", [*names(), *unconfirmed_names()])
def test_platform_is_shown(name: str) -> None:
    """As text, on a terminal, and as JSON that has everything but the test requests."""
    text, table, said = (
        ask("preset", name),
        ask("preset", name, terminal=True),
        ask("preset", name, "--json").json,
    )

    assert text.status == table.status == 0
    assert said["name"] == name
    assert "vectors" not in said
    for sentence in said["caution"]:
        assert sentence in text.output
    assert said["title"] in table.output


@pytest.mark.parametrize("name", names())
def test_lines_of_a_preset_can_be_pasted(name: str) -> None:
    """They make the policy that the preset is shown with."""
    output = ask("preset", name).output
    lines = output.rpartition("\nSettings\n")[2].splitlines()
    settings: dict[str, Any] = {}
    exec("\n".join(line.strip() for line in lines), {}, settings)

    policy = ProxyPolicy.from_mapping(settings)

    assert policy == ProxyPolicy.from_preset(name, **read_preset(name).example)


def test_platform_of_which_little_is_known() -> None:
    """A section without a sentence is left out."""
    platform = replace(read_preset("nginx-local"), forgeable=(), caution=())
    console = Console(file=StringIO(), record=True)

    text = write_platform(platform)
    console.print(draw_platform(platform))

    for shown in (text, console.export_text()):
        assert "What a client can send through it" not in shown
        assert "Sources" in shown


def test_preset_with_many_networks_shows_a_few() -> None:
    """They are a screen otherwise."""
    output = ask("preset", "cloudflare").output

    assert "# the preset says TRUSTED_PROXIES = 173.245.48.0/20, " in output
    assert " more\n" in output


# -- networks --------------------------------------------------------------------------


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer in the provider's place, and note what was fetched."""
    urls: list[str] = []

    def fetch(url: str, **_: Any) -> bytes:
        urls.append(url)
        return ANSWER

    monkeypatch.setattr(update, "fetch", fetch)
    return urls


@pytest.mark.parametrize("terminal", [False, True])
def test_providers_are_listed(*, terminal: bool) -> None:
    """With the address of each list."""
    result = ask("networks", "list", terminal=terminal)
    said = ask("networks", "list", "--json").json

    assert "https://api.cloudflare.com/client/v4/ips" in result.output
    assert {each["name"] for each in said["providers"]} >= {"cloudflare", "fastly"}


@pytest.mark.parametrize("terminal", [False, True])
def test_list_is_refreshed(
    fetched: list[str], tmp_path: Path, *, terminal: bool
) -> None:
    """What is new and what is gone is said."""
    path = tmp_path / "cloudflare.txt"
    path.write_text("173.245.48.0/20\n2400:cb00::/32\n192.0.2.0/24\n")

    result = ask(
        "networks", "update", "cloudflare", "--to", str(path), terminal=terminal
    )

    assert result.status == 0
    assert fetched == ["https://api.cloudflare.com/client/v4/ips"]
    assert "- 192.0.2.0/24" in result.output
    assert "2400:cb00::/32" in path.read_text()


def test_refreshed_list_as_json(fetched: list[str], tmp_path: Path) -> None:
    """The same in plain values."""
    path = tmp_path / "cloudflare.txt"

    said = ask("networks", "update", "cloudflare", "--to", str(path), "--json").json

    assert said == {
        "path": str(path),
        "url": "https://api.cloudflare.com/client/v4/ips",
        "networks": 2,
        "added": ["173.245.48.0/20", "2400:cb00::/32"],
        "removed": [],
    }


@pytest.mark.parametrize(
    ("words", "url"),
    [
        (["--url=https://a.example/x", "--form=cloudflare"], "https://a.example/x"),
        (["--form=cloudflare"], "https://api.cloudflare.com/client/v4/ips"),
        (["--service=x"], "https://api.cloudflare.com/client/v4/ips"),
    ],
)
def test_list_from_elsewhere(
    words: list[str], url: str, fetched: list[str], tmp_path: Path
) -> None:
    """From a mirror, or another part of the same list."""
    path = tmp_path / "list"

    result = ask("networks", "update", "cloudflare", "--to", str(path), *words)

    assert result.status == 0
    assert fetched == [url]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cloudfare"], "(the nearest is 'cloudflare')"),
        (["cloudflare", "--url=https://a.example/"], "--url needs --form"),
        (["cloudflare", "--url=https://a.example/", "--form=x"], "'x' is not one of"),
    ],
)
def test_update_that_was_asked_for_wrongly(
    words: list[str], expected: str, fetched: list[str], tmp_path: Path
) -> None:
    """Exit status 2, and nothing is fetched."""
    result = ask("networks", "update", *words, "--to", str(tmp_path / "x"))

    assert result.status == 2
    assert expected in " ".join(result.errors.split())
    assert fetched == []


@pytest.mark.parametrize(
    ("failure", "status"), [(Failure.UNREACHABLE, 1), (Failure.CLIENT_MISSING, 2)]
)
def test_list_that_was_not_refreshed(
    failure: Failure, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer sees it by the exit status; the list is as it was."""
    path = tmp_path / "list"
    path.write_text("192.0.2.0/24\n")

    def fail(url: str, **_: Any) -> bytes:
        raise UpdateError(failure, "no answer")

    monkeypatch.setattr(update, "fetch", fail)
    words = ["networks", "update", "cloudflare", "--to", str(path)]

    result, as_json = ask(*words), ask(*words, "--json")

    assert result.status == as_json.status == status
    assert result.errors == "Error: no answer.\n"
    assert as_json.json == {"error": {"message": "no answer.", "failure": str(failure)}}
    assert path.read_text() == "192.0.2.0/24\n"


# -- completion ------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_a_shell(shell: str) -> None:
    """It asks the command itself."""
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("its script asks bash for its version, and bash is not here")

    result, as_json = ask("completion", shell), ask("completion", shell, "--json")

    assert f"_TRUSTEDPROXY_COMPLETE={shell}_complete" in result.output
    assert as_json.json["shell"] == shell
    assert as_json.json["script"].startswith(result.output.splitlines()[0])


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ([], "che", "check"),
        (["preset"], "clo", "cloudflare"),
        (["config"], "ng", "nginx"),
        (["convert", "--from"], "proxy", "proxyfix"),
        (["settings", "--preset"], "her", "heroku"),
        (["networks", "update"], "cloudf", "cloudflare"),
        (["config", "nginx", "--serv"], "--serv", "--server"),
    ],
)
def test_shell_completes(words: list[str], incomplete: str, expected: str) -> None:
    """Subcommands, options, and the words that they take."""
    completion = ShellComplete(program, {}, "trustedproxy", "_TRUSTEDPROXY_COMPLETE")

    found = completion.get_completions(words, incomplete)

    assert expected in [item.value for item in found]


def test_command_answers_the_script() -> None:
    """By the variables that the script sets."""
    environment = {
        **os.environ,
        "_TRUSTEDPROXY_COMPLETE": "bash_complete",
        "COMP_WORDS": "trustedproxy che",
        "COMP_CWORD": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }

    answer = subprocess.run(
        [sys.executable, "-c", "from trustedproxy.cli import main; main()"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stdout.splitlines() == ["plain,check"]
