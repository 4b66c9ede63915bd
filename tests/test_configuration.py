"""
Mistakes in the configuration, each an error at start-up through every way in.

In:  `MISTAKES`.
Out: one test a mistake and way; S-07 of the attacks is the list of proxies.

Nothing that is wrong with the configuration may wait for a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from trustedproxy import (
    Category,
    ConfigurationError,
    Form,
    ProxyHeader,
    ProxyPolicy,
    read_settings,
)
from trustedproxy.option_table import OPTIONS

from .cases.case import FOR, FORWARDED, PROTO, SECRET, SECRET_HEADER
from .surfaces import present, settings_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One mistake.

    Attributes:
        name: A sentence that begins with "refuses".

        policy: Keyword arguments of `ProxyPolicy`.

        option: The setting that the error names, with its index.

        words: What the sentence says besides.
    """

    name: str
    policy: dict[str, Any]
    option: str
    words: str = ""


def _entry(what: str, entry: Any, words: str = "") -> Mistake:
    return Mistake(
        f"refuses {what} in the list of proxies",
        {"headers": [FOR], "proxies": ["127.0.0.1", entry]},
        "TRUSTED_PROXIES[1]",
        words,
    )


def _header(what: str, entry: Any, words: str = "") -> Mistake:
    return Mistake(
        f"refuses {what} in the list of headers",
        {"headers": [PROTO, entry]},
        "TRUSTED_PROXY_HEADERS[1]",
        words,
    )


#: S-07: the list of proxies.
PROXIES: Final = (
    _entry("a prefix that is too long", "10.0.0.0/33", "'10.0.0.0/32'"),
    _entry("host bits", "10.0.0.1/8", "'10.0.0.0/8'"),
    _entry("host bits of IPv6", "2001:db8::1/32", "'2001:db8::/32'"),
    _entry("a name with a typing error", "loopbak", "'loopback'"),
    _entry("a host name", "proxy.internal", "never looked up"),
    _entry("the name of a container", "traefik", "'172.16.0.0/12'"),
    _entry("a name that is nearly one of ours", "nginx", "REMOTE_ADDR"),
    _entry("a shortened address", "10.1"),
    _entry("a shortened network", "10/8"),
    _entry("leading zeros", "010.0.0.1"),
    _entry("a host mask", "10.0.0.0/0.255.255.255", "'10.0.0.0/8'"),
    _entry("a netmask with holes", "10.0.0.0/255.0.255.0"),
    _entry("a mapped network that is shorter than /96", "::ffff:0:0/95", "/96"),
    _entry("host bits of a mapped network", "::ffff:10.0.0.1/104", "'10.0.0.0/8'"),
    _entry("a zone", "fe80::1%eth0"),
    _entry("a zone in a network", "fe80::%eth0/64"),
    _entry("an empty prefix", "10.0.0.0/"),
    _entry("a prefix with a sign", "10.0.0.0/+8"),
    _entry("an integer", 167772161),
    _entry("a file that is not there", "file:/nonexistent/proxies.txt"),
    Mistake(
        "refuses everybody beside others in the list of proxies",
        {"headers": [FOR], "proxies": ["127.0.0.1", "*"]},
        "TRUSTED_PROXIES",
        "'*' alone",
    ),
    Mistake(
        "refuses a number for the list of proxies",
        {"headers": [FOR], "proxies": 10},
        "TRUSTED_PROXIES",
    ),
    Mistake(
        "refuses a mapping for the list of proxies",
        {"headers": [FOR], "proxies": {"10.0.0.0/8": True}},
        "TRUSTED_PROXIES",
    ),
)

#: What trusts somebody: what it is, keyword arguments of `ProxyPolicy`.
TRUSTING: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("headers", {"headers": [FOR]}),
    ("headers, and strips all,", {"headers": [FOR], "strip": "all"}),
    ("a scheme that is stated", {"fixed_scheme": "https"}),
    ("a mount point that is stated", {"fixed_mount_point": "/dev"}),
)

WHOM_TO_TRUST: Final = tuple(
    Mistake(
        f"refuses {what} without a word about whom to trust",
        {**policy, "proxies": None},
        "TRUSTED_PROXIES",
        "'loopback'",
    )
    for what, policy in TRUSTING
)

HEADERS: Final = (
    _header("a header that nobody knows", "X-Forwarded-Fro", "'X-Forwarded-For'"),
    _header("a custom header by its name", "X-Ingress-Path", "'X-Ingress-Path=mount_"),
    _header("a custom header with a wrong form", "X-Edge=adress", "'address'"),
    _header("a custom header that is never read", "X-Edge=never", "a known form"),
    _header(
        "a header spelled with underscores", "X_Forwarded_For", "'X-Forwarded-For'"
    ),
    _header("a header spelled as in an environ", "HTTP_X_REAL_IP", "'X-Real-IP'"),
    _header("a header that is only ever removed", "X-Original-URL"),
    _header("a header that is never read", "X-ARR-SSL"),
    _header("a header that is listed twice", "x-forwarded-proto"),
    _header("bytes", b"X-Forwarded-For"),
    Mistake(
        "refuses Forwarded beside another client header",
        {"headers": [FORWARDED, FOR]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
    Mistake(
        "refuses Forwarded beside a scheme header",
        {"headers": [PROTO, FORWARDED]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
    Mistake(
        "refuses Forwarded beside a host header",
        {"headers": ["X-Host", FORWARDED]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
)

CHOICES: Final = (
    *(
        Mistake(
            f"refuses the hop count {count!r}",
            {"headers": [FOR], "hops": count},
            "TRUSTED_PROXY_HOPS",
        )
        for count in (0, -1, 65, "2", 1.0, True)
    ),
    Mistake(
        "refuses a wrong word for what is removed",
        {"headers": [FOR], "strip": "alll"},
        "TRUSTED_PROXY_STRIP",
        "'all'",
    ),
    Mistake(
        "refuses a wrong word for malformed headers",
        {"headers": [FOR], "malformed": "deny"},
        "TRUSTED_PROXY_MALFORMED",
        "'reject'",
    ),
    Mistake(
        "refuses a wrong word for unknown clients",
        {"headers": [FOR], "missing": None},
        "TRUSTED_PROXY_MISSING",
        "'reject'",
    ),
    Mistake(
        "refuses to reject unknown clients without a client header",
        {"headers": [PROTO], "missing": "reject"},
        "TRUSTED_PROXY_MISSING",
        "client",
    ),
    *(
        Mistake(
            f"refuses a word where {name} is yes or no",
            {"headers": [FOR], name: "yes"},
            f"TRUSTED_PROXY_{name.upper()}",
            "True or False",
        )
        for name in ("port_in_host", "strip_mount_point", "report_only")
    ),
    Mistake(
        "refuses a secret header without secrets",
        {"headers": [FOR], "secret_header": SECRET_HEADER},
        "TRUSTED_PROXY_SECRETS",
    ),
    Mistake(
        "refuses secrets without a secret header",
        {"headers": [FOR], "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER",
    ),
    Mistake(
        "refuses an empty secret",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": [SECRET, ""]},
        "TRUSTED_PROXY_SECRETS[1]",
    ),
    Mistake(
        "refuses a secret with a line break",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": [SECRET + "\n"]},
        "TRUSTED_PROXY_SECRETS[0]",
    ),
    Mistake(
        "refuses a secret that is short",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": [SECRET, "7"]},
        "TRUSTED_PROXY_SECRETS[1]",
        "16 characters",
    ),
    Mistake(
        "refuses a text of secrets with a comma",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": f"{SECRET},7"},
        "TRUSTED_PROXY_SECRETS[0]",
        "in a list",
    ),
    Mistake(
        "refuses a secret header that is trusted as well",
        {"headers": [FOR], "secret_header": FOR, "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER",
    ),
    Mistake(
        "refuses a secret header that is no header name",
        {"headers": [FOR], "secret_header": "X Secret", "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER",
    ),
)

FIXED: Final = (
    *(
        Mistake(
            f"refuses to state a {what} that {header} says",
            {"headers": [header], "proxies": ["loopback"], argument: value},
            f"TRUSTED_PROXY_{argument.upper()}",
            f"{header!r}",
        )
        for what, argument, value, header in [
            ("scheme", "fixed_scheme", "https", PROTO),
            ("scheme", "fixed_scheme", "https", FORWARDED),
            ("host", "fixed_host", "app.example", "X-Forwarded-Host"),
            ("port", "fixed_port", 443, "X-Forwarded-Port"),
            ("mount point", "fixed_mount_point", "/dev", "X-Forwarded-Prefix"),
        ]
    ),
    *(
        Mistake(
            f"refuses to state {what}",
            {"proxies": ["loopback"], argument: value},
            f"TRUSTED_PROXY_{argument.upper()}",
            words,
        )
        for what, argument, value, words in [
            ("a scheme that is none", "fixed_scheme", "htps", "'https'"),
            ("a URL for a host", "fixed_host", "https://app.example", "'app.example'"),
            ("a port that is none", "fixed_port", 65536, "65535"),
            ("a path of another site", "fixed_mount_point", "//evil.example", "'/dev'"),
            (
                "the site of another server",
                "fixed_mount_point",
                "/blog=http://127.0.0.1/",
                "TRUSTED_PROXY_MOUNT_POINTS",
            ),
        ]
    ),
)

MISTAKES: Final = (*PROXIES, *WHOM_TO_TRUST, *HEADERS, *CHOICES, *FIXED)


def _make_policy(settings: dict[str, Any]) -> None:
    option_of = {option.name: option for option in OPTIONS}
    ProxyPolicy(
        **{str(option_of[name].argument): value for name, value in settings.items()}
    )


def _start_django(settings: dict[str, Any]) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    with override_settings(
        MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"],
        **{"TRUSTED_PROXY_HEADERS": (), "TRUSTED_PROXIES": None, **settings},
    ):
        try:
            WSGIHandler()
        except ImproperlyConfigured as error:
            assert isinstance(error, ConfigurationError)
            raise


def _start_flask(settings: dict[str, Any]) -> None:
    import flask

    from flask_trustedproxy import TrustedProxy

    app = flask.Flask("application", static_folder=None)
    app.config.update(settings)
    TrustedProxy(app)


#: Surface → what starts it with settings.
STARTS: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "decide": _make_policy,
    "wsgi": read_settings,
    "asgi": ProxyPolicy.from_mapping,
    "django-wsgi": _start_django,
    "flask": _start_flask,
}
PRESENT: Final = [name for name in STARTS if name in present()]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
@pytest.mark.parametrize("surface", PRESENT)
def test_mistake_is_an_error_at_start(surface: str, mistake: Mistake) -> None:
    """The error names the setting and what it should be, and shows no secret."""
    with pytest.raises(ConfigurationError) as caught:
        STARTS[surface](settings_of(mistake.policy))

    text = str(caught.value)
    assert caught.value.option.startswith(mistake.option.partition("[")[0])
    assert mistake.words in text
    assert SECRET not in text and SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    ("environment", "option", "words"),
    [
        ({"TRUSTED_PROXY_HEADERS": FOR}, "TRUSTED_PROXIES", "'loopback'"),
        (
            {"TRUSTED_PROXY_HEADERS": FOR, "TRUSTED_PROXIES": "loopback traefik"},
            "TRUSTED_PROXIES[1]",
            "never looked up",
        ),
        (
            {"TRUSTED_PROXY_HEADERS": f"{PROTO}, X-Ingress-Path"},
            "TRUSTED_PROXY_HEADERS[1]",
            "'X-Ingress-Path=mount_point'",
        ),
        (
            {"TRUSTED_PROXY_SECRET_HEADER": "X-Proof", "TRUSTED_PROXY_SECRETS": "a,7"},
            "TRUSTED_PROXY_SECRETS[0]",
            "a line of its own",
        ),
        (
            {"TRUSTED_PROXY_FIXED_MOUNT_POINT": "/blog=http://127.0.0.1/"},
            "TRUSTED_PROXY_FIXED_MOUNT_POINT",
            "TRUSTED_PROXY_MOUNT_POINTS",
        ),
        (
            {"TRUSTED_PROXY_MOUNT_POINTS": "/dev"},
            "TRUSTED_PROXY_MOUNT_POINTS",
            "TRUSTED_PROXY_FIXED_MOUNT_POINT",
        ),
        ({"TRUSTEDPROXY_HEADERS": FOR}, "TRUSTEDPROXY_HEADERS", "'TRUSTED_PROXY_"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_mistake_in_the_environment_is_an_error_at_start(
    environment: dict[str, str], option: str, words: str
) -> None:
    """As a container is configured, where all is text."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy.from_env(environment)

    assert caught.value.option == option
    assert words in str(caught.value)


def test_custom_header_can_be_described_in_the_environment() -> None:
    """As a container is configured, where nothing can be imported."""
    policy = ProxyPolicy.from_env(
        {
            "TRUSTED_PROXY_HEADERS": "X-Edge-Client=address X-Ingress-Path=mount_point",
            "TRUSTED_PROXIES": "loopback",
        }
    )

    assert policy.headers == (
        ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS),
        ProxyHeader("X-Ingress-Path", Category.MOUNT_POINT, Form.MOUNT_POINT),
    )


@pytest.mark.parametrize(
    "mistake", [m for m in MISTAKES if "[" in m.option], ids=lambda m: m.name
)
def test_mistake_in_a_list_names_its_place(mistake: Mistake) -> None:
    """The error says which entry of the list is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy(**mistake.policy)

    assert caught.value.option == mistake.option


@pytest.mark.parametrize("name", ["TRUSTED_PROXY_HEADER", "TRUSTEDPROXY_HEADERS"])
@pytest.mark.parametrize("surface", [name for name in PRESENT if name != "decide"])
def test_unknown_setting_is_an_error_with_the_nearest(surface: str, name: str) -> None:
    """A setting that nobody reads is a typing error, wherever it is."""
    with pytest.raises(ConfigurationError) as caught:
        STARTS[surface]({name: [FOR]})

    assert caught.value.option == name
    assert caught.value.nearest == "TRUSTED_PROXY_HEADERS"


@pytest.mark.parametrize(
    ("category", "form"),
    [(Category.CLIENT, Form.PORT), (Category.HOST, Form.FLAG)],
    ids=str,
)
def test_custom_header_with_a_wrong_form_is_an_error(
    category: Category, form: Form
) -> None:
    """It has a form of its category."""
    with pytest.raises(ConfigurationError):
        ProxyHeader("X-Edge", category, form)
