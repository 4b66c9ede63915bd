"""
Settings as source text: executed, they are the settings again.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trustedproxy import ConfigurationError, Settings
from trustedproxy.convert import (
    TARGETS,
    Conversion,
    convert_text,
    notes_for,
    write_report,
    write_settings,
)
from trustedproxy.settings import read_environment, read_settings

from .test_kinds import ROWS


def execute(text: str, target: str, folder: Path) -> dict[str, Any]:
    """Run source text as its target does, and say which settings it makes."""
    if target == "django":
        names: dict[str, Any] = {}
        exec(compile(text, "settings.py", "exec"), names)
        return {k: v for k, v in names.items() if k.startswith("TRUSTED_PROX")}
    if target == "flask":
        config: dict[str, Any] = {}
        app = SimpleNamespace(config=config)
        exec(compile(text, "app.py", "exec"), {"app": app})
        return config
    path = folder / "environment"
    path.write_text(text, encoding="utf-8")
    shell = 'set -a; . "$1"; exec env -0'
    output = subprocess.run(
        ["/bin/sh", "-c", shell, "sh", str(path)],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    pairs = (line.partition("=") for line in output.split("\0") if line)
    return dict(
        read_environment({k: v for k, _, v in pairs if k.startswith("TRUSTED_PROX")})
    )


def show(settings: Settings) -> list[object]:
    """Say everything that settings say."""
    rules = settings.https_only
    return [
        settings.policy,
        None if rules is None else (rules.host, rules.status, rules.exempt),
        settings.hsts,
        settings.mount_points,
        settings.restrict_signals,
    ]


def has_file(conversion: Conversion) -> bool:
    """Say whether a list is in a file, which is not here."""
    return "file:" in repr(conversion.settings)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_settings_that_are_written_are_those_of_the_conversion(
    row: Any, target: str, tmp_path: Path
) -> None:
    """Executed and read, they make what the conversion makes."""
    conversion = convert_text(row.text, row.kind)

    written = execute(write_settings(conversion, target), target, tmp_path)

    if target != "environment":
        assert written == dict(conversion.settings)
    if not has_file(conversion):
        assert show(read_settings(written)) == show(conversion.read())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_report_is_the_settings_and_comments(
    row: Any, target: str, tmp_path: Path
) -> None:
    """A report can be written into the file as it stands."""
    conversion = convert_text(row.text, row.kind)

    report = write_report(conversion, target)

    settings = write_settings(conversion, target)
    assert settings in report
    others = [line for line in report.replace(settings, "").splitlines() if line]
    assert all(line.startswith("#") for line in others)
    assert all(len(line) <= 88 for line in others)
    assert execute(report, target, tmp_path) == execute(settings, target, tmp_path)
    spoken = " ".join(report.replace("#", " ").split())
    assert all(" ".join(str(n).split()) in spoken for n in conversion.notes)


def test_report_says_how_the_settings_are_used() -> None:
    """For Django the middlewares, for Flask the extension, else the wrapper."""
    conversion = convert_text("Talisman(app)")

    texts = {target: notes_for(conversion, target)[0].text for target in TARGETS}

    assert "TrustedProxyMiddleware" in texts["django"]
    assert "HTTPSOnlyMiddleware" in texts["django"]
    assert "TrustedProxy(app)" in texts["flask"]
    assert "wrap_asgi" in texts["environment"]
    only_headers = notes_for(convert_text("ProxyFix(app)"), "django")
    assert "HTTPSOnlyMiddleware" not in only_headers[0].text


def test_report_of_nothing_says_so() -> None:
    """Where nothing was trusted, nothing has to be set."""
    conversion = convert_text("uvicorn app:app --no-proxy-headers")

    assert "# Nothing has to be set." in write_report(conversion, "flask")
    assert notes_for(conversion, "flask") == list(conversion.notes)


def test_target_that_is_not_known_names_the_nearest() -> None:
    """A typing error in the target's name is named."""
    conversion = convert_text("ProxyFix(app)")

    with pytest.raises(ConfigurationError) as caught:
        write_settings(conversion, "djanog")

    assert caught.value.nearest == "django"


def test_long_list_has_a_line_for_each_entry() -> None:
    """No line is longer than 88 characters."""
    networks = [f"10.{n}.0.0/16" for n in range(12)]

    text = write_settings(Conversion((), {"TRUSTED_PROXIES": networks}), "flask")

    assert text.splitlines()[1:4] == [
        "    TRUSTED_PROXIES=[",
        '        "10.0.0.0/16",',
        '        "10.1.0.0/16",',
    ]
    assert max(map(len, text.splitlines())) <= 88


def test_values_are_written_as_python_does() -> None:
    """Quotes are double ones, and a backslash stays one."""
    settings = {
        "TRUSTED_PROXY_HEADERS": ["X-A=host"],
        "TRUSTED_PROXY_MOUNT_POINTS": {"/a/": 'http://x/"\\'},
        "TRUSTED_PROXY_HOPS": 2,
    }

    text = write_settings(Conversion((), settings), "django")

    assert text == (
        'TRUSTED_PROXY_HEADERS = ["X-A=host"]\n'
        'TRUSTED_PROXY_MOUNT_POINTS = {"/a/": "http://x/\\"\\\\"}\n'
        "TRUSTED_PROXY_HOPS = 2\n"
    )


@pytest.mark.parametrize("word", ["/a,b", "/a b", ""])
def test_word_that_a_variable_cannot_hold_is_refused(word: str) -> None:
    """Commas and blanks would make several entries of one."""
    conversion = Conversion((), {"TRUSTED_PROXY_HTTPS_EXEMPT": [word]})

    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HTTPS_EXEMPT"):
        write_settings(conversion, "environment")


def test_note_steers_no_terminal() -> None:
    """Words of somebody's file are in it."""
    text = r'SECURE_PROXY_SSL_HEADER = ("X\x1b[31m\n\u2028\u00e4", "https")'

    report = write_report(convert_text(text), "django")

    assert r"X\x1b[31m\n\u2028ä is no request header" in report
    assert report.replace("\n", "").isprintable()
