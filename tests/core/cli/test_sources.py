"""
Where a policy comes from.

In:  an environment, words, modules of applications.
Out: the settings in force, and where they are from; or what cannot be loaded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from trustedproxy import read_settings
from trustedproxy.cli.sources import (
    Loaded,
    SourceError,
    load,
    name_setting,
    shorten_setting,
)
from trustedproxy.option_table import OPTION_OF

from .making import ask


def headers_of(*words: str) -> list[str]:
    """List the headers that are trusted, as the command says them."""
    rows = ask("settings", "--json", *words).json["settings"]
    (row,) = (row for row in rows if row["setting"] == "TRUSTED_PROXY_HEADERS")
    return [name for name in row["value"].split(", ") if name != "nothing"]


def test_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for ``ProxyPolicy.from_env()``."""
    monkeypatch.setenv("TRUSTED_PROXY_HEADERS", "X-Real-IP")
    monkeypatch.setenv("TRUSTED_PROXIES", "loopback")

    assert headers_of() == ["X-Real-IP"]
    assert ask("settings", "--json").json["origin"] == (
        "the environment of this process"
    )


def test_words_take_the_place_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is typed here is all that counts, so that nothing surprises."""
    monkeypatch.setenv("TRUSTED_PROXY_HEADERS", "X-Real-IP")
    monkeypatch.setenv("TRUSTED_PROXIES", "loopback")
    words = ("--trusted-headers", "X-Forwarded-For", "--hops", "1")

    assert headers_of(*words) == ["X-Forwarded-For"]
    assert ask("settings", "--json", *words).json["origin"] == "the options given here"


def test_preset_and_words_beside_it() -> None:
    """Each takes the place of the preset's."""
    assert headers_of("--preset", "cloudflare") == [
        "CF-Connecting-IP",
        "X-Forwarded-Proto",
    ]
    assert headers_of(
        "--preset", "cloudflare", "--trusted-headers", "CF-Connecting-IP"
    ) == ["CF-Connecting-IP"]


def test_any_setting_can_be_set() -> None:
    """By its name with or without its beginning, in any case."""
    words = [
        "--set=strip=all",
        "--set=TRUSTED_PROXY_HTTPS_ONLY=yes",
        "--set=mount-points=/b=http://127.0.0.1:8001/",
        "--set=proxies=loopback",
    ]

    rows = ask("settings", "--json", *words).json["settings"]

    values = {row["setting"]: row["value"] for row in rows}
    assert values["TRUSTED_PROXY_STRIP"] == "'all'"
    assert values["TRUSTED_PROXY_HTTPS_ONLY"] == "True"
    assert values["TRUSTED_PROXY_MOUNT_POINTS"] == "/b → http://127.0.0.1:8001/"
    assert values["TRUSTED_PROXIES"] == "loopback"


def test_every_setting_has_a_short_name() -> None:
    """And is found by it."""
    for name in OPTION_OF:
        assert name_setting(shorten_setting(name)) == name


def test_setting_without_a_value() -> None:
    """What is no assignment is shown."""
    result = ask("settings", "--set", "strip")

    assert result.status == 2
    assert "--set: 'strip' is not NAME=VALUE" in result.errors


@pytest.mark.parametrize(
    "words",
    [
        ("--trusted-headers=X-Real-IP", "--set=headers=X-Forwarded-For"),
        ("--set=headers=X-Real-IP", "--trusted-headers=X-Real-IP"),
        ("--set=headers=X-Real-IP", "--set", "TRUSTED_PROXY_HEADERS=X-Real-IP"),
    ],
)
def test_setting_that_is_said_twice(words: tuple[str, ...]) -> None:
    """One of them would count, and nobody would know which."""
    result = ask("settings", *words, "--proxies=loopback")

    assert result.status == 2
    assert "--set: TRUSTED_PROXY_HEADERS is said twice: say it once" in result.errors


def test_setting_that_is_far_from_all() -> None:
    """Nothing is guessed; all are named."""
    with pytest.raises(SourceError, match="'xyzzy' is not a setting: one of headers"):
        name_setting("xyzzy")


def test_two_sources_at_once() -> None:
    """It would not be clear which of them counts."""
    result = ask("settings", "--app", "a:b", "--django", "c")

    assert result.status == 2
    assert "--app: not possible beside --django: use one of them" in result.errors


def test_words_beside_an_application() -> None:
    """It has its own policy."""
    with pytest.raises(SourceError, match="not possible beside --app"):
        load(app="a:b", words={"TRUSTED_PROXIES": "loopback"})


def test_application_that_raises_while_it_is_imported(folder: Path) -> None:
    """Its own words are shown."""
    (folder / "broken_app.py").write_text("1 / 0\n")

    result = ask("settings", "--app", "broken_app")

    assert result.status == 2
    assert (
        "--app: 'broken_app' cannot be loaded: ZeroDivisionError: division by zero"
        in result.errors
    )


@pytest.mark.parametrize(
    ("words", "name"), [(("--app",), "ending_app"), (("--json", "--app"), "end2_app")]
)
def test_application_that_ends_the_process_while_it_is_imported(
    folder: Path, words: tuple[str, ...], name: str
) -> None:
    """As a script does without a guard; its status is not ours."""
    (folder / f"{name}.py").write_text("import sys\nsys.exit(3)\n")

    result = ask("settings", *words, name)

    assert result.status == 2
    message = f"--app: '{name}' cannot be loaded: SystemExit: 3"
    assert message in result.errors + result.output


def test_application_with_an_invalid_setting(folder: Path) -> None:
    """The error names the setting, as it would at the server's start."""
    (folder / "invalid_app.py").write_text(
        dedent(
            """
            from trustedproxy import ProxyPolicy
            ProxyPolicy(headers=["X-Forwarded-Fro"], proxies="loopback")
            """
        )
    )

    result = ask("settings", "--app", "invalid_app", "--json")

    assert result.status == 2
    assert result.json["error"]["setting"] == "TRUSTED_PROXY_HEADERS[0]"


def test_application_without_a_policy(folder: Path) -> None:
    """It is said what to do."""
    (folder / "plain_app.py").write_text("def app(environ, start): return []\n")

    result = ask("settings", "--app", "plain_app")

    assert result.status == 2
    assert "'plain_app' carries no policy" in result.errors


def test_application_of_another_name(folder: Path) -> None:
    """The nearest is named."""
    (folder / "named_app.py").write_text("server = print\n")

    result = ask("settings", "--app", "named_app:sever")

    assert result.status == 2
    assert "named_app has no 'sever' (the nearest is 'server')" in result.errors


def test_folder_is_found_once(folder: Path) -> None:
    """Modules of the present folder are imported, as servers do it."""
    (folder / "wrapped_app.py").write_text(WRAPPED)

    assert headers_of("--app", "wrapped_app") == ["X-Forwarded-For"]
    assert headers_of("--app", "wrapped_app") == ["X-Forwarded-For"]
    assert ask("settings", "--app", "wrapped_app", "--json").json["origin"] == (
        "the application wrapped_app"
    )


WRAPPED = dedent(
    """
    from trustedproxy import ProxyPolicy, TrustedProxyMiddleware

    def inner(environ, start_response):
        return []

    policy = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["loopback"])
    app = TrustedProxyMiddleware(inner, policy)
    """
)


def test_adapter_that_is_not_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework's own part is missing, and said to be."""
    monkeypatch.setitem(sys.modules, "django_trustedproxy.loading", None)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "another")

    result = ask("settings", "--django", "project.settings")

    assert result.status == 2
    assert "--django: cannot import django_trustedproxy.loading" in result.errors


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--django", "project.settings"], ["load", "project.settings"]),
        (["--app", "django_app"], ["load_app", "handler"]),
    ],
)
def test_adapter_loads_what_is_its_own(
    words: list[str], asked: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework's own part says what is in force."""
    (folder / "django_app.py").write_text(
        "Handler = type('Handler', (), {'__module__': 'django.core', "
        "'__call__': print, '__str__': lambda self: 'handler'})\n"
        "app = Handler()\n"
    )
    loaded = Loaded(read_settings({}), "an adapter")
    calls: list[str] = []

    def load() -> Loaded:
        calls.extend(["load", os.environ["DJANGO_SETTINGS_MODULE"]])
        return loaded

    def load_app(application: object) -> Loaded:
        calls.extend(["load_app", str(application)])
        return loaded

    adapter = SimpleNamespace(load=load, load_app=load_app)
    monkeypatch.setitem(sys.modules, "django_trustedproxy.loading", adapter)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "another")

    result = ask("settings", "--json", *words)

    assert result.json["origin"] == "an adapter"
    assert calls == asked
