"""
Which mistake a request shows, and what to change.

In:  policies and requests that go together badly, and some that go well.
Out: the advice: its code, its words, and lines that make the request come out right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import Connection, Decision, ProxyHeader, ProxyPolicy, read_settings
from trustedproxy.advice import Advice, Situation, advise
from trustedproxy.headers import KNOWN_HEADERS

from .making import name_settings

PEER, STRANGER, GATEWAY = "10.0.0.5", "198.51.100.7", "172.18.0.1"
FOR, REAL, PROTO = "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto"
HOST, PREFIX, PORT = "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Port"
USUAL = {"headers": [FOR, PROTO], "proxies": ["10.0.0.0/8"]}
SENT = {FOR: "203.0.113.7", PROTO: "https"}


def decide(
    policy: ProxyPolicy, sent: dict[str, str], fields: dict[str, Any]
) -> Decision:
    """Decide a request for app.example from `PEER`, unless *fields* say otherwise."""
    connection = replace(Connection(PEER, "http", "app.example"), **fields)
    return policy.decide(connection, sent)


def ask(
    sent: dict[str, str],
    *,
    fields: dict[str, Any] | None = None,
    allowed_hosts: list[str] | None = None,
    https_only: bool = False,
    exempts: bool = False,
    **options: Any,
) -> list[Advice]:
    """Ask for the advice about a request."""
    policy = ProxyPolicy(**{**USUAL, **options})
    known = {header.name for header in policy.known_headers}
    situation = Situation(
        policy,
        policy.rules,
        decide(policy, sent, fields or {}),
        {name: value for name, value in sent.items() if name in known},
        https_only=https_only,
        exempts=exempts,
    )
    if allowed_hosts is not None:
        situation = replace(
            situation,
            accepts_host=lambda h: (h or "").partition(":")[0] in allowed_hosts,
            allowed_hosts=allowed_hosts,
            hosts_setting="ALLOWED_HOSTS",
        )
    return list(advise(situation))


def codes(found: list[Advice]) -> list[str]:
    """List the codes of what was found."""
    return [advice.code for advice in found]


def read_lines(lines: tuple[str, ...], options: dict[str, Any]) -> ProxyPolicy:
    """Make the policy of *options* in which the *lines* were pasted."""
    names = name_settings({**USUAL, **options})
    exec("\n".join(lines), {}, names)
    return read_settings(names).policy


# -- every request that is as it should be ---------------------------------------------


@pytest.mark.parametrize(
    ("sent", "more"),
    [
        (SENT, {}),
        ({FOR: "6.6.6.6, 203.0.113.7, 10.0.0.6", PROTO: "http, https, http"}, {}),
        ({**SENT, HOST: "app.example"}, {}),
        ({**SENT, PORT: "443"}, {}),
        ({FOR: "203.0.113.7"}, {"headers": [FOR], "fixed_scheme": "https"}),
        ({FOR: "203.0.113.7"}, {"headers": [FOR], "fixed_scheme": "http"}),
        (SENT, {"allowed_hosts": ["app.example"]}),
        ({}, {"fields": {"peer": STRANGER}}),
        ({}, {"headers": [], "proxies": None}),
        ({"User-Agent": "x"}, {"headers": [], "proxies": None}),
        ({**SENT, PREFIX: "/"}, {}),
        ({FOR: "203.0.113.7", PROTO: "http"}, {}),
        ({}, {"https_only": True, "exempts": True, "headers": [PROTO]}),
        ({}, {"headers": [PROTO]}),
    ],
)
def test_right_request_gets_no_advice(
    sent: dict[str, str], more: dict[str, Any]
) -> None:
    """Nobody reads advice that is always there."""
    assert ask(sent, **more) == []


# -- trust -----------------------------------------------------------------------------

CURES: list[tuple[str, dict[str, Any], dict[str, str], dict[str, Any], str, Any]] = [
    (
        "peer-not-trusted",
        {"proxies": ["192.168.1.31"]},
        {FOR: "192.168.1.40", PROTO: "https"},
        {"peer": GATEWAY},
        "client",
        "192.168.1.40",
    ),
    (
        "peer-not-trusted",
        {"proxies": ["192.168.1.31"]},
        SENT,
        {"peer": ""},
        "client",
        "203.0.113.7",
    ),
    (
        "peer-not-trusted",
        {},
        SENT,
        {"peer": "fe80::1%eth0"},
        "client",
        "203.0.113.7",
    ),
    (
        "peer-not-trusted",
        {},
        SENT,
        {"peer": "127.0.0.1", "peer_is_unix": True},
        "client",
        "203.0.113.7",
    ),
    (
        "nothing-trusted",
        {"headers": [], "proxies": None},
        {**SENT, HOST: "shop.example"},
        {},
        "scheme",
        "https",
    ),
    (
        "client-header-missing",
        {},
        {REAL: "203.0.113.7", PROTO: "https"},
        {},
        "client",
        "203.0.113.7",
    ),
    (
        "too-few-elements",
        {"hops": 2},
        {FOR: "203.0.113.7", PROTO: "https"},
        {},
        "client",
        "203.0.113.7",
    ),
    (
        "too-few-elements",
        {"hops": 2, "missing": "reject"},
        {FOR: "203.0.113.7", PROTO: "https"},
        {},
        "client",
        "203.0.113.7",
    ),
    (
        "too-few-elements",
        {"hops": 2, "missing": "reject", "headers": ["Forwarded"]},
        {"Forwarded": "for=203.0.113.7;proto=https"},
        {},
        "client",
        "203.0.113.7",
    ),
    (
        "client-header-missing",
        {},
        {"Forwarded": "for=203.0.113.7;proto=https"},
        {},
        "client",
        "203.0.113.7",
    ),
    (
        "uncounted-list",
        {"headers": [REAL, PROTO]},
        {REAL: "203.0.113.7", PROTO: "https,http"},
        {},
        "scheme",
        "https",
    ),
    (
        "scheme-header-not-listed",
        {},
        {FOR: "203.0.113.7", "X-Forwarded-SSL": "on"},
        {},
        "scheme",
        "https",
    ),
    (
        "scheme-header-not-listed",
        {"headers": [FOR]},
        SENT,
        {},
        "scheme",
        "https",
    ),
    ("scheme-header-missing", {}, {FOR: "203.0.113.7"}, {}, "scheme", "https"),
    (
        "scheme-overwritten",
        {},
        {FOR: "203.0.113.7", PROTO: "http", "CF-Visitor": '{"scheme":"https"}'},
        {},
        "scheme",
        "https",
    ),
    (
        "header-not-listed",
        {},
        {**SENT, HOST: "shop.example"},
        {},
        "host",
        "shop.example",
    ),
    (
        "header-not-listed",
        {"headers": [PROTO]},
        SENT,
        {},
        "client",
        "203.0.113.7",
    ),
    ("header-not-listed", {}, {**SENT, PORT: "8443"}, {}, "port", "8443"),
    (
        "mount-point-not-listed",
        {},
        {**SENT, PREFIX: "/app"},
        {},
        "mount_point",
        "/app",
    ),
    (
        "default-port-in-host",
        {},
        SENT,
        {"host": "checks.example:443"},
        "host",
        "checks.example",
    ),
]


@pytest.mark.parametrize(("code", "options", "sent", "fields", "field", "now"), CURES)
def test_pasted_lines_are_the_cure(
    code: str,
    options: dict[str, Any],
    sent: dict[str, str],
    fields: dict[str, Any],
    field: str,
    now: object,
) -> None:
    """With the lines in the settings the same request comes out as was wanted."""
    before = decide(ProxyPolicy(**{**USUAL, **options}), sent, fields)
    advice = next(a for a in ask(sent, fields=fields, **options) if a.code == code)

    policy = read_lines(advice.settings, options)

    assert getattr(before, field) != now
    assert getattr(decide(policy, sent, fields), field) == now


def test_networks_that_are_too_wide_are_narrowed_to_the_proxies() -> None:
    """The peer, and the elements right of the client; the client is none of them."""
    (advice,) = ask({FOR: "10.9.9.9, 10.0.0.6", PROTO: "https"})

    assert advice.code == "all-hops-trusted"
    assert advice.settings == ('TRUSTED_PROXIES = ["10.0.0.5", "10.0.0.6"]',)


def test_all_hops_of_forwarded() -> None:
    """Its elements are read by their own grammar."""
    (advice,) = ask(
        {"Forwarded": "for=10.9.9.9;proto=https, for=10.0.0.6"}, headers=["Forwarded"]
    )

    assert advice.settings == ('TRUSTED_PROXIES = ["10.0.0.5", "10.0.0.6"]',)


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ([FOR, PROTO], {FOR: "6.6.6.6, 203.0.113.7", PROTO: "https"}),
        (["Forwarded"], {"Forwarded": "for=203.0.113.7;proto=https"}),
        ([REAL], {REAL: "203.0.113.7"}),
    ],
)
def test_peer_that_the_server_has_rewritten(
    headers: list[str], sent: dict[str, str]
) -> None:
    """Whoever adds the client's address to the list would trust the client."""
    (advice,) = ask(sent, headers=headers, fields={"peer": "203.0.113.7"})

    assert advice.code == "peer-rewritten"
    assert "--no-proxy-headers" in advice.text
    assert advice.settings == ()


def test_missing_secret() -> None:
    """The proxy has to send it; no secret is in the words."""
    secret = "hush-hush-hush-hush"
    (advice,) = ask(SENT, proxies=None, secret_header="X-Edge-Key", secrets=[secret])
    nothing_came = ask({}, proxies=None, secret_header="X-Edge-Key", secrets=[secret])

    assert advice.code == "secret-missing"
    assert "let it set X-Edge-Key to one of TRUSTED_PROXY_SECRETS" in advice.text
    assert secret not in str(advice)
    assert nothing_came == []


def test_missing_client_header_and_no_other() -> None:
    """It is the proxy that has to change, or nobody: no line to paste."""
    (advice,) = ask({PROTO: "https"})

    assert (advice.code, advice.settings) == ("client-header-missing", ())
    assert "health check" in advice.text


@pytest.mark.parametrize(
    ("count", "lines"), [(64, ("TRUSTED_PROXY_HOPS = 64",)), (65, ()), (100, ())]
)
def test_list_that_is_too_long_to_count(count: int, lines: tuple[str, ...]) -> None:
    """Of one that is not read to its end, nobody knows the number."""
    values = ",".join(["https"] + ["http"] * (count - 1))
    found = ask({REAL: "203.0.113.7", PROTO: values}, headers=[REAL, PROTO])

    advice = next(a for a in found if a.code == "uncounted-list")
    assert advice.settings == lines


# -- scheme ----------------------------------------------------------------------------


def test_scheme_header_missing_names_the_header_first() -> None:
    """To state a scheme is right only where no plain client comes."""
    listed = ask({FOR: "203.0.113.7"})
    unlisted = ask({FOR: "203.0.113.7"}, headers=[FOR])

    assert "let it set X-Forwarded-Proto. Only if it cannot" in listed[0].text
    assert listed[0].settings == (
        'TRUSTED_PROXY_HEADERS = ["X-Forwarded-For"]',
        'TRUSTED_PROXY_FIXED_SCHEME = "https"',
    )
    assert "let it set X-Forwarded-Proto, and list that." in unlisted[0].text
    assert 'TRUSTED_PROXY_FIXED_SCHEME = "https".' in unlisted[0].text
    assert unlisted[0].settings == (
        'TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]',
    )


@pytest.mark.parametrize(("exempts", "expected"), [(False, 1), (True, 0)])
def test_health_check_of_the_proxy_itself(*, exempts: bool, expected: int) -> None:
    """Without any forwarding header the path is likelier than the scheme."""
    found = ask(
        {},
        headers=[PROTO],
        https_only=True,
        exempts=exempts,
        fields={"path": "/_health"},
    )

    assert codes(found) == ["no-forwarding-header"] * expected
    for advice in found:
        assert advice.settings == ('TRUSTED_PROXY_HTTPS_EXEMPT = ["/_health"]',)


def test_scheme_header_that_is_malformed() -> None:
    """The proxy says something else."""
    (advice,) = ask({FOR: "203.0.113.7", PROTO: "tls"})

    assert advice.code == "scheme-header-malformed"
    assert "X-Forwarded-Proto: 'tls' says neither http nor https" in advice.text


def test_scheme_header_missing_beside_forwarded() -> None:
    """It says the client, and cannot be taken away for the scheme."""
    (advice,) = ask({REAL: "1.1.1.1"}, headers=["Forwarded"])[1:]

    assert (advice.code, advice.header) == ("scheme-header-missing", "Forwarded")
    assert advice.settings == ()


def test_forwarded_that_says_no_scheme() -> None:
    """It is listed, and says nothing that helps."""
    (advice,) = ask({"Forwarded": "for=203.0.113.7"}, headers=["Forwarded"])

    assert (advice.code, advice.header) == ("scheme-header-malformed", "Forwarded")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("for=203.0.113.7, for=10.0.0.3;proto=https", "Forwarded"),
        ("tls, https", PROTO),
    ],
)
def test_scheme_in_another_element(value: str, name: str) -> None:
    """What another proxy says does not count, and is not called malformed."""
    sent = {name: value, FOR: "203.0.113.7, 10.0.0.3"}
    headers = [name] if name == "Forwarded" else [FOR, name]
    advice = next(a for a in ask(sent, headers=headers) if a.header == name)

    assert (advice.code, advice.settings) == ("scheme-header-missing", ())
    assert "says the scheme, and not in the client's own element" in advice.text


def test_scheme_in_a_list_that_is_too_short() -> None:
    """Nothing of it is used, for which there is advice already."""
    sent = {"Forwarded": "for=203.0.113.7;proto=https"}

    assert codes(ask(sent, headers=["Forwarded"], hops=2)) == ["too-few-elements"]


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        ({FOR: "203.0.113.7, 10.0.0.3", PROTO: "http"}, [FOR, PROTO]),
        ({FOR: "203.0.113.7, 10.0.0.3", "X-Scheme": "http"}, [FOR, "X-Scheme"]),
    ],
)
def test_scheme_that_an_inner_proxy_overwrites(
    sent: dict[str, str], headers: list[str]
) -> None:
    """Two proxies and one value: it is the inner one's."""
    (advice,) = ask(sent, headers=headers)

    assert (advice.code, advice.header) == ("scheme-overwritten", headers[1])
    variable = headers[1].lower().replace("-", "_")
    assert f"proxy_set_header {headers[1]} $http_{variable}" in advice.text


@pytest.mark.parametrize(
    "sent",
    [
        {FOR: "203.0.113.7, 10.0.0.3", PROTO: "http, http"},
        {FOR: "203.0.113.7", PROTO: "http"},
        {"Forwarded": "for=203.0.113.7;proto=http, for=10.0.0.3"},
    ],
)
def test_scheme_that_every_proxy_has_said_is_plain(sent: dict[str, str]) -> None:
    """There is no sign of an overwritten one."""
    headers = ["Forwarded"] if "Forwarded" in sent else [FOR, PROTO]

    assert ask(sent, headers=headers) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=a;proto=https", ["scheme-overwritten"]),
        ('for=a;proto="https"', ["scheme-overwritten"]),
        ("for=a;Proto=HTTPS, for=b;proto=http", ["scheme-overwritten"]),
        ('for="_proto=https"', []),
        ("for=a", []),
        ("," * 70 + "for=a;proto=http" + ",for=b" * 70, []),
    ],
)
def test_scheme_of_forwarded_beside_another(value: str, expected: list[str]) -> None:
    """What Forwarded says counts where it is not listed, too, by its own grammar."""
    found = ask({FOR: "203.0.113.7", PROTO: "http", "Forwarded": value})

    assert codes(found) == expected


# -- host and mount point --------------------------------------------------------------


def test_refused_host_that_another_header_would_cure() -> None:
    """The proxy sends its own name in Host, and the client's in a header."""
    (advice,) = ask(
        {**SENT, HOST: "shop.example"},
        fields={"host": "backend:8000"},
        allowed_hosts=["shop.example"],
    )[:1]

    assert (advice.code, advice.header) == ("host-refused", HOST)
    assert advice.settings == (
        'TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto", '
        '"X-Forwarded-Host"]',
    )


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"peer": STRANGER}),
        (SENT, {}),
        ({**SENT, HOST: "other.example"}, {}),
        ({**SENT, "Forwarded": "host=shop.example"}, {}),
        ({HOST: "shop.example"}, {"peer": STRANGER}),
    ],
)
def test_refused_host_that_nothing_else_says(
    sent: dict[str, str], fields: dict[str, Any]
) -> None:
    """Then it is the proxy's to hand on, or a name to add."""
    found = ask(
        sent, fields={"host": "backend:8000", **fields}, allowed_hosts=["shop.example"]
    )

    advice = next(a for a in found if a.code == "host-refused")
    assert "proxy_set_header Host $host" in advice.text
    assert advice.settings == ('ALLOWED_HOSTS = ["shop.example", "backend"]',)


@pytest.mark.parametrize("host", [None, "a/b"])
def test_refused_host_that_is_none(host: str | None) -> None:
    """It cannot be added to a list."""
    found = ask(SENT, fields={"host": host}, allowed_hosts=["shop.example"])

    assert codes(found) == ["host-refused"]
    assert found[0].settings == ()


def test_host_of_a_rejected_request_is_of_no_interest() -> None:
    """It is answered with 400 for another reason."""
    found = ask({FOR: "garbage"}, malformed="reject", allowed_hosts=["shop.example"])

    assert codes(found) == []


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/app/x", {}, ["mount-point-in-path"]),
        ("/app", {}, ["mount-point-in-path"]),
        ("/apple", {}, []),
        ("/x", {}, []),
        ("/app/x", {"strip_mount_point": True}, []),
    ],
)
def test_mount_point_that_nothing_takes_off(
    path: str, options: dict[str, Any], expected: list[str]
) -> None:
    """The application would look for it below the mount point once more."""
    found = ask(
        {**SENT, PREFIX: "/app"},
        headers=[FOR, PROTO, PREFIX],
        fields={"path": path},
        **options,
    )

    assert codes(found) == expected
    for advice in found:
        assert advice.settings == ("TRUSTED_PROXY_STRIP_MOUNT_POINT = True",)


@pytest.mark.parametrize(
    ("host", "options", "expected"),
    [
        ("a.example:443", {}, ["default-port-in-host"]),
        ("a.example:80", {}, []),
        ("a.example:8443", {}, []),
        ("a.example", {}, []),
        (None, {}, []),
        ("a.example:443", {"port_in_host": True}, []),
    ],
)
def test_default_port_in_the_host(
    host: str | None, options: dict[str, Any], expected: list[str]
) -> None:
    """Browsers leave it out of Origin, so that CSRF checks fail."""
    assert codes(ask(SENT, fields={"host": host}, **options)) == expected


def test_no_line_takes_forwarded_away() -> None:
    """It says more than the header that would take its place."""
    found = ask({"Forwarded": "for=203.0.113.7", PROTO: "https"}, headers=["Forwarded"])

    assert [(a.code, a.settings) for a in found] == [("scheme-header-not-listed", ())]


def test_lines_keep_what_a_policy_lists_already() -> None:
    """Custom headers with their form, entries as they were written."""
    found = ask(
        {"X-Edge": "203.0.113.7", PROTO: "https"},
        headers=["X-Edge=address", PROTO],
        proxies=["loopback", "192.0.2.0/24"],
        fields={"peer": GATEWAY},
    )

    assert found[0].settings == (
        'TRUSTED_PROXIES = ["loopback", "192.0.2.0/24", "172.18.0.1"]',
    )


ANY_POLICY = [
    ProxyPolicy(headers=h, proxies=["10.0.0.0/8"]) for h in ([FOR, PROTO], [])
]
ANY_POLICY += [
    ProxyPolicy(headers=["Forwarded"], hops=2, missing=m) for m in ("ignore", "reject")
]


@pytest.mark.parametrize("header", KNOWN_HEADERS, ids=lambda h: h.name)
@pytest.mark.parametrize("peer", [PEER, STRANGER])
def test_advice_never_fails(header: ProxyHeader, peer: str) -> None:
    """Whatever came, the words are printable and short, and the lines can be pasted."""
    for policy in ANY_POLICY:
        for value in ("", "https", "1.1.1.1", "<script>", "x" * 5000):
            situation = Situation(
                policy,
                policy.rules,
                decide(policy, {header.name: value}, {"peer": peer}),
                {header.name: value},
                https_only=True,
                accepts_host=lambda host: host == "a.example",
            )
            for advice in advise(situation):
                assert advice.text.isprintable()
                assert len(advice.text) < 900
                names: dict[str, Any] = {}
                exec("\n".join(advice.settings), {}, names)
                names.pop("allowed_hosts", None)
                read_settings({"TRUSTED_PROXIES": "private", **names})
