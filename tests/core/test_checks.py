"""
The one table of checks: one test a row, and what is right.

In:  settings with one mistake.
Out: the one remark about it, with what to type.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import ConfigurationError, read_settings
from trustedproxy.checks import (
    CHECKS,
    CONFIGURATION_ERROR,
    PRELOAD_ERROR,
    Level,
    Remark,
    Subject,
    describe_error,
    run_checks,
)
from trustedproxy.framework import Framework
from trustedproxy.presets import read_preset

from .making import name_settings

FOR, PROTO, PREFIX = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix"
RIGHT: dict[str, Any] = {"headers": [FOR, PROTO], "proxies": ["10.0.0.0/8"]}
HSTS = "max-age=31536000; includeSubDomains"
LATER = date(2099, 1, 1)
LIST = "# cloudflare, 2026-01-02, from https://api.cloudflare.com/\n192.0.2.0/24\n"


def make_subject(
    *, framework: Framework | None = None, today: date | None = None, **names: Any
) -> Subject:
    """Make what is looked at, of names without their ``TRUSTED_PROXY_``."""
    settings = read_settings(name_settings({**RIGHT, **names}))
    day = read_preset("cloudflare").networks
    assert day is not None
    return Subject(settings, framework or Framework(), today or day.published)


def find(*, deploy: bool = True, **more: Any) -> list[Remark]:
    """Run the checks."""
    return run_checks(make_subject(**more), deploy=deploy)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Make a list of networks that nobody else can write to."""
    path = tmp_path / "proxies"
    path.write_text(LIST)
    path.chmod(0o644)
    return path


#: Code, the settings that lead to it, and what the hint must have to be of use.
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    (
        "no-header",
        {"headers": [], "proxies": None},
        "TRUSTED_PROXY_HEADERS = ['X-Forwarded-For', 'X-Forwarded-Proto']",
    ),
    ("no-proxy", {"proxies": []}, "TRUSTED_PROXIES = ['10.0.0.0/8']"),
    ("no-proxy", {"headers": [], "proxies": [], "fixed_scheme": "https"}, "If no pro"),
    ("every-peer", {"proxies": "*"}, "TRUSTED_PROXIES = ['10.0.0.0/8']"),
    ("count-alone", {"proxies": None, "hops": 1}, "TRUSTED_PROXIES = ['10.0.0.0/8']"),
    (
        "wide-network",
        {"proxies": ["10.0.0.0/8", "52.0.0.0/8"]},
        "Replace '52.0.0.0/8' by the networks",
    ),
    ("synonyms", {"headers": [FOR, "X-Real-IP"]}, "X-Forwarded-For, X-Real-IP"),
    ("fixed-port", {"fixed_port": 8443}, "TRUSTED_PROXY_PORT_IN_HOST = True"),
    (
        "old-networks",
        {"preset": "cloudflare", "headers": None, "proxies": None, "today": LATER},
        "trustedproxy networks update cloudflare PATH",
    ),
    (
        "scheme-unknown",
        {"headers": [FOR], "https_only": True, "https_host": "www.example.com"},
        'TRUSTED_PROXY_FIXED_SCHEME = "https"',
    ),
    ("hsts-alone", {"hsts_policy": HSTS}, "TRUSTED_PROXY_HTTPS_ONLY = True"),
    (
        "exempt-proxies",
        {
            "https_only": True,
            "https_host": "www.example.com",
            "https_exempt": ["/healthz", "192.0.2.0/24", "10.0.0.0/16"],
        },
        "instead of '10.0.0.0/16'",
    ),
    (
        "any-host",
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_HOST = 'www.example.com'",
    ),
    ("report-only", {"report_only": True}, "Remove TRUSTED_PROXY_REPORT_ONLY"),
    ("shared-cookies", {"headers": [FOR, PREFIX]}, "SESSION_COOKIE_PATH = '/app'"),
    ("shared-cookies", {"fixed_mount_point": "/app"}, "SESSION_COOKIE_PATH = '/app'"),
]


@pytest.mark.parametrize(("code", "more", "hint"), MISTAKES)
def test_mistake(code: str, more: dict[str, Any], hint: str) -> None:
    """The mistake is found, alone, and the hint says what to type."""
    remarks = find(**more)

    assert [remark.code for remark in remarks] == [code]
    assert hint in remarks[0].hint
    assert "{}" not in remarks[0].message + remarks[0].hint


def test_every_code_has_a_test() -> None:
    """No row is without one, and no code is used twice."""
    codes = [check.code for check in CHECKS]

    assert len(set(codes)) == len(codes)
    assert set(codes) == {row[0] for row in MISTAKES} | {"open-list", "old-list"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"headers": [], "proxies": None, "strip": "all"},
        {"headers": [], "proxies": [], "strip": "all"},
        {"proxies": None, "secret_header": "X-Edge", "secrets": ["0123456789abcdef"]},
        {"hops": 2},
        {"fixed_port": 8443, "port_in_host": True},
        {"preset": "cloudflare", "headers": None, "proxies": None},
        {"preset": "cloudflare", "headers": None, "today": LATER},
        {"preset": "nginx-local", "headers": None, "proxies": None, "today": LATER},
        {"https_only": True, "https_host": "a.example", "hsts_policy": HSTS},
        {
            "headers": [FOR],
            "fixed_scheme": "https",
            "https_only": True,
            "https_host": "a.example",
        },
        {
            "https_only": True,
            "framework": Framework(name="Flask", allowed_hosts=["a.example"]),
        },
        {
            "headers": [],
            "proxies": None,
            "strip": "all",
            "https_only": True,
            "https_host": "a.example",
        },
        {"proxies": ["private", "loopback", "linklocal", "shared", "unix"]},
        {"proxies": ["203.0.112.0/20", "2001:db8::/32", "fc00::/7"]},
    ],
)
def test_settings_that_are_right(more: dict[str, Any]) -> None:
    """Nothing is said of them."""
    assert find(**more) == []


def test_redirect_to_any_host_names_the_framework_s_list() -> None:
    """A framework that limits no hosts has a setting of its own for it."""
    flask = Framework(name="Flask", hosts_setting="TRUSTED_HOSTS")

    (remark,) = find(https_only=True, framework=flask)

    assert "TRUSTED_HOSTS = ['www.example.com']" in remark.hint


@pytest.mark.parametrize(
    "code",
    [check.code for check in CHECKS if check.deploy and "list" not in check.code],
)
def test_development_is_spared(code: str) -> None:
    """What matters only where others can connect is not said elsewhere."""
    more = next(row[1] for row in MISTAKES if row[0] == code)

    assert find(deploy=False, **more) == []


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o600])
def test_list_that_others_cannot_write(listed: Path, mode: int) -> None:
    """A group is not everybody."""
    listed.chmod(mode)

    assert find(proxies=[f"file:{listed}"], today=date(2026, 1, 3)) == []


def test_list_that_others_can_write(listed: Path) -> None:
    """Whoever can write to it decides whom to trust."""
    listed.chmod(0o646)

    (remark,) = find(proxies=["10.0.0.0/8", f"file:{listed}"], today=date(2026, 1, 3))

    assert (remark.code, remark.level) == ("open-list", Level.WARNING)
    assert remark.hint == f"Take that right away: chmod o-w '{listed}'."


@pytest.mark.parametrize(("mode", "expected"), [(0o777, 1), (0o1777, 0)])
def test_folder_of_a_list_that_others_can_write(
    listed: Path, mode: int, expected: int
) -> None:
    """Another file can be put in its place, unless the folder is sticky."""
    listed.parent.chmod(mode)

    remarks = find(proxies=[f"file:{listed}"], today=date(2026, 1, 3))

    assert [remark.code for remark in remarks] == ["open-list"] * expected
    for remark in remarks:
        assert str(listed.parent) in remark.message


def test_list_behind_a_link(listed: Path, tmp_path: Path) -> None:
    """What the link leads to is what is read."""
    link = tmp_path / "link"
    link.symlink_to(listed)
    listed.chmod(0o666)

    (remark,) = find(proxies=[f"file:{link}"], today=date(2026, 1, 3))

    assert str(listed) in remark.message


def test_folder_far_above_a_list(listed: Path, tmp_path: Path) -> None:
    """Whoever can write there can put another folder in the place of the right one."""
    folder = tmp_path / "open" / "sub"
    folder.mkdir(parents=True)
    other = folder / "list"
    other.write_bytes(listed.read_bytes())
    folder.parent.chmod(0o777)

    (remark,) = find(proxies=[f"file:{other}"], today=date(2026, 1, 3))

    assert remark.code == "open-list"
    assert remark.hint == f"Take that right away: chmod o-w '{folder.parent}'."


@pytest.mark.parametrize("far", [False, True])
def test_folder_of_a_link_to_a_list(listed: Path, tmp_path: Path, *, far: bool) -> None:
    """The link can be replaced, or one that it leads to, wherever the list is."""
    folder = tmp_path / "open"
    folder.mkdir()
    link = folder / "link"
    link.symlink_to(listed)
    folder.chmod(0o777)
    if far:
        link, between = tmp_path / "first", link
        link.symlink_to(Path("open") / between.name)

    (remark,) = find(proxies=[f"file:{link}"], today=date(2026, 1, 3))

    assert (remark.code, str(folder) in remark.message) == ("open-list", True)


@pytest.mark.skipif(
    os.name != "posix", reason="this system has no POSIX permissions to look at"
)
@pytest.mark.parametrize("target", ["../safe", "../open/../safe", "{}/safe"])
def test_folder_of_a_link_to_the_folder_of_a_list(target: str, tmp_path: Path) -> None:
    """A link to a directory can be replaced as one to a file, and leads anywhere."""
    folders = [tmp_path / name for name in ("etc", "open", "safe")]
    for folder in folders:
        folder.mkdir()
    etc, shared, safe = folders
    (safe / "list").write_text("192.0.2.0/24\n", encoding="utf-8")
    (etc / "x").symlink_to(Path("..") / "open" / "y")
    (shared / "y").symlink_to(target.format(tmp_path))
    shared.chmod(0o777)

    (remark,) = find(proxies=[f"file:{etc / 'x' / 'list'}"], today=LATER)

    assert (remark.code, str(shared) in remark.message) == ("open-list", True)


def test_link_to_a_list_that_leads_to_itself(listed: Path, tmp_path: Path) -> None:
    """The last good list is in force, and nothing is said of what nobody reads."""
    link = tmp_path / "link"
    link.symlink_to(listed)
    subject = make_subject(proxies=[f"file:{link}"], today=date(2026, 1, 3))
    link.unlink()
    link.symlink_to(link)

    assert run_checks(subject) == []


def test_list_that_is_gone(listed: Path) -> None:
    """The last good one is in force; the log says so."""
    subject = make_subject(proxies=[f"file:{listed}"], today=LATER)
    listed.unlink()

    assert [remark.code for remark in run_checks(subject)] == []


@pytest.mark.skipif(
    os.name != "posix", reason="this system has no POSIX permissions to look at"
)
def test_list_that_was_not_refreshed(listed: Path) -> None:
    """A provider's networks change."""
    written = date(2026, 1, 2)
    proxies = [f"file:{listed}"]

    soon = find(proxies=proxies, today=written + timedelta(days=183))
    (late,) = find(proxies=proxies, today=written + timedelta(days=184))

    assert soon == []
    assert late.code == "old-list"
    assert str(listed) in late.message


@pytest.mark.parametrize(
    ("names", "code", "hint"),
    [
        (
            {"TRUSTED_PROXIES": ["10.0.0.0/33"]},
            CONFIGURATION_ERROR,
            "Correct TRUSTED_PROXIES[0] in the settings: type '10.0.0.0/32' in place "
            "of '10.0.0.0/33'.",
        ),
        (
            {"TRUSTED_PROXIES": ["no network"]},
            CONFIGURATION_ERROR,
            "Correct TRUSTED_PROXIES[0] in the settings.",
        ),
        (
            {"TRUSTED_PROXY_HSTS_POLICY": "max-age=60; includeSubDomains; preload"},
            PRELOAD_ERROR,
            "Browsers preload a policy of at least a year for all subdomains: "
            "TRUSTED_PROXY_HSTS_POLICY = 'max-age=31536000; includeSubDomains; "
            "preload'. Until you want that, leave 'preload' out.",
        ),
        (
            {"TRUSTED_PROXY_HSTS_POLICY": "max-age=x; preload"},
            CONFIGURATION_ERROR,
            "Correct TRUSTED_PROXY_HSTS_POLICY in the settings.",
        ),
    ],
)
def test_invalid_setting(names: dict[str, Any], code: str, hint: str) -> None:
    """It is a finding like others, and the worst."""
    with pytest.raises(ConfigurationError) as caught:
        read_settings(names)

    remark = describe_error(caught.value)

    assert (remark.code, remark.level, remark.hint) == (code, Level.ERROR, hint)
    assert remark.message == str(caught.value)


def test_remark_in_plain_values() -> None:
    """As JSON has it."""
    (remark,) = find(report_only=True)

    assert remark.as_dict() == {
        "code": "report-only",
        "level": "hint",
        "message": "TRUSTED_PROXY_REPORT_ONLY is on, so nothing is corrected: what "
        "would differ is only logged.",
        "hint": "Remove TRUSTED_PROXY_REPORT_ONLY once the log is what you want.",
    }


def test_ages_are_counted_from_today_where_nothing_else_is_said() -> None:
    """A command does not say which day it is."""
    assert Subject(read_settings({})).today == date.today()
