"""
The worked examples of other people's specifications.

In:  RFC 7239, and what mod_wsgi is seen to do (its module's documentation and a running
     server; ``docs/mod_wsgi.md`` says where this project differs on purpose).
Out: `ROWS`.

Departures from RFC 7239 are in rows of `forwarded`; here its own examples are read as
it means them, and what is then concluded follows from who is trusted.
"""

from __future__ import annotations

from typing import Any, Final

from trustedproxy import Reason

from .case import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    REAL,
    SCRIPT,
    SERVER,
    Case,
    Given,
    anybody,
    sent,
)

RFC: Final = "RFC 7239 section "

_FIRST: Final[dict[str, Any]] = {
    "reason": Reason.FIRST_UNTRUSTED_HOP,
    "winners": {"client": FORWARDED},
}
_NOBODY: Final[dict[str, Any]] = {"reason": Reason.UNIDENTIFIED_HOP, "remaining": {}}

#: What the origin server gets in the example of section 7.5.
_SECTION_7_5: Final = (
    "for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com"
)


def _behind(*proxies: str) -> dict[str, Any]:
    return {"headers": [FORWARDED], "proxies": list(proxies)}


#: RFC 7239, by the section that the example stands in.
RFC_7239: Final = (
    Case(
        "reads the obfuscated node of section 4",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'for="_gazonk"'),
        **_NOBODY,
        clause=RFC + "4",
    ),
    Case(
        "reads the IPv6 node with a port of section 4",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'For="[2001:db8:cafe::17]:4711"'),
        client="2001:db8:cafe::17",
        client_port=4711,
        **_FIRST,
        clause=RFC + "4",
    ),
    Case(
        "reads the element with every parameter of section 4",
        _behind("10.0.0.1"),
        sent(FORWARDED, "for=192.0.2.60;proto=http;by=203.0.113.43"),
        given=Given(scheme="https"),
        client="192.0.2.60",
        scheme="http",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FORWARDED, "scheme": FORWARDED},
        clause=RFC + "4",
    ),
    Case(
        "reads the two elements of section 4, of which the last is no proxy of ours",
        _behind("10.0.0.1"),
        sent(FORWARDED, "for=192.0.2.43, for=198.51.100.17"),
        client="198.51.100.17",
        remaining={FORWARDED: "for=198.51.100.17"},
        **_FIRST,
        clause=RFC + "4",
    ),
    Case(
        "reads the two elements of section 4, of which the last is a proxy of ours",
        _behind("10.0.0.1", "198.51.100.17"),
        sent(FORWARDED, "for=192.0.2.43, for=198.51.100.17"),
        client="192.0.2.43",
        **_FIRST,
        clause=RFC + "4",
    ),
    Case(
        "reads the list of section 7.4, of which the last is no proxy of ours",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'for=192.0.2.43, for="[2001:db8:cafe::17]"'),
        client="2001:db8:cafe::17",
        remaining={FORWARDED: 'for="[2001:db8:cafe::17]"'},
        **_FIRST,
        clause=RFC + "7.4",
    ),
    Case(
        "reads for and proto as sections 5.2 and 5.4 define them",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'for="[2001:db8:cafe::17]";proto=https'),
        client="2001:db8:cafe::17",
        scheme="https",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FORWARDED, "scheme": FORWARDED},
        clause=RFC + "5.2",
    ),
    Case(
        "reads host as section 5.3 defines it",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'for=192.0.2.43;host="example.com:8080"'),
        client="192.0.2.43",
        host="example.com:8080",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FORWARDED, "host": FORWARDED},
        clause=RFC + "5.3",
    ),
    Case(
        "reads the IPv4 node with a port of section 6",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'for="192.0.2.43:47011"'),
        client="192.0.2.43",
        client_port=47011,
        **_FIRST,
        clause=RFC + "6",
    ),
    Case(
        "reads the IPv6 node with a port of section 6",
        _behind("10.0.0.1"),
        sent(FORWARDED, 'for="[2001:db8:cafe::17]:47011"'),
        client="2001:db8:cafe::17",
        client_port=47011,
        **_FIRST,
        clause=RFC + "6",
    ),
    Case(
        "reads unknown of section 6.2",
        _behind("10.0.0.1"),
        sent(FORWARDED, "for=unknown"),
        **_NOBODY,
        clause=RFC + "6.2",
    ),
    Case(
        "reads the obfuscated nodes of section 6.3",
        _behind("10.0.0.1"),
        sent(FORWARDED, "for=_hidden, for=_SEVKISEK"),
        **_NOBODY,
        clause=RFC + "6.3",
    ),
    *(
        Case(
            f"reads the equivalent header fields of section 7.1, {what}",
            _behind("10.0.0.1"),
            sent(FORWARDED, *values),
            clause=RFC + "7.1",
            **_NOBODY,
        )
        for what, values in (
            (
                "without blanks",
                ('for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown',),
            ),
            (
                "with blanks",
                ('for=192.0.2.43, for="[2001:db8:cafe::17]", for=unknown',),
            ),
            (
                "in two fields",
                ("for=192.0.2.43", 'for="[2001:db8:cafe::17]", for=unknown'),
            ),
        )
    ),
    Case(
        "reads several header fields as the one that they equal by section 7.1",
        _behind("10.0.0.1", "198.51.100.17"),
        sent(
            FORWARDED,
            "for=192.0.2.43",
            'for="[2001:db8:cafe::17]"',
            "for=198.51.100.17",
        ),
        client="2001:db8:cafe::17",
        remaining={FORWARDED: 'for="[2001:db8:cafe::17]", for=198.51.100.17'},
        **_FIRST,
        clause=RFC + "7.1",
    ),
    Case(
        "takes what section 7.4 makes of X-Forwarded-For for the same",
        _behind("10.0.0.1", "2001:db8:cafe::/48"),
        sent(FORWARDED, 'for=192.0.2.43, for="[2001:db8:cafe::17]"'),
        client="192.0.2.43",
        **_FIRST,
        clause=RFC + "7.4",
    ),
    Case(
        "takes the X-Forwarded-For of section 7.4 for the same",
        {"headers": [FOR], "proxies": ["10.0.0.1", "2001:db8:cafe::/48"]},
        sent(FOR, "192.0.2.43, 2001:db8:cafe::17"),
        client="192.0.2.43",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        clause=RFC + "7.4",
    ),
    Case(
        "reads what the second proxy of section 7.5 gets from the first",
        _behind("198.51.100.17"),
        sent(FORWARDED, "for=192.0.2.43"),
        peer="198.51.100.17",
        client="192.0.2.43",
        **_FIRST,
        clause=RFC + "7.5",
    ),
    Case(
        "reads what the origin server of section 7.5 gets, both proxies ours",
        _behind("198.51.100.17", "203.0.113.60"),
        sent(FORWARDED, _SECTION_7_5),
        peer="203.0.113.60",
        given=Given(scheme="https"),
        client="192.0.2.43",
        **_FIRST,
        clause=RFC + "7.5",
    ),
    Case(
        "reads what the origin server of section 7.5 gets, the second proxy ours",
        _behind("203.0.113.60"),
        sent(FORWARDED, _SECTION_7_5),
        peer="203.0.113.60",
        given=Given(scheme="https"),
        client="198.51.100.17",
        scheme="http",
        host="example.com",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners=dict.fromkeys(("client", "scheme", "host"), FORWARDED),
        remaining={FORWARDED: _SECTION_7_5.partition(", ")[2]},
        clause=RFC + "7.5",
    ),
)

#: The request of the observations on a running mod_wsgi.
_SIX: Final = (FOR, PROTO, HOST, PORT, SCRIPT, SERVER)
_OBSERVED: Final = (
    *sent(FOR, "203.0.113.5, 127.0.0.1"),
    *sent(REAL, "203.0.113.6"),
    *sent(PROTO, "https"),
    *sent(HOST, "app.example"),
    *sent(PORT, "444"),
    *sent(SCRIPT, "/outer"),
    *sent(SERVER, "edge.example"),
)
_BACKEND: Final = Given(host="backend.example:81")


def _observed(name: str, policy: dict[str, Any], **more: Any) -> Case:
    return Case(
        name,
        policy,
        _OBSERVED,
        peer="127.0.0.1",
        given=_BACKEND,
        clause="mod_wsgi: WSGITrustedProxyHeaders and WSGITrustedProxies",
        **more,
    )


_REWRITTEN: Final[dict[str, Any]] = {
    "client": "203.0.113.5",
    "scheme": "https",
    "host": "app.example",
    "server": "edge.example",
    "port": "444",
    "mount_point": "/outer",
    "remaining": {name: value for name, value in _OBSERVED if name != REAL},
}

#: mod_wsgi: what its table of options and outcomes says.
MOD_WSGI: Final = (
    _observed(
        "leaves the environ as sent without any option",
        {"headers": []},
        reason=Reason.NO_TRUSTED_HEADERS,
    ),
    _observed(
        "rewrites REMOTE_ADDR for X-Forwarded-For though no proxy is named",
        anybody(FOR),
        client="203.0.113.5",
        reason=Reason.FIRST_ELEMENT,
        remaining={name: value for name, value in _OBSERVED if name != REAL},
        winners={"client": FOR},
    ),
    _observed(
        "rewrites every variable for all six headers",
        anybody(*_SIX),
        reason=Reason.FIRST_ELEMENT,
        **_REWRITTEN,
    ),
    _observed(
        "rewrites every variable for all six headers behind the named proxy",
        {"headers": list(_SIX), "proxies": ["127.0.0.1"]},
        reason=Reason.FIRST_UNTRUSTED_HOP,
        **_REWRITTEN,
    ),
    _observed(
        "rewrites nothing and removes all seven headers for another proxy",
        {"headers": list(_SIX), "proxies": ["192.0.2.1"]},
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    _observed(
        "leaves the environ as sent where only a proxy is named",
        {"headers": [], "proxies": ["192.0.2.1"]},
        reason=Reason.NO_TRUSTED_HEADERS,
    ),
    _observed(
        "takes two proxies of which one matches for the one that does",
        {"headers": list(_SIX), "proxies": ["192.0.2.1", "127.0.0.1"]},
        reason=Reason.FIRST_UNTRUSTED_HOP,
        **_REWRITTEN,
    ),
    _observed(
        "lets the last of X-Real-IP and X-Forwarded-For win",
        anybody(REAL, FOR),
        client="203.0.113.5",
        reason=Reason.FIRST_ELEMENT,
        remaining={name: value for name, value in _OBSERVED if name != REAL},
        winners={"client": FOR},
    ),
    _observed(
        "takes x-forwarded-for in any case",
        anybody("x-forwarded-for"),
        client="203.0.113.5",
        reason=Reason.FIRST_ELEMENT,
        remaining={name: value for name, value in _OBSERVED if name != REAL},
        winners={"client": FOR},
    ),
    _observed(
        "takes two names in one argument for two",
        anybody(FOR, headers="X-Forwarded-For X-Real-IP"),
        client="203.0.113.6",
        reason=Reason.SINGLE_VALUE,
        remaining={name: value for name, value in _OBSERVED if name != FOR},
        winners={"client": REAL},
    ),
)

ROWS: Final = (*RFC_7239, *MOD_WSGI)
