"""
Networks: what may be listed, what is trusted, and lists that live in files.

In:  entries as people write them, and files that change while requests are served.
Out: `TrustedNetworks` held against `ipaddress`, and every error word for word.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
import threading
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy import ConfigurationError, ProxyPolicy, log, memo, networks
from trustedproxy.networks import (
    LOOK_INTERVAL,
    NAMED_NETWORKS,
    TrustedNetworks,
    parse_network,
)
from trustedproxy.parsing.addresses import is_client_address, parse_packed

from .making import FOR, make_environ

bounded: Final = settings(max_examples=120, deadline=None, database=None)

AN_IP_NETWORK: Final = "an IP network such as 10.0.0.0/8"
AN_ENTRY_FOR_A_FILE: Final = (
    "an entry for a file: a network, or loopback, private, linklocal, shared"
)


def pack(text: str) -> bytes:
    """Read an address that is one."""
    packed = parse_packed(text)
    assert packed is not None
    return packed


# -- entries ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.1/32", "10.0.0.1/32"),
        ("10.0.0.1/255.255.255.255", "10.0.0.1/32"),
        ("10.0.0.0/255.255.254.0", "10.0.0.0/23"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("0.0.0.0/0.0.0.0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::7", "2001:db8::7/128"),
        ("::/0", "::/0"),
        ("::1/128", "::1/128"),
        ("::10.0.0.0/104", "::a00:0/104"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        (ipaddress.ip_network("::ffff:10.0.0.0/104"), "10.0.0.0/8"),
        (ipaddress.ip_address("10.0.0.1"), "10.0.0.1/32"),
        (ipaddress.ip_address("2001:db8::7"), "2001:db8::7/128"),
    ],
    ids=str,
)
def test_entry_is_read_as_a_network(entry: object, network: str) -> None:
    """Addresses, prefix lengths, netmasks, mapped ones as IPv4, and `ipaddress`'s."""
    assert parse_network(entry, "TRUSTED_PROXIES") == ipaddress.ip_network(network)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("10.0.0.0/33", AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')"),
        ("10.0.0.0/-1", AN_IP_NETWORK),
        ("10.0.0.1/+08", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("0.0.0.0/000", AN_IP_NETWORK + " (the nearest is '0.0.0.0/0')"),
        ("::ffff:10.0.0.0/129", AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')"),
        ("::ffff:10.0.0.0/x", AN_IP_NETWORK),
        ("10.0.0.0/+8", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/08", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/ 8", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/", AN_IP_NETWORK),
        ("10.0.0.0/8/8", AN_IP_NETWORK),
        ("10.0.0.0/\u0668", AN_IP_NETWORK),
        ("10.0.0.0/" + "9" * 5000, AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')"),
        ("10.0.0.0/0.255.255.255", AN_IP_NETWORK + " (the nearest is '10.0.0.0/8')"),
        ("10.0.0.0/255.0.255.0", AN_IP_NETWORK),
        ("10.0.0.0/255.0.0", AN_IP_NETWORK),
        ("10.0.0.0/::", AN_IP_NETWORK),
        ("2001:db8::/129", AN_IP_NETWORK + " (the nearest is '2001:db8::/128')"),
        ("2001:db8::/ffff::", AN_IP_NETWORK),
        ("2001:db8::/255.0.0.0", AN_IP_NETWORK),
        ("10.0.0.1/8", "a network without host bits (the nearest is '10.0.0.0/8')"),
        (
            "10.0.0.1/255.0.0.0",
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        (
            "2001:db8::1/32",
            "a network without host bits (the nearest is '2001:db8::/32')",
        ),
        (
            "::ffff:10.0.0.1/104",
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        (
            ipaddress.ip_interface("10.0.0.1/8"),
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        ("::ffff:0:0/95", "an IPv4-mapped network of /96 or longer"),
        (
            "::ffff:10.0.0.0/8",
            "an IPv4-mapped network of /96 or longer (the nearest is '10.0.0.0/8')",
        ),
        ("loopbak", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("Loopback", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("privat", AN_IP_NETWORK + " (the nearest is 'private')"),
        ("UNIX", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("unix:", AN_IP_NETWORK + " (the nearest is 'unix')"),
        ("link-local", AN_IP_NETWORK + " (the nearest is 'linklocal')"),
        ("10", AN_IP_NETWORK),
        ("10/8", AN_IP_NETWORK),
        ("10.1", AN_IP_NETWORK),
        ("10.0.0/24", AN_IP_NETWORK),
        ("010.0.0.1", AN_IP_NETWORK),
        ("0x0a.0.0.1", AN_IP_NETWORK),
        ("167772161", AN_IP_NETWORK),
        ("fe80::1%eth0", AN_IP_NETWORK + " (the nearest is 'fe80::1')"),
        ("fe80::%eth0/64", AN_IP_NETWORK + " (the nearest is 'fe80::/64')"),
        ("fe80::1%eth0/64", AN_IP_NETWORK),
        (
            ipaddress.ip_address("fe80::1%eth0"),
            AN_IP_NETWORK + " (the nearest is 'fe80::1')",
        ),
        ("[2001:db8::7]", AN_IP_NETWORK + " (the nearest is '2001:db8::7')"),
        ("[2001:db8::]/32", AN_IP_NETWORK + " (the nearest is '2001:db8::/32')"),
        ("10.0.0.1:80", AN_IP_NETWORK + " (the nearest is '10.0.0.1')"),
        ("localhost", AN_IP_NETWORK + " (the nearest is 'loopback')"),
        ("*", AN_IP_NETWORK),
        ("proxy.internal", AN_IP_NETWORK),
        ("", AN_IP_NETWORK),
        (" 10.0.0.1", AN_IP_NETWORK),
        (167772161, AN_IP_NETWORK),
        (b"10.0.0.1", AN_IP_NETWORK),
        (None, AN_IP_NETWORK),
        (["10.0.0.1"], AN_IP_NETWORK),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_entry_that_is_no_network_is_an_error(entry: object, expected: str) -> None:
    """The error names the entry's place, the entry, and the nearest that is right."""
    entries: Any = ["10.0.0.1", entry]
    shown = entry if isinstance(entry, (int, bytes, list)) or not entry else str(entry)

    with pytest.raises(ConfigurationError) as caught:
        TrustedNetworks(entries)

    assert str(caught.value) == f"TRUSTED_PROXIES[1]: {shown!r} is not {expected}."


@bounded
@given(
    st.one_of(
        st.text("0123456789.:/abcf", max_size=20),
        st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 130)),
    )
)
def test_entry_is_what_ipaddress_takes_strictly(text: str) -> None:
    """No entry means another network than the standard library says."""
    try:
        network = parse_network(text, "x")
    except ConfigurationError:
        return
    if isinstance(network, ipaddress.IPv4Network) and ":" in text:
        mapped = ipaddress.IPv6Network(text)
        assert network.prefixlen == mapped.prefixlen - 96
        assert network[0] == mapped[0].ipv4_mapped
    else:
        assert network == ipaddress.ip_network(text)


@bounded
@given(st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 130)))
def test_network_that_ipaddress_takes_is_taken(text: str) -> None:
    """Nothing that is strictly a network is refused, but wide mapped ones."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return
    if getattr(network[0], "ipv4_mapped", None) is None:
        assert parse_network(text, "x") == network


# -- what is trusted -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("loopback", ["127.0.0.1", "127.255.255.255", "::1"], ["126.1.1.1", "::2"]),
        (
            "private",
            ["10.0.0.0", "172.31.255.255", "192.168.0.1", "fdff::1", "fc00::"],
            ["11.0.0.0", "172.32.0.0", "192.169.0.0", "fe00::", "fbff::1"],
        ),
        (
            "linklocal",
            ["169.254.1.1", "fe80::1", "febf::1"],
            ["fec0::1", "169.253.1.1"],
        ),
        ("shared", ["100.64.0.0", "100.127.255.255"], ["100.128.0.0", "100.63.1.1"]),
    ],
)
def test_name_stands_for_its_networks(
    name: str, inside: list[str], outside: list[str]
) -> None:
    """The names of RFC 1122, 1918, 3927, 4193, 4291 and 6598."""
    trusted = TrustedNetworks([name])

    assert trusted.networks == NAMED_NETWORKS[name]
    assert all(trusted.trusts(peer) and trusted.contains(pack(peer)) for peer in inside)
    assert not any(trusted.trusts(peer) for peer in outside)
    assert not any(trusted.contains(pack(peer)) for peer in outside)


UNIX_PEERS: Final = [None, "", "localhost", "<local>", "0.0.0.0", "/run/x", "@x", "\0x"]


def test_peer_of_a_unix_socket_is_trusted_only_by_its_word() -> None:
    """No network has it, however wide; and the word has no network."""
    everything = TrustedNetworks(["0.0.0.0/0", "::/0", "loopback"])
    unix = TrustedNetworks(["unix"])

    assert unix.unix and not everything.unix
    assert unix.networks == ()
    for peer in UNIX_PEERS:
        assert unix.trusts(peer)
        assert not everything.trusts(peer)
    for peer in ("127.0.0.1", "::1", "unknown", "unix.example"):
        assert not unix.trusts(peer)


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::FFFF:0a01:0203", True),
        ("fe80::1%eth0", True),
        ("fe80::1%", True),
        ("fe80::1", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        # NAT64, 6to4, Teredo, and the long-deprecated compatible form.
        ("64:ff9b::a01:203", False),
        ("2002:a01:203::", False),
        ("2001:0:a01:203::", False),
        ("::10.1.2.3", False),
        ("10.1.2.3%eth0", False),
        ("10.1.2", False),
        ("10.1.2.3 ", False),
        ("10.1.2.3:80", False),
        ("unknown", False),
        ("", False),
        (None, False),
    ],
)
def test_peer_is_matched_by_its_address(peer: str | None, trusted: bool) -> None:
    """Mapped addresses match IPv4 networks, zones are ignored, other forms are not."""
    assert TrustedNetworks(["10.0.0.0/8", "fe80::/10"]).trusts(peer) is trusted


def _network(address: Any, length: int) -> Any:
    return ipaddress.ip_network((address, min(length, address.max_prefixlen)), False)


FEW: Final = st.one_of(
    st.integers(0, 2**5).map(ipaddress.IPv4Address),
    st.integers(2**32 - 2**5, 2**32 - 1).map(ipaddress.IPv4Address),
    st.integers(2**128 - 2**5, 2**128 - 1).map(ipaddress.IPv6Address),
    st.integers(2**64, 2**64 + 2**5).map(ipaddress.IPv6Address),
)
#: Small networks close to each other, and any others.
NETWORKS: Final = st.one_of(
    st.builds(_network, FEW, st.integers(27, 32)),
    st.builds(_network, FEW, st.integers(123, 128)),
    st.builds(_network, st.ip_addresses(), st.integers(0, 128)),
)


@bounded
@given(st.lists(NETWORKS, max_size=8), st.lists(FEW, max_size=12), st.ip_addresses())
def test_ranges_are_those_of_the_networks(
    listed: list[Any], near: list[Any], anywhere: Any
) -> None:
    """Adjacent, nested and doubled networks are merged without gap or overlap."""
    if any(getattr(network[0], "ipv4_mapped", None) for network in listed):
        return
    trusted = TrustedNetworks(listed)
    beginnings = trusted.list_beginnings()
    extraordinary = trusted.extraordinary
    edges = [n[i] for n in listed for i in (0, -1)]
    beyond = [
        type(address)(number)
        for address in edges
        for number in (int(address) - 1, int(address) + 1)
        if 0 <= number < 2**address.max_prefixlen
    ]

    for address in [*near, anywhere, *edges, *beyond]:
        if getattr(address, "ipv4_mapped", None):
            continue
        inside = any(address in network for network in listed)
        assert trusted.contains(address.packed) is inside
        if str(address) != "0.0.0.0":
            assert trusted.trusts(str(address)) is inside
        if inside:
            spellings = {str(address), address.exploded, address.exploded.upper()}
            if address.version == 4:
                spellings |= {f"::ffff:{address}", f"0:0:0:0:0:FFFF:{address}"}
            assert all(text.startswith(beginnings) for text in spellings)
        if address.version == 4:
            nobody = not is_client_address(address.packed)
            odd = bisect_right(extraordinary, address.packed) & 1 == 1
            assert odd or not (inside or nobody)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], ()),
        (["10.0.0.0/8"], ("0", "10.", ":")),
        (["10.0.0.0/7"], ("0", "10.", "11.", ":")),
        (["2001:db8::/32"], ("0", "2", ":")),
        (["db8::/16"], ("0", ":", "D", "d")),
        (["::1"], ("0", ":")),
        (["fe80::/10"], ("0", ":", "F", "f")),
        (["2000::/3"], ("0", "2", "3", ":")),
        (["100::/8"], ("",)),
        (["0.0.0.0/0"], ("",)),
        (["10.0.0.0/8", "unix"], ("",)),
    ],
    ids=str,
)
def test_beginnings_of_peers_are_few(
    entries: list[str], expected: tuple[str, ...]
) -> None:
    """What begins otherwise is not trusted; where they are many, nothing is said."""
    assert TrustedNetworks(entries).list_beginnings() == expected


@pytest.mark.parametrize("address", ["9.255.255.255", "11.0.0.0", "203.0.113.7"])
def test_ordinary_client_is_outside_of_what_is_extraordinary(address: str) -> None:
    """Nearly every client is, or nothing would be gained."""
    edges = TrustedNetworks(["10.0.0.0/8", "::/0"]).extraordinary

    assert bisect_right(edges, pack(address)) % 2 == 0
    assert bisect_right(edges, pack("10.0.0.1")) % 2 == 1


def test_networks_are_listed_once_in_order() -> None:
    """What is shown is what was given, doubled ones once."""
    trusted = TrustedNetworks(["10.0.0.0/8", "::1", "10.0.0.0/255.0.0.0", "unix"])

    assert [str(network) for network in trusted.networks] == ["10.0.0.0/8", "::1/128"]
    assert trusted.is_fixed
    assert TrustedNetworks([]).networks == ()
    assert not TrustedNetworks([]).trusts("10.0.0.1")


def test_peers_that_are_remembered_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies are remembered, strangers never, and a full memo is emptied."""
    monkeypatch.setattr(memo, "_MOST", 3)
    trusted = TrustedNetworks(["10.0.0.0/8"])

    for number in range(10):
        for _ in range(2):
            assert trusted.trusts(f"10.0.0.{number}")
            assert not trusted.trusts(f"11.0.0.{number}")
        known = trusted._snapshot._known_peers
        assert 0 < len(known) <= 3
        assert all(peer is not None and peer.startswith("10.") for peer in known)


# -- lists in files --------------------------------------------------------------------


class Clock:
    """A clock that is set by hand, for the looks at the files and for the log."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float = LOOK_INTERVAL) -> None:
        """Let some time pass."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put the clock into the hands of the test; nothing was told before."""
    log.forget()
    clock = Clock()
    monkeypatch.setattr(networks, "monotonic", clock)
    monkeypatch.setattr(log, "monotonic", clock)
    return clock


_writes = iter(range(1, 1_000_000))


def write(path: Path, text: str | bytes) -> None:
    """Write the file anew, under a date that no file had before."""
    new = path.with_suffix(".new")
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    date = 1_700_000_000_000_000_000 + next(_writes)
    os.utime(new, ns=(date, date))
    new.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file with one network in it."""
    path = tmp_path / "proxies.txt"
    write(path, "10.0.0.0/8\n")
    return path


def is_warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Take the warnings that were told so far."""
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    caplog.clear()
    return told


def test_list_in_a_file_has_comments_and_names(path: Path) -> None:
    """One network a line; ``#`` begins a comment; blank lines are nothing."""
    write(path, "# ours\n\n  10.0.0.0/8  # the first\r\nloopback\n\t\n2001:db8::7")

    trusted = TrustedNetworks([f"file:{path}", "192.0.2.1"])

    assert not trusted.is_fixed
    assert trusted.known_hops is None
    assert [str(network) for network in trusted.networks] == [
        "192.0.2.1/32",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "::1/128",
        "2001:db8::7/128",
    ]


@pytest.mark.parametrize(
    ("text", "option", "value", "expected"),
    [
        ("", "", None, "a file with a network in it"),
        ("# none\n\n", "", None, "a file with a network in it"),
        (
            "10.0.0.1\n\n10.0.0.0/33\n",
            ", line 3",
            "10.0.0.0/33",
            AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')",
        ),
        (
            "10.0.0.1/8 # x",
            ", line 1",
            "10.0.0.1/8",
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        ("unix", ", line 1", "unix", AN_ENTRY_FOR_A_FILE),
        ("*", ", line 1", "*", AN_ENTRY_FOR_A_FILE),
        ("10.0.0.1\nfile:x", ", line 2", "file:x", AN_ENTRY_FOR_A_FILE),
        ("10.0.0.1, 10.0.0.2", ", line 1", "10.0.0.1, 10.0.0.2", AN_IP_NETWORK),
        (b"10.0.0.1\n\xff", ", line 2", "\ufffd", AN_IP_NETWORK),
    ],
)
def test_list_in_a_file_that_is_wrong_is_an_error_at_start(
    path: Path, text: str | bytes, option: str, value: str | None, expected: str
) -> None:
    """The error names the line; a list with nothing in it is one, too."""
    write(path, text)
    shown = f"file:{path}" if value is None else value

    with pytest.raises(ConfigurationError) as caught:
        TrustedNetworks(["10.0.0.1", f"file:{path}"])

    assert str(caught.value) == (
        f"TRUSTED_PROXIES[1]{option}: {shown!r} is not {expected}."
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [(lambda path: None, "No such file or directory"), (Path.mkdir, "Is a directory")],
)
def test_list_in_a_file_that_cannot_be_read_is_an_error_at_start(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    """The error says why the system refuses it."""
    path = tmp_path / "missing.txt"
    make(path)

    with pytest.raises(ConfigurationError) as caught:
        TrustedNetworks([f"file:{path}"])

    assert str(caught.value) == (
        f"TRUSTED_PROXIES[0]: 'file:{path}' is not a file that can be read ({reason})."
    )


def test_error_without_words_of_its_own_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the system that has no text is told by its kind."""

    def refuse(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(os, "stat", refuse)

    with pytest.raises(ConfigurationError, match=r"be read \(TimeoutError\)\.$"):
        TrustedNetworks([f"file:{path}"])


def test_list_in_a_file_is_followed_without_a_restart(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Peers and elements are judged by the new list, memos and all."""
    policy = ProxyPolicy(headers=[FOR], proxies=[f"file:{path}", "192.0.2.1"])
    assert policy.networks is not None

    def client(peer: str) -> str | None:
        environ = make_environ({FOR: "203.0.113.7, 10.0.0.8"}, peer=peer)
        return policy.apply(environ).client

    assert [client("10.0.0.1"), client("11.0.0.1")] == ["203.0.113.7", "11.0.0.1"]
    write(path, "11.0.0.0/8")
    clock.tick()

    assert [client("10.0.0.1"), client("11.0.0.1")] == ["10.0.0.1", "10.0.0.8"]
    assert [client("192.0.2.1"), client("192.0.2.2")] == ["10.0.0.8", "192.0.2.2"]
    assert [str(n) for n in policy.networks.networks] == ["192.0.2.1/32", "11.0.0.0/8"]
    assert is_warned(caplog) == []


def test_relative_path_of_a_list_is_of_the_directory_at_start(
    path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that goes elsewhere, as a daemon does, goes on to follow the file."""
    monkeypatch.chdir(path.parent)
    trusted = TrustedNetworks([f"file:{path.name}"])
    monkeypatch.chdir("/")
    write(path, "11.0.0.0/8")
    clock.tick()

    assert trusted.trusts("11.0.0.1") and not trusted.trusts("10.0.0.1")
    assert is_warned(caplog) == []


def test_file_is_looked_at_once_a_second(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many requests there are, the file system is asked once a second."""
    trusted = TrustedNetworks([f"file:{path}"])
    looks: list[float] = []
    stat = os.stat

    def count(*args: Any, **options: Any) -> os.stat_result:
        looks.append(clock.now)
        return stat(*args, **options)

    monkeypatch.setattr(os, "stat", count)
    started = clock.now
    for _ in range(40):
        trusted.trusts("10.0.0.1")
        trusted.contains(pack("10.0.0.1"))
        clock.tick(LOOK_INTERVAL / 10)

    assert len(looks) == 3
    assert looks[0] - started >= LOOK_INTERVAL - 1e-6
    assert all(b - a >= LOOK_INTERVAL - 1e-6 for a, b in pairwise(looks))


def test_file_that_did_not_change_is_not_read_again(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look is a question for its date, no more, and the memos stay."""
    trusted = TrustedNetworks([f"file:{path}"])
    snapshot = trusted._snapshot

    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("the file was read")

    monkeypatch.setattr(Path, "read_text", refuse)
    clock.tick()

    assert trusted.trusts("10.0.0.1")
    assert trusted._snapshot is snapshot


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: write(path, "10.0.0.0/33"), "line 1: '10.0.0.0/33' is not an IP"),
        (lambda path: write(path, ""), "is not a file with a network in it"),
        (
            lambda path: write(path, "# 10.0.0.0/8"),
            "is not a file with a network in it",
        ),
        (lambda path: write(path, "11.0.0.0/8\n\0"), "line 2: '\\x00' is not"),
        (Path.unlink, "No such file or directory"),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
    ],
    ids=["broken", "empty", "comments alone", "half broken", "gone", "a folder"],
)
def test_last_good_list_is_kept(
    path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], object],
    words: str,
) -> None:
    """A list that cannot be used changes nothing, is told once a minute, and mends."""
    trusted = TrustedNetworks(["192.0.2.1", f"file:{path}"])
    spoil(path)

    for _ in range(59):
        clock.tick()
        assert trusted.trusts("10.0.0.1") and not trusted.trusts("11.0.0.1")
    [told] = is_warned(caplog)
    assert told.startswith(
        f"TRUSTED_PROXIES[1]: the last good list is kept, since file:{path} "
        "cannot be used: "
    )
    assert words in told

    for _ in range(3):
        clock.tick()
        assert trusted.trusts("10.0.0.1")
    assert is_warned(caplog) == [told]

    if path.is_dir():
        path.rmdir()
    write(path, "11.0.0.0/8")
    clock.tick()
    assert trusted.trusts("11.0.0.1") and not trusted.trusts("10.0.0.1")
    assert is_warned(caplog) == []


def test_one_file_of_several_is_followed_while_another_is_broken(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """What can be used is used."""
    other = path.with_name("others.txt")
    write(other, "192.0.2.0/24")
    trusted = TrustedNetworks([f"file:{path}", f"file:{other}"])
    write(path, "broken")
    write(other, "198.51.100.0/24")
    clock.tick()

    assert trusted.trusts("10.0.0.1") and trusted.trusts("198.51.100.1")
    assert not trusted.trusts("192.0.2.1")
    assert len(is_warned(caplog)) == 1


def test_threads_never_see_half_a_list(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the file is swapped, each look at the list sees one whole list."""
    lists = {
        tag: [ipaddress.ip_network(f"{tag}.{n}.0.0/16") for n in range(0, 200, 2)]
        for tag in (10, 11)
    }
    texts = {tag: "\n".join(map(str, wanted)) for tag, wanted in lists.items()}
    whole = {frozenset(wanted) for wanted in lists.values()}
    write(path, texts[10])
    # Every question is a look at the file, whatever other threads did meanwhile.
    monkeypatch.setattr(networks, "LOOK_INTERVAL", -3600.0)
    trusted = TrustedNetworks([f"file:{path}"])
    seen: set[frozenset[Any]] = set()
    halves: list[object] = []
    done = threading.Event()
    last = 10

    def read() -> None:
        while not done.is_set():
            found = frozenset(trusted.networks)
            seen.add(found)
            snapshot = trusted._snapshot
            ends = [snapshot.trusts(f"10.{n}.0.1") for n in (0, 198)]
            others = [snapshot.trusts(f"11.{n}.0.1") for n in (0, 198)]
            if found not in whole or len({*ends, *(not x for x in others)}) != 1:
                halves.append((found, ends, others))

    readers = [threading.Thread(target=read) for _ in range(4)]
    # Threads that never wait keep the one that writes from its turn.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    for reader in readers:
        reader.start()
    try:
        for turn in range(1000):
            last = 10 if turn % 2 else 11
            write(path, texts[last])
            trusted.trusts("10.0.0.1")
            if turn > 20 and seen >= whole:
                break
    finally:
        done.set()
        for reader in readers:
            reader.join(timeout=30)
        sys.setswitchinterval(interval)

    assert not halves
    assert seen == whole
    assert frozenset(trusted.networks) == frozenset(lists[last])


@pytest.mark.parametrize("text", ["10.0.0.0/8", "fc00::/7"])
def test_network_alone_is_not_taken_for_a_list(text: str) -> None:
    """A network can be gone through address by address, and is never meant so."""
    network: Any = ipaddress.ip_network(text)

    with pytest.raises(ConfigurationError) as caught:
        ProxyPolicy(headers=[FOR], proxies=network)

    assert str(caught.value) == (
        f"TRUSTED_PROXIES: {network!r} is not a list of strings, or one string."
    )


def test_thread_that_is_late_does_not_put_an_old_list_back_for_good(
    path: Path, clock: Clock
) -> None:
    """What a slow thread swaps in, the next look swaps out again."""
    write(path, "10.0.0.0/8")
    trusted = TrustedNetworks([f"file:{path}"])
    old = trusted._snapshot
    write(path, "192.0.2.0/24")
    clock.tick()
    assert trusted.trusts("192.0.2.1")

    trusted._snapshot = old
    clock.tick()

    assert trusted.trusts("192.0.2.1")
    assert not trusted.trusts("10.0.0.1")
