"""
Rows of rule R10: each form's grammar, what it takes and what it ignores.

In:  nothing.
Out: `ROWS`, and the texts for other tests.
"""

from __future__ import annotations

from typing import Any, Final

from trustedproxy import Reason

from .case import (
    DECIDE_ONLY,
    FOR,
    HOST,
    PORT,
    PROTO,
    REAL,
    SCRIPT,
    SERVER,
    SSL,
    Case,
    Given,
    Lines,
    anybody,
    ours,
    sent,
)

#: What is taken: what it is, the text, the address, the port.
ADDRESSES: Final = (
    ("an IPv4 address", "203.0.113.7", "203.0.113.7", None),
    ("an IPv4 address with a port", "203.0.113.7:4711", "203.0.113.7", 4711),
    ("an IPv6 address", "2001:db8::7", "2001:db8::7", None),
    ("an IPv6 address in brackets", "[2001:db8::7]", "2001:db8::7", None),
    ("an IPv6 address with a port", "[2001:db8::7]:4711", "2001:db8::7", 4711),
    ("an IPv6 address in capitals", "2001:DB8::ABCD", "2001:db8::abcd", None),
    ("an IPv6 address written out", "2001:0db8:0:0:0:0:0:7", "2001:db8::7", None),
    (
        "an IPv6 address that ends in IPv4",
        "64:ff9b::203.0.113.7",
        "64:ff9b::cb00:7107",
        None,
    ),
    ("a mapped IPv4 address", "::ffff:203.0.113.7", "203.0.113.7", None),
    ("a mapped address in hexadecimal", "::ffff:cb00:7107", "203.0.113.7", None),
    (
        "a mapped address in brackets with a port",
        "[::ffff:203.0.113.7]:80",
        "203.0.113.7",
        80,
    ),
    ("the highest port", "203.0.113.7:65535", "203.0.113.7", 65535),
    ("an address among blanks and tabs", " \t203.0.113.7 \t", "203.0.113.7", None),
    ("a private address", "192.168.1.1", "192.168.1.1", None),
    ("a loopback address", "127.0.0.1", "127.0.0.1", None),
)

#: What is ignored: what is wrong with it, the text, the attack that it is.
NO_ADDRESSES: Final = (
    ("letters", "garbage", "S-11"),
    ("a host name", "client.example", "S-25"),
    ("the name of this machine", "localhost", "S-25"),
    ("a script", "<script>alert(1)</script>", "S-12"),
    ("a leading zero", "010.8.8.8", "S-18"),
    ("a zero before a zero", "203.00.113.7", "S-18"),
    ("a shortened form", "127.1", "S-18"),
    ("a hexadecimal part", "0x7f.0.0.1", "S-18"),
    ("an integer", "2130706433", "S-18"),
    ("a number above 255", "203.0.113.256", ""),
    ("five parts", "203.0.113.7.1", ""),
    ("an empty part", "203.0..7", ""),
    ("a sign", "+203.0.113.7", ""),
    ("a superscript digit", "203.0.113.\xb2", "S-21"),
    (
        "digits of another script in bytes",
        "٢٠٣.0.113.7".encode().decode("latin-1"),
        "S-21",
    ),
    ("a NUL at the end", "203.0.113.7\x00", "S-21"),
    ("a line break at the end", "203.0.113.7\n", "S-12"),
    ("a statement", "'; DROP TABLE x", "S-12"),
    ("a line break and more", "203.0.113.7\r\nX-Evil: 1", "S-12"),
    ("a no-break space", "203.0.113.7\xa0", ""),
    ("a vertical tab around it", "\x0b203.0.113.7", ""),
    ("a blank inside", "203.0.113. 7", ""),
    ("IPv4 in brackets", "[203.0.113.7]", "S-17"),
    ("IPv4 in brackets with a port", "[203.0.113.7]:80", "S-17"),
    ("text between the brackets and the port", "[2001:db8::7]x80", ""),
    ("an obfuscated port", "203.0.113.7:_x", ""),
    ("a bracket that is not closed", "[2001:db8::7", ""),
    ("a bracket that is not opened", "2001:db8::7]", ""),
    ("two pairs of brackets", "[[2001:db8::7]]", ""),
    ("empty brackets", "[]", ""),
    ("text behind the brackets", "[2001:db8::7]x", ""),
    ("an empty port", "203.0.113.7:", ""),
    ("an empty port behind brackets", "[2001:db8::7]:", ""),
    ("a port that is no number", "203.0.113.7:nope", "S-17"),
    ("a port above 65535", "203.0.113.7:99999", "S-17"),
    ("the port zero", "203.0.113.7:0", ""),
    ("a port with a leading zero", "203.0.113.7:080", ""),
    ("a port with a sign", "203.0.113.7:+80", ""),
    ("a port with a superscript digit", "203.0.113.7:8\xb9", ""),
    ("a zone", "fe80::1%eth0", "S-20"),
    ("a zone in brackets", "[fe80::1%25eth0]", "S-20"),
    ("a long zone", "::1%" + "A" * 40, "S-20"),
    ("a zone of four thousand characters", "::1%" + "A" * 4000, "S-20"),
    ("two double colons", "2001::db8::7", ""),
    ("nine groups", "1:2:3:4:5:6:7:8:9", ""),
    ("a group of five digits", "2001:db8::12345", ""),
    ("a network", "203.0.113.0/24", ""),
    ("quotes", '"203.0.113.7"', ""),
    ("a parameter of Forwarded", "for=203.0.113.7", ""),
    ("a URL", "http://203.0.113.7/", ""),
    ("the unspecified IPv4 address", "0.0.0.0", "S-22"),
    ("the unspecified IPv6 address", "::", "S-22"),
    ("the mapped unspecified address", "::ffff:0.0.0.0", "S-22"),
    ("the broadcast address", "255.255.255.255", "S-22"),
    ("an IPv4 multicast address", "224.0.0.1", "S-22"),
    ("an IPv6 multicast address", "ff02::1", "S-22"),
    ("a mapped multicast address", "::ffff:224.0.0.1", "S-22"),
    ("more than 64 characters", "2001:db8::7" + "0" * 60, "S-21"),
)

#: Scheme header, text, scheme.
SCHEMES: Final = (
    ("https", "https", "https"),
    ("http", "http", "http"),
    ("https in capitals", "HTTPS", "https"),
    ("https among blanks and tabs", "\t https \t", "https"),
    ("wss for https", "wss", "https"),
    ("ws for http", "ws", "http"),
    ("wss in mixed case for https", "WsS", "https"),
)
NO_SCHEMES: Final = (
    ("another scheme", "ftp"),
    ("a scripting scheme", "javascript"),
    ("a colon behind it", "https:"),
    ("a URL", "https://app.example"),
    ("quotes", '"https"'),
    ("a word of flags", "on"),
    ("text before it", "xhttps"),
    ("a line break", "https\n"),
    ("a long s", "http\xc5\xbf"),
    ("two words", "https http"),
)
FLAGS: Final = (
    ("on", "on", "https"),
    ("true", "true", "https"),
    ("1", "1", "https"),
    ("On in mixed case", "On", "https"),
    ("off", "off", "http"),
    ("false", "false", "http"),
    ("0", "0", "http"),
    ("FALSE in capitals", "FALSE", "http"),
    ("on among blanks", " on ", "https"),
)
NO_FLAGS: Final = (
    ("yes", "yes"),
    ("a scheme", "https"),
    ("the word ssl", "ssl"),
    ("another number", "2"),
    ("the word enabled", "enabled"),
)

HOSTS: Final = (
    ("a name", "app.example"),
    ("a name with a port", "app.example:8443"),
    ("a single label", "localhost"),
    ("a name with underscore and hyphen", "my_app-1.example"),
    ("a name in capitals", "App.Example"),
    ("a name that ends in a dot", "app.example."),
    ("a name that ends in a dot before a port", "app.example.:8443"),
    ("an IPv4 address", "203.0.113.80"),
    ("an IPv4 address with a port", "203.0.113.80:8080"),
    ("an IPv6 address in brackets", "[2001:db8::80]"),
    ("an IPv6 address in brackets with a port", "[2001:db8::80]:8443"),
    ("a name of 255 characters", "a" * 63 + ("." + "a" * 63) * 3),
)
NO_HOSTS: Final = (
    ("a path", "app.example/evil"),
    ("a query", "app.example?x"),
    ("a fragment", "app.example#x"),
    ("user information", "user@app.example"),
    ("a backslash", "app.example\\evil"),
    ("a blank", "app example"),
    ("a tab", "app\texample"),
    ("quotes and markup", 'evil"><x'),
    ("a line break", "app.example\r\nX-Evil: 1"),
    ("a line break at the end", "app.example\n"),
    ("a percent sign", "app%2eexample"),
    ("a letter outside of ASCII", "\xe4pp.example"),
    ("an empty label", "app..example"),
    ("a dot before it", ".app.example"),
    ("two dots behind it", "app.example.."),
    ("a dot alone", "."),
    ("a port alone", ":8443"),
    ("an empty port", "app.example:"),
    ("a port that is no number", "app.example:80a"),
    ("a port above 65535", "app.example:65536"),
    ("two ports", "app.example:80:80"),
    ("IPv6 without brackets", "2001:db8::80"),
    ("garbage in brackets", "[app.example]"),
    ("IPv4 in brackets", "[203.0.113.80]"),
    ("a zone", "[fe80::1%25eth0]"),
    ("text between brackets and port", "[2001:db8::80]x443"),
    ("a bracket that is not closed", "[2001:db8::80"),
    ("empty brackets", "[]"),
    ("more than 255 characters", "a." * 128),
    ("a semicolon", "app.example;x"),
    ("a URL", "https://app.example"),
)

PORTS: Final = (("the lowest port", "1"), ("the highest port", "65535"))
NO_PORTS: Final = (
    ("letters behind it", "443abc"),
    ("the port zero", "0"),
    ("a port above 65535", "65536"),
    ("a leading zero", "0443"),
    ("a sign", "+443"),
    ("a negative port", "-1"),
    ("a superscript digit", "44\xb3"),
    ("a decimal point", "443.0"),
    ("a blank inside", "4 43"),
    ("a line break", "443\n"),
    ("a host before it", "app.example:443"),
)
NO_SERVERS: Final = (
    ("a port", "edge.example:443"),
    ("a path", "edge.example/x"),
    ("an empty label", "edge..example"),
    ("a blank", "edge example"),
)

MOUNT_POINTS: Final = (
    ("one segment", "/app", "/app"),
    ("several segments", "/a/b/c", "/a/b/c"),
    ("every unreserved character", "/aZ09-._~", "/aZ09-._~"),
    ("a trailing slash and drops it", "/app/", "/app"),
    ("the root for no mount point", "/", ""),
    ("an empty header for no mount point", "", ""),
    ("blanks for no mount point", "  ", ""),
    ("one among blanks", " /app ", "/app"),
    ("dots inside of a segment", "/a..b/.c", "/a..b/.c"),
    (
        "a user's address",
        "/user/alice@example.org/proxy/8050",
        "/user/alice@example.org/proxy/8050",
    ),
    ("every other character that it may hold", "/a@+:=!$*b", "/a@+:=!$*b"),
    ("an encoded at sign", "/user/alice%40example.org", "/user/alice@example.org"),
    ("an encoded letter", "/a%41%2e", "/aA."),
    ("a plus sign before a trailing slash", "/team+x/", "/team+x"),
)
NO_MOUNT_POINTS: Final = (
    ("two slashes before it", "//evil.example"),
    ("two slashes alone", "//"),
    ("two slashes inside", "/a//b"),
    ("two slashes behind it", "/a//"),
    ("a slash and a backslash", "/\\evil.example"),
    ("a backslash", "\\evil.example"),
    ("a URL", "https://evil.example"),
    ("no slash before it", "app"),
    ("a segment that goes up", "/a/../b"),
    ("a segment that goes up at the end", "/a/.."),
    ("a segment that stays", "/a/./b"),
    ("an encoded slash", "/%2f%2fevil.example"),
    ("an encoded percent sign", "/a%2540"),
    ("an encoded backslash", "/a%5cb"),
    ("an encoded segment that goes up", "/a/%2e%2e"),
    ("a percent sign alone", "/a%4"),
    ("a semicolon", "/a;b"),
    ("a query", "/a?b"),
    ("a fragment", "/a#b"),
    ("a quote", '/a"b'),
    ("a blank", "/a b"),
    ("a line break", "/a\n"),
    ("an ampersand", "/a&b"),
    ("a letter outside of ASCII", "/\xe4"),
)


def _ignored(
    category: str, header: str, what: str, text: str, given: Given, **more: Any
) -> Case:
    return Case(
        f"ignores a {category} with {what}",
        ours(header),
        sent(header, text),
        given=given,
        problems=("malformed",),
        remaining={},
        **more,
    )


SECURE: Final = Given(scheme="https")

ADDRESS_ROWS: Final = (
    *(
        Case(
            f"takes {what} for the client",
            ours(REAL),
            sent(REAL, text),
            client=address,
            client_port=port,
            reason=Reason.SINGLE_VALUE,
            remaining={REAL: text.strip(" \t")},
        )
        for what, text, address, port in ADDRESSES
    ),
    *(
        Case(
            f"ignores a client with {what}",
            ours(REAL),
            sent(REAL, text),
            reason=Reason.MALFORMED,
            problems=("malformed",),
            remaining={},
            attack=attack,
        )
        for what, text, attack in NO_ADDRESSES
    ),
    *(
        Case(
            f"ignores a hop with {what} and all that is left of it",
            ours(FOR),
            sent(FOR, f"198.51.100.66, {text}, 10.0.0.8"),
            address="10.0.0.8",
            reason=Reason.UNIDENTIFIED_HOP,
            problems=("malformed",),
            remaining={FOR: "10.0.0.8"},
            attack=attack,
        )
        for what, text, attack in NO_ADDRESSES
    ),
    Case(
        "ignores digits of another script",
        ours(REAL),
        sent(REAL, "\uff12\uff10\uff13.0.113.7"),
        reason=Reason.MALFORMED,
        problems=("malformed",),
        remaining={},
        ways=DECIDE_ONLY,
    ),
    Case(
        "ignores several addresses where one belongs",
        ours(REAL),
        sent(REAL, "203.0.113.7, 198.51.100.66"),
        reason=Reason.MALFORMED,
        problems=("malformed",),
        remaining={},
        attack="S-24",
    ),
    Case(
        "ignores repeated lines where one address belongs",
        ours(REAL),
        sent(REAL, "203.0.113.7", "203.0.113.7"),
        reason=Reason.MALFORMED,
        problems=("malformed",),
        remaining={},
        attack="S-24 S-26",
    ),
    Case(
        "ignores a client header that says unknown where one address belongs",
        ours(REAL, malformed="reject"),
        sent(REAL, "unknown"),
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={},
    ),
    Case(
        "takes an empty client header for a missing one",
        ours(REAL),
        sent(REAL, ""),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
    ),
    Case(
        "takes a blank client header for a missing one",
        ours(REAL),
        sent(REAL, " \t "),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
    ),
    Case(
        "drops the peer's port where the address changed without one",
        ours(REAL),
        sent(REAL, "203.0.113.7"),
        given=Given(environ={"REMOTE_HOST": "proxy.internal"}),
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        after={"REMOTE_PORT": None, "REMOTE_HOST": None},
    ),
    Case(
        "writes the client's port as text",
        ours(REAL),
        sent(REAL, "203.0.113.7:4711"),
        client="203.0.113.7",
        client_port=4711,
        reason=Reason.SINGLE_VALUE,
        after={"REMOTE_PORT": "4711"},
    ),
    Case(
        "keeps the peer's port where the header names the peer itself",
        ours(FOR),
        sent(FOR, "10.0.0.1"),
        client="10.0.0.1",
        reason=Reason.ALL_HOPS_TRUSTED,
        mapped=False,
        after={"REMOTE_PORT": "50000"},
        original={},
    ),
    Case(
        "writes the port that the header gives to the peer itself",
        ours(FOR),
        sent(FOR, "10.0.0.1:4711"),
        client="10.0.0.1",
        client_port=4711,
        reason=Reason.ALL_HOPS_TRUSTED,
        mapped=False,
        after={"REMOTE_PORT": "4711"},
        original={"REMOTE_PORT": "50000"},
    ),
    Case(
        "keeps the peer's port and name where the address stayed",
        ours(REAL, PROTO),
        sent(REAL, "garbage"),
        given=Given(environ={"REMOTE_HOST": "proxy.internal"}),
        reason=Reason.MALFORMED,
        problems=("malformed",),
        remaining={},
        after={"REMOTE_PORT": "50000", "REMOTE_HOST": "proxy.internal"},
    ),
)

SCHEME_ROWS: Final = (
    *(
        Case(
            f"takes {what} for the scheme",
            ours(PROTO),
            sent(PROTO, text),
            given=Given(scheme="http" if scheme == "https" else "https"),
            scheme=scheme,
            remaining={PROTO: text.strip(" \t")},
        )
        for what, text, scheme in SCHEMES
    ),
    *(
        _ignored("scheme", PROTO, what, text, Given(), attack="S-32")
        for what, text in NO_SCHEMES
    ),
    Case(
        "keeps https where the scheme header is malformed",
        ours(PROTO),
        sent(PROTO, "gopher"),
        given=SECURE,
        problems=("malformed",),
        remaining={},
    ),
    Case(
        "keeps https where the scheme header is missing",
        ours(PROTO),
        given=SECURE,
        attack="S-36",
    ),
    Case(
        "does not take a missing scheme header for https",
        ours(PROTO),
        sent(PROTO, ""),
        remaining={},
    ),
    *(
        Case(
            f"takes the flag {what}",
            ours(SSL),
            sent(SSL, text),
            given=Given(scheme="http" if scheme == "https" else "https"),
            scheme=scheme,
            remaining={SSL: text.strip(" ")},
            attack="S-35",
        )
        for what, text, scheme in FLAGS
    ),
    *(
        Case(
            f"ignores a flag with {what}",
            ours(SSL),
            sent(SSL, text),
            problems=("malformed",),
            remaining={},
            attack="S-35",
        )
        for what, text in NO_FLAGS
    ),
)

VISITOR: Final = "CF-Visitor"
VISITORS: Final = (
    ("of https", '{"scheme":"https"}', "https"),
    ("of http", '{"scheme":"http"}', "http"),
    ("with blanks", ' { "scheme" : "https" } ', "https"),
)
NO_VISITORS: Final = (
    ("more than a scheme", '{"scheme":"https","a":1}'),
    ("another scheme", '{"scheme":"wss"}'),
    ("a bare word", "https"),
    ("half an object", '{"scheme":"https"'),
)

VISITOR_ROWS: Final = (
    *(
        Case(
            f"takes a CF-Visitor {what}",
            ours(VISITOR),
            sent(VISITOR, text),
            given=Given(scheme="http" if scheme == "https" else "https"),
            scheme=scheme,
            remaining={VISITOR: text.strip(" ")},
        )
        for what, text, scheme in VISITORS
    ),
    *(
        Case(
            f"ignores a CF-Visitor of {what}",
            ours(VISITOR),
            sent(VISITOR, text),
            problems=("malformed",),
            remaining={},
        )
        for what, text in NO_VISITORS
    ),
    Case(
        "takes a CF-Visitor where a router behind the CDN overwrote the scheme",
        ours(VISITOR),
        ((VISITOR, '{"scheme":"https"}'), (PROTO, "http")),
        scheme="https",
        remaining={VISITOR: '{"scheme":"https"}'},
    ),
)

HOST_ROWS: Final = (
    *(
        Case(
            f"takes {what} for the host",
            ours(HOST),
            sent(HOST, text),
            host=text,
        )
        for what, text in HOSTS
    ),
    *(
        _ignored("host", HOST, what, text, Given(), attack="S-37")
        for what, text in NO_HOSTS
    ),
    Case(
        "trims blanks and tabs around a host",
        ours(HOST),
        sent(HOST, "\t app.example "),
        host="app.example",
        remaining={HOST: "app.example"},
    ),
    Case(
        "takes an empty host header for a missing one",
        ours(HOST, malformed="reject"),
        sent(HOST, ""),
        remaining={},
    ),
    Case(
        "sets a host where the request had none",
        ours(HOST),
        sent(HOST, "app.example"),
        given=Given(host=None),
        host="app.example",
    ),
    Case(
        "changes neither server nor port with the host",
        ours(HOST),
        sent(HOST, "app.example:8443"),
        host="app.example:8443",
        server="127.0.0.1",
        port="8000",
    ),
)

PORT_ROWS: Final = (
    *(
        Case(f"takes {what}", ours(PORT), sent(PORT, text), port=text)
        for what, text in PORTS
    ),
    *(
        _ignored("port", PORT, what, text, Given(), attack="S-40")
        for what, text in NO_PORTS
    ),
    Case(
        "trims blanks and tabs around a port",
        ours(PORT),
        sent(PORT, " 443\t"),
        port="443",
        remaining={PORT: "443"},
    ),
    Case(
        "takes an empty port header for a missing one",
        ours(PORT),
        sent(PORT, ""),
        remaining={},
    ),
    Case(
        "takes a server name with a dot at its end",
        ours(SERVER),
        sent(SERVER, "edge.example."),
        server="edge.example.",
    ),
    Case(
        "takes a server's address",
        ours(SERVER),
        sent(SERVER, "203.0.113.80"),
        server="203.0.113.80",
    ),
    *(_ignored("server", SERVER, what, text, Given()) for what, text in NO_SERVERS),
    Case(
        "takes an empty server header for a missing one",
        ours(SERVER),
        sent(SERVER, ""),
        remaining={},
    ),
    Case(
        "changes the server and keeps its port",
        ours(SERVER),
        sent(SERVER, "edge.example"),
        server="edge.example",
        port="8000",
    ),
    Case(
        "changes the port and keeps the server's name",
        ours(PORT),
        sent(PORT, "443"),
        server="127.0.0.1",
        port="443",
    ),
)

MOUNT_POINT_ROWS: Final = (
    *(
        Case(
            f"takes {what} at the mount point",
            ours(SCRIPT),
            sent(SCRIPT, text),
            given=Given(mount_point="/outer"),
            mount_point=mount_point,
            remaining={SCRIPT: text.strip(" ")},
            attack="S-44" if text.strip(" ").endswith("/") or not text else "",
        )
        for what, text, mount_point in MOUNT_POINTS
    ),
    *(
        _ignored(
            "mount point",
            SCRIPT,
            what,
            text,
            Given(mount_point="/outer"),
            attack="S-43",
        )
        for what, text in NO_MOUNT_POINTS
    ),
    Case(
        "takes a mount point header of commas alone for a missing one",
        ours(SCRIPT),
        sent(SCRIPT, ","),
        given=Given(mount_point="/outer"),
        remaining={},
    ),
    Case(
        "keeps the server's mount point where the header is missing",
        ours(SCRIPT),
        given=Given(mount_point="/outer"),
    ),
)


def _rejecting(what: str, policy: dict[str, Any], headers: Lines, **more: Any) -> Case:
    return Case(f"rejects a request for {what}", policy, headers, **more)


_BAD: Final[dict[str, Any]] = {
    "problems": ("malformed",),
    "rejected": "malformed",
    "remaining": {},
}

#: R10: malformed="reject".
REJECTED: Final = (
    _rejecting(
        "a malformed client",
        ours(REAL, malformed="reject"),
        sent(REAL, "garbage"),
        reason=Reason.MALFORMED,
        **_BAD,
    ),
    _rejecting(
        "a malformed scheme",
        ours(PROTO, malformed="reject"),
        sent(PROTO, "gopher"),
        **_BAD,
        attack="S-32",
    ),
    _rejecting(
        "a malformed host",
        ours(HOST, malformed="reject"),
        sent(HOST, "a/b"),
        **_BAD,
        attack="S-37 S-42",
    ),
    _rejecting(
        "a malformed server name",
        ours(SERVER, malformed="reject"),
        sent(SERVER, "a b"),
        **_BAD,
    ),
    _rejecting(
        "a malformed port",
        ours(PORT, malformed="reject"),
        sent(PORT, "x"),
        **_BAD,
    ),
    _rejecting(
        "a malformed mount point",
        ours(SCRIPT, malformed="reject"),
        sent(SCRIPT, "//evil.example"),
        **_BAD,
        attack="S-43",
    ),
    _rejecting(
        "a malformed element that ended the walk",
        ours(FOR, malformed="reject"),
        sent(FOR, "1.1.1.1, garbage, 10.0.0.8"),
        address="10.0.0.1",
        reason=Reason.UNIDENTIFIED_HOP,
        mapped=False,
        **_BAD,
        attack="S-11",
    ),
    _rejecting(
        "a malformed header though another one of its category won",
        ours(FOR, REAL, malformed="reject"),
        (*sent(FOR, "203.0.113.7"), *sent(REAL, "garbage")),
        client=None,
        reason=Reason.FIRST_UNTRUSTED_HOP,
        **_BAD,
    ),
    _rejecting(
        "a malformed header and rewrites nothing from the others",
        ours(REAL, PROTO, HOST, PORT, SCRIPT, malformed="reject"),
        (
            *sent(REAL, "203.0.113.7"),
            *sent(PROTO, "https"),
            *sent(HOST, "app.example"),
            *sent(PORT, "x"),
            *sent(SCRIPT, "/app"),
            *sent(SERVER, "other.example"),
        ),
        client=None,
        reason=Reason.SINGLE_VALUE,
        problems=("malformed",),
        rejected="malformed",
        remaining={SERVER: "other.example"},
    ),
    Case(
        "serves a request whose malformed element is left of the client",
        ours(FOR, malformed="reject"),
        sent(FOR, "garbage, 203.0.113.7"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
    ),
    Case(
        "serves a request whose malformed header is not listed",
        ours(FOR, malformed="reject"),
        (*sent(FOR, "203.0.113.7"), *sent(REAL, "garbage"), *sent(HOST, "a/b")),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7", HOST: "a/b"},
        winners={"client": FOR},
    ),
    Case(
        "serves a direct request with malformed headers",
        ours(REAL, HOST, malformed="reject"),
        (*sent(REAL, "garbage"), *sent(HOST, "a/b")),
        peer="198.51.100.7",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "serves a request with an unknown hop",
        ours(FOR, malformed="reject"),
        sent(FOR, "unknown, 10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8"},
    ),
    Case(
        "serves a request with an obfuscated hop",
        ours(FOR, malformed="reject"),
        sent(FOR, "_hidden, 10.0.0.8"),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        remaining={FOR: "10.0.0.8"},
    ),
    Case(
        "serves a request with empty headers",
        ours(FOR, PROTO, HOST, PORT, malformed="reject"),
        tuple((name, "") for name in (FOR, PROTO, HOST, PORT)),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
    ),
    Case(
        "serves a request whose list is malformed behind the first element",
        anybody(FOR, malformed="reject"),
        sent(FOR, "203.0.113.7, garbage"),
        client="203.0.113.7",
        reason=Reason.FIRST_ELEMENT,
    ),
)

ROWS: Final = (
    *ADDRESS_ROWS,
    *SCHEME_ROWS,
    *VISITOR_ROWS,
    *HOST_ROWS,
    *PORT_ROWS,
    *MOUNT_POINT_ROWS,
    *REJECTED,
)
