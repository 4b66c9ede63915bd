"""
The policy: what it is once it was made, what it does to requests, where it comes from.

In:  arguments, mappings, environment variables, presets, Apache directives; requests.
Out: policies that cannot be changed, decisions, and secrets that are seen nowhere.

What the arguments may be is in `test_policy_options`, what is decided in the table of
cases, and which mistakes are logged in `test_advice`.
"""

from __future__ import annotations

import copy
import inspect
import ipaddress
import logging
from collections.abc import Callable
from typing import Any, Final

import pytest

from trustedproxy import (
    DECISION_KEY,
    Category,
    ConfigurationError,
    Connection,
    Form,
    ProxyHeader,
    ProxyPolicy,
    log,
)
from trustedproxy.decision import REPORT_KEY
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.option_table import OPTIONS

from .making import (
    FOR,
    PROTO,
    PROXIES,
    PROXY,
    REAL,
    STRANGER,
    make_environ,
    make_scope,
    show,
)

SECRET: Final = "correct-horse-battery-staple"
PROOF: Final = "X-Proxy-Proof"
WITH_SECRET: Final[dict[str, Any]] = {"secret_header": PROOF, "secrets": SECRET}

#: Reads the records of a test so far.
Records = Callable[[], list[logging.LogRecord]]


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Records:
    """Read what was logged at WARNING during the test so far."""
    log.forget()
    caplog.set_level(logging.DEBUG, logger="trustedproxy")
    return lambda: [r for r in caplog.records if r.levelno >= logging.WARNING]


# -- what a policy is ------------------------------------------------------------------


def test_arguments_are_keywords_that_are_settings() -> None:
    """Nobody has to know an order, and every argument is a setting too."""
    parameters = inspect.signature(ProxyPolicy).parameters.values()

    assert {parameter.kind for parameter in parameters} == {
        inspect.Parameter.KEYWORD_ONLY
    }
    assert {p.name: p.default for p in parameters} == {
        option.argument: option.default for option in OPTIONS if option.argument
    }


@pytest.mark.parametrize(
    ("value", "proxies", "trusted"),
    [
        ("*", None, {PROXY, STRANGER, ""}),
        (["*"], None, {PROXY, STRANGER, ""}),
        ("", (), set()),
        ([], (), set()),
        ("10.0.0.0/8, unix", ("10.0.0.0/8", "unix"), {PROXY, ""}),
        ((PROXY,), (PROXY,), {PROXY}),
    ],
)
def test_proxies_are_everybody_nobody_or_a_list(
    value: Any, proxies: tuple[str, ...] | None, trusted: set[str]
) -> None:
    """``"*"`` trusts every peer, an empty list nobody (R4)."""
    policy = ProxyPolicy(headers=[FOR], proxies=value)

    assert policy.proxies == proxies
    assert (policy.networks is None) is (proxies is None)
    assert policy.trusts_every_peer is (proxies is None)
    assert trusted == {
        peer
        for peer in (PROXY, STRANGER, "")
        if policy.decide(peer, {FOR: "203.0.113.7"}).peer_trusted
    }


@pytest.mark.parametrize(
    ("options", "everybody"),
    [
        ({"headers": [FOR], "hops": 1}, True),
        ({"headers": [FOR], "hops": 1, "proxies": PROXIES}, False),
        ({"headers": [FOR], **WITH_SECRET}, False),
        ({"fixed_scheme": "https", "proxies": "*"}, True),
        ({"strip": "all"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_policy_says_whether_it_trusts_everybody(
    options: dict[str, Any], everybody: bool
) -> None:
    """A count alone does, a secret does not, and nobody is trusted for nothing."""
    assert ProxyPolicy(**options).trusts_every_peer is everybody


@pytest.mark.parametrize(
    ("options", "nothing"),
    [
        ({}, True),
        ({"proxies": PROXIES}, True),
        (WITH_SECRET, False),
        ({"strip": "all"}, False),
        ({"headers": [FOR], "proxies": []}, False),
        ({"fixed_port": 443, "proxies": PROXIES}, False),
    ],
    ids=str,
)
def test_policy_says_whether_it_changes_anything(
    options: dict[str, Any], nothing: bool
) -> None:
    """With nothing listed, stated or to be removed, all passes as it came (R1)."""
    policy = ProxyPolicy(**options)
    environ = make_environ({FOR: "203.0.113.7", PROOF: SECRET})
    before = dict(environ)

    decision = policy.apply(environ)

    assert policy.changes_nothing is nothing
    assert (environ == {**before, DECISION_KEY: decision}) is nothing


def test_custom_header_takes_the_place_of_a_known_one() -> None:
    """It is one name, wherever it stands in the table."""
    own = ProxyHeader("x-host", Category.HOST, Form.HOST)
    edge = ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)

    known = ProxyPolicy(headers=[own, edge], proxies=[]).known_headers

    assert own in known and edge in known
    assert len(known) == len(KNOWN_HEADERS) + 1
    assert "X-Host" not in {header.name for header in known}


def test_policy_is_shown_with_what_was_configured() -> None:
    """`repr` has every argument that was given but the secrets."""
    policy = ProxyPolicy(
        headers=[FOR], proxies=PROXY, hops=2, fixed_port=8443, **WITH_SECRET
    )

    assert repr(policy) == (
        f"ProxyPolicy(headers=['{FOR}'], proxies=('{PROXY}',), hops=2, "
        f"secret_header='{PROOF}', strip='listed', malformed='ignore', "
        "missing='ignore', fixed_port='8443')"
    )


def test_policy_cannot_be_changed() -> None:
    """It was compiled; what is changed later would be heard by some requests only."""
    policy: Any = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    for name in ("report_only", "headers", "hops", "proxies", "anything"):
        with pytest.raises(AttributeError, match=f"cannot assign to field '{name}'"):
            setattr(policy, name, None)
        with pytest.raises(AttributeError, match=f"cannot delete field '{name}'"):
            delattr(policy, name)

    assert policy == ProxyPolicy(headers=[FOR], proxies=PROXIES)


def test_policies_are_equal_where_their_arguments_are() -> None:
    """However a list was written; and equal ones hash alike."""
    one = ProxyPolicy(
        headers=[FOR, PROTO], proxies=[ipaddress.ip_network("10.0.0.0/8")]
    )
    two = ProxyPolicy(headers=f"{FOR.lower()}, {PROTO}", proxies="10.0.0.0/8")

    assert one == two and hash(one) == hash(two)
    assert {one: "found"}[two] == "found"
    assert copy.copy(one) == copy.deepcopy(one) == one
    unlike: Any = "a policy"
    assert one != unlike


@pytest.mark.parametrize(
    "options",
    [
        {"headers": [PROTO, FOR]},
        {"proxies": "*"},
        {"hops": 2},
        {**WITH_SECRET},
        {"strip": "all"},
        {"malformed": "reject"},
        {"missing": "reject"},
        {"port_in_host": True},
        {"strip_mount_point": True},
        {"report_only": True},
        {"fixed_host": "app.example"},
    ],
    ids=str,
)
def test_policies_differ_where_their_arguments_do(options: dict[str, Any]) -> None:
    """Whichever argument it is; secrets too."""
    given: dict[str, Any] = {"headers": [FOR, PROTO], "proxies": PROXIES}
    one, two = ProxyPolicy(**given), ProxyPolicy(**given | options)

    assert one != two
    if "secrets" in options:
        other = {**options, "secrets": SECRET[::-1]}
        assert two != ProxyPolicy(**given | other)


# -- what it does ----------------------------------------------------------------------


def test_decide_takes_an_address_for_a_connection() -> None:
    """A peer's address alone is a connection about which nothing else is known."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    headers = {FOR.upper(): "203.0.113.7"}

    decision = policy.decide(PROXY, headers)

    assert decision == policy.decide(Connection(PROXY), headers)
    assert decision.client == "203.0.113.7"
    assert headers == {FOR.upper(): "203.0.113.7"}


def test_decision_does_not_change_with_the_callers_connection() -> None:
    """Whoever asks for several requests may use one connection again."""
    connection = Connection(STRANGER)
    decision = ProxyPolicy(headers=[FOR], proxies=PROXIES).decide(connection, {})

    connection.peer = PROXY

    assert decision.peer == STRANGER


def test_surfaces_decide_alike() -> None:
    """Names in any case, environ or scope: the decision is one."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES)
    sent = {FOR.lower(): "6.6.6.6, 203.0.113.7:4711", PROTO.upper(): "https"}
    connection = Connection(
        PROXY, "http", "backend.internal", "127.0.0.1", "8000", "", "/x"
    )

    pure = show(policy.decide(connection, sent))
    environ = show(policy.apply(make_environ(sent)))
    scope = show(policy.apply_scope(make_scope(sent.items()))[0])

    for surface in (environ, scope):
        assert {**surface, "original": {}} == pure


def test_lines_of_a_scope_may_be_gone_through_once_only() -> None:
    """The specification says iterable; a generator is one."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=True)
    scope = make_scope([(FOR.lower(), "203.0.113.7")])
    lines = scope["headers"]

    for applied in (policy, ProxyPolicy(headers=[FOR], proxies=PROXIES)):
        decision, new = applied.apply_scope({**scope, "headers": iter(lines)})
        assert decision.client == "203.0.113.7"
        assert list(new["headers"]) == lines


@pytest.mark.parametrize("report_only", [False, True])
def test_policy_rejects_but_not_in_report_only_mode(
    report_only: bool,
) -> None:
    """There the decision says what would be rejected."""
    policy = ProxyPolicy(
        headers=[FOR], proxies=PROXIES, missing="reject", report_only=report_only
    )

    decision = policy.decide(PROXY, {})

    assert decision.rejected is not None
    assert policy.rejects(decision) is not report_only
    assert not policy.rejects(policy.decide(STRANGER, {}))


def test_connection_is_read_as_apply_reads_it() -> None:
    """For those who explain a request before it is decided."""
    environ = make_environ(peer="", SERVER_PORT="80")

    connection = ProxyPolicy().read_connection(environ)

    assert connection == ProxyPolicy().apply(environ).connection
    assert (connection.peer, connection.port, connection.path) == ("", "80", "/x")


def test_explanation_leaves_the_environ_alone() -> None:
    """The same rules on a copy, in words; the page of `explain` has the words."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    environ = make_environ({FOR: "203.0.113.7"}, PATH_INFO="/shown")
    before = dict(environ)

    text = policy.explain(environ)

    assert environ == before
    assert "203.0.113.7" in text and "/shown" in text


# -- a request is decided once (R16) ---------------------------------------------------

REPORTS: Final = ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=True)
DECIDES: Final = ProxyPolicy(headers=[REAL, FOR], proxies=PROXIES)


@pytest.mark.parametrize(
    "second", [DECIDES, REPORTS, ProxyPolicy(strip="all")], ids=str
)
@pytest.mark.parametrize("surface", ["environ", "scope"])
def test_second_application_does_nothing_and_is_logged_once(
    surface: str, second: ProxyPolicy, warnings: Records
) -> None:
    """The first decision stands, for whichever policy comes second."""
    sent = {FOR: "203.0.113.7", REAL: "203.0.113.7"}
    if surface == "environ":
        environ = make_environ(sent)
        decision = DECIDES.apply(environ)
        before = dict(environ)
        for _ in range(3):
            assert second.apply(environ) is decision
        assert environ == before
    else:
        decision, scope = DECIDES.apply_scope(make_scope(sent.items()))
        before = dict(scope)
        for _ in range(3):
            again, same = second.apply_scope(scope)
            assert again is decision and same is scope
        assert scope == before

    [record] = warnings()
    assert "the first decision stands" in record.getMessage()
    assert record.code == "decided-twice"  # type: ignore[attr-defined]  # records have what `extra` gave


def test_report_keeps_no_policy_from_deciding(warnings: Records) -> None:
    """Whoever tries a policy beside the one that is in force sees both."""
    environ = make_environ({FOR: "203.0.113.7"})
    report = REPORTS.apply(environ)
    tried, scope = REPORTS.apply_scope(make_scope([(FOR, "203.0.113.7")]))

    decision = DECIDES.apply(environ)
    decided, new = DECIDES.apply_scope(scope)

    assert (environ[REPORT_KEY], environ[DECISION_KEY]) == (report, decision)
    assert (new[REPORT_KEY], new[DECISION_KEY]) == (tried, decided)
    assert environ["REMOTE_ADDR"] == new["client"][0] == "203.0.113.7"
    assert {record.code for record in warnings()} == {"report-only"}  # type: ignore[attr-defined]  # records have what `extra` gave


def test_second_report_does_nothing(warnings: Records) -> None:
    """Report-only policies are one another's second application."""
    environ = make_environ({FOR: "203.0.113.7"})
    report = REPORTS.apply(environ)

    again = ProxyPolicy(headers=[REAL], proxies="*", report_only=True).apply(environ)

    assert again is report
    assert warnings()[-1].code == "decided-twice"  # type: ignore[attr-defined]  # records have what `extra` gave


# -- report-only mode (R17) ------------------------------------------------------------

REPORTING: list[dict[str, Any]] = [
    {},
    {"proxies": []},
    {"strip": "all", "malformed": "reject"},
    {"missing": "reject", "headers": [REAL]},
    {"fixed_host": "app.example", "port_in_host": True},
    WITH_SECRET,
]


@pytest.mark.parametrize("options", REPORTING, ids=str)
def test_report_only_changes_nothing_and_reports_the_real_decision(
    options: dict[str, Any],
) -> None:
    """But that the secret's header goes, nothing differs; the report has a key."""
    given = {"headers": [FOR, PROTO], "proxies": PROXIES, **options}
    reports, real = ProxyPolicy(**given, report_only=True), ProxyPolicy(**given)
    sent = {FOR: "garbage, 203.0.113.7, 10.0.0.8", PROTO: "https", REAL: "x"}
    environ = make_environ({**sent, PROOF: SECRET}, HTTPS="off", REMOTE_PORT="1")
    scope = make_scope([(k.lower(), v) for k, v in {**sent, PROOF: SECRET}.items()])
    before, lines = dict(environ), list(scope["headers"])

    decision = reports.apply(environ)
    decided, new = reports.apply_scope(scope)

    if options is WITH_SECRET:
        del before["HTTP_X_PROXY_PROOF"]
        lines.pop()
    assert environ == {**before, REPORT_KEY: decision}
    assert new == {**scope, "headers": lines, REPORT_KEY: decided}
    assert decision == real.apply(dict(before | {"HTTP_X_PROXY_PROOF": SECRET}))
    assert decided == real.apply_scope(scope)[0]
    assert decision.original


# -- secrets are seen nowhere ----------------------------------------------------------


@pytest.mark.parametrize("strip", ["listed", "all"])
@pytest.mark.parametrize("malformed", ["ignore", "reject"])
@pytest.mark.parametrize("report_only", [False, True])
@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        (PROXY, {FOR: "203.0.113.7", PROOF: SECRET}),
        (PROXY, {FOR: "garbage", PROOF: SECRET, "Connection": PROOF}),
        (PROXY, {FOR: "garbage", PROOF: f"wrong-{SECRET}"}),
        (PROXY, {FOR: "203.0.113.7", "x_proxy_proof": SECRET}),
        (STRANGER, {FOR: "203.0.113.7", PROOF: SECRET}),
    ],
)
def test_secret_is_seen_nowhere(
    peer: str,
    headers: dict[str, str],
    report_only: bool,
    malformed: Any,
    strip: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in decision, log, explanation or policy, and not by the application."""
    log.forget()
    caplog.set_level(logging.DEBUG, logger="trustedproxy")
    policy = ProxyPolicy(
        headers=[FOR, REAL],
        proxies=PROXIES,
        secret_header=PROOF,
        secrets=["another-sixteen-characters", SECRET],
        strip=strip,
        malformed=malformed,
        report_only=report_only,
    )
    environ = make_environ(headers, peer=peer)
    scope = make_scope([(k.lower(), v) for k, v in headers.items()], peer=peer)

    shown = [
        repr(policy),
        policy.explain(dict(environ)),
        repr(policy.decide(peer, headers)),
    ]
    decision = policy.apply(environ)
    decided, new = policy.apply_scope(scope)
    for said in (decision, decided):
        shown += [repr(said), str(show(said)), str(said.as_dict())]
    shown += [record.getMessage() for record in caplog.records]
    shown += [str(vars(record)) for record in caplog.records]

    assert not [text for text in shown if SECRET in text]
    assert not [v for v in environ.values() if SECRET in str(v)]
    assert not [v for _, v in new["headers"] if SECRET.encode() in v]


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        (PROXY, {FOR: SECRET, PROOF: SECRET}),
        (PROXY, {FOR: f"{SECRET}-longer", PROOF: f"{SECRET}-longer"}),
        (PROXY, {FOR: "203.0.113.7", PROOF: SECRET, "Connection": f"{FOR}, {SECRET}"}),
        (STRANGER, {FOR: "203.0.113.7", "Connection": f"{FOR}, {SECRET}"}),
    ],
)
def test_secret_in_another_header_is_in_no_problem(
    peer: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a secret nor the rest of one whose beginning is another."""
    log.forget()
    caplog.set_level(logging.INFO, logger="trustedproxy")
    policy = ProxyPolicy(
        headers=[FOR],
        proxies=PROXIES,
        secret_header=PROOF,
        secrets=[SECRET, f"{SECRET}-longer"],
    )

    problems = policy.apply(make_environ(headers, peer=peer)).problems

    assert [problem.value for problem in problems if "<secret>" in problem.value]
    shown = [*map(str, problems), *(record.getMessage() for record in caplog.records)]
    assert not [text for text in shown if SECRET in text or "longer" in text]


# -- policies from elsewhere -----------------------------------------------------------


def test_policy_of_a_mapping_has_what_is_set_there() -> None:
    """Names that are not ours are not looked at."""
    policy = ProxyPolicy.from_mapping(
        {
            "SECRET_KEY": "x",
            "TRUSTED_PROXY_HEADERS": [FOR, PROTO],
            "TRUSTED_PROXIES": PROXIES,
            "TRUSTED_PROXY_HOPS": 2,
            "TRUSTED_PROXY_STRIP": "all",
            "TRUSTED_PROXY_REPORT_ONLY": True,
            "TRUSTED_PROXY_FIXED_PORT": 8443,
        }
    )

    assert policy == ProxyPolicy(
        headers=[FOR, PROTO],
        proxies=PROXIES,
        hops=2,
        strip="all",
        report_only=True,
        fixed_port=8443,
    )
    assert ProxyPolicy.from_mapping({}) == ProxyPolicy()


def test_settings_that_a_policy_does_not_use_are_logged_once(warnings: Records) -> None:
    """Whoever makes a policy alone of them would miss the rest."""
    for _ in range(2):
        ProxyPolicy.from_mapping(
            {
                "TRUSTED_PROXY_HEADERS": [FOR],
                "TRUSTED_PROXIES": PROXIES,
                "TRUSTED_PROXY_HTTPS_ONLY": True,
                "TRUSTED_PROXY_HTTPS_STATUS": 301,
                "TRUSTED_PROXY_HSTS_POLICY": "max-age=1",
            }
        )

    assert [record.getMessage() for record in warnings()] == [
        f"trustedproxy: {name} is set, and a policy alone does not use it: read it "
        "with trustedproxy.read_settings(), environment variables with "
        "read_settings(read_environment(os.environ)) of trustedproxy.settings, "
        "mod_wsgi's with read_settings(parse_mod_wsgi(text)) of trustedproxy.mod_wsgi"
        for name in ("TRUSTED_PROXY_HTTPS_ONLY", "TRUSTED_PROXY_HSTS_POLICY")
    ]


def test_policy_of_the_environment_is_the_processs_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without an argument, the variables of this process are read."""
    monkeypatch.setenv("TRUSTED_PROXY_HEADERS", f"{FOR}, X-Edge-TLS=flag")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8 unix")
    monkeypatch.setenv("TRUSTED_PROXY_HOPS", "3")

    assert ProxyPolicy.from_env() == ProxyPolicy(
        headers=[FOR, ProxyHeader("X-Edge-TLS", Category.SCHEME, Form.FLAG)],
        proxies=["10.0.0.0/8", "unix"],
        hops=3,
    )


@pytest.mark.parametrize(
    ("variable", "proxies"), [("", ()), (" ", ()), ("*", None), ("unix", ("unix",))]
)
def test_empty_variable_trusts_nobody(
    variable: str, proxies: tuple[str, ...] | None
) -> None:
    """It is an empty list; one that is not set is an error where headers are (R4)."""
    environment = {"TRUSTED_PROXY_HEADERS": FOR, "TRUSTED_PROXIES": variable}

    assert ProxyPolicy.from_env(environment).proxies == proxies
    with pytest.raises(ConfigurationError, match="whom to trust has to be said"):
        ProxyPolicy.from_env({"TRUSTED_PROXY_HEADERS": FOR})


def test_policy_of_a_preset_can_be_overridden() -> None:
    """By keyword or by setting; it knows its preset."""
    plain = ProxyPolicy.from_preset("cloudflare")
    stricter = ProxyPolicy.from_preset("cloudflare", malformed="reject")
    same = ProxyPolicy.from_mapping(
        {"TRUSTED_PROXY_PRESET": "cloudflare", "TRUSTED_PROXY_MALFORMED": "reject"}
    )

    assert plain.preset == "cloudflare"
    assert (plain.strip, plain.malformed) == ("all", "ignore")
    assert stricter == same != plain
    assert stricter.malformed == "reject"
    assert stricter.headers == plain.headers


def test_policy_of_apache_directives_is_what_they_say() -> None:
    """The rest of what is read there is in test_mod_wsgi."""
    policy = ProxyPolicy.from_mod_wsgi(
        f"WSGITrustedProxyHeaders {FOR} {PROTO}\nWSGITrustedProxies {PROXY}\n"
    )

    assert policy == ProxyPolicy(headers=[FOR, PROTO], proxies=[PROXY])


# -- what stands beside it -------------------------------------------------------------


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
@pytest.mark.parametrize("headers", [{}, {FOR: "203.0.113.7"}])
def test_proxy_fix_before_us_is_logged_once(
    peer: str, headers: dict[str, str], warnings: Records
) -> None:
    """Its key in the environ says that the peer is not the peer any more (R16)."""
    policy = ProxyPolicy(headers=[FOR], proxies="*")

    for _ in range(3):
        environ = make_environ(headers, peer=peer, **{"werkzeug.proxy_fix.orig": {}})
        policy.apply(environ)
        assert DECISION_KEY in environ

    messages = [record.getMessage() for record in warnings()]
    assert sum("ProxyFix has rewritten" in text for text in messages) == 1


@pytest.mark.parametrize(
    ("server", "headers", "times"),
    [
        ("waitress", {}, 1),
        ("waitress", {FOR: "203.0.113.7"}, 0),
        ("waitress", {FOR: "garbage"}, 0),
        ("gunicorn/27.0.1", {}, 0),
    ],
)
def test_what_waitress_removes_is_logged_once_where_it_is_missing(
    server: str, headers: dict[str, str], times: int, warnings: Records
) -> None:
    """The most likely reason for a missing header is the server, and has a switch."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    for _ in range(3):
        policy.apply(make_environ(headers, SERVER_SOFTWARE=server))

    messages = [record.getMessage() for record in warnings()]
    hints = [text for text in messages if "--no-clear-untrusted-proxy-headers" in text]
    assert len(hints) == times
