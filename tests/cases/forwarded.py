"""
Rows of rules R11 and R12: hops that name nobody, and RFC 7239.

In:  nothing.
Out: `ROWS`.
"""

from __future__ import annotations

from typing import Any, Final

from trustedproxy import Reason

from .case import FOR, FORWARDED, HOST, PROTO, Case, Given, anybody, ours, sent

ALL: Final = ("client", "scheme", "host")


def _won(*categories: str) -> dict[str, str]:
    return dict.fromkeys(categories, FORWARDED)


#: R11 in an X- list.
UNIDENTIFIED: Final = (
    Case(
        "ends the walk at an unknown hop and keeps the last confirmed address",
        ours(FOR),
        sent(FOR, "1.1.1.1, unknown, 10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8"},
        attack="S-23",
    ),
    Case(
        "ends the walk at an unknown hop in any case",
        ours(FOR, malformed="reject"),
        sent(FOR, "1.1.1.1, UnKnown, 10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8"},
    ),
    Case(
        "ends the walk at an obfuscated hop",
        ours(FOR),
        sent(FOR, "1.1.1.1, _SEVKISEK, 10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8"},
        attack="S-23",
    ),
    Case(
        "ignores garbage in the middle and everything left of it",
        ours(FOR),
        sent(FOR, "1.1.1.1, garbage, 10.0.0.7, 10.0.0.8"),
        address="10.0.0.7",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        remaining={FOR: "10.0.0.7, 10.0.0.8"},
    ),
    Case(
        "keeps the peer's address where the last element is unknown",
        ours(FOR),
        sent(FOR, "1.1.1.1, unknown"),
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={},
    ),
    Case(
        "keeps the peer's address where the only element is unknown",
        ours(FOR),
        sent(FOR, "unknown"),
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={},
    ),
    Case(
        "keeps the peer's address where the last element is garbage",
        ours(FOR),
        sent(FOR, "203.0.113.7, garbage"),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        remaining={},
    ),
    Case(
        "keeps the port beside the last confirmed address",
        ours(FOR),
        sent(FOR, "unknown, 10.0.0.8:4712"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8:4712"},
        after={"REMOTE_PORT": "4712"},
    ),
    Case(
        "does not look behind the hop that ended the walk",
        ours(FOR, malformed="reject"),
        sent(FOR, "garbage, unknown, 10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8"},
    ),
)

#: What is taken: what, the header, further expectations.
TAKEN: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("a quoted IPv4 address", 'for="203.0.113.7"', {"client": "203.0.113.7"}),
    (
        "an IPv4 address with a port",
        'for="203.0.113.7:4711"',
        {"client": "203.0.113.7", "client_port": 4711},
    ),
    (
        "an IPv6 address in brackets and quotes",
        'for="[2001:db8::7]"',
        {"client": "2001:db8::7"},
    ),
    (
        "an IPv6 address with a port",
        'for="[2001:db8::7]:4711"',
        {"client": "2001:db8::7", "client_port": 4711},
    ),
    (
        "an address whose port is obfuscated, without it",
        'for="203.0.113.7:_p"',
        {"client": "203.0.113.7"},
    ),
    (
        "parameter names in any case",
        "FOR=203.0.113.7;Proto=HTTPS;hOsT=app.example",
        {
            "client": "203.0.113.7",
            "scheme": "https",
            "host": "app.example",
            "winners": _won(*ALL),
        },
    ),
    (
        "quoted values of every parameter",
        'for="203.0.113.7";proto="https";host="app.example:8443"',
        {
            "client": "203.0.113.7",
            "scheme": "https",
            "host": "app.example:8443",
            "winners": _won(*ALL),
        },
    ),
    (
        "escaped letters in a quoted value",
        'for="203.0.113\\.7";host="a\\pp.example"',
        {
            "client": "203.0.113.7",
            "host": "app.example",
            "winners": _won("client", "host"),
        },
    ),
    (
        "parameters in any order, and by",
        "by=10.0.0.8;host=app.example;for=203.0.113.7",
        {
            "client": "203.0.113.7",
            "host": "app.example",
            "winners": _won("client", "host"),
        },
    ),
    (
        "blanks around semicolons",
        "for=203.0.113.7 ;\tproto=https",
        {
            "client": "203.0.113.7",
            "scheme": "https",
            "winners": _won("client", "scheme"),
        },
    ),
    (
        "empty parameters between semicolons",
        "for=203.0.113.7;;proto=https;",
        {
            "client": "203.0.113.7",
            "scheme": "https",
            "winners": _won("client", "scheme"),
        },
    ),
    (
        "an unknown parameter beside the known ones",
        'for=203.0.113.7;secret=abc;ext="x;y,z"',
        {"client": "203.0.113.7"},
    ),
    (
        "wss for https",
        "for=203.0.113.7;proto=wss",
        {
            "client": "203.0.113.7",
            "scheme": "https",
            "winners": _won("client", "scheme"),
        },
    ),
    (
        "a mapped address as IPv4",
        'for="[::ffff:203.0.113.7]"',
        {"client": "203.0.113.7"},
    ),
)

#: What an element has that breaks the grammar, so that nothing in it is trusted.
BROKEN: Final = (
    ("a doubled for", "for=203.0.113.7;for=198.51.100.66;proto=https"),
    ("a doubled proto", "for=203.0.113.7;proto=http;Proto=https"),
    ("a doubled parameter of another name", "for=203.0.113.7;proto=https;x=1;x=2"),
    ("a blank before the equals sign", "for =203.0.113.7;proto=https"),
    ("a blank behind the equals sign", "for= 203.0.113.7;proto=https"),
    ("a parameter without a value", "for=203.0.113.7;proto=https;by"),
    ("an empty value", "for=;proto=https"),
    ("a value without a name", "=203.0.113.7;proto=https"),
    ("IPv6 without quotes", "for=[2001:db8::7];proto=https"),
    ("IPv6 without brackets and quotes", "for=2001:db8::7;proto=https"),
    ("a port without quotes", "for=203.0.113.7:4711;proto=https"),
    ("a host with a port without quotes", "for=203.0.113.7;proto=https;host=a:1"),
    ("no semicolon between two parameters", 'for="203.0.113.7"proto=https'),
    ("text behind a quoted value", 'for="203.0.113.7"x;proto=https'),
    ("a quote that is not closed", 'for="203.0.113.7;proto=https'),
    ("a quote that only an escape would close", 'for="203.0.113.7\\";proto=https'),
    ("a quote inside of a token", 'for=203.0.113.7";proto=https'),
    ("a blank inside of a token", "for=203.0.113.7 x;proto=https"),
    ("a control character in quotes", 'for="203.0.113.7";host="a\x00b";proto=https'),
    ("a name that is no token", "for=203.0.113.7;pro/to=https"),
    ("an address alone", "203.0.113.7"),
)

#: What `for` has that is no node, though the element keeps to the grammar.
NO_NODES: Final = (
    ("garbage", "for=garbage"),
    ("IPv6 in quotes without brackets", 'for="2001:db8::7"'),
    ("IPv6 and a port without brackets", 'for="2001:db8::7:8080"'),
    ("IPv4 in brackets", 'for="[203.0.113.7]"'),
    ("other parameters inside of its quotes", 'for="127.0.0.1;host=evil;proto=https"'),
    ("a port that is no number", 'for="203.0.113.7:port"'),
    ("a port above 65535", 'for="203.0.113.7:70000"'),
    ("a leading zero", "for=010.8.8.8"),
    ("a zone", 'for="[fe80::1%25eth0]"'),
    ("an empty string", 'for=""'),
    ("a multicast address", "for=224.0.0.1"),
    ("an underscore alone", "for=_"),
    ("an obfuscated name with other characters", 'for="_a/b"'),
    ("more than 64 characters with its port", f'for="203.0.113.7:_{"p" * 60}"'),
    ("blanks inside of its quotes", 'for=" 203.0.113.7 "'),
)

#: Well-formed nodes that name nobody.
NOBODY: Final = (
    ("unknown", "for=unknown"),
    ("unknown in capitals", "for=UNKNOWN"),
    ("unknown with a port", 'for="unknown:4711"'),
    ("an obfuscated name", "for=_hidden"),
    ("an obfuscated name with an obfuscated port", 'for="_obf:_p"'),
)

RFC: Final = "RFC 7239 section "

#: What an element or a node is like → the attack that it is.
_ATTACKS: Final = {
    "parameter names in any case": "S-51",
    "blanks around semicolons": "S-55",
    "a doubled for": "S-51",
    "a blank before the equals sign": "S-55",
    "a blank behind the equals sign": "S-55",
    "a quote that is not closed": "S-49",
    "other parameters inside of its quotes": "S-48",
}

HEADER: Final = (
    *(
        Case(
            f"takes {what} in Forwarded",
            ours(FORWARDED),
            sent(FORWARDED, value),
            reason=Reason.FIRST_UNTRUSTED_HOP,
            attack=_ATTACKS.get(what, ""),
            clause=RFC + "6" if "address" in what else RFC + "4",
            **{"winners": _won("client"), **more},
        )
        for what, value, more in TAKEN
    ),
    *(
        Case(
            f"ignores an element of Forwarded with {what}, and all of it",
            ours(FORWARDED),
            sent(FORWARDED, f"for=198.51.100.66, {value}, for=10.0.0.8"),
            address="10.0.0.8",
            reason=Reason.UNIDENTIFIED_HOP,
            problems=("malformed",),
            winners=_won("client"),
            remaining={FORWARDED: "for=10.0.0.8"},
            attack=_ATTACKS.get(what, ""),
            clause=RFC + "4",
        )
        for what, value in BROKEN
    ),
    *(
        Case(
            f"ignores a node of Forwarded that is {what}",
            ours(FORWARDED),
            sent(FORWARDED, f"for=198.51.100.66, {value};proto=https, for=10.0.0.8"),
            address="10.0.0.8",
            scheme="https",
            reason=Reason.UNIDENTIFIED_HOP,
            problems=("malformed",),
            winners=_won("client", "scheme"),
            remaining={FORWARDED: "for=10.0.0.8"},
            attack=_ATTACKS.get(what, "S-50"),
            clause=RFC + "6",
        )
        for what, value in NO_NODES
    ),
    *(
        Case(
            f"ends the walk at a node of Forwarded that is {what}",
            ours(FORWARDED, malformed="reject"),
            sent(
                FORWARDED,
                f"for=198.51.100.66, {value};proto=https;host=app.example, "
                "for=10.0.0.8",
            ),
            address="10.0.0.8",
            scheme="https",
            host="app.example",
            reason=Reason.UNIDENTIFIED_HOP,
            winners=_won(*ALL),
            remaining={FORWARDED: "for=10.0.0.8"},
            attack="S-50",
            clause=RFC + "6.2" if "unknown" in what else RFC + "6.3",
        )
        for what, value in NOBODY
    ),
    Case(
        "walks over our hops in Forwarded and takes all from the client's element",
        ours(FORWARDED),
        sent(
            FORWARDED,
            "for=1.1.1.1;proto=http;host=forged.example, "
            "for=203.0.113.7;proto=https;host=app.example, "
            "for=10.0.0.8;proto=http;host=mid.internal",
        ),
        client="203.0.113.7",
        scheme="https",
        host="app.example",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won(*ALL),
        remaining={
            FORWARDED: "for=203.0.113.7;proto=https;host=app.example, "
            "for=10.0.0.8;proto=http;host=mid.internal"
        },
        attack="S-53",
    ),
    Case(
        "takes neither scheme nor host from a hop that is not the client's",
        ours(FORWARDED),
        sent(
            FORWARDED,
            "for=1.1.1.1;proto=https;host=forged.example, for=203.0.113.7, "
            "for=10.0.0.8;proto=https;host=mid.internal",
        ),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={
            FORWARDED: "for=203.0.113.7, for=10.0.0.8;proto=https;host=mid.internal"
        },
        attack="S-53",
    ),
    Case(
        "takes the farthest element of Forwarded where every hop is ours",
        ours(FORWARDED),
        sent(FORWARDED, "for=10.0.0.7;proto=https, for=10.0.0.8"),
        client="10.0.0.7",
        scheme="https",
        reason=Reason.ALL_HOPS_TRUSTED,
        winners=_won("client", "scheme"),
    ),
    Case(
        "takes scheme and host from an element without for, which names nobody",
        ours(FORWARDED),
        sent(FORWARDED, "for=1.1.1.1, proto=https;host=app.example, for=10.0.0.8"),
        address="10.0.0.8",
        scheme="https",
        host="app.example",
        reason=Reason.UNIDENTIFIED_HOP,
        winners=_won(*ALL),
        remaining={FORWARDED: "for=10.0.0.8"},
    ),
    Case(
        "removes a Forwarded that leaves the peer, though its proto was used",
        ours(FORWARDED),
        sent(FORWARDED, "for=1.1.1.1, for=unknown;proto=https;host=app.example"),
        scheme="https",
        host="app.example",
        reason=Reason.UNIDENTIFIED_HOP,
        winners=_won("scheme", "host"),
        remaining={},
    ),
    Case(
        "takes an element of semicolons alone for one without for",
        ours(FORWARDED, malformed="reject"),
        sent(FORWARDED, "for=1.1.1.1, ;, for=10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: "for=10.0.0.8"},
    ),
    Case(
        "skips empty elements of Forwarded",
        ours(FORWARDED),
        sent(FORWARDED, "for=1.1.1.1, for=203.0.113.7,, for=10.0.0.8,"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: "for=203.0.113.7, for=10.0.0.8"},
    ),
    Case(
        "takes a Forwarded of commas alone for a missing one",
        ours(FORWARDED),
        sent(FORWARDED, " , "),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
    ),
    Case(
        "keeps the elements of Forwarded as they came",
        ours(FORWARDED),
        sent(FORWARDED, 'for=1.1.1.1 , FOR="203.0.113.7" ;ext="a, b" ,for=10.0.0.8'),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: 'FOR="203.0.113.7" ;ext="a, b", for=10.0.0.8'},
    ),
    Case(
        "lets no quote that is open further left reach what our proxies wrote",
        ours(FORWARDED),
        sent(FORWARDED, 'for=1.1.1.1;by=", for=203.0.113.9, for=10.0.0.8'),
        client="203.0.113.9",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: "for=203.0.113.9, for=10.0.0.8"},
        attack="S-49",
    ),
    Case(
        "lets no quote that is open further left make a pair with our proxy's",
        ours(FORWARDED),
        sent(FORWARDED, 'for="1.1.1.1, for="[2001:db8::9]";proto=https, for=10.0.0.8'),
        client="2001:db8::9",
        scheme="https",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client", "scheme"),
        remaining={FORWARDED: 'for="[2001:db8::9]";proto=https, for=10.0.0.8'},
        attack="S-49",
    ),
    Case(
        "lets no escape further left reach what our proxies wrote",
        ours(FORWARDED),
        sent(FORWARDED, 'for="1.1.1.1\\, for="203.0.113.9"'),
        client="203.0.113.9",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: 'for="203.0.113.9"'},
    ),
    Case(
        "reads a comma in quotes as part of the value",
        ours(FORWARDED),
        sent(FORWARDED, 'for=1.1.1.1, for=203.0.113.7;ext="a,b", for=10.0.0.8'),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: 'for=203.0.113.7;ext="a,b", for=10.0.0.8'},
    ),
    Case(
        "reads an escaped quote before a comma as part of the value",
        ours(FORWARDED),
        sent(FORWARDED, 'for=203.0.113.7;ext="a\\",b", for=10.0.0.8'),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
    ),
    Case(
        "reads an escaped quote as part of the value",
        ours(FORWARDED),
        sent(FORWARDED, 'for=1.1.1.1, for=203.0.113.7;ext="a\\"b", for=10.0.0.8'),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: 'for=203.0.113.7;ext="a\\"b", for=10.0.0.8'},
    ),
    Case(
        "reads an escaped backslash before the closing quote as part of the value",
        ours(FORWARDED),
        sent(FORWARDED, 'for=1.1.1.1, for=203.0.113.7;ext="a\\\\", for=10.0.0.8'),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: 'for=203.0.113.7;ext="a\\\\", for=10.0.0.8'},
    ),
    Case(
        "reads repeated lines of Forwarded as one list in order",
        ours(FORWARDED),
        sent(FORWARDED, "for=1.1.1.1, for=203.0.113.7", "for=10.0.0.8"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: "for=203.0.113.7, for=10.0.0.8"},
        attack="S-56",
    ),
    Case(
        "ignores a proto that is no scheme and keeps the client",
        ours(FORWARDED),
        sent(FORWARDED, "for=203.0.113.7;proto=javascript;host=app.example"),
        client="203.0.113.7",
        host="app.example",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        problems=("malformed",),
        winners=_won("client", "host"),
    ),
    Case(
        "ignores a host with a quote in it and keeps the client",
        ours(FORWARDED),
        sent(FORWARDED, 'for=203.0.113.7;proto=https;host="a\\"b"'),
        client="203.0.113.7",
        scheme="https",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        problems=("malformed",),
        winners=_won("client", "scheme"),
        attack="S-52",
    ),
    Case(
        "rejects a request for a host in Forwarded",
        ours(FORWARDED, malformed="reject"),
        sent(FORWARDED, 'for=203.0.113.7;host="a/b"'),
        client=None,
        address="10.0.0.1",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        problems=("malformed",),
        rejected="malformed",
        remaining={},
        mapped=False,
    ),
    Case(
        "rejects a request for an element that breaks the grammar",
        ours(FORWARDED, malformed="reject"),
        sent(FORWARDED, "for=203.0.113.7;for=203.0.113.8"),
        client=None,
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        rejected="malformed",
        remaining={},
    ),
    Case(
        "serves a request whose Forwarded is broken left of the client",
        ours(FORWARDED, malformed="reject"),
        sent(FORWARDED, 'for=", for=203.0.113.7'),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: "for=203.0.113.7"},
    ),
    Case(
        "keeps a secure connection where Forwarded has no proto",
        ours(FORWARDED),
        sent(FORWARDED, "for=203.0.113.7"),
        given=Given(scheme="https"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
    ),
    Case(
        "removes a stranger's Forwarded",
        ours(FORWARDED),
        sent(FORWARDED, "for=203.0.113.7;proto=https;host=forged.example"),
        peer="198.51.100.7",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "removes X- headers of scheme and host beside Forwarded without trusting them",
        ours(FORWARDED),
        (
            *sent(FORWARDED, "for=203.0.113.7"),
            *sent(PROTO, "https"),
            *sent(HOST, "forged.example"),
        ),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=_won("client"),
        remaining={FORWARDED: "for=203.0.113.7"},
        attack="S-54",
    ),
    Case(
        "leaves the client unknown where Forwarded is read from the left",
        anybody(FORWARDED),
        sent(FORWARDED, "for=_hidden;proto=https, for=10.0.0.8"),
        scheme="https",
        reason=Reason.UNIDENTIFIED_HOP,
        winners=_won("scheme"),
        remaining={},
    ),
)

ROWS: Final = (*UNIDENTIFIED, *HEADER)
