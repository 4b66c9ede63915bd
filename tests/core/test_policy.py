"""
The policy: what may be configured, and what a policy is from then on.

In:  arguments, mappings, environment variables, Apache directives.
Out: policies and errors word for word; secrets that are seen nowhere; report_only.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any, Final

import pytest

from trustedproxy import (
    Category,
    ConfigurationError,
    Connection,
    Form,
    ProxyHeader,
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
    log,
)
from trustedproxy.explain import describe_policy, explain
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.wsgi import DECISION_KEY, PROXY_FIX_KEY

from .making import (
    FOR,
    FORWARDED,
    HOST,
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

Told = Callable[[], list[str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """List what was told at WARNING during the test so far."""
    log.forget()
    caplog.set_level(logging.DEBUG, logger="trustedproxy")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


# -- what may be configured ------------------------------------------------------------

A_LIST = "a list of strings, or one string"
A_COUNT = "a whole number from 1 to 64"
YES_OR_NO = "True or False"
A_SECRET = "a string of printable ASCII without blanks around it"
A_NAME = "a header name of letters, digits and '-'"
KNOWN = "a header that is known"
NEVER = "a header that can be trusted: it is only removed"

MISTAKES: list[tuple[dict[str, Any], str]] = [
    # Headers.
    ({"headers": 5}, f"TRUSTED_PROXY_HEADERS: 5 is not {A_LIST}."),
    ({"headers": None}, f"TRUSTED_PROXY_HEADERS: None is not {A_LIST}."),
    ({"headers": {FOR: 1}}, f"TRUSTED_PROXY_HEADERS: {{'{FOR}': 1}} is not {A_LIST}."),
    ({"headers": b"X"}, f"TRUSTED_PROXY_HEADERS: b'X' is not {A_LIST}."),
    ({"headers": [5]}, "TRUSTED_PROXY_HEADERS[0]: 5 is not a header's name."),
    (
        {"headers": [FOR, "X-Forwarded-Fro"]},
        f"TRUSTED_PROXY_HEADERS[1]: 'X-Forwarded-Fro' is not {KNOWN} "
        "(the nearest is 'X-Forwarded-For').",
    ),
    (
        {"headers": "HTTP_X_REAL_IP"},
        f"TRUSTED_PROXY_HEADERS[0]: 'HTTP_X_REAL_IP' is not {KNOWN} "
        "(the nearest is 'X-Real-IP').",
    ),
    (
        {"headers": {FOR}},
        "TRUSTED_PROXY_HEADERS: {'X-Forwarded-For'} is not in an order, which decides "
        "winners.",
    ),
    (
        {"proxies": ["file:\0"]},
        "TRUSTED_PROXIES[0]: 'file:\\x00' is not a file that can be read (ValueError).",
    ),
    (
        {"headers": FOR, "secret_header": "Host", "secrets": ["s"]},
        "TRUSTED_PROXY_SECRET_HEADER: 'Host' is not a header that says what a proxy "
        "saw.",
    ),
    (
        {"headers": ["?"]},
        f"TRUSTED_PROXY_HEADERS[0]: '?' is not {KNOWN}; "
        "describe your own by ProxyHeader.",
    ),
    (
        {"headers": ["x-original-url"]},
        f"TRUSTED_PROXY_HEADERS[0]: 'X-Original-URL' is not {NEVER}.",
    ),
    (
        {"headers": ["X-ARR-SSL"]},
        f"TRUSTED_PROXY_HEADERS[0]: 'X-ARR-SSL' is not {NEVER}.",
    ),
    (
        {"headers": [ProxyHeader("X-Edge", Category.HOST, Form.NEVER)]},
        f"TRUSTED_PROXY_HEADERS[0]: 'X-Edge' is not {NEVER}.",
    ),
    (
        {"headers": [FOR, PROTO, "x-FORWARDED-for"]},
        "TRUSTED_PROXY_HEADERS[2]: 'x-FORWARDED-for' is not new here: "
        "'X-Forwarded-For' is listed before it.",
    ),
    (
        {"headers": [FOR, ProxyHeader(FOR.upper(), Category.CLIENT, Form.ADDRESS)]},
        "TRUSTED_PROXY_HEADERS[1]: 'X-FORWARDED-FOR' is not new here: "
        "'X-Forwarded-For' is listed before it.",
    ),
    (
        {"headers": [FORWARDED, PROTO]},
        f"TRUSTED_PROXY_HEADERS: '{PROTO}' is not possible beside 'Forwarded', which "
        "says the scheme itself: list one convention.",
    ),
    (
        {"headers": [HOST, FORWARDED]},
        f"TRUSTED_PROXY_HEADERS: '{HOST}' is not possible beside 'Forwarded', which "
        "says the host itself: list one convention.",
    ),
    (
        {
            "headers": [
                ProxyHeader("X-Edge", Category.CLIENT, Form.FORWARDED),
                FORWARDED,
            ]
        },
        "TRUSTED_PROXY_HEADERS: 'Forwarded' is not possible beside 'X-Edge', which "
        "says the client itself: list one convention.",
    ),
    # Proxies; the entries are in test_networks.
    ({"proxies": 5}, f"TRUSTED_PROXIES: 5 is not {A_LIST}."),
    (
        {"proxies": ["*", PROXY]},
        f"TRUSTED_PROXIES: ['*', '{PROXY}'] is not '*' alone: it stands for all.",
    ),
    (
        {"proxies": f"{PROXY}, *"},
        f"TRUSTED_PROXIES: '{PROXY}, *' is not '*' alone: it stands for all.",
    ),
    # Counts, words, flags.
    ({"hops": 0}, f"TRUSTED_PROXY_HOPS: 0 is not {A_COUNT}."),
    ({"hops": -1}, f"TRUSTED_PROXY_HOPS: -1 is not {A_COUNT}."),
    ({"hops": 65}, f"TRUSTED_PROXY_HOPS: 65 is not {A_COUNT}."),
    ({"hops": "2"}, f"TRUSTED_PROXY_HOPS: '2' is not {A_COUNT}."),
    ({"hops": 2.0}, f"TRUSTED_PROXY_HOPS: 2.0 is not {A_COUNT}."),
    ({"hops": True}, f"TRUSTED_PROXY_HOPS: True is not {A_COUNT}."),
    (
        {"strip": "lisetd"},
        "TRUSTED_PROXY_STRIP: 'lisetd' is not 'listed' or 'all' "
        "(the nearest is 'listed').",
    ),
    ({"strip": None}, "TRUSTED_PROXY_STRIP: None is not 'listed' or 'all'."),
    (
        {"malformed": "REJECT"},
        "TRUSTED_PROXY_MALFORMED: 'REJECT' is not 'ignore' or 'reject' "
        "(the nearest is 'reject').",
    ),
    ({"missing": 400}, "TRUSTED_PROXY_MISSING: 400 is not 'ignore' or 'reject'."),
    (
        {"headers": [PROTO], "missing": "reject"},
        "TRUSTED_PROXY_MISSING: 'reject' is not possible without a client header in "
        "TRUSTED_PROXY_HEADERS.",
    ),
    ({"port_in_host": 1}, f"TRUSTED_PROXY_PORT_IN_HOST: 1 is not {YES_OR_NO}."),
    (
        {"strip_mount_point": "on"},
        f"TRUSTED_PROXY_STRIP_MOUNT_POINT: 'on' is not {YES_OR_NO}.",
    ),
    ({"report_only": None}, f"TRUSTED_PROXY_REPORT_ONLY: None is not {YES_OR_NO}."),
    # Secrets, which no error shows.
    (
        {"secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER: None is not set, though "
        "TRUSTED_PROXY_SECRETS is.",
    ),
    (
        {"secret_header": PROOF},
        "TRUSTED_PROXY_SECRETS: () is not set, though TRUSTED_PROXY_SECRET_HEADER is.",
    ),
    (
        {"secret_header": PROOF, "secrets": ""},
        "TRUSTED_PROXY_SECRETS: () is not set, though TRUSTED_PROXY_SECRET_HEADER is.",
    ),
    (
        {"secret_header": 5, "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER: 5 is not a header's name.",
    ),
    (
        {"secret_header": "X_Proof", "secrets": [SECRET]},
        f"TRUSTED_PROXY_SECRET_HEADER: 'X_Proof' is not {A_NAME}.",
    ),
    (
        {"secret_header": FOR.lower(), "secrets": [SECRET]},
        f"TRUSTED_PROXY_SECRET_HEADER: '{FOR.lower()}' is not possible while the same "
        "header is listed as trusted.",
    ),
    (
        {"secret_header": "x-real-ip", "secrets": [SECRET]},
        "TRUSTED_PROXY_SECRET_HEADER: 'x-real-ip' is not a header of its own: "
        "'X-Real-IP' is a known header of the category 'client'.",
    ),
    (
        {"secret_header": PROOF, "secrets": 5},
        f"TRUSTED_PROXY_SECRETS: '<secret>' is not {A_LIST}.",
    ),
    (
        {"secret_header": PROOF, "secrets": None},
        f"TRUSTED_PROXY_SECRETS: None is not {A_LIST}.",
    ),
    (
        {"secret_header": PROOF, "secrets": SECRET.encode()},
        f"TRUSTED_PROXY_SECRETS: '<secret>' is not {A_LIST}.",
    ),
    *(
        (
            {"secret_header": PROOF, "secrets": [SECRET, wrong]},
            f"TRUSTED_PROXY_SECRETS[1]: '<secret>' is not {A_SECRET}.",
        )
        for wrong in (
            "",
            " ",
            f" {SECRET}",
            f"{SECRET}\n",
            f"{SECRET}\0",
            f"{SECRET}\xe9",
            f"{SECRET}\ud800",
            SECRET.encode(),
            5,
            None,
        )
    ),
]


@pytest.mark.parametrize(("options", "text"), MISTAKES, ids=lambda v: ascii(v)[:60])
def test_mistake_is_an_error_at_start(options: dict[str, Any], text: str) -> None:
    """It names the setting, the value, and the nearest that is right."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy(**{"headers": [FOR], **options})

    assert str(caught.value) == text
    assert caught.value.option.partition("[")[0] in text
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in "".join(traceback.format_exception_only(error))
        assert SECRET not in repr(error.args)
        error = error.__context__


def test_policy_has_keywords_alone() -> None:
    """Nobody has to know an order."""
    make: Any = ProxyPolicy

    with pytest.raises(TypeError):
        make([FOR])


@pytest.mark.parametrize(
    "value",
    [
        f"{FOR} {PROTO}",
        f"{FOR},{PROTO}",
        f" {FOR.lower()} ,\n{PROTO.upper()},",
        [FOR, PROTO],
        (FOR, PROTO),
        {FOR: 1, PROTO: 1}.keys(),
        iter([FOR, PROTO]),
    ],
    ids=repr,
)
def test_list_may_be_one_string(value: Any) -> None:
    """Separated by blanks or commas, as in Apache's directive; names in any case."""
    policy = ProxyPolicy(headers=value)

    assert [header.name for header in policy.headers] == [FOR, PROTO]


@pytest.mark.parametrize(
    ("value", "proxies", "peer_trusted"),
    [
        (None, None, {PROXY, STRANGER, ""}),
        ("*", None, {PROXY, STRANGER, ""}),
        (["*"], None, {PROXY, STRANGER, ""}),
        ("", (), set()),
        ([], (), set()),
        ("10.0.0.0/8, unix", ("10.0.0.0/8", "unix"), {PROXY, ""}),
        ((PROXY,), (PROXY,), {PROXY}),
    ],
)
def test_proxies_are_everybody_nobody_or_a_list(
    value: Any, proxies: tuple[str, ...] | None, peer_trusted: set[str]
) -> None:
    """``None`` and ``"*"`` trust every peer, an empty list nobody."""
    policy = ProxyPolicy(headers=[FOR], proxies=value)

    assert policy.proxies == proxies
    assert policy.trusts_every_peer is (proxies is None)
    assert policy.every_peer_on_purpose is (value in ("*", ["*"]))
    assert peer_trusted == {
        peer
        for peer in (PROXY, STRANGER, "")
        if policy.decide(Connection(peer), {FOR: "203.0.113.7"}).peer_trusted
    }


def test_policy_that_lists_no_header_or_asks_for_a_secret_believes_not_everybody() -> (
    None
):
    """Then nothing is trusted, or only those who know the secret."""
    assert not ProxyPolicy().trusts_every_peer
    assert not ProxyPolicy(
        headers=[FOR], secret_header=PROOF, secrets=SECRET
    ).trusts_every_peer


def test_header_of_ones_own_takes_the_place_of_a_known_one() -> None:
    """It is one name, wherever it stands in the table."""
    own = ProxyHeader("x-host", Category.HOST, Form.HOST)
    edge = ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)

    known = ProxyPolicy(headers=[own, edge]).known_headers

    assert own in known and edge in known
    assert len(known) == len(KNOWN_HEADERS) + 1
    assert "X-Host" not in {header.name for header in known}


def test_policy_is_shown_with_what_was_configured() -> None:
    """`repr` has every argument but the secrets."""
    policy = ProxyPolicy(
        headers=[FOR], proxies=PROXY, hops=2, secret_header=PROOF, secrets=SECRET
    )

    assert repr(policy) == (
        f"ProxyPolicy(headers=['{FOR}'], proxies=('{PROXY}',), hops=2, "
        f"secret_header='{PROOF}', strip='listed', malformed='ignore', "
        "missing='ignore', port_in_host=False, strip_mount_point=False, report_only=False)"
    )
    assert "secret" not in repr(ProxyPolicy(headers=[FOR]))


def test_headers_that_are_read_are_listed_with_their_keys() -> None:
    """For those who pick them out of an environ."""
    policy = ProxyPolicy(headers=[FOR], secret_header=PROOF, secrets=SECRET)

    keys = policy.header_keys()

    assert keys[FOR] == "HTTP_X_FORWARDED_FOR"
    assert keys["Connection"] == "HTTP_CONNECTION"
    assert keys[PROOF] == "HTTP_X_PROXY_PROOF"
    assert len(keys) == len(KNOWN_HEADERS) + 2
    assert len(ProxyPolicy().header_keys()) == len(KNOWN_HEADERS) + 1


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
        (STRANGER, {FOR: "203.0.113.7", PROOF: SECRET}),
    ],
)
def test_secret_is_seen_nowhere(
    peer: str,
    headers: dict[str, str],
    report_only: bool,
    malformed: str,
    strip: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in decision, log, explanation or description, and not by the application."""
    log.forget()
    caplog.set_level(logging.DEBUG, logger="trustedproxy")
    policy = ProxyPolicy(
        headers=[FOR, REAL],
        proxies=PROXIES,
        secret_header=PROOF,
        secrets=["another", SECRET],
        strip=strip,
        malformed=malformed,
        report_only=report_only,
    )
    environ = make_environ(headers, peer=peer)
    scope = make_scope([(k.lower(), v) for k, v in headers.items()], peer=peer)
    connection = Connection(peer)

    shown = [
        repr(policy),
        policy.explain(dict(environ)),
        explain(policy, connection, headers),
        describe_policy(policy),
        repr(policy.decide(connection, headers)),
    ]
    decision = policy.apply(environ)
    in_scope, new = policy.apply_scope(scope)
    for said in (decision, in_scope):
        shown += [repr(said), str(show(said)), str(said.original)]
    shown += [record.getMessage() for record in caplog.records]

    assert not [text for text in shown if SECRET in text]
    if not report_only:
        assert not [v for v in environ.values() if SECRET in str(v)]
        assert not [v for _, v in new["headers"] if SECRET.encode() in v]


# -- told once -------------------------------------------------------------------------


def test_every_peer_is_told_once_at_start(told: Told) -> None:
    """With what to set instead; never by the policy itself, nor by a request."""
    policy = ProxyPolicy(headers=[FOR])
    policy.apply(make_environ({FOR: "203.0.113.7"}))
    assert told() == []

    for _ in range(3):
        policy.tell_at_start()

    [message] = told()
    assert message.startswith("TRUSTED_PROXIES is not set: the trusted headers are ")
    assert "'*'" in message


@pytest.mark.parametrize(
    "options",
    [
        {"proxies": "*"},
        {"proxies": []},
        {"proxies": PROXIES},
        {"headers": []},
        {"secret_header": PROOF, "secrets": SECRET},
    ],
)
def test_nothing_is_told_at_start_where_it_is_meant(
    options: dict[str, Any], told: Told
) -> None:
    """``"*"`` says the same on purpose, and silences it."""
    ProxyPolicy(**{"headers": [FOR], **options}).tell_at_start()

    assert told() == []


@pytest.mark.parametrize("options", [{}, {"hops": 1}, {"port_in_host": True}])
def test_second_application_does_nothing_and_is_told_once(
    options: dict[str, Any], told: Told
) -> None:
    """The first decision stands, for whichever policy comes second (R16)."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, **options)
    environ = make_environ({FOR: "203.0.113.7", REAL: "6.6.6.6"})
    decision = policy.apply(environ)
    before = dict(environ)

    for other in (policy, ProxyPolicy(headers=[REAL]), ProxyPolicy(report_only=True)):
        assert other.apply(environ) is decision
        assert environ == before
    [message] = told()
    assert "the first decision stands" in message


@pytest.mark.parametrize("peer", [PROXY, STRANGER])
@pytest.mark.parametrize("headers", [{}, {FOR: "203.0.113.7"}])
def test_proxy_fix_before_us_is_told_once(
    peer: str, headers: dict[str, str], told: Told
) -> None:
    """Its key in the environ says that the peer is not the peer any more."""
    policy = ProxyPolicy(headers=[FOR], proxies="*")

    for _ in range(3):
        environ = make_environ(headers, peer=peer, **{PROXY_FIX_KEY: {}})
        policy.apply(environ)
        assert DECISION_KEY in environ

    assert len([text for text in told() if "ProxyFix has rewritten" in text]) == 1


@pytest.mark.parametrize(
    ("server", "headers", "times"),
    [
        ("waitress", {}, 1),
        ("waitress", {FOR: "203.0.113.7"}, 0),
        ("waitress", {FOR: "garbage"}, 0),
        ("gunicorn/27.0.1", {}, 0),
    ],
)
def test_what_waitress_removes_is_told_once_where_it_is_missing(
    server: str, headers: dict[str, str], times: int, told: Told
) -> None:
    """The most likely reason for a missing header is the server, and has a switch."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    for _ in range(3):
        policy.apply(make_environ(headers, SERVER_SOFTWARE=server))

    hints = [text for text in told() if "--no-clear-untrusted-proxy-headers" in text]
    assert len(hints) == times


def test_problems_of_an_environ_are_told(told: Told) -> None:
    """Malformed and missing ones, also of requests that come often."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    for _ in range(2):
        policy.apply(make_environ())
        policy.apply(make_environ({FOR: "garbage"}))

    missing, malformed = told()
    assert "(missing)" in missing
    assert "(malformed)" in malformed and "'garbage'" in malformed


# -- shadow ----------------------------------------------------------------------------

SHADOWS: list[dict[str, Any]] = [
    {},
    {"proxies": []},
    {"strip": "all", "malformed": "reject"},
    {"missing": "reject", "headers": [REAL]},
    {"secret_header": PROOF, "secrets": SECRET},
]


@pytest.mark.parametrize("options", SHADOWS)
def test_shadow_changes_nothing_and_tells_what_would_be(
    options: dict[str, Any], told: Told
) -> None:
    """The environ is the same before and after; the decision is the real one (R17)."""
    given = {"headers": [FOR, PROTO], "proxies": PROXIES, **options}
    report_only, real = ProxyPolicy(**given, report_only=True), ProxyPolicy(**given)
    sent = {FOR: "garbage, 203.0.113.7, 10.0.0.8", PROTO: "https", REAL: "x"}
    environ = make_environ(sent, HTTPS="off", REMOTE_PORT="1")
    before = dict(environ)

    decision = report_only.apply(environ)
    report_only.apply(environ)

    assert environ == before
    assert decision == real.apply(dict(environ))
    shadows = [text for text in told() if text.startswith("report_only: ")]
    assert shadows == [f"report_only: {sorted(decision.original)} would be {decision}"]


def test_shadow_tells_so_much_and_no_more(told: Told) -> None:
    """A request can be as long as it likes, a line of the log cannot."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=True)

    decision = policy.apply(make_environ({FOR: "x" * 100_000}))

    shadow = told()[-1]
    length = len(repr(decision))
    assert length > 100_000
    assert len(report_only) < 2500
    assert report_only.startswith(
        "report_only: ['HTTP_X_FORWARDED_FOR'] would be Decision("
    )
    assert report_only.endswith(f"… ({length} characters)")


def test_shadow_is_silent_where_nothing_would_be_changed(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """Then the decision is told at DEBUG alone."""
    ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=True).apply(
        make_environ(peer=STRANGER)
    )

    assert told() == []
    [record] = caplog.records
    assert record.levelname == "DEBUG"
    assert record.getMessage().startswith("report_only: Decision(")


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
        }
    )

    assert [header.name for header in policy.headers] == [FOR, PROTO]
    assert (policy.proxies, policy.hops) == (PROXIES, 2)
    assert (policy.strip, policy.report_only) == ("all", True)
    assert ProxyPolicy.from_mapping({}).headers == ()


def test_settings_that_a_policy_does_not_use_are_told_once(told: Told) -> None:
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

    assert told() == [
        f"{name} is set, and a policy alone does not use it: read it with "
        "trustedproxy.read_settings(), environment variables with "
        "read_settings(read_environment(os.environ)) of trustedproxy.settings, "
        "mod_wsgi's with read_settings(parse_mod_wsgi(text)) of trustedproxy.mod_wsgi"
        for name in ("TRUSTED_PROXY_HTTPS_ONLY", "TRUSTED_PROXY_HSTS_POLICY")
    ]


def test_unknown_setting_is_an_error() -> None:
    """A name that begins like ours and is none of them is a typing error."""
    for name, near in [
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("TRUSTED_PROXY_HEADER", "TRUSTED_PROXY_HEADERS"),
        ("TRUSTED_PROXIES_HOPS", "TRUSTED_PROXY_HOPS"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            ProxyPolicy.from_mapping({name: None})
        assert str(caught.value) == (
            f"{name}: {name!r} is not a known setting (the nearest is {near!r})."
        )


def test_policy_of_the_environment_is_the_processs_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without an argument, the variables of this process are read."""
    monkeypatch.setenv("TRUSTED_PROXY_HEADERS", f"{FOR}, {PROTO}")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8 unix")
    monkeypatch.setenv("TRUSTED_PROXY_HOPS", "3")

    policy = ProxyPolicy.from_env()

    assert [header.name for header in policy.headers] == [FOR, PROTO]
    assert (policy.proxies, policy.hops) == (("10.0.0.0/8", "unix"), 3)


@pytest.mark.parametrize(
    ("environment", "proxies"),
    [
        ({}, None),
        ({"TRUSTED_PROXIES": ""}, ()),
        ({"TRUSTED_PROXIES": " "}, ()),
        ({"TRUSTED_PROXIES": "*"}, None),
    ],
)
def test_variable_that_is_unset_is_not_one_that_is_empty(
    environment: dict[str, str], proxies: tuple[str, ...] | None
) -> None:
    """Unset trusts every peer, an empty list nobody."""
    environment = {"TRUSTED_PROXY_HEADERS": FOR, **environment}

    assert ProxyPolicy.from_env(environment).proxies == proxies


def test_policy_of_apache_directives_is_what_they_say() -> None:
    """The rest of what is read there is in test_mod_wsgi."""
    policy = ProxyPolicy.from_mod_wsgi(
        f"WSGITrustedProxyHeaders {FOR} {PROTO}\nWSGITrustedProxies {PROXY}\n"
    )

    assert [header.name for header in policy.headers] == [FOR, PROTO]
    assert policy.proxies == (PROXY,)


# -- one implementation, every surface -------------------------------------------------


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
        assert {**surface, "original": None} == {**pure, "original": None}


def test_explanation_leaves_the_environ_alone() -> None:
    """The same rules on a copy, in words."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    environ = make_environ({FOR: "203.0.113.7"}, PATH_INFO="/shown")
    before = dict(environ)

    text = policy.explain(environ)

    assert environ == before
    assert "203.0.113.7" in text and "/shown" in text
    assert text.startswith("The request\n")


def test_explanation_of_a_decided_request_says_that_it_is_one() -> None:
    """Its client is the peer now, and what follows must not be taken for the reason."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    environ = make_environ({FOR: "203.0.113.7"})
    policy.apply(environ)

    text = policy.explain(environ)

    first, _, rest = text.partition("\n\n")
    assert first.startswith("A policy was applied to this request before")
    assert rest.startswith("The request\n  peer '203.0.113.7'")


@pytest.mark.parametrize("make", [TrustedProxyMiddleware, TrustedProxyASGIMiddleware])
def test_middleware_cannot_be_made_of_a_wrong_policy(make: Any) -> None:
    """Nothing fails later than at start-up because of configuration."""
    with pytest.raises(ConfigurationError):
        make(None, ProxyPolicy(headers=[FOR], proxies=["10.0.0.0/33"]))


def test_shadow_shortens_what_a_request_is_full_of(told: Told) -> None:
    """However long a forged value is, one line of the log is not."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=True)

    policy.apply(make_environ({FOR: "x" * 60_000}, peer=STRANGER))

    [text] = told()
    assert text.startswith("report_only: ['HTTP_X_FORWARDED_FOR'] would be Decision(")
    assert len(text) < 2_200
    assert text.endswith(" characters)")


def test_decide_takes_an_address_for_a_connection() -> None:
    """A peer's address alone is a connection about which nothing else is known."""
    policy = ProxyPolicy(headers=[FOR], proxies=["10.0.0.0/8"])
    headers = {FOR: "203.0.113.7"}

    assert policy.decide("10.0.0.9", headers) == policy.decide(
        Connection("10.0.0.9"), headers
    )
    assert policy.decide("10.0.0.9", headers).client == "203.0.113.7"


@pytest.mark.parametrize(
    ("keywords", "nothing"),
    [
        ({}, True),
        ({"proxies": PROXIES}, True),
        ({"strip": "all"}, False),
        ({"headers": [FOR]}, False),
    ],
    ids=str,
)
def test_policy_without_a_header_changes_nothing_unless_it_strips_all(
    keywords: dict[str, Any], nothing: bool
) -> None:
    """What it says of itself is what it does."""
    policy = ProxyPolicy(**keywords)
    environ = make_environ({FOR: "203.0.113.7"}, peer=STRANGER)
    before = dict(environ)

    decision = policy.apply(environ)

    assert policy.changes_nothing is nothing
    assert (environ == {**before, DECISION_KEY: decision}) is nothing


@pytest.mark.parametrize("report_only", [False, True])
def test_policy_refuses_what_it_rejects_but_not_in_shadow(report_only: bool) -> None:
    """In shadow the decision says what would be refused."""
    policy = ProxyPolicy(
        headers=[FOR], proxies=PROXIES, missing="reject", report_only=shadow
    )

    decision = policy.decide(PROXY, {})

    assert decision.rejected is not None
    assert policy.refuses(decision) is not shadow
    assert not policy.refuses(policy.decide(STRANGER, {}))
