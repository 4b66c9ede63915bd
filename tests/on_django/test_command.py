"""
``manage.py trustedproxy``.

In:  the command line.
Out: the policy, or the explanation of a request, in words.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from django_trustedproxy.conf import get_settings
from django_trustedproxy.management.commands.trustedproxy import Command
from trustedproxy import Connection
from trustedproxy.explain import describe_settings, explain


def run(*arguments: str) -> str:
    """Run the command and return what it prints, without the last line's end."""
    stdout = StringIO()
    call_command("trustedproxy", *arguments, stdout=stdout)
    return stdout.getvalue().rstrip("\n")


def test_policy_is_shown() -> None:
    """Without options the command shows the effective policy."""
    shown = run()

    assert shown == describe_settings(get_settings())
    assert "TRUSTED_PROXIES" in shown
    assert "10.0.0.0/8" in shown


def test_secret_is_not_shown() -> None:
    """A secret stays one."""
    with override_settings(
        TRUSTED_PROXY_SECRET_HEADER="X-Proxy-Secret",
        TRUSTED_PROXY_SECRETS=["correct horse battery staple"],
    ):
        assert "battery" not in run()


def test_request_is_explained() -> None:
    """With ``--explain`` it says what happens to the request, step by step."""
    forwarded = "1.1.1.1, 203.0.113.7, 10.0.0.8"
    told = run("--explain", "--peer", "10.0.0.9", "-H", f"X-Forwarded-For: {forwarded}")

    assert told == explain(
        get_settings().policy,
        Connection(peer="10.0.0.9", server="localhost", port="8000"),
        {"X-Forwarded-For": forwarded},
    )
    assert "203.0.113.7" in told


def test_forced_mount_point_is_explained() -> None:
    """``FORCE_SCRIPT_NAME`` stands above what a header says, and the text says so."""
    forced = "The application's own mount point is '/forced'"

    with override_settings(FORCE_SCRIPT_NAME="/forced"):
        assert forced in run("--explain", "--peer", "10.0.0.9")
        assert forced not in run()
    assert "Forced mount point" not in run("--explain")


def test_request_with_every_option() -> None:
    """Each option reaches the explanation."""
    told = run(
        "--explain",
        "--peer=10.0.0.9",
        "--scheme=https",
        "--server=backend.internal",
        "--port=8443",
        "--mount-point=/own",
        "--path=/page",
        "-H",
        "Host: app.example",
        "-H",
        "x-forwarded-for:203.0.113.7",
        "-H",
        "X-Forwarded-For: 10.0.0.8",
    )

    assert told == explain(
        get_settings().policy,
        Connection(
            peer="10.0.0.9",
            scheme="https",
            host="app.example",
            server="backend.internal",
            port="8443",
            mount_point="/own",
            path="/page",
        ),
        {"Host": "app.example", "x-forwarded-for": "203.0.113.7,10.0.0.8"},
    )
    assert "203.0.113.7" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["--peer", "10.0.0.9"],
        ["-H", "X-Real-IP: 1.1.1.1"],
        ["--scheme", "https"],
        ["--server", "backend"],
        ["--port", "8443"],
        ["--mount-point", ""],
        ["--path", "/a"],
    ],
)
def test_option_of_a_request_implies_the_explanation(arguments: list[str]) -> None:
    """Whoever describes a request wants to hear of it."""
    told = run(*arguments)

    assert told == run("--explain", *arguments)
    assert "The application sees" in told


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The help says what a request is where no option describes it."""
    with pytest.raises(SystemExit):
        run("--help")

    helped = " ".join(capsys.readouterr().out.split())
    for default in ("127.0.0.1", "http", "localhost", "8000", "nowhere", "/"):
        assert f"(default: {default})" in helped


def test_direct_request_is_explained() -> None:
    """A stranger's header is said to be removed."""
    told = run("--explain", "--peer", "192.0.2.66", "-H", "X-Forwarded-For: 1.1.1.1")

    assert "192.0.2.66" in told
    assert "X-Forwarded-For" in told


@pytest.mark.parametrize("line", ["X-Forwarded-For", ": 203.0.113.7"])
def test_header_that_is_none(line: str) -> None:
    """A header without a name or a colon is refused with an example."""
    with pytest.raises(CommandError, match="is not a header such as"):
        run("--explain", "-H", line)


def test_command_waits_for_no_check(capsys: pytest.CaptureFixture[str]) -> None:
    """It helps those whose settings are not right yet, and says one sentence."""
    with (
        override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]),
        pytest.raises(SystemExit),
    ):
        Command().run_from_argv(["manage.py", "trustedproxy", "--no-color"])

    told = capsys.readouterr().err
    assert told.startswith("CommandError: TRUSTED_PROXIES[0]: '10.0.0.0/33'")
    assert told.count("\n") == 1


def test_bad_configuration() -> None:
    """A bad setting is one sentence, and no traceback."""
    with (
        override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]),
        pytest.raises(CommandError, match=r"TRUSTED_PROXIES\[0\]: '10.0.0.0/33'"),
    ):
        run()
