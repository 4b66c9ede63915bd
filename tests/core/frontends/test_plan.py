"""What becomes of each header, before anybody's syntax."""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Category, Form, ProxyHeader
from trustedproxy.exceptions import ConfigurationError
from trustedproxy.frontends import Location
from trustedproxy.frontends.plan import Header, Value, make_plan, spell_variants
from trustedproxy.frontends.site import Listener
from trustedproxy.headers import KNOWN_HEADERS

from .making import ALL, BASIC, SECRET, make_policy, make_site


def test_variants_have_an_underscore_somewhere() -> None:
    """For some or for all of the hyphens."""
    assert list(spell_variants("X-Real-IP")) == ["X-Real_IP", "X_Real-IP", "X_Real_IP"]
    assert list(spell_variants("Forwarded")) == []


def test_every_known_header_is_set_or_removed() -> None:
    """By the first proxy: nothing of a client's is left."""
    plan = make_plan(make_policy(), make_site(path="/app"))
    [location] = plan.site.locations

    names = [header.name for header in plan.list_headers(location)]

    assert sorted(names) == sorted(header.name for header in KNOWN_HEADERS)
    assert plan.handed_on == ()
    assert plan.forwarding == ALL


def test_every_form_has_its_value() -> None:
    """One header of each form that a front end of one's own can set."""
    custom = [
        ProxyHeader("X-A", Category.CLIENT, Form.ADDRESS),
        ProxyHeader("X-B", Category.CLIENT, Form.ADDRESS_COLON_PORT),
        ProxyHeader("X-C", Category.SCHEME, Form.FLAG),
    ]
    policy = make_policy(*ALL[:-1], "X-Forwarded-Server", *custom)

    plan = make_plan(policy, make_site())

    assert {h.name: h.value for h in plan.common} == {
        "X-Forwarded-For": Value.PEER,
        "X-Forwarded-Proto": Value.SCHEME,
        "X-Forwarded-Host": Value.HOST,
        "X-Forwarded-Port": Value.PORT,
        "X-Forwarded-Server": Value.TEXT,
        "X-A": Value.PEER,
        "X-B": Value.PEER_AND_PORT,
        "X-C": Value.FLAG,
    }
    assert plan.common[4].text == "www.example.com"


def test_values_of_a_listener_are_spelled() -> None:
    """What is the same for all of its requests; nothing for the rest."""
    secure, plain = Listener(8443, "https"), Listener(80, "http")

    assert Header("X", Value.SCHEME).spell(secure) == "https"
    assert Header("X", Value.FLAG).spell(secure) == "on"
    assert Header("X", Value.FLAG).spell(plain) == "off"
    assert Header("X", Value.PORT).spell(secure) == "8443"
    assert Header("X", Value.TEXT, text="a").spell(plain) == "a"
    assert Header("X", Value.PEER).spell(plain) is None


def mounts(policy: Any, **said: Any) -> list[tuple[Value, bool, str]]:
    """Plan, and say what the mount-point header is set to."""
    plan = make_plan(policy, make_site(**said))
    return [
        (header.value, header.appends, header.text)
        for location in plan.site.locations
        for header in plan.list_mounts(location)
    ]


def test_mount_point_is_each_location_s_own() -> None:
    """Its path, or nothing at the root."""
    others = [Location("127.0.0.1:1", "/blog")]

    assert mounts(make_policy(), others=others) == [
        (Value.TEXT, False, "/blog"),
        (Value.NOTHING, False, ""),
    ]


def test_mount_point_behind_an_outer_proxy_is_its_own_and_what_is_taken_off() -> None:
    """Handed on, with a path that this proxy takes off behind it."""
    policy = make_policy(strip_mount_point=True)
    behind = {"behind": "10.0.0.5"}

    assert mounts(policy, **behind) == [(Value.TEXT, True, "")]
    assert mounts(policy, path="/a", **behind) == [(Value.TEXT, True, "/a")]
    assert mounts(policy, path="/a", strip_path=False, **behind) == [
        (Value.TEXT, True, "")
    ]
    assert mounts(policy, path="/a", outer_headers="X-Forwarded-For", **behind) == [
        (Value.TEXT, False, "/a")
    ]


def test_inner_proxy_adds_to_lists_and_sets_what_the_outer_one_does_not() -> None:
    """What is named comes from outside; names are compared without case."""
    site = make_site(behind="10.0.0.5", outer_headers="x-forwarded-for")

    plan = make_plan(make_policy(*BASIC), site)

    assert plan.is_inner
    assert plan.handed_on == ("X-Forwarded-For",)
    assert [(one.name, one.appends) for one in plan.common] == [
        ("X-Forwarded-For", True),
        ("X-Forwarded-Proto", False),
    ]


def test_inner_proxy_of_a_cdn_overwrites_a_list_that_the_cdn_does_not_send() -> None:
    """A client could have sent it through the CDN."""
    policy = make_policy("X-Forwarded-For", "X-Scheme")
    site = make_site(behind="10.0.0.5", outer_headers=["X-Scheme"])

    plan = make_plan(policy, site)

    assert [(one.name, one.appends) for one in plan.common] == [
        ("X-Forwarded-For", False)
    ]


def test_secret_is_sent_and_never_named() -> None:
    """It is set like the others, and is in no log."""
    policy = make_policy(*BASIC, secret_header="X-Proof", secrets=[SECRET])

    plan = make_plan(policy, make_site(secret=SECRET))

    assert plan.common[-1] == Header("X-Proof", Value.TEXT, text=SECRET, is_secret=True)
    assert "X-Proof" not in plan.forwarding
    assert "X_Proof" in plan.variants


REFUSED: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "no secret": (
        "secret",
        make_policy(secret_header="X-Proof", secrets=[SECRET]),
        {},
    ),
    "a header of somebody else's": (
        "TRUSTED_PROXY_HEADERS",
        make_policy("CF-Visitor"),
        {},
    ),
    "a name that is syntax": (
        "TRUSTED_PROXY_HEADERS",
        make_policy(ProxyHeader("X-'", Category.CLIENT, Form.ADDRESS)),
        {},
    ),
    "a secret's name that is syntax": (
        "TRUSTED_PROXY_SECRET_HEADER",
        make_policy(secret_header="X-$a", secrets=[SECRET]),
        {"secret": SECRET},
    ),
    "no server name": (
        "server_names",
        make_policy("X-Forwarded-Server"),
        {"server_names": ()},
    ),
    "an outer header that is not trusted": (
        "outer_headers",
        make_policy(),
        {"behind": "10.0.0.5", "outer_headers": "X-Real-IP"},
    ),
    "a socket without unix": (
        "TRUSTED_PROXIES",
        make_policy(proxies=["loopback"]),
        {"backend": "unix:/run/app.sock"},
    ),
    "a server on this machine without loopback": (
        "TRUSTED_PROXIES",
        make_policy(proxies=["10.0.0.0/8"]),
        {},
    ),
    "an outer proxy that is not listed": (
        "TRUSTED_PROXIES",
        make_policy(),
        {"behind": "192.0.2.1"},
    ),
    "a count of one behind two": (
        "TRUSTED_PROXY_HOPS",
        make_policy(hops=1),
        {"behind": "10.0.0.5"},
    ),
    "a count of two behind one": ("TRUSTED_PROXY_HOPS", make_policy(hops=2), {}),
    "a path that nobody takes off": (
        "TRUSTED_PROXY_STRIP_MOUNT_POINT",
        make_policy(),
        {"path": "/app", "strip_path": False},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_plan_refuses(case: str) -> None:
    """Halves that contradict each other, and what no front end can set."""
    option, policy, said = REFUSED[case]

    with pytest.raises(ConfigurationError) as refused:
        make_plan(policy, make_site(**said))

    assert refused.value.option == option
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (make_policy(proxies=None, hops=1), {}),
        (make_policy(proxies="*"), {"backend": "unix:/run/app.sock"}),
        (make_policy(proxies=["10.0.0.0/8"]), {"backend": "10.0.0.9:8000"}),
        (make_policy(proxies=["10.0.0.0/8"]), {"backend": "app:8000"}),
        (make_policy(hops=2), {"behind": "192.0.2.1"}),
        (make_policy(hops=1), {}),
        (make_policy("X-Real-IP", hops=2), {}),
        (make_policy("X-Real-IP"), {"behind": "192.0.2.1"}),
        (make_policy(strip_mount_point=True), {"path": "/app", "strip_path": False}),
        (make_policy(*BASIC), {"path": "/app", "strip_path": False}),
        (
            make_policy(),
            {"path": "/app", "others": [Location("127.0.0.1:1", name="home")]},
        ),
    ],
)
def test_plan_accepts_halves_that_fit(policy: Any, said: dict[str, Any]) -> None:
    """What cannot be known from here is not refused."""
    plan = make_plan(policy, make_site(**said))

    assert plan.removed
