"""
Real requests through the real front ends arrive as the policy expects, and forged ones
with nothing of what was forged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from trustedproxy import Category, Form, ProxyHeader, ProxyPolicy
from trustedproxy.exceptions import ConfigurationError
from trustedproxy.frontends import Site, write_files

from ..servers.client import get
from ..servers.farm import CLIENT
from ..servers.fronts import FRONTS, Front
from .asking import NAME, Ground, Running, forge_everything, in_parts, running
from .judging import Judgement, judge, list_left_over
from .recorder import SENT_BY_THE_SERVER

BASIC = ("X-Forwarded-For", "X-Forwarded-Proto")
ALL = (*BASIC, "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix")
CUSTOM = (
    ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS),
    "X-Forwarded-Server",
    "X-Scheme",
)
SECRET = "a-secret-of-the-test%1"


def make_policy(*headers: Any, **more: Any) -> ProxyPolicy:
    """Make a policy that trusts proxies on this machine, but not the test's client."""
    return ProxyPolicy(
        headers=headers,
        **{"proxies": ["127.0.0.1", "::1", "unix"], "strip": "all", **more},
    )


# What lighttpd and Traefik set by themselves, truly, whether it is listed or not.
OWN = {
    "lighttpd": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-host"},
    "traefik": {"x-forwarded-for"},
}

POLICIES: Mapping[str, ProxyPolicy] = {
    "basic": make_policy(*BASIC),
    "all": make_policy(*ALL, port_in_host=True),
    "left in": make_policy(*ALL, strip_mount_point=True),
    "X-Real-IP": make_policy("X-Real-IP", "X-Forwarded-SSL"),
    "Forwarded": make_policy("Forwarded", "X-Script-Name"),
    "custom": make_policy(*CUSTOM, secret_header="X-Proof", secrets=[SECRET]),
    "port beside the address": make_policy("CloudFront-Viewer-Address", "X-HTTPS"),
    "nothing": make_policy(),
}

SITES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "root": ("basic", {}),
    "everything": ("all", {"path": "/app", "websockets": True}),
    "every name": ("all", {"server_names": ()}),
    "left in": ("left in", {"path": "/app", "strip_path": False}),
    "several": ("all", {"path": "/app.v1/a@b", "name": "several-parts"}),
    "X-Real-IP": ("X-Real-IP", {}),
    "Forwarded": ("Forwarded", {"path": "/app"}),
    "custom": ("custom", {"secret": SECRET}),
    "port beside the address": ("port beside the address", {}),
    "nothing": ("nothing", {}),
}


def can(front: Front, policy: ProxyPolicy, said: Mapping[str, Any]) -> bool:
    """Say whether *front* can do this at all; test_frontends.py says what it cannot."""
    site = {"backend": "127.0.0.1:8000", "server_names": NAME, **said}
    try:
        write_files(front.name, policy, Site(**site))
    except ConfigurationError:
        return False
    return True


# One site is enough over a socket, and one with a path, which is spelled otherwise.
OVER_A_SOCKET = ("root", "everything")
CASES = [
    pytest.param(front, name, unix, id=f"{front.name}-{name}{'-unix' if unix else ''}")
    for front in FRONTS
    for name, (policy, said) in SITES.items()
    for unix in (False, True)
    if can(front, POLICIES[policy], said)
    and not (unix and (front.no_unix or name not in OVER_A_SOCKET))
]


class Trial:
    """One front end with one site, and what is expected of it."""

    def __init__(
        self, run: Running, front: Front, policy: ProxyPolicy, unix: bool
    ) -> None:
        self.run = run
        self.front = front
        self.policy = policy
        self.unix = unix

    def judge(self, answer: Mapping[str, Any]) -> Judgement:
        """Let the policy decide, and look for what should not be there."""
        left = list_left_over(self.policy, answer["lines"])
        own = OWN.get(self.front.name, set())
        assert [name for name in left if name.lower() not in own] == []
        return judge(self.policy, answer, unix=self.unix)

    def expect(self, secure: bool) -> dict[str, str]:
        """Say what the application has to see of a request for ``/page``."""
        categories = {c for header in self.policy.headers for c in header.categories}
        site = self.run.site
        mounted = Category.MOUNT_POINT in categories
        knows = Category.CLIENT in categories
        scheme = "https" if secure and Category.SCHEME in categories else "http"
        mount = site.path if mounted else ""
        return {
            "client": CLIENT if knows else "" if self.unix else "127.0.0.1",
            "scheme": scheme,
            "host": self.run.host(secure),
            "mount_point": mount,
            "path": "/page",
        }

    def try_requests(self, secure: bool) -> None:
        """Ask honestly, and then with everything forged that there is."""
        path = f"{self.run.site.path}/page"
        scheme = "https" if secure else "http"
        honest = self.judge(self.run.get(path, secure=secure).json())
        assert honest.seen == self.expect(secure)
        assert honest.decision.problems == ()
        for lines in in_parts(forge_everything(scheme)):
            answer = self.run.get(path, lines, secure=secure).json()
            assert self.judge(answer).seen == self.expect(secure)
        for header in self.policy.headers:
            named = [("Connection", f"close, {header.name}")]
            reply = self.run.get(path, named, secure=secure)
            if reply.status != 400:
                assert self.judge(reply.json()).seen == self.expect(secure)


@pytest.mark.parametrize(("front", "name", "unix"), CASES)
def test_request_arrives_as_the_policy_expects(
    ground: Ground, front: Front, name: str, unix: bool
) -> None:
    """Client, scheme, host and mount point are the true ones, whatever is forged."""
    policy_name, said = SITES[name]
    policy = POLICIES[policy_name]
    backend = ground.unix_backend if unix else ground.backend
    tls = None if front.no_tls else ground.tls
    hsts = None if front.no_tls else "max-age=86400"

    with running(
        ground, front, policy, backend=backend, tls=tls, hsts=hsts, **said
    ) as run:
        trial = Trial(run, front, policy, unix)

        for secure in (False, True)[: 1 if front.no_tls else 2]:
            trial.try_requests(secure)
        check_around(trial)


def check_around(trial: Trial) -> None:
    """Check what a site does besides: redirects, HSTS, websockets, other protocols."""
    run, site = trial.run, trial.run.site
    secure = site.tls is not None
    scheme = "https" if secure else "http"
    if site.path:
        slash = run.get(f"{site.path}?a=b", secure=secure)
        assert slash.status == 301
        location = slash.header("Location") or ""
        place = f"{scheme}://{run.host(secure)}"
        assert location.removeprefix(place) == f"{site.path}/?a=b"
        beside = run.get(f"{site.path}x/page", secure=secure)
        assert b'"line"' not in beside.body
    if secure:
        headers = run.get(f"{site.path}/", secure=True).headers
        name = "strict-transport-security"
        assert [v for n, v in headers if n.lower() == name] == ["max-age=86400"]
        plain = run.get(f"{site.path}/").header("Strict-Transport-Security")
        assert plain in (None, SENT_BY_THE_SERVER)
    upgrade = [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings")]
    reply = run.get(f"{site.path}/", upgrade, secure=secure)
    if reply.status == 200:
        names = {name.lower() for name, _ in reply.json()["lines"]}
        assert "upgrade" not in names
    else:
        assert reply.status in (400, 403)
    if site.websockets:
        forged = forge_everything(scheme)[:40]
        answer = run.hear(f"{site.path}/page", secure=secure, lines=forged)
        assert trial.judge(answer).seen == trial.expect(secure)


# Inner proxies.

SAID_BY_THE_OUTER = {
    "X-Forwarded-For": CLIENT,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "outer.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/outer",
}
INNER: Mapping[str, Mapping[str, Any]] = {
    "root": {},
    "left in": {"path": "/app", "strip_path": False},
    "below": {"path": "/app"},
    "CDN": {"outer_headers": BASIC},
}


def list_inner() -> list[Any]:
    """List the sites that each front end can be an inner proxy for."""
    return [
        pytest.param(front, name, id=f"{front.name}-{name}")
        for front in FRONTS
        for name, said in INNER.items()
        if can(front, POLICIES["left in"], {**said, "behind": "127.0.0.1"})
    ]


@pytest.mark.parametrize(("front", "name"), list_inner())
def test_inner_proxy_hands_on_what_the_outer_one_said(
    ground: Ground, front: Front, name: str
) -> None:
    """The outer proxy's word counts, the inner one's peer is added, others are out."""
    policy = POLICIES["left in"]
    said = INNER[name]
    path = f"{said.get('path', '')}/page"
    outer = list(SAID_BY_THE_OUTER.items())

    with running(ground, front, policy, behind="127.0.0.1", **said) as run:
        answer = run.get(path, outer, source="127.0.0.1").json()
        stranger = run.get(path, outer, source=CLIENT)

    seen = judge(policy, answer, unix=False)
    expected = {
        "client": CLIENT,
        "scheme": "https",
        "host": "outer.example",
        "mount_point": "/outer",
        "path": "/page",
    }
    if name == "left in":
        expected["path"] = "/app/page"
    if name == "below":
        expected["mount_point"] = "/outer/app"
    if front.name == "lighttpd":
        # It says what came in Host, which is the same behind the usual outer proxy.
        expected["host"] = run.host(False)
    if name == "CDN":
        expected |= {"host": run.host(False), "mount_point": ""}
    assert seen.seen == expected
    elements = ",".join(v for n, v in answer["lines"] if n.lower() == "x-forwarded-for")
    assert [one.strip() for one in elements.split(",")] == [CLIENT, "127.0.0.1"]
    if front.name == "lighttpd":
        # It cannot turn strangers away; the page says so.
        assert stranger.status == 200
    else:
        assert stranger.status in (0, 403)


@pytest.mark.parametrize(
    "front",
    [
        pytest.param(front, id=front.name)
        for front in FRONTS
        if can(front, POLICIES["Forwarded"], {"behind": "127.0.0.1"})
    ],
)
def test_inner_proxy_adds_an_element_to_forwarded(ground: Ground, front: Front) -> None:
    """The outer proxy's element says who the client is, and how it asked."""
    policy = POLICIES["Forwarded"]
    said = f'for="{CLIENT}:4711";proto=https;host="outer.example"'

    with running(ground, front, policy, behind="127.0.0.1") as run:
        answer = run.get("/page", [("Forwarded", said)], source="127.0.0.1").json()

    seen = judge(policy, answer, unix=False)
    assert (seen.seen["client"], seen.seen["scheme"]) == (CLIENT, "https")
    assert seen.seen["host"] == "outer.example"
    assert seen.decision.problems == ()


@pytest.mark.parametrize(
    "front",
    [
        pytest.param(front, id=front.name)
        for front in FRONTS
        if can(front, POLICIES["X-Real-IP"], {"behind": "127.0.0.1"})
    ],
)
def test_inner_proxy_hands_a_single_address_on(ground: Ground, front: Front) -> None:
    """It is the outer proxy's word, and nothing is added to it."""
    policy = POLICIES["X-Real-IP"]
    said = [("X-Real-IP", CLIENT), ("X-Forwarded-Ssl", "on")]

    with running(ground, front, policy, behind="127.0.0.1") as run:
        answer = run.get("/page", said, source="127.0.0.1").json()

    seen = judge(policy, answer, unix=False).seen
    assert (seen["client"], seen["scheme"]) == (CLIENT, "https")
    left = list_left_over(policy, answer["lines"])
    assert {name.lower() for name in left} <= OWN.get(front.name, set())


IPV6: Mapping[str, Callable[[str], bool]] = {
    "X-Forwarded-For": lambda value: value == "::1",
    "Forwarded": lambda value: value.startswith('for="[::1]'),
}


@pytest.mark.parametrize(
    ("front", "header"),
    [
        pytest.param(front, header, id=f"{front.name}-{header}")
        for front in FRONTS
        for header in IPV6
        if can(front, make_policy(header), {})
    ],
)
def test_client_over_ipv6_is_spelled_as_the_header_wants_it(
    ground: Ground, front: Front, header: str
) -> None:
    """X-Forwarded-For has the bare address, Forwarded one in brackets and quotes."""
    policy = make_policy(header)

    with running(ground, front, policy, address="::1") as run:
        port = run.site.listeners[0].port
        answer = get(("::1", port), "/page", host=f"{NAME}:{port}").json()

    [value] = [v for n, v in answer["lines"] if n.lower() == header.lower()]
    assert IPV6[header](value)
    assert judge(policy, answer, unix=False).decision.client == "::1"


INJECTIONS = (
    'a.example",for=198.51.100.66;proto=https;host="b.example',
    'a.example";for=198.51.100.66;host="b.example',
    'a.example\\",for=198.51.100.66;host=\\"b.example',
    'a.example", for="198.51.100.66"',
)


@pytest.mark.parametrize(
    "front",
    [pytest.param(f, id=f.name) for f in FRONTS if can(f, POLICIES["Forwarded"], {})],
)
def test_host_cannot_write_an_element_of_forwarded(
    ground: Ground, front: Front
) -> None:
    """Where every name is served: what a client puts into Host stays a host."""
    policy = POLICIES["Forwarded"]

    with running(ground, front, policy, server_names=()) as run:
        address = ("127.0.0.1", run.site.listeners[0].port)
        for host in INJECTIONS:
            for target in ("/page", f"http://{host}/page"):
                reply = get(address, target, host=host, source=CLIENT)
                if reply.status == 200:
                    seen = judge(policy, reply.json(), unix=False)
                    assert seen.seen["client"] == CLIENT
                    assert seen.seen["scheme"] == "http"
                else:
                    assert reply.status in (0, 400, 404)
