"""
``manage.py trustedproxy …``, and ``trustedproxy --django``.

In:  the command line.
Out: what the subcommands print for this project, and their exit status.
"""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import clear_script_prefix

from django_trustedproxy.conf import get_settings
from django_trustedproxy.entrypoints import wrap_wsgi
from django_trustedproxy.framework import read_framework
from django_trustedproxy.loading import find_remarks, load, load_app
from django_trustedproxy.management.commands import trustedproxy as command_module
from django_trustedproxy.management.commands.trustedproxy import Command
from django_trustedproxy.site import DjangoSite
from trustedproxy.checks import Level
from trustedproxy.explain import describe_settings

from .handlers import call_wsgi, make_environ
from .settings import COMMON, HTTPS_ONLY, SECURITY, TRUSTED_PROXY

WITH_HTTPS_ONLY: dict[str, Any] = {
    "MIDDLEWARE": [TRUSTED_PROXY, HTTPS_ONLY, SECURITY],
    "TRUSTED_PROXY_HTTPS_ONLY": True,
}


@pytest.fixture(autouse=True)
def _extra() -> None:
    """Skip these tests where the command cannot run."""
    for needed in ("click", "rich"):
        pytest.importorskip(needed, reason="the extra cli is not installed here")


def run(*arguments: str) -> str:
    """Run the command and return what it prints."""
    stdout = StringIO()
    call_command("trustedproxy", *arguments, stdout=stdout)
    return stdout.getvalue()


def explain(*arguments: str) -> str:
    """Explain a request of a trusted proxy for a host of the site."""
    return run("explain", "http://app.example/", "--peer=10.0.0.9", *arguments)


# -- the subcommands, for this project -------------------------------------------------


def test_project_without_urls_is_checked() -> None:
    """It has no page; settings modules may be shared parts of others."""
    with override_settings():
        del settings.ROOT_URLCONF

        assert "page" not in run("check")


def test_settings_are_those_of_the_project() -> None:
    """In words, and whole lines."""
    assert run("settings") == f"{describe_settings(get_settings())}\n"


def test_request_is_explained() -> None:
    """Step by step, with the project's own policy."""
    shown = explain("-H", "X-Forwarded-For: 1.1.1.1, 203.0.113.7, 10.0.0.8")

    assert "client address  '203.0.113.7', was '10.0.0.9'" in shown


def test_forced_mount_point_is_explained() -> None:
    """``FORCE_SCRIPT_NAME`` stands above what a header says, and the text says so."""
    forced = (
        "FORCE_SCRIPT_NAME\n  The application's own mount point is '/forced': "
        "FORCE_SCRIPT_NAME forces it, whatever a header says."
    )

    with override_settings(FORCE_SCRIPT_NAME="/forced"):
        assert forced in explain()
    assert "FORCE_SCRIPT_NAME" not in explain()


def test_refused_host_is_explained() -> None:
    """By Django's own rule, with the line to change."""
    shown = run("explain", "http://evil.invalid/", "--peer=10.0.0.9")

    assert (
        "ALLOWED_HOSTS\n  The host 'evil.invalid' is not in ALLOWED_HOSTS, so" in shown
    )
    assert 'ALLOWED_HOSTS = [".example", "testserver", "127.0.0.1", "evil.inva' in shown


@override_settings(**WITH_HTTPS_ONLY)
def test_exempt_view_is_explained() -> None:
    """By Django's own URLs."""
    exempt = run("explain", "http://app.example/health/", "--peer=10.0.0.9")
    other = explain()

    assert "the request is not redirected: its view is exempt." in exempt
    assert "redirected with 301 to 'https://app.example/'" in other


@pytest.mark.parametrize("wrapped", [False, True])
def test_redirect_below_a_forced_mount_point_is_explained(wrapped: bool) -> None:
    """In ``MIDDLEWARE`` it is in force already; a wrapper comes before it."""
    names = {
        **WITH_HTTPS_ONLY,
        "MIDDLEWARE": [TRUSTED_PROXY] if wrapped else WITH_HTTPS_ONLY["MIDDLEWARE"],
        "FORCE_SCRIPT_NAME": "/forced",
    }
    with override_settings(**names):
        app: Any = WSGIHandler()
        if wrapped:
            app = wrap_wsgi(app)
        really = call_wsgi(app, make_environ("/x"))
        shown = run("explain", "http://app.example/x", "--peer=10.0.0.9")
    # Django's handler leaves it.
    clear_script_prefix()

    mount_point = "" if wrapped else "/forced"
    assert really.get("Location") == f"https://app.example{mount_point}/x"
    assert f"redirected with 301 to '{really.get('Location')}'" in shown


def test_own_redirect_of_django_is_explained() -> None:
    """``SECURE_SSL_REDIRECT`` sees the scheme that the policy leaves."""
    with override_settings(SECURE_SSL_REDIRECT=True):
        plain, secure = explain(), explain("-H", "X-Forwarded-Proto: https")

    assert "Django redirects the request by itself (SECURE_SSL_REDIRECT)." in plain
    assert "SECURE_SSL_REDIRECT" not in secure


@pytest.mark.parametrize(
    "names",
    [
        {"MIDDLEWARE": [TRUSTED_PROXY, COMMON]},
        {"SECURE_REDIRECT_EXEMPT": [r"^facts/$"]},
    ],
    ids=["without its middleware", "exempt"],
)
def test_request_that_django_does_not_redirect(names: dict[str, Any]) -> None:
    """The setting alone does nothing, and Django has exemptions of its own."""
    with override_settings(SECURE_SSL_REDIRECT=True, **names):
        shown = run("explain", "http://app.example/facts/", "--peer=10.0.0.9")

    assert "SECURE_SSL_REDIRECT" not in shown


def test_path_that_https_only_exempts_is_redirected_by_django() -> None:
    """Two redirects know nothing of each other's exemptions."""
    with override_settings(**WITH_HTTPS_ONLY, SECURE_SSL_REDIRECT=True):
        shown = run("explain", "http://app.example/health/", "--peer=10.0.0.9")

    assert "its view is exempt" in shown
    assert "Django redirects the request by itself" in shown


def test_check_is_that_of_django() -> None:
    """By Django's ids, silenced ones left out, deployment's included."""
    with (
        override_settings(TRUSTED_PROXIES="*", SECURE_SSL_REDIRECT=True),
        pytest.raises(CommandError, match="The exit status is 1") as caught,
    ):
        run("check")
    with override_settings(
        TRUSTED_PROXIES="*", SILENCED_SYSTEM_CHECKS=["trustedproxy.W007"]
    ):
        silenced = run("check")

    assert caught.value.returncode == 1
    assert "trustedproxy.W007" not in silenced


def test_remarks_are_the_messages_of_djangos_checks() -> None:
    """Each with its level; those of deployment where that is asked for."""
    with override_settings(TRUSTED_PROXIES="*", TRUSTED_PROXY_REPORT_ONLY=True):
        development, deployed = find_remarks(False), find_remarks(True)
    with override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]):
        invalid = find_remarks(True)

    assert development == []
    levels = {remark.code: remark.level for remark in deployed}
    assert levels["trustedproxy.W007"] is Level.WARNING
    assert levels["trustedproxy.I002"] is Level.HINT
    assert [(r.code, r.level) for r in invalid] == [("trustedproxy.E001", Level.ERROR)]
    assert invalid[0].hint.startswith("Correct TRUSTED_PROXIES[0] in the settings")


def test_secret_is_not_shown() -> None:
    """A secret stays one."""
    with override_settings(
        TRUSTED_PROXY_SECRET_HEADER="X-Proxy-Secret",
        TRUSTED_PROXY_SECRETS=["correct-horse-battery-staple"],
    ):
        assert "battery" not in run("settings")
        assert "battery" not in explain("-H", "X-Other: correct-horse-battery-staple")


# -- as Django runs it -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["settings"],
        ["settings", "--settings=project.settings", "--pythonpath", "/x"],
        ["--no-color", "settings", "--traceback", "--verbosity=2", "--force-color"],
        ["settings", "--skip-checks", "--settings", "project.settings"],
    ],
)
def test_options_of_every_command_are_djangos(
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``manage.py`` has read them, and they are none of ours."""
    monkeypatch.delenv("NO_COLOR", raising=False)

    Command().run_from_argv(["manage.py", "trustedproxy", *words])

    assert capsys.readouterr().out.startswith("TRUSTED_PROXY_HEADERS = ")
    assert os.environ.pop("NO_COLOR", None) == ("1" if "--no-color" in words else None)


def test_exit_status_is_the_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    """For CI."""
    with pytest.raises(SystemExit) as caught:
        Command().run_from_argv(["manage.py", "trustedproxy", "chekc"])

    assert caught.value.code == 2
    assert "'chekc' is not a subcommand (the nearest is 'check')." in (
        capsys.readouterr().err
    )


def test_help_is_the_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """By the name that was typed, and without options of other sources."""
    Command().run_from_argv(["manage.py", "trustedproxy", "check", "--help"])

    shown = capsys.readouterr().out
    assert shown.startswith("Usage: manage.py trustedproxy check [OPTIONS]")
    assert "--django" not in shown


def test_command_waits_for_no_check(capsys: pytest.CaptureFixture[str]) -> None:
    """It helps those whose settings are not right yet, and says one sentence."""
    with (
        override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]),
        pytest.raises(SystemExit) as caught,
    ):
        Command().run_from_argv(["manage.py", "trustedproxy", "settings"])

    shown = capsys.readouterr().err
    assert caught.value.code == 2
    assert shown.startswith("Error: TRUSTED_PROXIES[0] (proxies=): '10.0.0.0/33'")
    assert shown.count("\n") == 1


def test_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Django alone brings none of what the command stands on."""
    monkeypatch.setattr(command_module, "name_missing", lambda: "Install this.")

    with pytest.raises(SystemExit) as caught:
        Command().run_from_argv(["manage.py", "trustedproxy", "check"])

    assert caught.value.code == 2
    assert capsys.readouterr().err == "Install this.\n"


# -- as the command itself loads a project ---------------------------------------------


def test_project_that_is_set_up_is_loaded_as_it_is() -> None:
    """Below ``manage.py``, and around an application."""
    loaded, around = load(), load_app(object())

    assert loaded == around
    assert loaded.settings is get_settings()
    assert loaded.origin == "Django's settings"


def test_framework_says_what_django_does() -> None:
    """Its hosts, its views, and its own settings about proxies."""
    framework = read_framework()
    with override_settings(DEBUG=True, ALLOWED_HOSTS=[], USE_X_FORWARDED_HOST=True):
        in_development = read_framework()

    assert isinstance(framework.site, DjangoSite)
    assert framework.allowed_hosts == (".example", "testserver", "127.0.0.1")
    assert framework.own_settings == {}
    assert in_development.allowed_hosts == (".localhost", "127.0.0.1", "[::1]")
    assert in_development.own_settings == {"USE_X_FORWARDED_HOST": True}


PROJECT = """
SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["app.example"]
INSTALLED_APPS = ["django_trustedproxy"]
MIDDLEWARE = ["django_trustedproxy.middleware.TrustedProxyMiddleware"]
TRUSTED_PROXY_HEADERS = ["X-Forwarded-For"]
TRUSTED_PROXIES = ["loopback"]
"""
APPLICATION = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


@pytest.mark.parametrize(
    "words", [["--django", "shop_settings"], ["--app", "shop_wsgi"]]
)
def test_project_is_loaded_by_its_name(words: list[str], tmp_path: Path) -> None:
    """By its settings, or by the application that a server is given."""
    (tmp_path / "shop_settings.py").write_text(PROJECT)
    (tmp_path / "shop_wsgi.py").write_text(APPLICATION)

    paths = [os.path.abspath(path) for path in sys.path if path]

    answer = subprocess.run(
        [sys.executable, "-m", "trustedproxy", "settings", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stderr == ""
    assert answer.stdout.startswith("TRUSTED_PROXY_HEADERS = X-Forwarded-For\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("missing", [None, "click is not installed."])
def test_process_without_streams_needs_none(
    stream: str, missing: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``>&-`` starts it: what would be printed goes nowhere."""
    streams: dict[str, StringIO | None] = {"stdout": StringIO(), "stderr": StringIO()}
    streams[stream] = None
    for name, value in streams.items():
        monkeypatch.setattr(sys, name, value)
    monkeypatch.setattr(command_module, "name_missing", lambda: missing)

    fine = Command().run(["preset"])
    wrong = Command().run(["preset", "--no-such-option"])

    assert (fine, wrong) == ((0, 2) if missing is None else (2, 2))
    left = streams["stderr" if stream == "stdout" else "stdout"]
    assert left is not None
    if stream == "stdout":
        assert (missing or "--no-such-option") in left.getvalue()


def test_stream_that_is_given_is_used_where_the_process_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``call_command(…, stdout=…)`` says where to."""
    monkeypatch.setattr(sys, "stdout", None)

    assert "cloudflare" in run("preset")
