"""The signs that a peer has passed a request on."""

from __future__ import annotations

import pytest

from trustedproxy import Category, Form, ProxyHeader, ProxyPolicy
from trustedproxy.decision import DECISION_KEY
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.https_only.signs import list_signs, says_scheme

from ...attacks_https import PROXY, STRANGER
from ..making import make_environ

EDGE = ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)


@pytest.mark.parametrize("header", KNOWN_HEADERS, ids=lambda header: header.name)
def test_known_header_is_a_sign(header: ProxyHeader) -> None:
    """Whatever its category, listed or not, in any case and spelling."""
    name = header.name

    assert list_signs([name.upper().replace("-", "_")], "", None) == (name,)
    assert list_signs([], f"close, {name.lower()}", None) == ("Connection",)


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("VIA", "Via"),
        ("cdn-loop", "CDN-Loop"),
        ("X-Forwarded-Client-Cert", "x-forwarded-client-cert"),
        ("X_FORWARDED_FOO", "x-forwarded-foo"),
    ],
)
def test_other_header_of_proxies_is_a_sign(name: str, sign: str) -> None:
    """What caches and networks add, and what begins like the known ones."""
    assert list_signs([name], "", None) == (sign,)


@pytest.mark.parametrize(
    "name", ["Host", "Connection", "User-Agent", "X-Request-Id", "Viable", "Forward"]
)
def test_header_of_a_client_is_no_sign(name: str) -> None:
    """A health checker may send what any client sends."""
    assert list_signs([name], "", None) == ()
    assert list_signs([], name, None) == ()


@pytest.mark.parametrize("connection", ["", "close", "keep-alive, Upgrade", ",, ,"])
def test_connection_that_names_none_is_no_sign(connection: str) -> None:
    """Most requests have such a header."""
    assert list_signs(["Connection"], connection, None) == ()


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_removed_header_is_a_sign(peer: str) -> None:
    """What a policy took away was sent all the same, and what it used stays one."""
    environ = make_environ(
        {
            "X-Forwarded-Proto": "http",
            "X-Scheme": "https",
            "X-Edge": "203.0.113.7",
            "X-Forwarded-For": "",
        },
        peer=peer,
    )
    policy = ProxyPolicy(headers=["X-Forwarded-Proto", EDGE], proxies=["10.0.0.0/8"])
    policy.apply(environ)
    names = [key[5:] for key in environ if key.startswith("HTTP_")]

    signs = list_signs(names, "", environ[DECISION_KEY])

    assert set(signs) == {"X-Forwarded-Proto", "X-Scheme", "X-Edge", "X-Forwarded-For"}


def test_custom_header_named_in_connection_is_a_sign() -> None:
    """Of a header that only the policy knows, the decision tells."""
    environ = make_environ({"Connection": "X-Edge"}, peer=PROXY)
    policy = ProxyPolicy(headers=[EDGE], proxies=["10.0.0.0/8"])
    policy.apply(environ)

    assert list_signs([], "X-Edge", environ[DECISION_KEY]) == ("Connection",)
    assert list_signs([], "X-Edge", None) == ()


def test_scheme_headers_are_those_of_the_table() -> None:
    """Forwarded says the scheme, too; what is only removed cannot be listed."""
    names = {header.name for header in filter(says_scheme, KNOWN_HEADERS)}

    assert {"X-Forwarded-Proto", "Forwarded", "CF-Visitor"} <= names
    assert names.isdisjoint({"X-Forwarded-For", "X-ARR-SSL"})
