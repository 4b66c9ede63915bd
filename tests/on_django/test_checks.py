"""
The system checks: one test for each id.

In:  settings with one mistake.
Out: the one message about it, with a hint that says what to type.
"""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import WARNING, CheckMessage, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from django_trustedproxy import checks
from django_trustedproxy.checks import CHECKS, IDS
from django_trustedproxy.middleware import TrustedProxyMiddleware
from django_trustedproxy.neighbour_checks import NEIGHBOUR_CHECKS
from trustedproxy import checks as core_checks

from .settings import COMMON, CSRF, HTTPS_ONLY, SECURITY, SESSION, TRUSTED_PROXY

GUIDE = Path(__file__).parents[2] / "docs" / "django.md"

HSTS = "max-age=31536000; includeSubDomains"
WITH_HTTPS_ONLY = [TRUSTED_PROXY, HTTPS_ONLY, SECURITY, SESSION, COMMON, CSRF]


def find(*, deploy: bool = False, **overrides: Any) -> list[CheckMessage]:
    """Run the checks and return this project's errors and warnings."""
    with override_settings(**overrides):
        messages = run_checks(include_deployment_checks=deploy)
    ours = [m for m in messages if str(m.id).startswith("trustedproxy.")]
    return [m for m in ours if m.level >= WARNING]


def find_ids(*, deploy: bool = False, **overrides: Any) -> list[str]:
    """Run the checks and return the ids of this project's messages."""
    return [str(message.id) for message in find(deploy=deploy, **overrides)]


class Subclass(TrustedProxyMiddleware):
    """A project's own middleware, made from ours."""


#: id, the settings that lead to it, and what the hint must have to be of use.
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    (
        "trustedproxy.E001",
        {"TRUSTED_PROXIES": ["10.0.0.0/33"]},
        "Correct TRUSTED_PROXIES[0] in the settings: type '10.0.0.0/32' in place of "
        "'10.0.0.0/33'.",
    ),
    (
        "trustedproxy.E002",
        {"TRUSTED_PROXY_HSTS_POLICY": "max-age=60; includeSubDomains; preload"},
        "'max-age=31536000; includeSubDomains; preload'",
    ),
    (
        "trustedproxy.W001",
        {"MIDDLEWARE": [SECURITY, SESSION]},
        f"MIDDLEWARE = ['{TRUSTED_PROXY}', ...]",
    ),
    (
        "trustedproxy.W002",
        {"MIDDLEWARE": [SECURITY, TRUSTED_PROXY, SESSION]},
        f"Move '{TRUSTED_PROXY}'",
    ),
    (
        "trustedproxy.W003",
        {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        "TRUSTED_PROXY_HEADERS = [..., 'X-Forwarded-Proto']",
    ),
    (
        "trustedproxy.W004",
        {"USE_X_FORWARDED_HOST": True},
        "TRUSTED_PROXY_HEADERS = [..., 'X-Forwarded-Host']",
    ),
    (
        "trustedproxy.W005",
        {"USE_X_FORWARDED_PORT": True},
        "TRUSTED_PROXY_HEADERS = [..., 'X-Forwarded-Port']",
    ),
    (
        "trustedproxy.W006",
        {"FORCE_SCRIPT_NAME": "/app"},
        "TRUSTED_PROXY_HEADERS = [..., 'X-Forwarded-Prefix']",
    ),
    (
        "trustedproxy.W007",
        {"TRUSTED_PROXIES": "*"},
        "TRUSTED_PROXIES = ['10.0.0.0/8']",
    ),
    (
        "trustedproxy.W008",
        {"TRUSTED_PROXIES": ["10.0.0.0/8", "0.0.0.0/0"]},
        "TRUSTED_PROXIES = '*'",
    ),
    (
        "trustedproxy.W009",
        {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Real-IP"]},
        "X-Forwarded-For, X-Real-IP",
    ),
    (
        "trustedproxy.W010",
        {"TRUSTED_PROXY_HEADERS": []},
        "TRUSTED_PROXY_HEADERS = ['X-Forwarded-For', 'X-Forwarded-Proto']",
    ),
    ("trustedproxy.W011", {"STATIC_URL": "static/"}, "'/app/static/'"),
    (
        "trustedproxy.W012",
        {
            "CSRF_COOKIE_DOMAIN": ".shop.example",
            "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
        },
        "TRUSTED_PROXY_HEADERS = [..., 'X-Forwarded-Port']",
    ),
    (
        "trustedproxy.W013",
        {
            "MIDDLEWARE": WITH_HTTPS_ONLY,
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "SECURE_SSL_REDIRECT": True,
        },
        "Remove SECURE_SSL_REDIRECT, and add 'security.W008'",
    ),
    (
        "trustedproxy.W014",
        {
            "MIDDLEWARE": WITH_HTTPS_ONLY,
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HSTS_POLICY": HSTS,
            "SECURE_HSTS_SECONDS": 3600,
        },
        "Remove SECURE_HSTS_SECONDS, and add 'security.W004'",
    ),
    (
        "trustedproxy.W015",
        {
            "MIDDLEWARE": [HTTPS_ONLY, TRUSTED_PROXY, SESSION],
            "TRUSTED_PROXY_HTTPS_ONLY": True,
        },
        f"Move '{HTTPS_ONLY}' below",
    ),
    (
        "trustedproxy.W016",
        {
            "MIDDLEWARE": [TRUSTED_PROXY, COMMON, HTTPS_ONLY],
            "TRUSTED_PROXY_HTTPS_ONLY": True,
        },
        f"Move '{HTTPS_ONLY}' above",
    ),
    (
        "trustedproxy.W017",
        {"TRUSTED_PROXY_HSTS_POLICY": HSTS},
        "TRUSTED_PROXY_HTTPS_ONLY = True",
    ),
    (
        "trustedproxy.W018",
        {"TRUSTED_PROXY_HTTPS_ONLY": True},
        f"Type '{HTTPS_ONLY}'",
    ),
    (
        "trustedproxy.W019",
        {"MIDDLEWARE": WITH_HTTPS_ONLY},
        "TRUSTED_PROXY_HTTPS_ONLY = True",
    ),
    (
        "trustedproxy.W020",
        {"TRUSTED_PROXY_MOUNT_POINTS": {"/blog/": "http://127.0.0.1:8001/"}},
        "wrap_wsgi(get_wsgi_application())",
    ),
    (
        "trustedproxy.W021",
        {
            "MIDDLEWARE": WITH_HTTPS_ONLY,
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_EXEMPT": ["/healthz", "192.0.2.0/24", "10.0.0.0/16"],
        },
        "instead of '10.0.0.0/16'",
    ),
    (
        "trustedproxy.W024",
        {"TRUSTED_PROXIES": None, "TRUSTED_PROXY_HOPS": 1},
        "TRUSTED_PROXIES = ['10.0.0.0/8']",
    ),
    (
        "trustedproxy.W025",
        {
            "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"],
            "TRUSTED_PROXY_FIXED_PORT": 8443,
        },
        "TRUSTED_PROXY_PORT_IN_HOST = True",
    ),
    (
        "trustedproxy.W029",
        {
            "MIDDLEWARE": WITH_HTTPS_ONLY,
            "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"],
            "TRUSTED_PROXY_HTTPS_ONLY": True,
        },
        'TRUSTED_PROXY_FIXED_SCHEME = "https"',
    ),
    (
        "trustedproxy.W030",
        {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"], "TRUSTED_PROXIES": []},
        "TRUSTED_PROXIES = ['10.0.0.0/8']",
    ),
]

#: Those that need a file, or another day; the core's tests have them.
OF_FILES = {"trustedproxy.W026", "trustedproxy.W027", "trustedproxy.W028"}
INFO = "trustedproxy.I002"
ALL = {check.id for check in CHECKS} | set(IDS.values())


@pytest.mark.parametrize(
    ("id", "overrides", "hint"), MISTAKES, ids=[row[0] for row in MISTAKES]
)
def test_mistake(id: str, overrides: dict[str, Any], hint: str) -> None:
    """The mistake is found, alone, and the hint says what to type."""
    messages = find(deploy=True, **overrides)

    assert [message.id for message in messages] == [id]
    assert hint in str(messages[0].hint)


def test_every_id_has_a_mistake() -> None:
    """No check is without a test."""
    assert {row[0] for row in MISTAKES} == ALL - OF_FILES - {INFO}


def test_report_only_is_an_info() -> None:
    """It may be on for a while, on purpose."""
    with override_settings(TRUSTED_PROXY_REPORT_ONLY=True):
        (message,) = (
            m for m in run_checks(include_deployment_checks=True) if m.id == INFO
        )

    assert message.level < WARNING
    assert "Remove TRUSTED_PROXY_REPORT_ONLY" in str(message.hint)


def test_ids_are_different() -> None:
    """No id is used twice."""
    assert len(ALL) == len(CHECKS) + len(IDS)


def test_every_row_of_the_core_has_an_id_or_a_better_one() -> None:
    """What the core learns to find, Django finds."""
    better = {
        # I001 looks at the settings of cookies.
        "shared-cookies",
        # ALLOWED_HOSTS limits the redirect.
        "any-host",
    }

    assert {check.code for check in core_checks.CHECKS} - set(IDS) == better


def test_guide_has_a_row_for_every_id() -> None:
    """The guide's table and the code agree, in order and without gaps."""
    rows = re.findall(r"^\| `(trustedproxy\.\w+)` \|", GUIDE.read_text(), re.MULTILINE)

    neighbours = {check.id for check in NEIGHBOUR_CHECKS}
    assert rows == sorted(ALL | neighbours)


def test_settings_of_these_tests() -> None:
    """Good settings have nothing said about them."""
    assert find(deploy=True) == []


def test_https_only_as_it_should_be() -> None:
    """Nothing is said about HTTPS-only with its line, its setting and a policy."""
    ids = find_ids(
        MIDDLEWARE=WITH_HTTPS_ONLY,
        TRUSTED_PROXY_HTTPS_ONLY=True,
        TRUSTED_PROXY_HSTS_POLICY=HSTS,
    )

    assert ids == []


def test_every_peer_outside_of_deployment() -> None:
    """Whoever develops is not warned about peers that nobody else is."""
    assert find_ids(TRUSTED_PROXIES="*") == []


def test_nobody_on_purpose() -> None:
    """On a development machine it is meant; where it is deployed, a slip."""
    assert find_ids(deploy=False, TRUSTED_PROXIES=[]) == []
    assert find_ids(deploy=True, TRUSTED_PROXIES=[]) == ["trustedproxy.W030"]


def test_every_peer_with_a_secret() -> None:
    """Whoever knows the secret is no stranger."""
    ids = find_ids(
        deploy=True,
        TRUSTED_PROXIES=None,
        TRUSTED_PROXY_SECRET_HEADER="X-Proxy-Secret",
        TRUSTED_PROXY_SECRETS=["correct horse battery staple"],
    )

    assert ids == []


@pytest.mark.parametrize(
    "networks",
    [
        ["private", "loopback", "linklocal", "shared", "unix"],
        ["fc00::/7"],
        ["fd00::/8"],
        ["203.0.112.0/20"],
        ["2001:db8::/32"],
    ],
)
def test_networks_that_are_not_too_wide(networks: list[str]) -> None:
    """Networks with a name, and those of a size that platforms publish, are fine."""
    assert find_ids(TRUSTED_PROXIES=networks) == []


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "52.0.0.0/8", "2000::/3"])
def test_networks_that_are_too_wide(network: str) -> None:
    """A network of strangers is named."""
    (message,) = find(TRUSTED_PROXIES=[network])

    assert network in message.msg


def test_middleware_of_a_subclass() -> None:
    """A subclass of ours is ours."""
    path = f"{__name__}.Subclass"

    assert find_ids(MIDDLEWARE=[path, SECURITY]) == []
    assert find_ids(MIDDLEWARE=[SECURITY, path]) == ["trustedproxy.W002"]


def test_middleware_that_cannot_be_imported() -> None:
    """An entry that Django will complain about is passed over here."""
    assert find_ids(MIDDLEWARE=["nowhere.Middleware", TRUSTED_PROXY]) == []


def test_middleware_that_is_a_function() -> None:
    """A function that reads nothing may come first."""
    path = f"{__package__}.test_middleware.sync_only"

    assert find_ids(MIDDLEWARE=[path, TRUSTED_PROXY]) == []


def test_every_reader_before_ours_is_named() -> None:
    """Each line that is out of order gets its own message."""
    messages = find(MIDDLEWARE=[SESSION, COMMON, TRUSTED_PROXY, CSRF])

    assert [message.id for message in messages] == ["trustedproxy.W002"] * 2
    assert SESSION in messages[0].msg
    assert COMMON in messages[1].msg


@pytest.mark.parametrize("url", ["/static/", "https://cdn.example/", None])
def test_static_url_that_is_not_relative(url: str | None) -> None:
    """An absolute URL is the same below every mount point."""
    assert find_ids(STATIC_URL=url) == []


def test_relative_media_url() -> None:
    """``MEDIA_URL`` is looked at like ``STATIC_URL``."""
    (message,) = find(MEDIA_URL="media/")

    assert message.id == "trustedproxy.W011"
    assert message.msg.startswith("MEDIA_URL")


def test_relative_static_url_without_a_mount_point() -> None:
    """Where no header moves the application, a relative URL is right."""
    ids = find_ids(STATIC_URL="static/", TRUSTED_PROXY_HEADERS=["X-Forwarded-For"])

    assert ids == []


def test_check_does_not_freeze_static_url() -> None:
    """Looking at the URL does not fix the mount point in it."""
    with override_settings(STATIC_URL="static/"):
        checks.check_settings(None)

        assert "STATIC_URL" not in vars(settings)


def test_cookie_domain_of_sessions() -> None:
    """With ``CSRF_USE_SESSIONS`` the session cookie's domain is the one that counts."""
    trusted = ["X-Forwarded-For", "X-Forwarded-Proto"]
    domains: dict[str, Any] = {
        "SESSION_COOKIE_DOMAIN": ".shop.example",
        "CSRF_COOKIE_DOMAIN": None,
    }

    ids = find_ids(CSRF_USE_SESSIONS=True, TRUSTED_PROXY_HEADERS=trusted, **domains)
    assert ids == ["trustedproxy.W012"]
    assert find_ids(TRUSTED_PROXY_HEADERS=trusted, **domains) == []


def test_cookie_domain_with_a_trusted_port() -> None:
    """With a trusted port header the comparison comes out right."""
    assert find_ids(CSRF_COOKIE_DOMAIN=".shop.example") == []


def test_cookie_domain_without_a_trusted_scheme() -> None:
    """Where no header says https, Django compares no referrer behind a proxy."""
    ids = find_ids(
        CSRF_COOKIE_DOMAIN=".shop.example", TRUSTED_PROXY_HEADERS=["X-Forwarded-For"]
    )

    assert ids == []


def test_forced_mount_point_that_is_empty() -> None:
    """An empty ``FORCE_SCRIPT_NAME`` forces, too."""
    assert find_ids(FORCE_SCRIPT_NAME="") == ["trustedproxy.W006"]


def test_nothing_listed_with_everything_removed() -> None:
    """A project without a proxy that only removes is complete."""
    assert find_ids(TRUSTED_PROXY_HEADERS=[], TRUSTED_PROXY_STRIP="all") == []


@pytest.mark.parametrize(
    "overrides",
    [{"TRUSTED_PROXY_STRIP": "all"}, {"TRUSTED_PROXY_RESTRICT_SIGNALS": True}],
    ids=["strip", "signals"],
)
def test_middleware_missing_without_a_trusted_header(overrides: dict[str, Any]) -> None:
    """What the middleware alone does needs it, even where it trusts no header."""
    ids = find_ids(
        TRUSTED_PROXY_HEADERS=[], MIDDLEWARE=[SECURITY, SESSION, COMMON], **overrides
    )

    assert "trustedproxy.W001" in ids


def test_configuration_error_is_said_once() -> None:
    """Both kinds of checks meet the error, and one of them says it."""
    ids = find_ids(deploy=True, TRUSTED_PROXY_HEADRES=["X-Forwarded-For"])

    assert ids == ["trustedproxy.E001"]


@pytest.mark.parametrize("name", ["TRUSTED_PROXY", "TRUSTED_PROXYS", "TRUSTED_PROXIE"])
def test_list_of_proxies_that_is_misspelled(name: str) -> None:
    """A list under a wrong name is refused: without it every peer would be trusted."""
    misspelled: dict[str, Any] = {name: ["10.0.0.0/8"]}
    (message,) = find(**misspelled)

    assert message.id == "trustedproxy.E001"
    assert "the nearest is 'TRUSTED_PROX" in message.msg


def test_configuration_error_with_nothing_near_names_the_setting() -> None:
    """Nothing is guessed."""
    (message,) = find(TRUSTED_PROXIES=["proxy.internal"])

    assert message.hint == "Correct TRUSTED_PROXIES[0] in the settings."


def test_configuration_error_names_setting_value_and_nearest() -> None:
    """The message has all that one needs to correct it."""
    (message,) = find(TRUSTED_PROXIES=["loopbak"])

    for word in ("TRUSTED_PROXIES[0]", "'loopbak'", "'loopback'"):
        assert word in message.msg


def test_mount_point_that_cannot_be() -> None:
    """A path or a URL that is none is found before the wrapper is made."""
    (message,) = find(TRUSTED_PROXY_MOUNT_POINTS={"/blog/": "127.0.0.1:8001"})

    assert message.id == "trustedproxy.E001"
    assert "TRUSTED_PROXY_MOUNT_POINTS" in message.msg


def test_hsts_policy_that_is_wrong_otherwise() -> None:
    """Only preloading has an id of its own."""
    ids = find_ids(TRUSTED_PROXY_HSTS_POLICY="max-age=never")

    assert ids == ["trustedproxy.E001"]


def test_manage_py_check_with_a_configuration_error() -> None:
    """``manage.py check`` fails with the sentence, and without a traceback."""
    with (
        override_settings(TRUSTED_PROXIES=["10.0.0.1/8"]),
        pytest.raises(SystemCheckError, match=r"TRUSTED_PROXIES\[0\] .*: '10.0.0.1/8'"),
    ):
        call_command("check", stdout=StringIO(), stderr=StringIO())


def test_exempt_network_without_proxies() -> None:
    """Where nothing is trusted, no proxy can pass for the checker."""
    settings: dict[str, Any] = {
        "MIDDLEWARE": WITH_HTTPS_ONLY,
        "TRUSTED_PROXY_HEADERS": (),
        "TRUSTED_PROXIES": None,
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        "TRUSTED_PROXY_HTTPS_EXEMPT": ["10.0.0.0/16"],
    }

    assert "trustedproxy.W021" not in {message.id for message in find(**settings)}
