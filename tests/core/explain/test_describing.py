"""
The settings in force, in words.

In:  policies and settings.
Out: rows of name, value and meaning; text of two lines each.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ProxyHeader, ProxyPolicy
from trustedproxy.explain import describe_policy, describe_settings, list_rows
from trustedproxy.headers import Category, Form
from trustedproxy.option_table import OPTIONS

from .making import SECRET, make_policy, make_settings

EVERYBODY = (
    "every peer is trusted: right only where nothing but the proxy can reach this "
    "server"
)
POLICY_CASES: list[tuple[dict[str, Any], str, str]] = [
    (
        {},
        "TRUSTED_PROXY_HEADERS = X-Forwarded-For",
        "client address from X-Forwarded-For",
    ),
    (
        {"headers": ["Forwarded", "X-Forwarded-Port"]},
        "TRUSTED_PROXY_HEADERS = Forwarded, X-Forwarded-Port",
        "client address from Forwarded; scheme from Forwarded; host from Forwarded; "
        "port from X-Forwarded-Port",
    ),
    (
        {"headers": [ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)]},
        "TRUSTED_PROXY_HEADERS = X-Edge=address",
        "client address from X-Edge",
    ),
    (
        {"headers": []},
        "TRUSTED_PROXY_HEADERS = nothing",
        "nothing is trusted, and nothing corrected",
    ),
    (
        {"proxies": ["loopback", "10.0.0.0/8"]},
        "TRUSTED_PROXIES = loopback, 10.0.0.0/8",
        "only these peers are trusted",
    ),
    ({"proxies": []}, "TRUSTED_PROXIES = nothing", "nobody is trusted"),
    ({"proxies": "*"}, "TRUSTED_PROXIES = '*'", EVERYBODY),
    (
        {"proxies": None, "secret_header": "X-Edge-Secret", "secrets": [SECRET]},
        "TRUSTED_PROXIES = '*'",
        "every peer that knows the secret is trusted",
    ),
    ({}, "TRUSTED_PROXY_HOPS = None", "addresses are not counted"),
    (
        {"hops": 2},
        "TRUSTED_PROXY_HOPS = 2",
        "the client is element number 2 from the right",
    ),
    ({}, "TRUSTED_PROXY_SECRET_HEADER = None", "no secret is asked for"),
    (
        {"secret_header": "X-Edge-Secret", "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER = X-Edge-Secret",
        "a request without the secret in it is a direct one; the header is removed "
        "from every request",
    ),
    (
        {"secret_header": "X-Edge-Secret", "secrets": [SECRET, SECRET + "2"]},
        "TRUSTED_PROXY_SECRET_HEADER = X-Edge-Secret",
        "a request without one of 2 secrets in it is a direct one; the header is "
        "removed from every request",
    ),
    (
        {"strip": "all"},
        "TRUSTED_PROXY_STRIP = 'all'",
        "every known header that was not used is removed, from any peer",
    ),
    (
        {"malformed": "reject"},
        "TRUSTED_PROXY_MALFORMED = 'reject'",
        "a request with a malformed trusted header is answered with 400",
    ),
    (
        {"missing": "reject"},
        "TRUSTED_PROXY_MISSING = 'reject'",
        "a request whose client is unknown is answered with 400",
    ),
    (
        {"port_in_host": True},
        "TRUSTED_PROXY_PORT_IN_HOST = True",
        "a trusted port is written into a host that has none, and the scheme's own "
        "port is taken off",
    ),
    (
        {"strip_mount_point": True},
        "TRUSTED_PROXY_STRIP_MOUNT_POINT = True",
        "the mount point is taken off the front of the path",
    ),
    (
        {"report_only": True},
        "TRUSTED_PROXY_REPORT_ONLY = True",
        "nothing is changed: what would differ is only logged",
    ),
    (
        {"fixed_scheme": "https"},
        "TRUSTED_PROXY_FIXED_SCHEME = https",
        "the scheme of every request of a trusted peer is this",
    ),
    ({}, "TRUSTED_PROXY_FIXED_PORT = None", "the port is not stated"),
]


@pytest.mark.parametrize(("options", "setting", "meaning"), POLICY_CASES)
def test_policy_in_words(options: dict[str, Any], setting: str, meaning: str) -> None:
    """Each setting has its name, its value, and what that means."""
    lines = describe_policy(make_policy(**options)).splitlines()

    assert lines[lines.index(setting) + 1] == f"    {meaning}"


def test_preset_in_words() -> None:
    """Its name comes first, since the others are from it."""
    policy = ProxyPolicy.from_preset("nginx-local")

    assert describe_policy(policy).startswith("TRUSTED_PROXY_PRESET = nginx-local\n")


FEATURE_CASES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "TRUSTED_PROXY_HTTPS_ONLY = False", "plain HTTP is served"),
    (
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_ONLY = True",
        "plain HTTP is redirected to HTTPS by the client's scheme",
    ),
    (
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_HOST = None",
        "redirects go to the request's host",
    ),
    (
        {"https_only": True, "https_host": "www.example.com"},
        "TRUSTED_PROXY_HTTPS_HOST = www.example.com",
        "redirects go to this host",
    ),
    (
        {"https_only": True, "https_host": ":8443"},
        "TRUSTED_PROXY_HTTPS_HOST = :8443",
        "redirects go to this port of the request's host",
    ),
    (
        {"https_only": True, "https_status": 302},
        "TRUSTED_PROXY_HTTPS_STATUS = 302",
        "the answer to GET and HEAD; other methods get 307",
    ),
    (
        {"https_only": True},
        "TRUSTED_PROXY_HTTPS_EXEMPT = nothing",
        "nothing stays reachable over HTTP",
    ),
    (
        {"https_only": True, "https_exempt": ["/healthz", "192.0.2.0/24"]},
        "TRUSTED_PROXY_HTTPS_EXEMPT = /healthz, 192.0.2.0/24",
        "these paths and direct peers stay reachable over HTTP",
    ),
    (
        {},
        "TRUSTED_PROXY_HSTS_POLICY = None",
        "browsers do not learn to stay on HTTPS",
    ),
    (
        {"hsts_policy": "max-age=60"},
        "TRUSTED_PROXY_HSTS_POLICY = max-age=60",
        "not sent, since TRUSTED_PROXY_HTTPS_ONLY is off",
    ),
    (
        {"hsts_policy": "max-age=60", "https_only": True},
        "TRUSTED_PROXY_HSTS_POLICY = max-age=60",
        "sent with every answer to a secure request",
    ),
    ({}, "TRUSTED_PROXY_MOUNT_POINTS = nothing", "no path is proxied"),
    (
        {"mount_points": {"/blog/": "http://127.0.0.1:8001/"}},
        "TRUSTED_PROXY_MOUNT_POINTS = /blog/ → http://127.0.0.1:8001/",
        "requests below these paths go to other servers",
    ),
    (
        {},
        "TRUSTED_PROXY_RESTRICT_SIGNALS = False",
        "signal handlers are left alone",
    ),
    (
        {"restrict_signals": True},
        "TRUSTED_PROXY_RESTRICT_SIGNALS = True",
        "signal.signal() is refused from the first request on",
    ),
]


@pytest.mark.parametrize(("names", "setting", "meaning"), FEATURE_CASES)
def test_features_in_words(names: dict[str, Any], setting: str, meaning: str) -> None:
    """What stands on the policy is described with it."""
    lines = describe_settings(make_settings(**names)).splitlines()

    assert lines[lines.index(setting) + 1] == f"    {meaning}"


def test_every_setting_has_a_row() -> None:
    """A setting that is added is described; the secrets are only counted."""
    settings = make_settings(
        https_only=True,
        preset="nginx-local",
        secret_header="X-Edge-Secret",
        secrets=[SECRET],
    )

    rows = list_rows(settings)

    names = {row.setting for row in rows}
    assert names == {option.name for option in OPTIONS} - {"TRUSTED_PROXY_SECRETS"}
    assert SECRET not in str(rows)
