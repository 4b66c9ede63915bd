"""
Rows of rules R1 to R5: who is trusted, what goes, what stays.

In:  nothing.
Out: `ROWS`.
"""

from __future__ import annotations

import socket
from typing import Any, Final

from trustedproxy import Reason

from .case import (
    ASGI_ONLY,
    DECIDE_ONLY,
    FOR,
    FORWARDED,
    HOST,
    NAMES_AS_SENT,
    PORT,
    PROTO,
    REAL,
    SCRIPT,
    SECRET,
    SECRET_HEADER,
    SERVER,
    SSL,
    WSGI_ONLY,
    Case,
    Given,
    anybody,
    ours,
)

#: One header of each category, all forged.
FORGED: Final = (
    (FOR, "198.51.100.66"),
    (PROTO, "https"),
    (HOST, "forged.example"),
    (SERVER, "forged.example"),
    (PORT, "4443"),
    (SCRIPT, "/forged"),
    (FORWARDED, "for=198.51.100.66"),
    ("X-Original-URL", "/admin"),
)

STRANGER: Final = "198.51.100.7"


class _Socket:
    """As much of a server's socket as its family."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.family = family


UNIX_SOCKET: Final = _Socket(socket.AF_UNIX)
INET_SOCKET: Final = _Socket(socket.AF_INET)


def _known_peer(what: str, peer: str, *entries: str, **more: Any) -> Case:
    return Case(
        f"trusts a peer {what}",
        {"headers": [REAL], "proxies": list(entries)},
        ((REAL, "203.0.113.7"),),
        peer=peer,
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        **more,
    )


def _stranger(what: str, peer: str | None, *entries: str, **more: Any) -> Case:
    return Case(
        f"does not trust a peer {what}",
        {"headers": [REAL], "proxies": list(entries)},
        ((REAL, "203.0.113.7"),),
        peer=peer,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
        **more,
    )


#: R1 and R2: what is opted in.
OPTED_IN: Final = (
    Case(
        "passes a request untouched where no header is listed",
        {"headers": [], "proxies": ["10.0.0.0/8"]},
        FORGED,
        reason=Reason.NO_TRUSTED_HEADERS,
    ),
    Case(
        "passes a stranger's request untouched where no header is listed",
        {"headers": []},
        FORGED,
        peer=STRANGER,
        reason=Reason.NO_TRUSTED_HEADERS,
    ),
    Case(
        "removes every known header where none is listed and all are to go",
        {"headers": [], "strip": "all"},
        FORGED,
        peer=STRANGER,
        reason=Reason.NO_TRUSTED_HEADERS,
        remaining={},
    ),
    Case(
        "leaves the headers of other categories alone",
        ours(FOR),
        (*FORGED[1:6], (FOR, "203.0.113.7"), FORGED[7]),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FOR},
    ),
    Case(
        "leaves the headers of other categories alone on a direct request",
        ours(PROTO),
        ((PROTO, "https"), (HOST, "forged.example"), (REAL, "198.51.100.66")),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={HOST: "forged.example", REAL: "198.51.100.66"},
    ),
    Case(
        "leaves Forwarded alone where only a port header is listed",
        ours(PORT),
        ((PORT, "443"), (FORWARDED, "for=198.51.100.66;proto=https")),
        port="443",
        winners={"port": PORT},
    ),
    Case(
        "removes every known header but the winner where all are to go",
        ours(FOR, strip="all"),
        (*FORGED[1:], (FOR, "203.0.113.7")),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        attack="S-03 S-04 S-41",
    ),
    Case(
        "removes every known header of a direct request where all are to go",
        ours(FOR, strip="all"),
        FORGED,
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
        attack="S-03 S-31",
    ),
    Case(
        "opts in client, scheme and host with Forwarded",
        ours(FORWARDED),
        (
            (FOR, "198.51.100.66"),
            (PROTO, "https"),
            (HOST, "forged.example"),
            (SERVER, "other.example"),
            (PORT, "4443"),
            (SCRIPT, "/other"),
            (FORWARDED, "for=203.0.113.7"),
        ),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FORWARDED},
        remaining={
            SERVER: "other.example",
            PORT: "4443",
            SCRIPT: "/other",
            FORWARDED: "for=203.0.113.7",
        },
    ),
    Case(
        "corrects every category at once",
        ours(FOR, PROTO, HOST, SERVER, PORT, SCRIPT),
        (
            (FOR, "203.0.113.7"),
            (PROTO, "https"),
            (HOST, "app.example"),
            (SERVER, "edge.example"),
            (PORT, "443"),
            (SCRIPT, "/app"),
        ),
        client="203.0.113.7",
        scheme="https",
        host="app.example",
        server="edge.example",
        port="443",
        mount_point="/app",
        reason=Reason.FIRST_UNTRUSTED_HOP,
    ),
)

#: R3: who the peer is.
PEERS: Final = (
    Case(
        "removes a stranger's headers, the trusted ones too",
        ours(FOR, PROTO, HOST, SERVER, PORT, SCRIPT),
        FORGED,
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={"X-Original-URL": "/admin"},
    ),
    Case(
        "removes a stranger's scheme even where no client header is listed",
        ours(PROTO, HOST),
        ((PROTO, "https"), (HOST, "forged.example")),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
        attack="S-01",
    ),
    Case(
        "removes a stranger's malformed header without calling it a problem",
        ours(FOR, malformed="reject", missing="reject"),
        ((FOR, "garbage"),),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    _known_peer("that is listed by its address", "192.0.2.9", "192.0.2.9"),
    _known_peer("inside a listed network", "192.0.2.200", "192.0.2.128/25"),
    _stranger("just outside the network", "192.0.2.127", "192.0.2.128/25"),
    _known_peer("at the end of a network", "192.0.2.255", "192.0.2.128/25"),
    _stranger("just after the network", "192.0.3.0", "192.0.2.128/25"),
    _known_peer("in a network that a netmask writes", "10.9.1.1", "10.0.0.0/255.0.0.0"),
    _known_peer("of the second entry", "192.0.2.9", "10.0.0.0/8", "192.0.2.9"),
    _known_peer("in an IPv6 network", "2001:db8:5::1", "2001:db8::/32"),
    _stranger("outside an IPv6 network", "2001:db9::1", "2001:db8::/32"),
    _known_peer("that spells its IPv6 address out", "2001:DB8:0:0::9", "2001:db8::9"),
    _known_peer("in the loopback network", "127.0.0.9", "loopback"),
    _known_peer("on the IPv6 loopback", "::1", "loopback"),
    _stranger("outside loopback", "128.0.0.1", "loopback"),
    _known_peer("in the first private network", "10.255.0.1", "private"),
    _known_peer("in the second private network", "172.31.0.1", "private"),
    _known_peer("in the third private network", "192.168.0.1", "private"),
    _known_peer("with a unique local address", "fd00::1", "private"),
    _stranger("on loopback where private ones are listed", "127.0.0.1", "private"),
    _stranger("just outside the private networks", "172.32.0.1", "private"),
    _known_peer("with an IPv4 link-local address", "169.254.1.1", "linklocal"),
    _known_peer("with an IPv6 link-local address", "fe80::1", "linklocal"),
    _known_peer("in the shared address space", "100.64.0.1", "shared"),
    _stranger("outside the shared address space", "100.128.0.1", "shared"),
    _known_peer(
        "that is an IPv4 address mapped to IPv6",
        "::ffff:10.0.0.1",
        "10.0.0.0/8",
        attack="S-19",
    ),
    _known_peer(
        "whose mapped address is written in hexadecimal", "::FFFF:A00:1", "10.0.0.0/8"
    ),
    _known_peer("that a mapped network means", "10.0.0.1", "::ffff:10.0.0.0/104"),
    _stranger(
        "that NAT64 maps",
        "64:ff9b::a00:1",
        "10.0.0.0/8",
        attack="S-19",
    ),
    _stranger(
        "that 6to4 wraps",
        "2002:a00:1::1",
        "10.0.0.0/8",
        attack="S-19",
    ),
    _stranger(
        "that Teredo wraps",
        "2001:0:a00:1::1",
        "10.0.0.0/8",
        attack="S-19",
    ),
    _stranger("that an IPv4-compatible address wraps", "::10.0.0.1", "10.0.0.0/8"),
    _known_peer(
        "whose address has a zone",
        "fe80::1%eth0",
        "fe80::/10",
        attack="S-20",
    ),
    _known_peer("of IPv4 where all of it is listed", "198.51.100.7", "0.0.0.0/0"),
    _stranger("of IPv6 where all of IPv4 is listed", "2001:db8::1", "0.0.0.0/0"),
    _stranger("that is a host name", "proxy.internal", "0.0.0.0/0", "::/0", "unix"),
    _stranger("with leading zeros in its address", "010.0.0.1", "10.0.0.0/8"),
    _stranger("with a shortened address", "10.1", "10.0.0.0/8"),
    Case(
        "trusts the list of proxies that one string writes",
        {"headers": "X-Forwarded-For, X-Forwarded-Proto", "proxies": "10.0.0.9 ::1"},
        ((FOR, "203.0.113.7"), (PROTO, "https")),
        peer="::1",
        client="203.0.113.7",
        scheme="https",
        reason=Reason.FIRST_UNTRUSTED_HOP,
    ),
    Case(
        "keeps the address of a direct request as the server gave it",
        ours(FOR),
        ((FOR, "203.0.113.7"),),
        peer="2001:DB8:0:0::9",
        client="2001:db8::9",
        address="2001:DB8:0:0::9",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
)

UNIX_NAMES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("as nothing at all", {"REMOTE_ADDR": ""}),
    (
        "without the variable but shown by the server's own name",
        {"REMOTE_ADDR": None, "SERVER_NAME": "/run/app.sock"},
    ),
    (
        "without the variable but shown by gunicorn",
        {"REMOTE_ADDR": None, "gunicorn.socket": UNIX_SOCKET},
    ),
    ("as a path", {"REMOTE_ADDR": "/run/nginx.sock"}),
    ("with a prefix", {"REMOTE_ADDR": "unix:/run/nginx.sock"}),
    ("as a name in the abstract name space", {"REMOTE_ADDR": "@nginx"}),
    ("as waitress does", {"REMOTE_ADDR": "localhost"}),
    ("as Werkzeug does", {"REMOTE_ADDR": "<local>"}),
    ("as uWSGI does", {"REMOTE_ADDR": "0.0.0.0"}),
    (
        "by its own name but shown by gunicorn",
        {"REMOTE_ADDR": "127.0.0.1", "gunicorn.socket": UNIX_SOCKET},
    ),
    (
        "by its own name but shown by Werkzeug",
        {"REMOTE_ADDR": "127.0.0.1", "werkzeug.socket": UNIX_SOCKET},
    ),
)

UNIX_SCOPES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("without a client", {"client": None, "server": ("/run/app.sock", None)}),
    ("without client and server", {"client": None, "server": None}),
    ("as granian does", {"client": ("", "0"), "server": ("/run/app.sock", "0")}),
    ("as gunicorn does", {"client": None, "server": ["/", "t"]}),
    (
        "by a path without a slash",
        {"client": ("127.0.0.1", 4711), "server": ("app.sock", None)},
    ),
    (
        "by its own name",
        {"client": ("127.0.0.1", 4711), "server": ("/run/app.sock", None)},
    ),
)

_UNIX_OUTCOMES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "trusts",
        "unix",
        {"client": "203.0.113.7", "scheme": "https", "reason": Reason.SINGLE_VALUE},
    ),
    (
        "does not trust",
        "loopback",
        {"client": None, "reason": Reason.PEER_NOT_TRUSTED, "remaining": {}},
    ),
)

#: R3: unix sockets, which have no address.
SOCKETS: Final = (
    *(
        Case(
            f"{verb} a unix socket that is reported {what}",
            {"headers": [REAL, PROTO], "proxies": [entry]},
            ((REAL, "203.0.113.7"), (PROTO, "https")),
            peer=None,
            given=given,
            ways=ways,
            **outcome,
        )
        for what, given, ways in (
            *((what, Given(environ=e), WSGI_ONLY) for what, e in UNIX_NAMES),
            *((what, Given(scope=s), ASGI_ONLY) for what, s in UNIX_SCOPES),
        )
        for verb, entry, outcome in _UNIX_OUTCOMES
    ),
    Case(
        "trusts a peer without an address where unix is listed",
        {"headers": [FOR], "proxies": ["unix", "10.0.0.0/8"]},
        ((FOR, "198.51.100.66, 203.0.113.7, 10.0.0.8"),),
        peer=None,
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7, 10.0.0.8"},
    ),
    _stranger("without an address where unix is not listed", None, "0.0.0.0/0", "::/0"),
    _stranger(
        "with an address where only unix is listed",
        "127.0.0.1",
        "unix",
    ),
    _stranger(
        "on a socket that has an address where only unix is listed",
        "127.0.0.1",
        "unix",
        given=Given(environ={"gunicorn.socket": INET_SOCKET}),
        ways=WSGI_ONLY,
    ),
    _known_peer(
        "on a socket that has an address",
        "127.0.0.1",
        "127.0.0.1",
        given=Given(environ={"gunicorn.socket": INET_SOCKET}),
        ways=WSGI_ONLY,
    ),
    _stranger(
        "that is missing though the server has an address",
        None,
        "unix",
        client=None,
        given=Given(scope={"client": None, "server": ("127.0.0.1", 8000)}),
        ways=NAMES_AS_SENT,
        attack="S-06",
    ),
    *(
        _stranger(
            f"that calls itself {name!r} beside a server with an address",
            name,
            "unix",
            "127.0.0.1",
            client=None,
            mapped=False,
            ways=NAMES_AS_SENT,
            attack="H-10",
        )
        for name in ("@x", "unix:", "unix:/run/x", "localhost", "<local>", "/x", "\0x")
    ),
    _stranger(
        "that calls itself '0.0.0.0' beside a server with an address",
        "0.0.0.0",
        "unix",
        "0.0.0.0/0",
        client=None,
        mapped=False,
        ways=NAMES_AS_SENT,
        attack="H-10",
    ),
    _stranger(
        "that is missing though nothing shows a unix socket",
        None,
        "unix",
        given=Given(environ={"SERVER_NAME": "127.0.0.1"}),
        ways=WSGI_ONLY,
        attack="H-10",
    ),
    _stranger(
        "that is missing though the server's socket has an address",
        None,
        "unix",
        given=Given(
            environ={"SERVER_NAME": "127.0.0.1", "gunicorn.socket": INET_SOCKET}
        ),
        ways=WSGI_ONLY,
        attack="H-10",
    ),
    _stranger(
        "that calls itself '@x' though the server's socket has an address",
        "@x",
        "unix",
        client=None,
        given=Given(environ={"werkzeug.socket": INET_SOCKET}),
        ways=WSGI_ONLY,
        attack="H-10",
    ),
    *(
        Case(
            f"keeps the unix peer {name!r} for the address, to the letter",
            {"headers": [PROTO], "proxies": ["unix"]},
            ((PROTO, "https"),),
            peer=name,
            scheme="https",
            mapped=False,
            ways=WSGI_ONLY,
        )
        for name in ("", "@app", "unix:/run/x", "0.0.0.0", "localhost")
    ),
    _stranger(
        "that no server names, for the pure decision too",
        None,
        "10.0.0.0/8",
        ways=DECIDE_ONLY,
    ),
    Case(
        "leaves the client of a unix socket unknown on a direct request",
        ours(PROTO),
        ((PROTO, "https"),),
        peer=None,
        client=None,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
)

#: R4: who is trusted without a list, with all, with none.
EVERYBODY: Final = (
    Case(
        "trusts every peer where no list is given",
        anybody(REAL, PROTO),
        ((REAL, "203.0.113.7"), (PROTO, "https")),
        peer=STRANGER,
        client="203.0.113.7",
        scheme="https",
        reason=Reason.SINGLE_VALUE,
    ),
    Case(
        "trusts a unix socket where every peer is trusted",
        anybody(REAL, proxies=["*"]),
        ((REAL, "203.0.113.7"),),
        peer=None,
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
    ),
    Case(
        "trusts no peer where the list is empty",
        anybody(REAL, PROTO, proxies=[]),
        ((REAL, "203.0.113.7"), (PROTO, "https")),
        peer="10.0.0.1",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "does not trust a unix socket where the list is empty",
        anybody(REAL, proxies=()),
        ((REAL, "203.0.113.7"),),
        peer=None,
        client=None,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
)

TWO_CLIENTS: Final = ((REAL, "203.0.113.7"), (FOR, "203.0.113.9"))

#: R5: the winner among synonyms.
WINNERS: Final = (
    Case(
        "lets the last of two trusted synonyms win",
        ours(REAL, FOR),
        TWO_CLIENTS,
        client="203.0.113.9",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.9"},
    ),
    Case(
        "lets the policy's order decide, not the order in the request",
        ours(FOR, REAL),
        TWO_CLIENTS,
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        remaining={REAL: "203.0.113.7"},
    ),
    Case(
        "takes the first of two trusted synonyms where the last is missing",
        ours(REAL, FOR),
        TWO_CLIENTS[:1],
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
    ),
    Case(
        "takes the first of two trusted synonyms where the last is empty",
        ours(REAL, FOR),
        (*TWO_CLIENTS[:1], (FOR, "")),
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        remaining={REAL: "203.0.113.7"},
    ),
    Case(
        "takes the first of two trusted synonyms where the last is malformed",
        ours(FOR, REAL),
        ((FOR, "203.0.113.9"), (REAL, "garbage")),
        client="203.0.113.9",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        problems=("malformed",),
        remaining={FOR: "203.0.113.9"},
        attack="S-04",
    ),
    Case(
        "prefers the synonym that identifies the client",
        ours(REAL, FOR),
        ((REAL, "203.0.113.7"), (FOR, "203.0.113.9, unknown, 10.0.0.8")),
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        remaining={REAL: "203.0.113.7"},
    ),
    Case(
        "keeps the last confirmed address where no synonym identifies the client",
        ours(REAL, FOR),
        ((REAL, "garbage"), (FOR, "203.0.113.9, unknown, 10.0.0.8")),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        remaining={FOR: "10.0.0.8"},
    ),
    Case(
        "prefers a well-formed synonym that names nobody to a malformed one",
        ours(FOR, REAL),
        ((FOR, "203.0.113.9, unknown, 10.0.0.8"), (REAL, "garbage")),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        remaining={FOR: "10.0.0.8"},
    ),
    Case(
        "prefers a synonym that says unknown to one that says garbage",
        ours(REAL, FOR),
        ((REAL, "unknown"), (FOR, "garbage, 10.0.0.8")),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        remaining={},
    ),
    Case(
        "prefers the malformed synonym in which an address was confirmed",
        ours(FOR, REAL),
        ((FOR, "garbage, 10.0.0.8"), (REAL, "garbage")),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed", "malformed"),
        remaining={FOR: "10.0.0.8"},
    ),
    Case(
        "lets the last of two trusted scheme headers win",
        ours(PROTO, SSL),
        ((PROTO, "http"), (SSL, "on")),
        scheme="https",
        remaining={SSL: "on"},
    ),
    Case(
        "takes the scheme header that says something",
        ours(PROTO, SSL),
        ((PROTO, "https"), (SSL, "perhaps")),
        scheme="https",
        problems=("malformed",),
        remaining={PROTO: "https"},
    ),
    Case(
        "lets the last of two trusted host headers win",
        ours(HOST, "X-Host"),
        ((HOST, "one.example"), ("X-Host", "two.example")),
        host="two.example",
        remaining={"X-Host": "two.example"},
    ),
    Case(
        "lets the last of two trusted mount point headers win",
        ours("X-Forwarded-Prefix", SCRIPT),
        (("X-Forwarded-Prefix", "/one"), (SCRIPT, "/two")),
        mount_point="/two",
        remaining={SCRIPT: "/two"},
    ),
    Case(
        "removes every synonym where no trusted header came",
        ours(PROTO, HOST),
        ((SSL, "on"), ("X-Host", "forged.example")),
        remaining={},
    ),
    Case(
        "removes every client header where the trusted one did not come",
        ours(FOR),
        ((REAL, "198.51.100.66"), (FORWARDED, "for=198.51.100.66")),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
    ),
    Case(
        "does not fall back from Forwarded to X-Forwarded-For",
        ours(FORWARDED),
        ((FOR, "198.51.100.66"), (PROTO, "https")),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
        attack="S-54",
    ),
)

WITH_SECRET: Final = {"secret_header": SECRET_HEADER, "secrets": [SECRET]}
TWO_SECRETS: Final = {
    "secret_header": SECRET_HEADER,
    "secrets": ["another-one-of-the-proxy", SECRET],
}


def _secret(
    name: str, policy: dict[str, Any], secrets: tuple[str, ...], **more: Any
) -> Case:
    return Case(
        name,
        policy,
        (*((SECRET_HEADER, value) for value in secrets), (FOR, "203.0.113.7")),
        **more,
    )


_KNOWN: Final[dict[str, Any]] = {
    "client": "203.0.113.7",
    "reason": Reason.FIRST_UNTRUSTED_HOP,
}
_UNKNOWN: Final[dict[str, Any]] = {"reason": Reason.SECRET_MISSING, "remaining": {}}

#: The proxy's secret.
SECRETS: Final = (
    _secret(
        "trusts a proxy that knows the secret",
        ours(FOR, **WITH_SECRET),
        (SECRET,),
        **_KNOWN,
    ),
    _secret(
        "trusts a proxy that knows the other secret",
        ours(FOR, **TWO_SECRETS),
        (SECRET,),
        **_KNOWN,
    ),
    _secret(
        "trusts a proxy whose secret comes among blanks and tabs",
        ours(FOR, **WITH_SECRET),
        (f"\t {SECRET} \t",),
        **_KNOWN,
    ),
    _secret(
        "trusts any peer that knows the secret where no list is given",
        anybody(FOR, **WITH_SECRET),
        (SECRET,),
        peer=STRANGER,
        client="203.0.113.7",
        reason=Reason.FIRST_ELEMENT,
    ),
    _secret(
        "does not trust a proxy without the secret",
        ours(FOR, **WITH_SECRET),
        (),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust a proxy with another secret",
        ours(FOR, **WITH_SECRET),
        ("wrong",),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust a secret in another case",
        ours(FOR, **WITH_SECRET),
        (SECRET.upper(),),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust the beginning of a secret",
        ours(FOR, **WITH_SECRET),
        (SECRET[:-1],),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust an empty secret",
        ours(FOR, **WITH_SECRET),
        ("",),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust a secret that was sent beside a guess",
        ours(FOR, **WITH_SECRET),
        ("guess", SECRET),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust a secret with letters outside of ASCII",
        ours(FOR, **WITH_SECRET),
        (f"{SECRET}\xe9",),
        **_UNKNOWN,
    ),
    _secret(
        "does not trust a stranger who knows the secret",
        ours(FOR, **WITH_SECRET),
        (SECRET,),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
)

ROWS: Final = (*OPTED_IN, *PEERS, *SOCKETS, *EVERYBODY, *WINNERS, *SECRETS)
