"""
Which mistakes of the operator are logged, for whom, and how often.

In:  policies with a mistake in them, and the requests that show it.
Out: records with what to change; none that a stranger can make.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from trustedproxy import Decision, ProxyPolicy, decision_log, log

from .making import (
    FOR,
    HOST,
    PROTO,
    PROXIES,
    PROXY,
    REAL,
    SCRIPT,
    STRANGER,
    make_environ,
    make_scope,
)

POLICY = ProxyPolicy(headers=[FOR, PROTO], proxies=["192.168.1.31"])
SENT = {FOR: "203.0.113.7", PROTO: "https"}
SECRETS: dict[str, Any] = {
    "secret_header": "X-Proxy-Proof",
    "secrets": ["correct-horse-battery-staple"],
}

#: Reads the records of a test so far, at a level and above.
Records = Callable[[int], list[logging.LogRecord]]


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Records:
    """Read what was logged during the test so far; nothing was logged before."""
    log.forget()
    caplog.set_level(logging.DEBUG, logger="trustedproxy")
    return lambda level: [r for r in caplog.records if r.levelno >= level]


def send(
    policy: ProxyPolicy,
    headers: dict[str, str],
    *,
    peer: str = PROXY,
    surface: str = "environ",
    **variables: Any,
) -> None:
    """Send one request through *policy*."""
    if surface == "environ":
        policy.apply(make_environ(headers, peer=peer, **variables))
    else:
        lines = [(name.lower(), value) for name, value in headers.items()]
        path = variables.get("PATH_INFO", "/x")
        policy.apply_scope(
            make_scope(lines, peer=peer, path=path, raw_path=path.encode())
        )


def read_extras(record: logging.LogRecord) -> tuple[object, ...]:
    """Read the attributes of a record that filters use."""
    return tuple(getattr(record, name) for name in ("code", "header", "peer"))


both = pytest.mark.parametrize("surface", ["environ", "scope"])

# -- the commonest mistake: the proxy is not in the list -------------------------------

OWN_PEERS: list[tuple[str, str]] = [
    ("172.18.0.1", "172.18.0.1"),
    ("10.9.8.7", "10.9.8.7"),
    ("192.168.1.32", "192.168.1.32"),
    ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    ("169.254.1.1", "169.254.1.1"),
    ("fe80::1%eth0", "fe80::1"),
    ("fd00::17", "fd00::17"),
    ("100.64.3.3", "100.64.3.3"),
    ("::ffff:172.18.0.1", "172.18.0.1"),
    ("2001:DB8::1", ""),
    ("198.51.100.7", ""),
]


@both
@pytest.mark.parametrize(("peer", "entry"), OWN_PEERS)
def test_proxy_that_is_not_in_the_list_is_logged_with_the_entry_to_add(
    peer: str, entry: str, surface: str, records: Records
) -> None:
    """At WARNING, once for each peer of an own network; a stranger at DEBUG."""
    for _ in range(3):
        send(POLICY, SENT, peer=peer, surface=surface)

    if not entry:
        assert records(logging.INFO) == []
        assert {r.code for r in records(logging.DEBUG)} == {  # type: ignore[attr-defined]  # records have what `extra` gave
            "peer-not-trusted",
            "decided",
        }
        return
    [record] = records(logging.WARNING)
    assert record.getMessage() == (
        f"trustedproxy: the peer {peer!r} sent X-Forwarded-For, X-Forwarded-Proto, "
        "which was removed, because TRUSTED_PROXIES does not list this peer. If it is "
        f"your own proxy, add {entry!r}, or its network, if nothing but that proxy can "
        "come from there: through a published container port strangers come from the "
        "gateway's address too."
    )
    assert read_extras(record) == ("peer-not-trusted", FOR, peer)


@pytest.mark.parametrize("peer", ["", "@app", "unix:/run/x", "localhost", "0.0.0.0"])
def test_unix_peer_is_logged_with_its_word(peer: str, records: Records) -> None:
    """A proxy that connects over a unix socket is trusted by ``unix``."""
    send(POLICY, SENT, peer=peer)

    [record] = records(logging.WARNING)
    assert record.getMessage().endswith(
        "add 'unix', if nothing but that proxy can connect to the socket."
    )
    assert read_extras(record) == ("peer-not-trusted", FOR, peer)


def test_unix_peer_of_a_scope_is_logged_with_its_word(records: Records) -> None:
    """Whatever its client calls itself."""
    lines = [(FOR.lower(), "203.0.113.7")]
    server = ("/run/app.sock", None)
    POLICY.apply_scope(make_scope(lines, client=("127.0.0.1", 1), server=server))
    POLICY.apply_scope(make_scope(lines, client=None, server=server))

    messages = [record.getMessage() for record in records(logging.WARNING)]
    assert len(messages) == 2
    assert all("add 'unix'" in message for message in messages)


@both
def test_peer_that_stands_in_the_header_is_a_client(
    surface: str, records: Records
) -> None:
    """What has rewritten the client is to be switched off, and nobody added."""
    send(POLICY, {FOR: "203.0.113.7, 172.18.0.1"}, peer="172.18.0.1", surface=surface)

    [record] = records(logging.WARNING)
    assert "Do not add this address to TRUSTED_PROXIES" in record.getMessage()
    assert read_extras(record) == ("peer-rewritten", FOR, "172.18.0.1")


UNKNOWN_PEER = (
    "that is no address, and the server shows no unix socket, so that no entry of "
    "TRUSTED_PROXIES can be for it."
)


def test_peer_that_the_server_does_not_report_is_logged(records: Records) -> None:
    """No entry can be for it, and the record names none."""
    environ = make_environ(SENT)
    del environ["REMOTE_ADDR"]
    POLICY.apply(environ)

    [record] = records(logging.WARNING)
    assert UNKNOWN_PEER in record.getMessage()
    assert read_extras(record) == ("peer-not-trusted", FOR, "")


def test_peer_of_a_name_is_no_unix_socket(records: Records) -> None:
    """A client of ASGI over TCP may be called anything."""
    send(POLICY, SENT, peer="testclient", surface="scope")

    assert records(logging.INFO) == []
    [record] = [r for r in records(logging.DEBUG) if UNKNOWN_PEER in r.getMessage()]
    assert read_extras(record) == ("peer-not-trusted", FOR, "testclient")


@pytest.mark.parametrize(
    "headers", [{}, {REAL: "203.0.113.7"}, {HOST: "a.example"}, {"Accept": "*/*"}]
)
def test_peer_that_sends_no_trusted_header_is_none_that_is_missing(
    headers: dict[str, str], records: Records
) -> None:
    """A health check, or a request of one machine to another, is no proxy's."""
    send(POLICY, headers, peer="172.18.0.1")

    assert records(logging.WARNING) == []


def test_each_peer_is_logged_once(records: Records) -> None:
    """Several proxies may be missing, and each is named."""
    for peer in ("172.18.0.1", "172.18.0.2", "172.18.0.1", "172.18.0.3"):
        send(POLICY, SENT, peer=peer)

    assert [record.peer for record in records(logging.WARNING)] == [  # type: ignore[attr-defined]  # records have what `extra` gave
        "172.18.0.1",
        "172.18.0.2",
        "172.18.0.3",
    ]


def test_headers_of_a_stated_category_show_a_proxy_too(records: Records) -> None:
    """Where a fact is stated, no header of its category is listed."""
    policy = ProxyPolicy(fixed_scheme="https", proxies=["192.168.1.31"])

    send(policy, {PROTO: "http", HOST: "a.example"}, peer="172.18.0.1")

    [record] = records(logging.WARNING)
    assert "sent X-Forwarded-Proto, which was removed" in record.getMessage()


def test_strangers_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """100,000 of them write nothing at WARNING, and are not remembered."""
    log.forget()
    caplog.set_level(logging.INFO, logger="trustedproxy")
    environ = make_environ(SENT)
    send(POLICY, SENT, peer=STRANGER)
    before = sys.getallocatedblocks()

    for number in range(100_000):
        peer = f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        POLICY.apply({**environ, "REMOTE_ADDR": peer})

    assert caplog.records == []
    assert sys.getallocatedblocks() - before < 5_000


@both
def test_strangers_do_not_use_up_what_is_left_for_proxies(
    surface: str, records: Records
) -> None:
    """A ``Connection`` that names a header is a forger's, too, and goes to DEBUG."""
    forged = {**SENT, "Connection": f"close, {FOR}"}
    for number in range(log.MOST_RECORDS + 1):
        send(POLICY, forged, peer=f"198.51.100.{number}", surface=surface)

    assert records(logging.INFO) == []
    assert read_extras(records(logging.DEBUG)[0]) == (
        "named-in-connection",
        FOR,
        "198.51.100.0",
    )
    send(POLICY, forged, peer="172.18.0.1", surface=surface)
    assert [read_extras(record)[0] for record in records(logging.WARNING)] == [
        "named-in-connection",
        "peer-not-trusted",
    ]


def test_own_peers_cannot_fill_the_log_either(records: Records) -> None:
    """Whatever a network is for, the log has a bound over all peers."""
    for number in range(3 * log.MOST_RECORDS):
        send(POLICY, SENT, peer=f"10.1.{number >> 8}.{number & 255}")

    assert len(records(logging.WARNING)) == log.MOST_RECORDS


# -- other mistakes --------------------------------------------------------------------


@both
@pytest.mark.parametrize("headers", [{}, {"X-Proxy-Proof": "a-guess"}])
def test_proxy_without_the_secret_is_logged_once(
    headers: dict[str, str], surface: str, records: Records
) -> None:
    """With the header that it has to set, and never a secret; strangers at DEBUG."""
    policy = ProxyPolicy(headers=[FOR], **SECRETS)

    for peer in (PROXY, PROXY, STRANGER):
        send(policy, {**SENT, **headers}, peer=peer, surface=surface)

    [record] = records(logging.WARNING)
    assert record.getMessage() == (
        f"trustedproxy: the peer '{PROXY}' sent X-Forwarded-For, which was removed, "
        "because the request did not carry the secret in X-Proxy-Proof. If it is your "
        "own proxy, let it set X-Proxy-Proof to one of TRUSTED_PROXY_SECRETS."
    )
    assert read_extras(record) == ("secret-missing", "X-Proxy-Proof", PROXY)


@both
@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({SCRIPT: "/app"}, SCRIPT),
        ({"X-Forwarded-Prefix": "/app/", SCRIPT: ""}, "X-Forwarded-Prefix"),
        ({"X-Forwarded-Path": "/app", "X-Forwarded-Prefix": "/"}, "X-Forwarded-Path"),
        ({SCRIPT: ""}, None),
        ({"X-Forwarded-Prefix": "/"}, None),
        ({}, None),
    ],
)
def test_mount_point_that_is_not_listed_is_logged_once(
    headers: dict[str, str], named: str | None, surface: str, records: Records
) -> None:
    """A trusted peer sends it, and it is not used; the root is none."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    for _ in range(3):
        send(policy, {**SENT, **headers}, surface=surface)

    value = headers.get(named or "")
    assert [read_extras(record) for record in records(logging.WARNING)] == (
        [("mount-point-not-listed", named, PROXY)] if named else []
    )
    for record in records(logging.WARNING):
        assert record.getMessage() == (
            f"trustedproxy: the trusted peer '{PROXY}' sent {named}: "
            f"{value!r}, which is not used, because TRUSTED_PROXY_HEADERS does not "
            "list it. If your proxy sets it, add it; else let your proxy "
            "remove it."
        )


@both
def test_mount_point_that_is_removed_is_logged_too(
    surface: str, records: Records
) -> None:
    """Where every header that is not listed goes, as with every preset."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, strip="all")

    send(policy, {FOR: "203.0.113.7", SCRIPT: "/app"}, surface=surface)

    [record] = records(logging.WARNING)
    assert "'/app', which is not used" in record.getMessage()
    assert read_extras(record) == ("mount-point-not-listed", SCRIPT, PROXY)


def test_mount_point_of_a_stranger_is_not_missed(records: Records) -> None:
    """A header that a forger sends is no reason to list it."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    send(policy, {SCRIPT: "/app"}, peer=STRANGER)
    send(policy, {SCRIPT: "/app"}, peer="172.18.0.1")

    assert records(logging.WARNING) == []


IN_PATH: list[tuple[dict[str, Any], dict[str, str], str, str | None]] = [
    ({"headers": [SCRIPT]}, {SCRIPT: "/app"}, "/app/x", SCRIPT),
    ({"headers": [SCRIPT]}, {SCRIPT: "/app"}, "/app", SCRIPT),
    ({"headers": "X-Edge=mount_point"}, {"X-Edge": "/app"}, "/app/x", "X-Edge"),
    ({"fixed_mount_point": "/app"}, {}, "/app/x", None),
]
NOT_IN_PATH: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"headers": [SCRIPT]}, {SCRIPT: "/app"}, "/x"),
    ({"headers": [SCRIPT]}, {SCRIPT: "/app"}, "/application"),
    ({"headers": [SCRIPT]}, {SCRIPT: ""}, "/app/x"),
    ({"headers": [SCRIPT]}, {SCRIPT: "//x"}, "//x/y"),
    ({"headers": [SCRIPT]}, {}, "/app/x"),
    ({"fixed_mount_point": "/app"}, {}, "/x"),
    ({"headers": [SCRIPT], "strip_mount_point": True}, {SCRIPT: "/app"}, "/app/x"),
]


@both
@pytest.mark.parametrize(("options", "headers", "path", "header"), IN_PATH)
def test_mount_point_that_nothing_takes_off_the_path_is_logged_once(
    options: dict[str, Any],
    headers: dict[str, str],
    path: str,
    header: str | None,
    surface: str,
    records: Records,
) -> None:
    """The application would look for the path below the mount point once more."""
    policy = ProxyPolicy(proxies=PROXIES, **options)

    for _ in range(3):
        send(policy, headers, surface=surface, PATH_INFO=path)

    [record] = records(logging.WARNING)
    assert record.getMessage() == (
        f"trustedproxy: the path {path!r} begins with the mount point '/app', which "
        "nothing takes off, so that the application looks for it below '/app' once "
        "more. If your proxy leaves the mount point in the path, set "
        "TRUSTED_PROXY_STRIP_MOUNT_POINT."
    )
    assert read_extras(record) == ("mount-point-in-path", header, PROXY)


@pytest.mark.parametrize("own", ["/app", "/app/"])
def test_mount_point_of_the_server_is_not_logged(own: str, records: Records) -> None:
    """What stands in the path is the server's own, with or without a final slash."""
    policy = ProxyPolicy(proxies=PROXIES, fixed_mount_point="/app")

    decision, _ = policy.apply_scope(
        make_scope([], peer=PROXY, path="/app/blog", root_path=own)
    )

    assert (decision.mount_point, decision.connection.path) == ("/app", "/blog")
    assert records(logging.WARNING) == []


@both
@pytest.mark.parametrize(("options", "headers", "path"), NOT_IN_PATH)
def test_path_that_is_right_is_not_logged(
    options: dict[str, Any],
    headers: dict[str, str],
    path: str,
    surface: str,
    records: Records,
) -> None:
    """At a segment's boundary only, and where nothing takes it off."""
    policy = ProxyPolicy(proxies=PROXIES, **options)

    send(policy, headers, surface=surface, PATH_INFO=path)

    assert not [r for r in records(logging.WARNING) if "begins with" in r.getMessage()]


# -- decisions in the log --------------------------------------------------------------


@both
def test_every_decision_is_logged_at_debug(surface: str, records: Records) -> None:
    """With everything that it says, and at no other level where nothing is wrong."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)

    send(policy, {FOR: "203.0.113.7"}, surface=surface)

    [record] = records(logging.NOTSET)
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith(f"trustedproxy: Decision(peer='{PROXY}', ")
    assert read_extras(record) == ("decided", None, PROXY)


@both
@pytest.mark.parametrize("disabled", [logging.NOTSET, logging.DEBUG])
def test_decision_is_written_out_for_nobody_where_debug_is_disabled(
    surface: str, disabled: int, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`logging.disable` is above every logger's level."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES)
    written: list[Decision] = []
    monkeypatch.setattr(decision_log, "_show", written.append)

    logging.disable(disabled)
    try:
        send(policy, {FOR: "203.0.113.7"}, surface=surface)
    finally:
        logging.disable(logging.NOTSET)

    assert len(written) == len(records(logging.NOTSET)) == (disabled < logging.DEBUG)


@both
def test_report_says_what_would_be_changed(surface: str, records: Records) -> None:
    """At most once a minute for a peer, and nothing where nothing would be (R17)."""
    policy = ProxyPolicy(headers=[FOR, PROTO], proxies=PROXIES, report_only=True)
    changed = {
        "environ": "['REMOTE_ADDR', 'wsgi.url_scheme']",
        "scope": "['client', 'scheme']",
    }[surface]

    for _ in range(2):
        send(policy, SENT, surface=surface)
        send(policy, {}, peer=STRANGER, surface=surface)

    [record] = records(logging.WARNING)
    assert record.getMessage().startswith(
        f"trustedproxy: report only: {changed} would be changed: Decision(peer="
    )
    assert read_extras(record) == ("report-only", None, PROXY)


def test_report_says_that_a_request_would_be_rejected(records: Records) -> None:
    """Also where nothing else would differ."""
    policy = ProxyPolicy(
        headers=[FOR], proxies=PROXIES, missing="reject", report_only=True
    )

    send(policy, {})

    report = records(logging.WARNING)[-1].getMessage()
    assert "report only: [] would be changed" in report
    assert "rejected={'code': 'missing'" in report


@pytest.mark.parametrize("report_only", [False, True])
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_decision_in_the_log_is_shortened(
    peer: str, report_only: bool, records: Records
) -> None:
    """A request can be as long as it likes, a line of the log cannot."""
    policy = ProxyPolicy(headers=[FOR], proxies=PROXIES, report_only=report_only)

    send(policy, {FOR: "x" * 100_000}, peer=peer)

    shown = [record.getMessage() for record in records(logging.NOTSET)]
    assert max(map(len, shown)) < 2_200
    assert any(text.endswith(" characters)") for text in shown)
