"""
Text to address: what is read, what is refused, and how it is spelled afterwards.

In:  texts that are addresses, nearly are, or are nothing of the kind.
Out: `trustedproxy.parsing.addresses` held against `ipaddress`.
"""

from __future__ import annotations

import ipaddress
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy.parsing.addresses import (
    MAX_CHARACTERS,
    Hop,
    as_hop,
    find_hop,
    find_hop_colon_port,
    is_client_address,
    is_unix_peer,
    parse_hop,
    parse_packed,
    parse_peer,
    parse_port,
    spell,
    spell_peer,
)

bounded: Final = settings(max_examples=150, deadline=None, database=None)

#: Spellings that some reader somewhere takes for an address.
ODD: Final = (
    "",
    " ",
    "0",
    "1",
    "10",
    "127.1",
    "127.0.1",
    "10.0.0",
    "10.0.0.0.1",
    "10.0.0.1.",
    ".10.0.0.1",
    "10..0.1",
    "010.0.0.1",
    "10.0.0.01",
    "00.0.0.0",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "256.0.0.1",
    "10.0.0.256",
    "1000.0.0.1",
    "-1.0.0.1",
    "+1.0.0.1",
    " 10.0.0.1",
    "10.0.0.1 ",
    "10.0.0.1\n",
    "10.0.0.1\0",
    "\x0010.0.0.1",
    "10.0.0.1\0.example",
    "10.0.0.1/32",
    "10.0.0.1%eth0",
    "10.0.0.1:80",
    "[10.0.0.1]",
    "10,0,0,1",
    "\u0661\u0660.\u0660.\u0660.\u0661",
    "\uff11\uff10.0.0.1",
    "10.0.0.¹",
    "10。0。0。1",
    "10.0.0.\ud800",
    "\udc80::1",
    "localhost",
    "example.com",
    ":",
    "::",
    ":::",
    "::1",
    ":1",
    "1:",
    "1::",
    "::1::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "1:2:3:4:5:6:7::8",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8::",
    "00001::1",
    "0001::0001",
    "2001:DB8::A",
    "2001:0db8:0000:0000:0000:0000:0000:0001",
    "g::1",
    "0x1::1",
    "+1::1",
    "\u0661::1",
    "\uff11::1",
    ":: 1",
    "::1 ",
    "::1\n",
    "::1\0",
    "::1%eth0",
    "fe80::1%eth0",
    "fe80::1%",
    "::1/128",
    "[::1]",
    "::10.0.0.1",
    "::0.0.0.1",
    "::1.2.3",
    "::1.2.3.4.5",
    "::01.2.3.4",
    "::1.2.3.256",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5::1.2.3.4",
    "::ffff:10.0.0.1",
    "::FFFF:10.0.0.1",
    "::ffff:0a00:1",
    "0:0:0:0:0:ffff:10.0.0.1",
    "0000:0000:0000:0000:0000:ffff:255.255.255.255",
    "::ffff:010.0.0.1",
    "::ffff:0:10.0.0.1",
    "::fffe:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:a00:1::",
    "2001:0:a00:1::",
    "1:0:0:2:0:0:0:3",
    "1:0:0:2:3:0:0:4",
    "1:0:2:3:4:5:6:7",
    "0:0:1::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "1" * 5000,
    ":" * 5000,
)

GROUPS: Final = st.sampled_from(
    ["", "0", "00", "1", "ffff", "0ffff", "DB8", "g", "1.2.3.4", "01.2.3.4", "256", " "]
)
TEXTS: Final = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded),
    st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}"),
    st.ip_addresses(v=4).map(lambda address: f"::{address}"),
    st.lists(GROUPS, max_size=10).map(":".join),
    st.lists(GROUPS, max_size=6).map(".".join),
    st.text("0123456789abcfABF:.%/ xX[]\0\n\u0663\uff13", max_size=24),
    st.text(max_size=12),
)


def read_as_ipaddress(
    text: str,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read *text* with the standard library; a zone is refused, mapped is IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.scope_id is not None:
        return None
    return address.ipv4_mapped or address


def assert_agrees(text: str) -> None:
    """Hold both readers to one verdict and one spelling."""
    expected = read_as_ipaddress(text)
    packed = parse_packed(text)

    assert packed == (None if expected is None else expected.packed)
    if packed is not None:
        assert spell(packed) == str(expected)


@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:40]))
def test_odd_spelling_is_read_as_ipaddress_reads_it(text: str) -> None:
    """Every odd spelling gets the verdict and the spelling of `ipaddress`."""
    assert_agrees(text)


@bounded
@given(TEXTS)
def test_any_text_is_read_as_ipaddress_reads_it(text: str) -> None:
    """No text is an address for one reader and none for the other."""
    assert_agrees(text)


@bounded
@given(st.ip_addresses())
def test_address_keeps_its_spelling(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """What is spelled canonically is read back as it was."""
    packed = parse_packed(str(address))

    assert packed is not None
    mapped = getattr(address, "ipv4_mapped", None)
    assert spell(packed) == str(mapped or address)


def test_address_is_read_without_a_resolver(no_resolver: None) -> None:
    """Names are refused by their spelling, not by asking for them."""
    assert parse_packed("localhost") is None
    assert parse_hop("proxy.internal:80") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0", False),
        ("0.0.0.1", True),
        ("127.0.0.1", True),
        ("223.255.255.255", True),
        ("224.0.0.1", False),
        ("239.255.255.255", False),
        ("240.0.0.1", True),
        ("255.255.255.254", True),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", True),
        ("feff::1", True),
        ("ff02::1", False),
        ("::ffff:224.0.0.1", False),
        ("::ffff:0.0.0.0", False),
    ],
)
def test_client_address_is_one_that_can_connect(text: str, expected: bool) -> None:
    """Nobody connects from the unspecified address, from broadcast or multicast."""
    packed = parse_packed(text)

    assert packed is not None
    assert is_client_address(packed) is expected
    assert (parse_hop(text) is not None) is expected


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("203.0.113.7", "203.0.113.7", None),
        ("240.0.0.1", "240.0.0.1", None),
        ("203.0.113.7:4711", "203.0.113.7", 4711),
        ("203.0.113.7:65535", "203.0.113.7", 65535),
        ("2001:DB8::7", "2001:db8::7", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[2001:db8::7]:1", "2001:db8::7", 1),
        ("::ffff:203.0.113.7", "203.0.113.7", None),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7", 80),
        ("::203.0.113.7", "::cb00:7107", None),
    ],
)
def test_hop_is_read_with_its_port(text: str, address: str, port: int | None) -> None:
    """An element is an address, optionally in brackets, optionally with a port."""
    packed = parse_packed(address)
    assert packed is not None

    assert parse_hop(text) == Hop(address, port, packed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "203.0.113.7:",
        "203.0.113.7:0",
        "203.0.113.7:080",
        "203.0.113.7:65536",
        "203.0.113.7:99999",
        "203.0.113.7:123456",
        "203.0.113.7:+1",
        "203.0.113.7:\u0663",
        "203.0.113.7:http",
        "[203.0.113.7]",
        "[203.0.113.7]:80",
        "[2001:db8::7",
        "2001:db8::7]",
        "[2001:db8::7]:",
        "[2001:db8::7]80",
        "[2001:db8::7] :80",
        "[[2001:db8::7]]",
        "[]",
        "[]:80",
        "[::1%lo]:80",
        "fe80::1%eth0",
        "203.0.113.7:_hidden",
        "example.com:80",
        "[" + "0" * MAX_CHARACTERS + "::1]",
        "203.0.113.7:" + "0" * MAX_CHARACTERS + "80",
    ],
)
def test_hop_refuses_what_is_no_address(text: str) -> None:
    """Whatever is not exactly an address with an optional port is none."""
    assert parse_hop(text) is None


def test_hop_of_the_longest_spelling_is_read() -> None:
    """The bound on an address cuts no spelling that exists."""
    text = "[0000:0000:0000:0000:0000:ffff:255.255.255.254]:65535"

    hop = parse_hop(text)

    assert len(text) < MAX_CHARACTERS
    assert hop == Hop("255.255.255.254", 65535, b"\xff\xff\xff\xfe")


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("203.0.113.7", "203.0.113.7", None),
        ("203.0.113.7:4711", "203.0.113.7", 4711),
        ("203.0.113.7:_hidden", "203.0.113.7", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[2001:db8::7]:4711", "2001:db8::7", 4711),
        ("[2001:db8::7]:_x.y-z", "2001:db8::7", None),
        ("2001:db8::7", None, None),
        ("203.0.113.7:_", None, None),
        ("203.0.113.7:_a b", None, None),
        ("[2001:db8::7]:0", None, None),
    ],
)
def test_node_of_forwarded_needs_brackets_and_may_hide_its_port(
    text: str, address: str | None, port: int | None
) -> None:
    """RFC 7239 section 6: IPv6 in brackets, and a port may be obfuscated."""
    hop = as_hop(find_hop(text, forwarded=True))

    assert (hop and hop.address) == address
    assert (hop and hop.port) == port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7:4711", ("203.0.113.7", 4711)),
        ("2001:db8::7:4711", ("2001:db8::7", 4711)),
        ("2001:db8:0:0:0:0:0:7:443", ("2001:db8::7", 443)),
        ("::ffff:203.0.113.7:443", ("203.0.113.7", 443)),
        ("203.0.113.7", None),
        ("203.0.113.7:", None),
        ("203.0.113.7:0", None),
        ("203.0.113.7:65536", None),
        (":4711", None),
        ("", None),
        ("[2001:db8::7]:4711", None),
        ("224.0.0.1:4711", None),
        ("203.0.113.7:" + "1" * MAX_CHARACTERS, None),
    ],
)
def test_viewer_address_is_an_address_a_colon_and_a_port(
    text: str, expected: tuple[str, int] | None
) -> None:
    """CloudFront writes IPv6 without brackets, and always a port."""
    hop = as_hop(find_hop_colon_port(text))

    assert (hop and (hop.address, hop.port)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("80", 80),
        ("65535", 65535),
        ("65536", None),
        ("0", None),
        ("080", None),
        ("", None),
        (" 80", None),
        ("80\n", None),
        ("8o", None),
        ("-1", None),
        ("\u0668\u0660", None),
        ("1" * 5000, None),
    ],
)
def test_port_is_decimal_ascii_without_leading_zero(
    text: str, expected: int | None
) -> None:
    """A port is 1 to 65535 in ASCII digits."""
    assert parse_port(text) == expected


@pytest.mark.parametrize(
    "peer",
    [
        None,
        "",
        "unix",
        "localhost",
        "<local>",
        "0.0.0.0",
        "/run/app.sock",
        "unix:",
        "unix:127.0.0.1",
        "@abstract",
        "\0abstract",
    ],
)
def test_peer_of_a_unix_socket_has_no_address(peer: str | None) -> None:
    """What servers report for a unix socket is no address, even if it reads so."""
    assert is_unix_peer(peer)
    assert parse_peer(peer) is None
    assert spell_peer(peer) is None


@pytest.mark.parametrize(
    ("peer", "spelled"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("FE80::1%3", "fe80::1%3"),
    ],
)
def test_peer_is_spelled_canonically_with_its_zone(peer: str, spelled: str) -> None:
    """A peer's zone is not matched, and stays in its spelling."""
    assert not is_unix_peer(peer)
    assert parse_peer(peer) == parse_packed(spelled.partition("%")[0])
    assert spell_peer(peer) == spelled


@pytest.mark.parametrize("peer", ["unknown", "127.1", "10.0.0.1%eth0", "::g", "1\0"])
def test_peer_that_is_neither_is_nobody(peer: str) -> None:
    """Text that is no address and no unix socket belongs to nobody."""
    assert not is_unix_peer(peer)
    assert parse_peer(peer) is None
    assert spell_peer(peer) is None
