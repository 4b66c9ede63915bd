"""
``trustedproxy check`` and ``settings``.

In:  policies, right and wrong.
Out: remarks with what to type, as text, table and JSON; exit statuses.
"""

from __future__ import annotations

import pytest

from trustedproxy import read_settings
from trustedproxy.checks import Level, Remark
from trustedproxy.cli.sources import Loaded, PageToken

from .making import TRUSTING, ask

RISKY = ("--trusted-headers", "X-Forwarded-For,X-Real-IP", "--proxies", "*")


def test_check_of_settings_that_are_right() -> None:
    """One line, and exit status 0."""
    result = ask("check", *TRUSTING)

    assert result.status == 0
    assert result.output == (
        "Nothing to say about the settings in the options given here.\n"
    )


def test_check_of_risks() -> None:
    """Each with what to type; exit status 1, for CI."""
    result = ask("check", *RISKY)

    assert result.status == 1
    assert result.output == (
        "warning: TRUSTED_PROXIES is '*', so every peer is trusted, and whoever "
        "reaches this server directly can forge the trusted headers. (every-peer)\n"
        "    List the addresses of your proxies: TRUSTED_PROXIES = ['10.0.0.0/8']. "
        "Where nothing but the proxy can reach this server, ignore this.\n"
        "warning: Several trusted headers say the same thing: X-Forwarded-For, "
        "X-Real-IP. A client can send the one that the proxy does not set. (synonyms)\n"
        "    Keep the one that your proxy sets in TRUSTED_PROXY_HEADERS, of these: "
        "X-Forwarded-For, X-Real-IP.\n"
        "2 warnings in the options given here.\n"
    )


def test_check_as_json() -> None:
    """The same in a documented shape."""
    result = ask("check", *RISKY, "--json")

    assert result.status == 1
    said = result.json
    assert (said["origin"], said["ok"]) == ("the options given here", False)
    assert [remark["code"] for remark in said["remarks"]] == ["every-peer", "synonyms"]
    assert set(said["remarks"][0]) == {"code", "level", "message", "hint"}


@pytest.mark.parametrize("words", [TRUSTING, RISKY])
def test_check_on_a_terminal(words: tuple[str, ...]) -> None:
    """A table, with colours."""
    result = ask("check", *words, terminal=True)

    assert "\x1b[" in result.output
    assert ("what to type instead" in result.output) is (words is RISKY)


def test_check_in_development() -> None:
    """What matters only where others can connect is left out."""
    result = ask("check", *RISKY, "--development", "--json")

    assert [remark["code"] for remark in result.json["remarks"]] == ["synonyms"]


def test_check_that_ignores_what_is_known() -> None:
    """By its code; nothing is left, so that all is fine."""
    result = ask("check", *RISKY, "--ignore=synonyms", "--ignore", "every-peer")

    assert result.status == 0


def test_check_that_ignores_what_is_not_there() -> None:
    """A code that is misspelled would ignore nothing, for ever."""
    result = ask("check", *RISKY, "--ignore", "synonym")

    assert result.status == 2
    assert "'synonym' is not a code (the nearest is 'synonyms')" in result.errors


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--strict",), 1)])
def test_hint_is_no_finding_unless_it_is_asked_for(
    words: tuple[str, ...], status: int
) -> None:
    """It depends on what no setting says."""
    result = ask("check", *TRUSTING, "--set", "report-only=true", *words)

    assert result.status == status
    assert "1 hint in the options given here." in result.output


def test_invalid_setting_is_a_finding() -> None:
    """It is what this command is asked to find, and no wrong use of it."""
    result = ask("check", "--proxies", "10.0.0.0/33")
    as_json = ask("check", "--proxies", "10.0.0.0/33", "--json")

    assert result.status == as_json.status == 1
    assert result.output.startswith(
        "error: TRUSTED_PROXIES[0] (proxies=): '10.0.0.0/33'"
    )
    assert result.output.endswith("\n1 error.\n")
    assert as_json.json["remarks"][0]["code"] == "invalid-setting"


def test_platform_without_a_preset_is_not_said_to_be_typed_instead() -> None:
    """It would be refused, too; a preset that is near is."""
    platform = ask("check", "--preset", "vercl")
    preset = ask("check", "--preset", "cloudfare")

    assert "'vercel' is near, a platform that has none" in platform.output
    assert "in place of" not in platform.output
    assert "type 'cloudflare' in place of 'cloudfare'" in preset.output


def test_framework_whose_checks_fail_is_named() -> None:
    """In a sentence, and as JSON; no traceback."""

    def find(deploy: bool) -> list[Remark]:
        raise AttributeError("no such setting")

    def load() -> Loaded:
        return Loaded(read_settings({}), "a project", find_remarks=find)

    result, as_json = ask("check", load=load), ask("check", "--json", load=load)

    assert result.status == as_json.status == 2
    message = "a project: cannot be checked: AttributeError: no such setting"
    assert message in result.errors
    assert as_json.json == {"error": {"message": message}}


def test_framework_has_a_table_of_its_own() -> None:
    """It is told whether others can connect, and its ids are codes."""
    asked: list[bool] = []

    def find(deploy: bool) -> list[Remark]:
        asked.append(deploy)
        return [Remark("framework.W001", Level.WARNING, "Something.", "Do this.")]

    def load() -> Loaded:
        return Loaded(read_settings({}), "a framework", find_remarks=find)

    shown = ask("check", load=load)
    ask("check", "--development", load=load)
    ignored = ask("check", "--ignore", "framework.W001", load=load)

    assert asked == [True, False, True]
    assert "warning: Something. (framework.W001)\n    Do this.\n" in shown.output
    assert (shown.status, ignored.status) == (1, 0)


def test_settings_in_words() -> None:
    """Two lines each."""
    result = ask("settings", *TRUSTING)

    assert result.status == 0
    assert result.output.startswith(
        "TRUSTED_PROXY_HEADERS = X-Forwarded-For, X-Forwarded-Proto\n"
        "    client address from X-Forwarded-For; scheme from X-Forwarded-Proto\n"
        "TRUSTED_PROXIES = 10.0.0.0/8\n"
    )


def test_settings_on_a_terminal() -> None:
    """A row each; no secret is in it."""
    secret = "hush-hush-hush-hush"
    result = ask(
        "settings",
        "--trusted-headers=X-Real-IP",
        "--set=secret-header=X-Edge",
        f"--set=secrets={secret}",
        terminal=True,
    )

    assert "TRUSTED_PROXY_SECRET_HEADER" in result.output
    assert secret not in result.output


# -- token -----------------------------------------------------------------------------


def load_site(*paths: str) -> Loaded:
    """Load a site whose page is at *paths*."""

    def make(probe: bool) -> PageToken:
        return PageToken("probe" if probe else "page", paths, "There is no page.")

    return Loaded(read_settings({}), "a framework", make_token=make)


def test_token_stands_alone() -> None:
    """So that it can be piped; what to do with it goes elsewhere."""
    result = ask("token", load=lambda: load_site("/a/", "/b/"))

    assert (result.status, result.output) == (0, "page\n")
    assert [line.partition("?")[0] for line in result.errors.splitlines()] == [
        "Open /a/",
        "Open /b/",
    ]


@pytest.mark.parametrize(
    ("paths", "errors"), [(("/a/",), ""), ((), "There is no page.\n")]
)
def test_token_for_the_probe(paths: tuple[str, ...], errors: str) -> None:
    """Nobody enters it anywhere; but a page has to be there."""
    result = ask("token", "--probe", load=lambda: load_site(*paths))

    assert (result.output, result.errors) == ("probe\n", errors)


def test_token_as_json() -> None:
    """With the paths of the page."""
    result = ask("token", "--json", load=lambda: load_site("/a/"))

    assert result.json == {"token": "page", "paths": ["/a/"]}


def test_token_needs_a_site() -> None:
    """An environment has no key to sign with."""
    result = ask("token")

    assert result.status == 2
    assert "say which site it is, with --django or --app." in (
        " ".join(result.errors.split())
    )
