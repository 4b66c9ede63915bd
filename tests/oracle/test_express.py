"""
mod_wsgi-express beside this project: https only, HSTS, proxy mount points.

In:  the same options for both, and the same requests.
Out: the same answers, but for the differences that `express_ledger` names.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import pytest

from .backend import start_backend
from .express import NAME, Express, Servers, send, start_servers
from .express_ledger import (
    HTTPS_LEDGER,
    MOUNT_LEDGER,
    MOUNTS,
    POLICY,
    REQUEST_HOST,
    TOLD,
    VOUCHED,
    Ask,
    HTTPSAnswer,
    MountAnswer,
    answer_https,
    answer_mount,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .ledger import Kind

NONE: frozenset[Kind] = frozenset()


def _explain(
    answer: Callable[[frozenset[Kind]], object], kinds: frozenset[Kind]
) -> set[Kind]:
    """Say which of *kinds* make a difference to the *answer*."""
    return {
        kind
        for kind in kinds
        if answer(kinds - {kind}) != answer(kinds)
        or answer(frozenset({kind})) != answer(NONE)
    }


# https only.


def _make_https_asks() -> list[Ask]:
    targets = (
        *("/", "/a/b?x=1&y=%20z", "/a%20b?q=%2F", "/caf%C3%A9", "/x?", "//x", "/%7Eu"),
        *("/own-policy", "/raise", "/missing", "/elsewhere"),
    )
    asks = [
        Ask(method, target, {"Host": NAME, **headers}, secure)
        for method, target, headers, secure in product(
            ("GET", "HEAD", "POST", "PUT"),
            targets,
            ({}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "http"}),
            (False, True),
        )
        # Nobody could say what was lost of a body that nobody has read.
        if not (method in ("POST", "PUT") and target == "/raise")
    ]
    asks += [
        Ask("GET", "/", {"Host": host}, secure)
        for host, secure in product(
            (f"{NAME}:8080", NAME.upper(), "other.example", "other.example:443"),
            (False, True),
        )
    ]
    return asks


HTTPS_ASKS = _make_https_asks()


@pytest.fixture(scope="module")
def https_servers() -> Iterator[Servers]:
    """Give express with https only, and this project from the same options."""
    options = (
        "--https-only",
        f"--hsts-policy={POLICY}",
        "--trust-proxy-header=X-Forwarded-Proto",
        "--trust-proxy=127.0.0.0/8",
    )
    with start_servers(options, ["https_only", "request_host"]) as servers:
        yield servers


def _ask_https(server: Express, ask: Ask) -> HTTPSAnswer:
    answered = send(server, ask.method, ask.target, ask.headers, secure=ask.secure)
    return HTTPSAnswer(
        answered.status, answered.location, answered.policy, answered.reached
    )


def test_https_only_differs_as_the_ledger_says(
    https_servers: Servers,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """Redirects and policies are express's, but for kinds that all explain some."""
    port = https_servers.theirs.secure.number
    counts: Counter[str] = Counter({kind.name: 0 for kind in HTTPS_LEDGER})
    alike = 0
    for name, server in https_servers.ours.items():
        kinds = frozenset(HTTPS_LEDGER)
        if name == "https_only":
            # From express's own options, the redirect's name and port are express's.
            kinds -= {REQUEST_HOST}
        for ask in HTTPS_ASKS:
            theirs = _ask_https(https_servers.theirs, ask)
            ours = _ask_https(server, ask)

            assert theirs == answer_https(ask, port, NONE), ask
            assert ours == answer_https(ask, port, kinds), ask
            explained: set[Kind] = set()
            if ours != theirs:
                explained = _explain(partial(answer_https, ask, port), kinds)
                assert explained, ask
            alike += ours == theirs
            counts.update(kind.name for kind in explained)
    for title, count in counts.items():
        record_testsuite_property(f"express: {title}", count)

    assert alike
    assert not [title for title, count in counts.items() if not count]


def test_apache_s_own_pages_have_no_policy(https_servers: Servers) -> None:
    """Where Apache answers by itself, neither side can send a policy."""
    for server in (https_servers.theirs, https_servers.ours["https_only"]):
        denied = send(server, "GET", "/", {"Host": "other.example"}, secure=True)
        raised = send(server, "GET", "/raise", {"Host": NAME}, secure=True)

        assert (denied.status, denied.policy) == (403, None)
        assert (raised.status, raised.policy) == (500, None)


# Proxy mount points.

_FORGED = {
    "X-Forwarded-For": "198.51.100.66",
    "X-Forwarded-Host": "forged.example",
    "X-Forwarded-Server": "forged.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Prefix": "/forged",
    "X-Script-Name": "/forged",
}


def _make_mount_asks() -> list[Ask]:
    targets = (
        *("/sub", "/sub?x=1&y=%20", "/sub/", "/sub/x?q=1", "/sub/a%20b", "/sub//x"),
        *("/sub/a%2Fb", "/subx", "/SUB", "/other", "/run", "/run/", "/run/x"),
        *("/a.b", "/a.b/x", "/aXb", "/outer", "/outer/x", "/outer/in", "/outer/in/x"),
        *("/sub/to-own-url", "/sub/to-path", "/sub/to-elsewhere"),
    )
    hosts = (NAME, f"{NAME}:8080")
    asks = [
        Ask(method, target, {"Host": host, **forged}, secure)
        for method, target, host, forged, secure in product(
            ("GET", "POST", "HEAD"), targets, hosts, ({}, _FORGED), (False, True)
        )
    ]
    asks += [
        Ask("GET", "/sub/x", {"Host": NAME, **_FORGED}, secure, VOUCHED)
        for secure in (False, True)
    ]
    asks.append(Ask("GET", "/sub", {"Host": "other.example"}, False))
    return asks


MOUNT_ASKS = _make_mount_asks()


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    """Give the URL of a backend that says what it was asked."""
    with start_backend() as url:
        yield url


@pytest.fixture(scope="module")
def mount_servers(backend: str) -> Iterator[Servers]:
    """Give express with proxy mount points, and this project from the same options."""
    options = [
        "--trust-proxy-header=X-Forwarded-For",
        f"--trust-proxy={VOUCHED}",
    ]
    for path, base in MOUNTS.items():
        options += ["--proxy-mount-point", path, backend + base]
    with start_servers(options, ["mounted"]) as servers:
        yield servers


def _ask_mount(server: Express, ask: Ask) -> MountAnswer:
    answered = send(
        server,
        ask.method,
        ask.target,
        ask.headers,
        secure=ask.secure,
        source=ask.source,
    )
    path: str | None = None
    told: tuple[tuple[str, str], ...] = ()
    if answered.body.startswith(b"{"):
        asked = json.loads(answered.body)
        path = asked["path"]
        told = tuple(
            sorted((name, value) for name, value in asked["headers"] if name in TOLD)
        )
    return MountAnswer(answered.status, answered.location, answered.reached, path, told)


def test_mount_points_differ_as_the_ledger_says(
    mount_servers: Servers,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """Mount points are express's, but for kinds that all explain some requests."""
    kinds = frozenset(MOUNT_LEDGER)
    counts: Counter[str] = Counter({kind.name: 0 for kind in MOUNT_LEDGER})
    alike = 0
    for ask in MOUNT_ASKS:
        theirs = _ask_mount(mount_servers.theirs, ask)
        ours = _ask_mount(mount_servers.ours["mounted"], ask)

        assert theirs == answer_mount(ask, NONE), ask
        assert ours == answer_mount(ask, kinds), ask
        explained: set[Kind] = set()
        if ours != theirs:
            explained = _explain(partial(answer_mount, ask), kinds)
            assert explained, ask
        alike += ours == theirs
        counts.update(kind.name for kind in explained)
    for title, count in counts.items():
        record_testsuite_property(f"express: {title}", count)

    assert alike
    assert not [title for title, count in counts.items() if not count]


@pytest.mark.parametrize("ledger", [HTTPS_LEDGER, MOUNT_LEDGER])
def test_express_ledger_names_rule_and_reason(ledger: Sequence[Kind]) -> None:
    """Every kind has a name of its own, a section of the design and a reason."""
    assert len({kind.name for kind in ledger}) == len(ledger)
    assert all(kind.rule.startswith("section") and kind.reason for kind in ledger)
