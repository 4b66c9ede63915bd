"""
Rows of section 4 of the specification: what each known header does, one by one.

In:  the names, with a value that each really has.
Out: `ROWS`: every header wins its category where it is trusted, and goes where another
     one of its category is.
"""

from __future__ import annotations

from typing import Any, Final

from trustedproxy import Category, Form, ProxyHeader, Reason

from .case import FOR, HOST, PORT, PROTO, REAL, SCRIPT, SERVER, Case, ours

#: Client headers that hold one address.
ADDRESSES: Final = (
    "X-Real-IP",
    "X-Client-IP",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "CF-Pseudo-IPv4",
    "True-Client-IP",
    "X-True-Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "DO-Connecting-IP",
    "X-Azure-ClientIP",
    "X-Azure-SocketIP",
    "X-Appengine-User-IP",
    "X-Cluster-Client-IP",
    "X-Envoy-External-Address",
    "X-Vercel-Forwarded-For",
    "X-FAH-Client-IP",
    "X-Original-For",
    "X-ProxyUser-IP",
    "WL-Proxy-Client-IP",
    "Proxy-Client-IP",
    "Client-IP",
    "X-Forwarded",
    "Forwarded-For",
)
#: A list of addresses; the other one, X-Forwarded-For, is what `walks` is about.
ORIGINAL_FOR: Final = "X-Original-Forwarded-For"

#: Category → the header that is trusted there, its value, and the synonyms with a
#: value that would be trusted.
SYNONYMS: Final[dict[str, tuple[str, str, dict[str, str]]]] = {
    "client": (
        FOR,
        "203.0.113.7",
        {
            **dict.fromkeys(ADDRESSES, "198.51.100.66"),
            "X-Original-Forwarded-For": "198.51.100.66",
            "CloudFront-Viewer-Address": "198.51.100.66:443",
            "Forwarded": "for=198.51.100.66;proto=https;host=forged.example",
        },
    ),
    "scheme": (
        PROTO,
        "http",
        {
            "X-Forwarded-Scheme": "https",
            "X-Scheme": "https",
            "X-Forwarded-Protocol": "https",
            "X-Url-Scheme": "https",
            "CloudFront-Forwarded-Proto": "https",
            "Fly-Forwarded-Proto": "https",
            "X-Forwarded-HTTPS": "on",
            "X-Forwarded-SSL": "on",
            "X-HTTPS": "on",
            "Front-End-Https": "on",
            "Fastly-SSL": "1",
            "X-AppEngine-Https": "on",
            "Fly-Forwarded-Ssl": "on",
            "CF-Visitor": '{"scheme":"https"}',
            "X-ARR-SSL": "2048|256|C=US, CN=issuer.example|CN=app.example",
            "Forwarded": "for=198.51.100.66;proto=https;host=forged.example",
        },
    ),
    "host": (
        HOST,
        "app.example",
        {
            "X-Host": "forged.example",
            "X-Original-Host": "forged.example",
            "X-Original-Forwarded-Host": "forged.example",
            "X-HTTP-Host-Override": "forged.example",
            "Forwarded-Host": "forged.example",
            "Forwarded": "for=198.51.100.66;proto=https;host=forged.example",
        },
    ),
    "server": (SERVER, "edge.example", {}),
    "port": (PORT, "443", {"Fly-Forwarded-Port": "8443"}),
    "mount point": (
        SCRIPT,
        "/app",
        {
            "X-Forwarded-Script-Name": "/forged",
            "X-Forwarded-Prefix": "/forged",
            "X-Forwarded-Path": "/forged",
            "Script-Name": "/forged",
        },
    ),
}

#: Category → the field that it sets.
FIELDS: Final = {
    "scheme": "scheme",
    "host": "host",
    "server": "server",
    "port": "port",
    "mount point": "mount_point",
}

WORDS: Final = (
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Scheme",
    "X-Forwarded-Protocol",
    "X-Url-Scheme",
    "CloudFront-Forwarded-Proto",
    "Fly-Forwarded-Proto",
)
FLAGS: Final = (
    "X-Forwarded-HTTPS",
    "X-Forwarded-SSL",
    "X-HTTPS",
    "Front-End-Https",
    "Fastly-SSL",
    "X-AppEngine-Https",
    "Fly-Forwarded-Ssl",
)

#: Headers besides the client's, with a value and what it makes of the field.
SETTERS: Final = (
    *((name, "scheme", "https", "https") for name in WORDS),
    *((name, "scheme", "on", "https") for name in FLAGS),
    ("CF-Visitor", "scheme", '{"scheme":"https"}', "https"),
    *(
        (name, "host", "app.example:8443", "app.example:8443")
        for name in (HOST, *SYNONYMS["host"][2])
        if name != "Forwarded"
    ),
    (SERVER, "server", "edge.example", "edge.example"),
    *((name, "port", "443", "443") for name in (PORT, "Fly-Forwarded-Port")),
    *(
        (name, "mount point", "/app", "/app")
        for name in (SCRIPT, *SYNONYMS["mount point"][2])
    ),
)


def _setter(name: str, category: str, value: str, outcome: str) -> Case:
    field: dict[str, Any] = {FIELDS[category]: outcome}
    return Case(
        f"takes the {category} from {name} where it is trusted",
        ours(name),
        ((name, value),),
        winners={category: name},
        **field,
    )


def _synonym(category: str, trusted: str, value: str, name: str, forged: str) -> Case:
    field: dict[str, Any] = (
        {"client": value, "reason": Reason.FIRST_UNTRUSTED_HOP}
        if category == "client"
        else {FIELDS[category]: value}
    )
    return Case(
        f"removes {name} where another {category} header is trusted",
        ours(trusted),
        ((name, forged), (trusted, value)),
        remaining={trusted: value},
        attack=f"S-02 {_OF_SYNONYMS.get(category, '')}".strip(),
        **field,
    )


#: Category → the attack by a synonym of it in particular.
_OF_SYNONYMS: Final = {"scheme": "S-33 S-41", "mount point": "S-47"}

ROWS: Final = (
    *(
        Case(
            f"takes the client from {name} where it is trusted",
            ours(name),
            ((name, "203.0.113.7"),),
            client="203.0.113.7",
            reason=Reason.SINGLE_VALUE,
        )
        for name in ADDRESSES
    ),
    Case(
        f"takes the client from the list of {ORIGINAL_FOR} where it is trusted",
        ours(ORIGINAL_FOR),
        ((ORIGINAL_FOR, "198.51.100.66, 203.0.113.7, 10.0.0.8"),),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={ORIGINAL_FOR: "203.0.113.7, 10.0.0.8"},
    ),
    Case(
        "takes the client and its port from CloudFront-Viewer-Address",
        ours("CloudFront-Viewer-Address"),
        (("CloudFront-Viewer-Address", "203.0.113.7:4711"),),
        client="203.0.113.7",
        client_port=4711,
        reason=Reason.SINGLE_VALUE,
    ),
    Case(
        "takes an IPv6 client without brackets from CloudFront-Viewer-Address",
        ours("CloudFront-Viewer-Address"),
        (("CloudFront-Viewer-Address", "2001:db8::7:4711"),),
        client="2001:db8::7",
        client_port=4711,
        reason=Reason.SINGLE_VALUE,
    ),
    *(
        Case(
            f"ignores a CloudFront-Viewer-Address {what}",
            ours("CloudFront-Viewer-Address"),
            (("CloudFront-Viewer-Address", value),),
            reason=Reason.MALFORMED,
            problems=("malformed",),
            remaining={},
        )
        for what, value in (
            ("without its port", "203.0.113.7"),
            ("whose port is none", "2001:db8::7:99999"),
            ("whose address is none", "garbage:443"),
            ("whose address nobody can have", "224.0.0.1:443"),
            ("in brackets", "[2001:db8::7]:443"),
        )
    ),
    Case(
        "takes client, scheme and host from Forwarded where it is trusted",
        ours("Forwarded"),
        (("Forwarded", "for=203.0.113.7;proto=https;host=app.example"),),
        client="203.0.113.7",
        scheme="https",
        host="app.example",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=dict.fromkeys(("client", "scheme", "host"), "Forwarded"),
    ),
    *(_setter(*setter) for setter in SETTERS),
    *(
        _synonym(category, trusted, value, name, forged)
        for category, (trusted, value, synonyms) in SYNONYMS.items()
        for name, forged in synonyms.items()
    ),
    Case(
        "removes X-Forwarded-For where another client header is trusted",
        ours(REAL),
        ((REAL, "203.0.113.7"), (FOR, "198.51.100.66, 10.0.0.8")),
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        remaining={REAL: "203.0.113.7"},
    ),
    *(
        Case(
            f"removes {name} with every known header and trusts nothing in it",
            ours(PORT, strip="all"),
            ((name, value), (PORT, "443")),
            port="443",
            remaining={PORT: "443"},
            attack="S-31",
        )
        for name, value in (
            ("X-Original-URL", "/admin"),
            ("X-Original-URI", "/admin"),
            ("X-Rewrite-URL", "/admin"),
            ("X-Forwarded-Uri", "/admin"),
            ("X-Forwarded-Method", "DELETE"),
            ("X-Forwarded-By", "198.51.100.66"),
            ("X-ARR-SSL", "2048|256|C=US, CN=issuer.example|CN=app.example"),
        )
    ),
    Case(
        "takes the client from a custom header",
        ours(ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS)),
        (("X-Edge-Client", "203.0.113.7"), (REAL, "198.51.100.66")),
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        remaining={"X-Edge-Client": "203.0.113.7"},
    ),
    Case(
        "walks the list in a custom header",
        ours(ProxyHeader("X-Edge-Chain", Category.CLIENT, Form.ADDRESS_LIST)),
        (("X-Edge-Chain", "198.51.100.66, 203.0.113.7, 10.0.0.8"),),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={"X-Edge-Chain": "203.0.113.7, 10.0.0.8"},
    ),
    Case(
        "reads a flag in a custom header",
        ours(ProxyHeader("X-Edge-TLS", Category.SCHEME, Form.FLAG)),
        (("X-Edge-TLS", "on"), (PROTO, "http")),
        scheme="https",
        remaining={"X-Edge-TLS": "on"},
    ),
    Case(
        "takes the mount point from a custom header",
        ours(ProxyHeader("X-Edge-Mount", Category.MOUNT_POINT, Form.MOUNT_POINT)),
        (("X-Edge-Mount", "/app"), (SCRIPT, "/forged")),
        mount_point="/app",
        remaining={"X-Edge-Mount": "/app"},
    ),
    Case(
        "reads custom headers that are written in text",
        ours(
            "X-Edge-Client=address",
            "X-Edge-TLS=flag",
            "X-Edge-Host=host",
            "X-Edge-Server=server",
            "X-Edge-Port=port",
            "X-Edge-Mount=mount_point",
        ),
        (
            ("X-Edge-Client", "203.0.113.7"),
            ("X-Edge-TLS", "on"),
            ("X-Edge-Host", "app.example"),
            ("X-Edge-Server", "edge.example"),
            ("X-Edge-Port", "443"),
            ("X-Edge-Mount", "/app"),
            (FOR, "198.51.100.66"),
            (PROTO, "http"),
            (HOST, "forged.example"),
        ),
        client="203.0.113.7",
        scheme="https",
        host="app.example",
        server="edge.example",
        port="443",
        mount_point="/app",
        reason=Reason.SINGLE_VALUE,
        remaining={
            "X-Edge-Client": "203.0.113.7",
            "X-Edge-TLS": "on",
            "X-Edge-Host": "app.example",
            "X-Edge-Server": "edge.example",
            "X-Edge-Port": "443",
            "X-Edge-Mount": "/app",
        },
    ),
    Case(
        "reads custom headers that one text writes",
        ours() | {"headers": "X-Edge-Chain=address_list, X-Edge-TLS=cf_visitor"},
        (
            ("X-Edge-Chain", "198.51.100.66, 203.0.113.7, 10.0.0.8"),
            ("X-Edge-TLS", '{"scheme":"https"}'),
        ),
        client="203.0.113.7",
        scheme="https",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={
            "X-Edge-Chain": "203.0.113.7, 10.0.0.8",
            "X-Edge-TLS": '{"scheme":"https"}',
        },
    ),
    Case(
        "removes a custom header from a direct request",
        ours(ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS)),
        (("X-Edge-Client", "203.0.113.7"),),
        peer="198.51.100.7",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "takes the listed name of a header in any case",
        ours("x-forwarded-FOR"),
        ((FOR, "203.0.113.7"),),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
    ),
)
