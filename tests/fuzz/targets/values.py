"""
Values of headers: lists of addresses, elements of ``Forwarded``, hosts.

In:  bytes, taken as latin-1, as servers take them.
Out: an assertion that fails where a parser differs from a plain reading.
"""

from __future__ import annotations

import ipaddress
import string
from typing import Final

from ada_url import URL

from trustedproxy import Connection, Decision, ProxyPolicy, Reason
from trustedproxy.parsing.forwarded import parse_element
from trustedproxy.parsing.values import parse_host, split_host

#: A proxy of the policies below, and what the walk of every list has to end at.
PEER: Final = "10.0.0.1"
NETWORKS: Final = [ipaddress.ip_network("10.0.0.0/8")]
WALK: Final = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"])
WALK_FORWARDED: Final = ProxyPolicy(headers=["Forwarded"], proxies=["10.0.0.0/8"])
#: What is read of a list at most (rule R13).
MOST_ELEMENTS: Final = 64
MOST_CHARACTERS: Final = 4096

_TCHAR: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")


def decide(policy: ProxyPolicy, value: str) -> Decision:
    """Decide a request whose only header is the policy's."""
    connection = Connection(PEER, "http", "app.example", "127.0.0.1", "8000")
    return policy.decide(connection, {policy.headers[0].name: value})


def describe(decision: Decision, value: str) -> dict[str, object]:
    """Say what an application sees of a decision about a header with *value*."""
    name = "X-Forwarded-For" if "X-Forwarded-For" in str(decision) else "Forwarded"
    remains = decision.rewritten.get(name, value)
    return {
        "client": (decision.client, decision.client_port, decision.address),
        "url": (decision.scheme, decision.host),
        "reason": decision.reason,
        "remains": None if name in decision.removed else remains,
    }


def read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an element in a few lines of the standard library."""
    bare, port = text, ""
    if text.startswith("["):
        bare, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in bare or (rest and rest[0] != ":") or rest == ":":
            return None
        port = rest[1:]
    elif text.count(":") == 1:
        bare, _, port = text.partition(":")
        if not port:
            return None
    if port and not (port.isdecimal() and port.isascii() and port[0] != "0"):
        return None
    if len(text) > 64 or "%" in bare or (port and int(port) > 65535):
        return None
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    broadcast = address == ipaddress.ip_address("255.255.255.255")
    if address.is_multicast or address.is_unspecified or broadcast:
        return None
    return address


def check_x_forwarded_for(data: bytes) -> None:
    """The client is the first from the right that is none of ours, and no other."""
    value = data.decode("latin-1")
    decision = decide(WALK, value)

    elements = [part.strip(" \t") for part in value.split(",")]
    client = None
    for count, text in enumerate(filter(None, reversed(elements)), 1):
        address = read_address(text)
        if address is None or count > MOST_ELEMENTS:
            client = None
            break
        client = str(address)
        if not any(address in network for network in NETWORKS):
            break
    if len(value) <= MOST_CHARACTERS or decision.client is not None:
        assert decision.client == client, value

    # Nothing on the left changes what stands right of an untrusted hop (R6).
    for left in (data[:7].decode("latin-1"), '"', "\\", "1.1.1.1"):
        right = f"203.0.113.9, {value}"
        alone, behind = decide(WALK, right), decide(WALK, f"{left}, {right}")
        if len(right) + len(left) <= MOST_CHARACTERS - 2:
            both = f"{left}, {right}"
            assert describe(alone, right) == describe(behind, both), both


def read_pairs(text: str) -> dict[str, str] | None:
    """Read an element of RFC 7239 character by character; ``None`` where it breaks."""
    pairs: dict[str, str] = {}
    at = 0
    while True:
        # Blanks and semicolons in front, the first time; a separator afterwards.
        start = at
        while at < len(text) and text[at] in " \t;":
            at += 1
        if at == len(text) and (not pairs or ";" in text[start:at] or start == at):
            return pairs
        if pairs and ";" not in text[start:at]:
            return None
        start = at
        while at < len(text) and text[at] in _TCHAR:
            at += 1
        name = text[start:at].lower()
        if not name or text[at : at + 1] != "=" or name in pairs:
            return None
        at += 1
        if text[at : at + 1] == '"':
            at += 1
            value = ""
            while text[at : at + 1] not in ("", '"'):
                at += text[at] == "\\"
                character = text[at : at + 1]
                if not character or (character < " " and character != "\t"):
                    return None
                if character == "\x7f":
                    return None
                value += character
                at += 1
            if at >= len(text):
                return None
            at += 1
        else:
            start = at
            while at < len(text) and text[at] in _TCHAR:
                at += 1
            value = text[start:at]
            if not value:
                return None
        pairs[name] = value


def check_forwarded(data: bytes) -> None:
    """An element means what RFC 7239 says, whatever a client puts in front of it."""
    text = data.decode("latin-1")
    pairs, element = read_pairs(text), parse_element(text)

    assert (pairs is None) == (element is None), text
    if pairs is not None and element is not None:
        wanted = (pairs.get("for"), pairs.get("proto"), pairs.get("host"))
        assert element == wanted, text

    decision = decide(WALK_FORWARDED, text)
    if decision.client is not None:
        assert str(ipaddress.ip_address(decision.client)) == decision.client
    if pairs is None or not text.strip(" \t;"):
        return
    # One whole element of ours on the right: no quote on the left reaches it (R12).
    right = f"for=203.0.113.9;proto=https, {text}, for=10.0.0.8"
    alone = decide(WALK_FORWARDED, right)
    for left in (data[-9:].decode("latin-1"), '"', '\\"', 'for="', 'for=1.1.1.1;by="'):
        both = f"{left}, {right}"
        if len(both) <= MOST_CHARACTERS:
            behind = decide(WALK_FORWARDED, both)
            assert describe(alone, right) == describe(behind, both), both
    assert alone.reason is not Reason.ALL_HOPS_TRUSTED, right


def check_host(data: bytes) -> None:
    """A host that is accepted leads a browser to itself, and to no other place."""
    text = data.decode("latin-1")
    host = parse_host(text)
    if host is None:
        return

    assert host == text and host.isascii() and len(host) <= 255
    assert not set(host) & set(" \t\r\n\0/\\?#@,;\"'<>%&"), host
    split = split_host(host)
    assert split is not None
    name, port = split
    assert (name if port is None else f"{name}:{port}") == host
    assert port is None or 1 <= int(port) <= 65535
    try:
        url = URL(f"https://{host}/x?y")
    except ValueError:
        # A browser goes nowhere with such numbers, or with such an "xn--" name.
        return
    assert (url.pathname, url.search, url.username, url.hash) == ("/x", "?y", "", "")
    assert url.port == ("" if port in (None, "443") else port), host
    last = name.rstrip(".").rpartition(".")[2].lower()
    if not (name.startswith("[") or last[:1].isdigit() or "xn--" in name.lower()):
        assert url.hostname == name.lower(), host
