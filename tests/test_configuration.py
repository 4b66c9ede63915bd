"""
Mistakes in the configuration, each an error at start-up through every way in.

In:  `MISTAKES`.
Out: one test a mistake and way; S-07 of the attacks is the list of proxies.

Nothing that is wrong with the configuration may wait for a request.
"""

from __future__ import annotations

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

from .cases.case import FOR, FORWARDED, PROTO, SECRET, SECRET_HEADER
from .surfaces import present, settings_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One mistake.

    Attributes:
        name: A sentence that begins with "rejects".

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
        f"rejects {what} in the list of proxies",
        {"headers": [FOR], "proxies": ["127.0.0.1", entry]},
        "TRUSTED_PROXIES[1]",
        words,
    )


def _header(what: str, entry: Any, words: str = "") -> Mistake:
    return Mistake(
        f"rejects {what} in the list of headers",
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
    _entry("a host name", "proxy.internal"),
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
        "rejects everybody beside others in the list of proxies",
        {"headers": [FOR], "proxies": ["127.0.0.1", "*"]},
        "TRUSTED_PROXIES",
        "'*' alone",
    ),
    Mistake(
        "rejects a number for the list of proxies",
        {"headers": [FOR], "proxies": 10},
        "TRUSTED_PROXIES",
    ),
    Mistake(
        "rejects a mapping for the list of proxies",
        {"headers": [FOR], "proxies": {"10.0.0.0/8": True}},
        "TRUSTED_PROXIES",
    ),
)

HEADERS: Final = (
    _header("a header that nobody knows", "X-Forwarded-Fro", "'X-Forwarded-For'"),
    _header(
        "a header spelled with underscores", "X_Forwarded_For", "'X-Forwarded-For'"
    ),
    _header("a header spelled as in an environ", "HTTP_X_REAL_IP", "'X-Real-IP'"),
    _header("a header that is only ever removed", "X-Original-URL"),
    _header("a header that is never read", "X-ARR-SSL"),
    _header("a header that is listed twice", "x-forwarded-proto"),
    _header("bytes", b"X-Forwarded-For"),
    Mistake(
        "rejects Forwarded beside another client header",
        {"headers": [FORWARDED, FOR]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
    Mistake(
        "rejects Forwarded beside a scheme header",
        {"headers": [PROTO, FORWARDED]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
    Mistake(
        "rejects Forwarded beside a host header",
        {"headers": ["X-Host", FORWARDED]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
)

OPTIONS: Final = (
    *(
        Mistake(
            f"rejects the hop count {count!r}",
            {"headers": [FOR], "hops": count},
            "TRUSTED_PROXY_HOPS",
        )
        for count in (0, -1, 65, "2", 1.0, True)
    ),
    Mistake(
        "rejects a wrong word for what is removed",
        {"headers": [FOR], "strip": "alll"},
        "TRUSTED_PROXY_STRIP",
        "'all'",
    ),
    Mistake(
        "rejects a wrong word for malformed headers",
        {"headers": [FOR], "malformed": "deny"},
        "TRUSTED_PROXY_MALFORMED",
        "'reject'",
    ),
    Mistake(
        "rejects a wrong word for unknown clients",
        {"headers": [FOR], "missing": None},
        "TRUSTED_PROXY_MISSING",
        "'reject'",
    ),
    Mistake(
        "rejects to refuse unknown clients without a client header",
        {"headers": [PROTO], "missing": "reject"},
        "TRUSTED_PROXY_MISSING",
        "client",
    ),
    *(
        Mistake(
            f"rejects a word where {name} is yes or no",
            {"headers": [FOR], name: "yes"},
            f"TRUSTED_PROXY_{name.upper()}",
            "True or False",
        )
        for name in ("port_in_host", "strip_mount_point", "report_only")
    ),
    Mistake(
        "rejects a secret header without secrets",
        {"headers": [FOR], "secret_header": SECRET_HEADER},
        "TRUSTED_PROXY_SECRETS",
    ),
    Mistake(
        "rejects secrets without a secret header",
        {"headers": [FOR], "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER",
    ),
    Mistake(
        "rejects an empty secret",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": [SECRET, ""]},
        "TRUSTED_PROXY_SECRETS[1]",
    ),
    Mistake(
        "rejects a secret with a line break",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": [SECRET + "\n"]},
        "TRUSTED_PROXY_SECRETS[0]",
    ),
    Mistake(
        "rejects a secret header that is trusted as well",
        {"headers": [FOR], "secret_header": FOR, "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER",
    ),
    Mistake(
        "rejects a secret header that is no header name",
        {"headers": [FOR], "secret_header": "X Secret", "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER",
    ),
)

MISTAKES: Final = (*PROXIES, *HEADERS, *OPTIONS)


def _make_policy(policy: dict[str, Any]) -> None:
    ProxyPolicy(**policy)


def _read(policy: dict[str, Any]) -> None:
    read_settings(settings_of(policy))


def _from_mapping(policy: dict[str, Any]) -> None:
    ProxyPolicy.from_mapping(settings_of(policy))


def _start_django(policy: dict[str, Any]) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    overridden = settings_of({"proxies": None, **policy})
    with override_settings(
        MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"],
        **overridden,
    ):
        try:
            WSGIHandler()
        except ImproperlyConfigured as error:
            assert isinstance(error, ConfigurationError)
            raise


def _start_flask(policy: dict[str, Any]) -> None:
    import flask

    from flask_trustedproxy import TrustedProxy

    app = flask.Flask("application", static_folder=None)
    app.config.update(settings_of(policy))
    TrustedProxy(app)


STARTS: Final = {
    "decide": _make_policy,
    "wsgi": _read,
    "asgi": _from_mapping,
    "django-wsgi": _start_django,
    "flask": _start_flask,
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
@pytest.mark.parametrize("surface", [name for name in STARTS if name in present()])
def test_mistake_is_told_at_start(surface: str, mistake: Mistake) -> None:
    """The error names the setting and what it should be, and shows no secret."""
    with pytest.raises(ConfigurationError) as caught:
        STARTS[surface](mistake.policy)

    told = str(caught.value)
    assert caught.value.option.startswith(mistake.option.partition("[")[0])
    assert mistake.words in told
    assert SECRET not in told and SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    "mistake", [m for m in MISTAKES if "[" in m.option], ids=lambda m: m.name
)
def test_mistake_in_a_list_names_its_place(mistake: Mistake) -> None:
    """The error says which entry of the list is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy(**mistake.policy)

    assert caught.value.option == mistake.option


def test_unknown_setting_is_told_with_the_nearest() -> None:
    """A setting that nobody reads is a typing error."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HEADERS"):
        read_settings({"TRUSTED_PROXY_HEADER": [FOR]})


@pytest.mark.parametrize(
    ("category", "form"),
    [(Category.CLIENT, Form.PORT), (Category.HOST, Form.FLAG)],
    ids=str,
)
def test_header_of_its_own_with_a_wrong_form_is_told(
    category: Category, form: Form
) -> None:
    """A header of the user's own has a form of its category."""
    with pytest.raises(ConfigurationError):
        ProxyHeader("X-Edge", category, form)
