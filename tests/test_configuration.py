"""
Mistakes in the configuration, each an error at start-up through every way in.

In:  `MISTAKES`, of every kind; what each value may be is in `core/test_policy_options`
     and `core/test_networks`.
Out: one test a mistake and way; S-07 of the attacks is the list of proxies.

Nothing that is wrong with the configuration may wait for a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pytest

from trustedproxy import ConfigurationError, ProxyPolicy, read_settings

from .cases.case import FOR, FORWARDED, PROTO, SECRET, SECRET_HEADER
from .surfaces import present, settings_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One mistake.

    Attributes:
        name: A sentence that begins with "refuses".

        policy: Keyword arguments of `ProxyPolicy`; who is trusted is said besides.

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


MISTAKES: Final = (
    # S-07: the list of proxies.
    _entry("a prefix that is too long", "10.0.0.0/33", "'10.0.0.0/32'"),
    _entry("host bits", "10.0.0.1/8", "'10.0.0.0/8'"),
    _entry("a name with a typing error", "loopbak", "'loopback'"),
    _entry("a host name", "proxy.internal", "names are never looked up"),
    _entry("a file that is not there", "file:/nonexistent/proxies.txt"),
    Mistake(
        "refuses everybody beside others in the list of proxies",
        {"headers": [FOR], "proxies": ["127.0.0.1", "*"]},
        "TRUSTED_PROXIES",
        "'*' alone",
    ),
    Mistake(
        "refuses headers where nothing says whom to trust",
        {"headers": [FOR], "proxies": None},
        "TRUSTED_PROXIES",
        "'loopback' for a proxy on this machine",
    ),
    _header("a header that nobody knows", "X-Forwarded-Fro", "'X-Forwarded-For'"),
    _header("a custom header of an unknown form", "X-Edge=adress", "'address'"),
    _header("a header that is only ever removed", "X-ARR-SSL"),
    _header("a header that is listed twice", "x-forwarded-proto"),
    Mistake(
        "refuses Forwarded beside another client header",
        {"headers": [FORWARDED, FOR]},
        "TRUSTED_PROXY_HEADERS",
        "Forwarded",
    ),
    Mistake(
        "refuses a count of none", {"headers": [FOR], "hops": 0}, "TRUSTED_PROXY_HOPS"
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
    *(
        Mistake(
            f"refuses {name} with such a value",
            {name: value},
            f"TRUSTED_PROXY_{name.upper()}",
            words,
        )
        for name, value, words in (
            ("fixed_scheme", "htps", "'https'"),
            ("fixed_host", "https://app.example/", "'app.example'"),
            ("fixed_port", 0, "1 to 65535"),
            ("fixed_mount_point", {"/a/": "http://b/"}, "TRUSTED_PROXY_MOUNT_POINTS"),
        )
    ),
    Mistake(
        "refuses a stated scheme beside a header that says it",
        {"headers": [PROTO], "fixed_scheme": "https"},
        "TRUSTED_PROXY_FIXED_SCHEME",
        "remove one of the two",
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
        "refuses a secret with a line break",
        {"headers": [FOR], "secret_header": SECRET_HEADER, "secrets": [SECRET + "\n"]},
        "TRUSTED_PROXY_SECRETS[0]",
    ),
    Mistake(
        "refuses a preset that nobody knows",
        {"preset": "cloudflair"},
        "TRUSTED_PROXY_PRESET",
        "'cloudflare'",
    ),
)


def _read(policy: dict[str, Any]) -> None:
    read_settings(settings_of(policy))


def _from_mapping(policy: dict[str, Any]) -> None:
    ProxyPolicy.from_mapping(settings_of(policy))


def _start_django(policy: dict[str, Any]) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    overridden = settings_of({"headers": (), **policy})
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
    "wsgi": _read,
    "asgi": _from_mapping,
    "django-wsgi": _start_django,
    "flask": _start_flask,
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
@pytest.mark.parametrize("surface", [name for name in STARTS if name in present()])
def test_mistake_is_refused_at_start(surface: str, mistake: Mistake) -> None:
    """The error names the setting and what it should be, and shows no secret."""
    with pytest.raises(ConfigurationError) as caught:
        STARTS[surface]({"proxies": ["10.0.0.0/8"], **mistake.policy})

    text = str(caught.value)
    assert caught.value.option == mistake.option
    assert mistake.words in text
    assert SECRET not in text and SECRET not in repr(caught.value)
