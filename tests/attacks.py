"""
The known attacks, each with its id, as rows for every surface.

In:  the list of mechanisms that this project collects (``docs/security.md``).
Out: `ATTACKS`, id → `Attack`.

An attack is either rows of a policy and a request, which every surface is asked, or it
says in words where else it is tested and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from trustedproxy import Reason

from .cases.case import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    REAL,
    SCRIPT,
    SSL,
    Case,
    Given,
    Way,
    anybody,
    ours,
    sent,
)
from .cases.headers import SYNONYMS
from .cases.values import (
    NO_HOSTS,
    NO_MOUNT_POINTS,
    NO_PORTS,
    NO_SCHEMES,
)

STRANGER: Final = "198.51.100.7"
#: What a WSGI server has already folded together, and Django's ASGI handler drops.
NAMES_AS_SENT: Final = frozenset({Way.ASGI, Way.DJANGO_ASGI})

#: Surfaces on which an attack has to be tried, by the names of `surfaces.SURFACES`.
EVERYWHERE: Final = frozenset({"wsgi", "asgi", "django-wsgi", "django-asgi", "flask"})


@dataclass(frozen=True, slots=True)
class Attack:
    """
    One mechanism.

    Attributes:
        mechanism: What the attacker does, in a few words.

        rows: The requests, and what must become of them.

        elsewhere: Name of the module below ``tests`` that has it.

        only: The surfaces on which there is something to try.

        why: Why it is not tried on the others, in words.
    """

    mechanism: str
    rows: tuple[Case, ...] = ()
    elsewhere: str = ""
    only: frozenset[str] = field(default=EVERYWHERE)
    why: str = ""


_FIRST: Final[dict[str, Any]] = {"reason": Reason.FIRST_UNTRUSTED_HOP}
_ENDED: Final[dict[str, Any]] = {"reason": Reason.UNIDENTIFIED_HOP}
_BAD: Final[dict[str, Any]] = {"problems": ("malformed",)}
_DIRECT: Final[dict[str, Any]] = {"reason": Reason.PEER_NOT_TRUSTED, "remaining": {}}


def _field(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def _refused_hops(*texts: str) -> tuple[Case, ...]:
    """Try each text as the hop right of a forged address."""
    return tuple(
        Case(
            f"refuses the hop {text[:40]!r}",
            ours(FOR),
            sent(FOR, f"1.1.1.1, {text}, 10.0.0.5"),
            address="10.0.0.5",
            remaining={FOR: "10.0.0.5"},
            **_ENDED,
            **_BAD,
        )
        for text in texts
    )


def _refused_values(header: str, *texts: str, **more: Any) -> tuple[Case, ...]:
    """Try each text as the value of *header*, in both ways of handling it."""
    return tuple(
        Case(
            f"refuses {text[:40]!r} with malformed={verdict!r}",
            ours(header, malformed=verdict),
            sent(header, text),
            remaining={},
            rejected="malformed" if verdict == "reject" else None,
            **_BAD,
            **more,
        )
        for text in texts
        for verdict in ("ignore", "reject")
    )


ATTACKS: Final[dict[str, Attack]] = {
    "S-01": Attack(
        "the application is reached directly with forged headers",
        (
            Case(
                "refuses scheme and host though no client header is used",
                ours(PROTO, HOST),
                (*sent(PROTO, "https"), *sent(HOST, "a.example")),
                peer=STRANGER,
                **_DIRECT,
            ),
        ),
    ),
    "S-02": Attack(
        "a synonym survives and a later component prefers it",
        (
            Case(
                "refuses every other client header",
                ours(FOR),
                (
                    *sent(FOR, "203.0.113.9"),
                    *((name, value) for name, value in SYNONYMS["client"][2].items()),
                ),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
        ),
    ),
    "S-03": Attack(
        "a category without a configured header is left alone",
        (
            Case(
                "refuses a host from a proxy where all is to go",
                ours(FOR, strip="all"),
                (*sent(FOR, "203.0.113.9"), *sent(HOST, "evil.example")),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
            Case(
                "refuses a host from a stranger where all is to go",
                ours(FOR, strip="all"),
                sent(HOST, "evil.example"),
                peer=STRANGER,
                **_DIRECT,
            ),
        ),
    ),
    "S-04": Attack(
        "the client fills a gap that the proxy leaves",
        (
            Case(
                "refuses the client's X-Real-IP where the proxy sets X-Forwarded-For",
                ours(FOR, REAL),
                (*sent(FOR, "203.0.113.9"), *sent(REAL, "garbage")),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
                **_BAD,
            ),
            Case(
                "refuses the client's headers of categories that the proxy never sets",
                ours(FOR, strip="all"),
                (
                    *sent(FOR, "203.0.113.9"),
                    *sent(PROTO, "https"),
                    *sent(HOST, "evil.example"),
                    *sent(PORT, "4443"),
                ),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
        ),
    ),
    "S-05": Attack(
        "everybody is trusted and the leftmost element is taken",
        (
            Case(
                "refuses the client's own addition where a count is set",
                anybody(FOR, hops=1),
                sent(FOR, "1.1.1.1, 203.0.113.9"),
                client="203.0.113.9",
                reason=Reason.HOP_COUNT,
                remaining={FOR: "203.0.113.9"},
            ),
        ),
    ),
    "S-06": Attack(
        "an unknown peer is mistaken for a local socket",
        (
            Case(
                "refuses a missing client beside a server with an address",
                {"headers": [FOR], "proxies": ["unix", "127.0.0.1"]},
                sent(FOR, "1.1.1.1"),
                peer=None,
                client=None,
                given=Given(scope={"client": None, "server": ("127.0.0.1", 8000)}),
                ways=NAMES_AS_SENT,
                **_DIRECT,
            ),
        ),
        only=frozenset({"asgi", "django-asgi"}),
        why="only ASGI knows a connection without a client: a WSGI server that names "
        "no address is behind a unix socket",
    ),
    "S-07": Attack(
        "a typo in the list of proxies is accepted in silence",
        elsewhere="test_configuration",
        why="it is refused when the application starts, before any request",
    ),
    "S-08": Attack(
        "elements are counted though the application is reached directly too",
        (
            Case(
                "refuses a stranger though the count matches",
                ours(FOR, hops=2),
                sent(FOR, "203.0.113.9, 10.0.0.5"),
                peer=STRANGER,
                **_DIRECT,
            ),
            Case(
                "takes the counted element from a peer that is ours",
                ours(FOR, hops=2),
                sent(FOR, "1.1.1.1, 203.0.113.9, 10.0.0.5"),
                client="203.0.113.9",
                reason=Reason.HOP_COUNT,
                remaining={FOR: "203.0.113.9, 10.0.0.5"},
            ),
        ),
    ),
    "S-09": Attack(
        "the client writes the leftmost element",
        (
            Case(
                "refuses what the client put in front",
                ours(FOR),
                sent(FOR, "1.1.1.1, 203.0.113.9"),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
        ),
    ),
    "S-10": Attack(
        "every element is a trusted address",
        (
            Case(
                "takes the leftmost of all that are ours",
                ours(FOR),
                sent(FOR, "10.1.1.1, 10.2.2.2"),
                client="10.1.1.1",
                reason=Reason.ALL_HOPS_TRUSTED,
            ),
        ),
    ),
    "S-11": Attack(
        "an invalid token in the middle is skipped, or taken",
        (
            *_refused_hops("garbage"),
            Case(
                "refuses the whole request where the policy says so",
                ours(FOR, malformed="reject"),
                sent(FOR, "1.1.1.1, garbage, 10.0.0.5"),
                address="10.0.0.1",
                rejected="malformed",
                remaining={},
                mapped=False,
                **_ENDED,
                **_BAD,
            ),
        ),
    ),
    "S-12": Attack(
        "markup or line breaks stand for an address",
        _refused_hops("<script>", "203.0.113.9\r\nX-Evil: 1", "'; DROP TABLE x"),
    ),
    "S-13": Attack(
        "the client's line comes before or after the proxy's own",
        (
            Case(
                "joins the lines in order and walks from the right",
                ours(FOR),
                sent(FOR, "1.1.1.1", "203.0.113.9", "10.0.0.5"),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9, 10.0.0.5"},
                **_FIRST,
            ),
            Case(
                "refuses the first line alone",
                ours(FOR),
                sent(FOR, "1.1.1.1", "203.0.113.9"),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
        ),
    ),
    "S-14": Attack(
        "a quote from the client swallows the proxy's element",
        (
            Case(
                "refuses to give a quote a meaning in the client's list",
                ours(FOR),
                sent(FOR, '", 203.0.113.9'),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
            *(
                Case(
                    f"refuses to give a quote a meaning in {header}",
                    ours(header),
                    sent(header, f'", {value}'),
                    remaining={header: value},
                    **_field(name, value),
                )
                for header, value, name in (
                    (PROTO, "https", "scheme"),
                    (HOST, "app.example", "host"),
                    (PORT, "443", "port"),
                )
            ),
        ),
    ),
    "S-15": Attack(
        "the client lets the header vanish and is taken for the proxy",
        (
            Case(
                "knows that it does not know the client",
                ours(FOR),
                reason=Reason.HEADER_MISSING,
                problems=("missing",),
            ),
            Case(
                "refuses the request where the policy says so",
                ours(FOR, missing="reject"),
                rejected="missing",
                reason=Reason.HEADER_MISSING,
                problems=("missing",),
            ),
        ),
    ),
    "S-16": Attack(
        "empty elements shift the count",
        (
            *(
                Case(
                    f"skips the empty elements of {value!r}",
                    ours(FOR),
                    sent(FOR, value),
                    client="203.0.113.9",
                    remaining={FOR: "203.0.113.9, 10.0.0.5"},
                    **_FIRST,
                )
                for value in (
                    "203.0.113.9,,10.0.0.5",
                    ",203.0.113.9, 10.0.0.5",
                    "203.0.113.9, 10.0.0.5,",
                )
            ),
            Case(
                "takes a comma alone for a missing header",
                ours(FOR),
                sent(FOR, ","),
                reason=Reason.HEADER_MISSING,
                problems=("missing",),
                remaining={},
            ),
            Case(
                "does not count empty elements",
                anybody(FOR, hops=2),
                sent(FOR, "1.1.1.1, 203.0.113.9,,10.0.0.5,"),
                client="203.0.113.9",
                reason=Reason.HOP_COUNT,
                remaining={FOR: "203.0.113.9, 10.0.0.5"},
            ),
        ),
    ),
    "S-17": Attack(
        "ports and brackets around an address",
        (
            *(
                Case(
                    f"reads {text!r}",
                    ours(FOR),
                    sent(FOR, text),
                    client=client,
                    client_port=port,
                    **_FIRST,
                )
                for text, client, port in (
                    ("203.0.113.9:4711", "203.0.113.9", 4711),
                    ("[2001:db8::1]:443", "2001:db8::1", 443),
                    ("[2001:db8::1]", "2001:db8::1", None),
                    ("2001:db8::1", "2001:db8::1", None),
                )
            ),
            *_refused_hops("[203.0.113.9]", "1.2.3.4:nope", "1.2.3.4:99999"),
        ),
    ),
    "S-18": Attack(
        "leading zeros, octal, short, hexadecimal and integer forms",
        _refused_hops("010.8.8.8", "127.1", "0x7f.1", "2130706433"),
    ),
    "S-19": Attack(
        "IPv4 addresses that IPv6 maps",
        (
            Case(
                "knows our peer by its mapped address",
                ours(FOR),
                sent(FOR, "1.1.1.1, ::ffff:203.0.113.9"),
                peer="::ffff:10.0.0.1",
                client="203.0.113.9",
                remaining={FOR: "::ffff:203.0.113.9"},
                **_FIRST,
            ),
            *(
                Case(
                    f"refuses to unwrap {peer}",
                    ours(FOR),
                    sent(FOR, "203.0.113.9"),
                    peer=peer,
                    **_DIRECT,
                )
                for peer in ("2002:a00:1::1", "64:ff9b::a00:1", "2001:0:a00:1::1")
            ),
        ),
    ),
    "S-20": Attack(
        "zones",
        (
            *_refused_hops("fe80::1%eth0", "::1%" + "A" * 40),
            Case(
                "refuses a zone of four thousand characters",
                ours(FOR),
                sent(FOR, "1.1.1.1, ::1%" + "A" * 4000 + ", 10.0.0.5"),
                address="10.0.0.5",
                remaining={FOR: "10.0.0.5"},
                **_ENDED,
                **_BAD,
            ),
            Case(
                "knows a link-local peer without its zone",
                {"headers": [FOR], "proxies": ["fe80::/10"]},
                sent(FOR, "203.0.113.9"),
                peer="fe80::1%eth0",
                client="203.0.113.9",
                **_FIRST,
            ),
        ),
    ),
    "S-21": Attack(
        "digits of other scripts, NUL, very long tokens and lists",
        (
            *_refused_hops(
                "\uff11.\uff12.\uff13.\uff14".encode().decode("latin-1"),
                "1.2.3.\xb2",
                "1.2.3.4\x00",
            ),
            Case(
                "refuses a token of ten thousand characters",
                ours(FOR),
                sent(FOR, "1.1.1.1, " + "1" * 10000),
                problems=("too-long",),
                remaining={},
                split=False,
                **_ENDED,
            ),
            Case(
                "refuses to walk over more than 64 elements",
                ours(FOR),
                sent(FOR, "1.1.1.1" + ", 10.0.0.5" * 200),
                address="10.0.0.5",
                problems=("too-long",),
                remaining={FOR: ", ".join(["10.0.0.5"] * 64)},
                split=False,
                **_ENDED,
            ),
        ),
    ),
    "S-22": Attack(
        "unspecified, broadcast and multicast addresses",
        _refused_hops("0.0.0.0", "::", "255.255.255.255", "224.0.0.1"),
    ),
    "S-23": Attack(
        "symbolic values",
        tuple(
            Case(
                f"ends the walk at {value}",
                ours(FOR),
                sent(FOR, f"1.1.1.1, {value}, 10.0.0.5"),
                address="10.0.0.5",
                remaining={FOR: "10.0.0.5"},
                **_ENDED,
            )
            for value in ("unknown", "_hidden", "_SEVKISEK")
        ),
    ),
    "S-24": Attack(
        "several values where one address belongs",
        (
            Case(
                "refuses a list in X-Real-IP",
                ours(REAL),
                sent(REAL, "1.1.1.1, 2.2.2.2"),
                reason=Reason.MALFORMED,
                remaining={},
                **_BAD,
            ),
            Case(
                "refuses two lines of X-Real-IP",
                ours(REAL),
                sent(REAL, "1.1.1.1", "2.2.2.2"),
                reason=Reason.MALFORMED,
                remaining={},
                **_BAD,
            ),
        ),
    ),
    "S-25": Attack(
        "a host name makes the server ask the DNS",
        _refused_hops("internal.host", "localhost"),
    ),
    "S-26": Attack(
        "an underscore in place of a hyphen, behind a WSGI server",
        (
            Case(
                "reads what the server joined from the right, so the proxy's counts",
                ours(FOR),
                sent(FOR, "198.51.100.66", "203.0.113.9"),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                **_FIRST,
            ),
            Case(
                "refuses what the server joined where one address belongs",
                ours(REAL),
                sent(REAL, "203.0.113.9", "198.51.100.66"),
                reason=Reason.MALFORMED,
                remaining={},
                **_BAD,
            ),
        ),
    ),
    "S-27": Attack(
        "an underscore in place of a hyphen, behind an ASGI server",
        tuple(
            Case(
                f"refuses the header x_forwarded_for from {who}",
                ours(FOR),
                sent("x_forwarded_for", "1.1.1.1"),
                peer=peer,
                given=Given(names_as_written=True),
                remaining={},
                ways=NAMES_AS_SENT,
                reason=reason,
                problems=problems,
            )
            for who, peer, reason, problems in (
                ("a proxy", "10.0.0.1", Reason.HEADER_MISSING, ("missing",)),
                ("a stranger", STRANGER, Reason.PEER_NOT_TRUSTED, ()),
            )
        ),
        only=frozenset({"asgi", "django-asgi"}),
        why="a WSGI server has folded both spellings into one key before any "
        "middleware runs; S-26 is about that",
    ),
    "S-28": Attack(
        "both spellings at once, where the proxy cleans one of them",
        tuple(
            Case(
                f"removes {twin} and keeps the proxy's own line",
                ours(FOR, PROTO),
                (
                    *sent(twin, "198.51.100.66"),
                    *sent("x-forwarded-for", "203.0.113.9"),
                    *sent("x_forwarded_proto", "https"),
                ),
                given=Given(names_as_written=True),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                ways=NAMES_AS_SENT,
                **_FIRST,
            )
            for twin in ("x_forwarded_for", "x-forwarded_for", "X_Forwarded_For")
        ),
        only=frozenset({"asgi", "django-asgi"}),
        why="a WSGI server has folded both spellings into one key before any "
        "middleware runs; S-26 is about that",
    ),
    "S-29": Attack(
        "case and odd bytes in names",
        (
            Case(
                "removes names that a lenient reader would take for known ones",
                ours(FOR),
                (
                    *sent("X-Forwarded-FOR", "203.0.113.9"),
                    *sent("X-Real-IP", "1.1.1.1"),
                    *sent("x-real-ip\x85", "1.1.1.1"),
                    *sent("x-forwarded-for\xa0", "1.1.1.1"),
                ),
                given=Given(names_as_written=True),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9"},
                ways=frozenset({Way.ASGI}),
                **_FIRST,
            ),
        ),
        only=frozenset({"asgi"}),
        why="WSGI servers write every name in capitals and refuse or drop odd bytes, "
        "and so does Django's handler, which compares lower-case names",
    ),
    "S-30": Attack(
        "the Connection header lets a proxy delete its own header",
        (
            Case(
                "knows that it does not know the client",
                ours(FOR, PROTO),
                sent("Connection", "close, X-Forwarded-For"),
                reason=Reason.HEADER_MISSING,
                problems=("missing", "named-in-connection"),
            ),
            Case(
                "refuses such a request where the policy says so",
                ours(FOR, missing="reject"),
                sent("Connection", "close, X-Forwarded-For"),
                reason=Reason.HEADER_MISSING,
                problems=("missing", "named-in-connection"),
                rejected="missing",
            ),
            Case(
                "does not take a missing scheme for https",
                ours(PROTO),
                sent("Connection", "X-Forwarded-Proto"),
                problems=("named-in-connection",),
            ),
        ),
    ),
    "S-31": Attack(
        "headers that override the mount point or the URL",
        (
            Case(
                "refuses a stranger's mount point",
                ours(SCRIPT, strip="all"),
                (
                    *sent(SCRIPT, "/admin"),
                    *sent("Script-Name", "/admin"),
                    *sent("X-Original-URL", "/admin"),
                    *sent("X-Rewrite-URL", "/admin"),
                    *sent("X-Forwarded-Uri", "/admin"),
                ),
                peer=STRANGER,
                **_DIRECT,
            ),
            Case(
                "refuses the URL headers of a proxy too",
                ours(SCRIPT, strip="all"),
                (
                    *sent(SCRIPT, "/app"),
                    *sent("X-Original-URL", "/admin"),
                    *sent("X-Rewrite-URL", "/admin"),
                    *sent("X-Forwarded-Uri", "/admin"),
                ),
                mount_point="/app",
                remaining={SCRIPT: "/app"},
            ),
        ),
    ),
    "S-32": Attack(
        "any text becomes the scheme",
        (
            *_refused_values(PROTO, *(text for _, text in NO_SCHEMES)),
            Case(
                "trims and folds a scheme",
                ours(PROTO),
                sent(PROTO, "HTTPS "),
                scheme="https",
                remaining={PROTO: "HTTPS"},
            ),
        ),
    ),
    "S-33": Attack(
        "contradictory scheme headers",
        (
            Case(
                "refuses to consult the flag that is not trusted",
                ours(PROTO),
                (*sent(PROTO, "http"), *sent(SSL, "on")),
                remaining={PROTO: "http"},
            ),
        ),
    ),
    "S-34": Attack(
        "the leftmost scheme of an appended list is the client's",
        (
            Case(
                "takes the last scheme behind one proxy",
                ours(FOR, PROTO),
                (*sent(FOR, "203.0.113.9"), *sent(PROTO, "https, http")),
                client="203.0.113.9",
                remaining={FOR: "203.0.113.9", PROTO: "http"},
                **_FIRST,
            ),
            Case(
                "takes the last scheme but one behind two proxies",
                ours(FOR, PROTO),
                (*sent(FOR, "203.0.113.9, 10.0.0.5"), *sent(PROTO, "https, http")),
                client="203.0.113.9",
                scheme="https",
                remaining={FOR: "203.0.113.9, 10.0.0.5", PROTO: "https"},
                **_FIRST,
            ),
        ),
    ),
    "S-35": Attack(
        "flags that mean nothing",
        (
            *_refused_values(SSL, "ssl", "enabled", "2", "yes"),
            *(
                Case(
                    f"takes the flag {value}",
                    ours(SSL),
                    sent(SSL, value),
                    given=Given(scheme="http" if scheme == "https" else "https"),
                    scheme=scheme,
                )
                for value, scheme in (
                    ("on", "https"),
                    ("TRUE", "https"),
                    ("1", "https"),
                    ("off", "http"),
                    ("False", "http"),
                    ("0", "http"),
                )
            ),
        ),
    ),
    "S-36": Attack(
        "the client suppresses the scheme header",
        (
            Case(
                "keeps the connection's http where the header is missing",
                ours(PROTO),
            ),
            Case(
                "keeps the connection's https where the header is missing",
                ours(PROTO),
                given=Given(scheme="https"),
            ),
        ),
    ),
    "S-37": Attack(
        "markup, paths, user information in the host",
        _refused_values(HOST, *(text for _, text in NO_HOSTS), "a." * 150),
    ),
    "S-38": Attack(
        "a host that the application does not serve",
        elsewhere="test_attacks",
        only=frozenset({"django-wsgi", "django-asgi", "flask"}),
        why="the list of hosts is the framework's: ALLOWED_HOSTS and TRUSTED_HOSTS",
    ),
    "S-39": Attack(
        "several hosts",
        (
            Case(
                "takes the last host behind one proxy",
                ours(FOR, HOST),
                (*sent(FOR, "203.0.113.9"), *sent(HOST, "a.example, b.example")),
                client="203.0.113.9",
                host="b.example",
                remaining={FOR: "203.0.113.9", HOST: "b.example"},
                **_FIRST,
            ),
        ),
    ),
    "S-40": Attack(
        "ports that are none, lists of ports, two ports",
        (
            *_refused_values(PORT, *(text for _, text in NO_PORTS)),
            Case(
                "takes the last port behind one proxy",
                ours(PORT),
                sent(PORT, "443, 8443"),
                port="8443",
                remaining={PORT: "8443"},
            ),
            Case(
                "keeps the port that the host names",
                ours(PROTO, HOST, PORT, port_in_host=True),
                (
                    *sent(PROTO, "https"),
                    *sent(HOST, "a.example:8443"),
                    *sent(PORT, "443"),
                ),
                scheme="https",
                host="a.example:8443",
                port="443",
            ),
        ),
    ),
    "S-41": Attack(
        "a cache is poisoned with scheme, port or mount point",
        (
            Case(
                "refuses what would vary the response",
                ours(PROTO, strip="all"),
                (
                    *sent(PROTO, "https"),
                    *sent("X-Forwarded-Scheme", "nothttps"),
                    *sent(PORT, "1"),
                    *sent("X-Forwarded-Prefix", "/evil"),
                ),
                scheme="https",
                remaining={PROTO: "https"},
            ),
            Case(
                "refuses a stranger's scheme of another name",
                ours(PROTO),
                sent("X-Forwarded-Scheme", "nothttps"),
                peer=STRANGER,
                **_DIRECT,
            ),
        ),
    ),
    "S-42": Attack(
        "a shared cache keeps the refusal",
        (
            Case(
                # That a 400 says no-store is asserted for every row that is refused.
                "refuses with an answer that no cache keeps",
                ours(HOST, malformed="reject"),
                sent(HOST, "evil.example/x"),
                rejected="malformed",
                remaining={},
                **_BAD,
            ),
        ),
    ),
    "S-43": Attack(
        "a mount point that leads to another host, or up",
        (
            *_refused_values(SCRIPT, *(text for _, text in NO_MOUNT_POINTS)),
            *_refused_values("X-Forwarded-Prefix", "//evil.example", "/a\n"),
        ),
    ),
    "S-44": Attack(
        "a trailing slash, or an empty mount point",
        tuple(
            Case(
                f"reads the mount point {text!r}",
                ours(SCRIPT),
                sent(SCRIPT, text),
                given=Given(mount_point="/outer"),
                mount_point=mount_point,
            )
            for text, mount_point in (("/app/", "/app"), ("/", ""), ("", ""))
        ),
    ),
    "S-45": Attack(
        "a list of mount points",
        (
            Case(
                "takes the last mount point behind one proxy",
                ours("X-Forwarded-Prefix"),
                sent("X-Forwarded-Prefix", "/x, /app"),
                mount_point="/app",
                remaining={"X-Forwarded-Prefix": "/app"},
            ),
        ),
    ),
    "S-46": Attack(
        "a mount point changes which rule the path meets",
        (
            Case(
                "cuts at a slash only",
                ours(SCRIPT, strip_mount_point=True),
                sent(SCRIPT, "/admin"),
                given=Given(path="/administrator"),
                mount_point="/admin",
                path="/administrator",
            ),
            Case(
                "never makes the path longer",
                ours(SCRIPT),
                sent(SCRIPT, "/admin"),
                given=Given(path="/page"),
                mount_point="/admin",
                path="/page",
            ),
        ),
    ),
    "S-47": Attack(
        "two mount point headers, of which one is validated",
        (
            Case(
                "refuses the one that is not trusted",
                ours(SCRIPT),
                (
                    *sent(SCRIPT, "/app"),
                    *sent("X-Forwarded-Prefix", "//evil.example"),
                    *sent("X-Forwarded-Script-Name", "//evil.example"),
                ),
                mount_point="/app",
                remaining={SCRIPT: "/app"},
            ),
        ),
    ),
    "S-48": Attack(
        "separators inside of quotes",
        (
            Case(
                "refuses parameters inside of the quotes of for",
                ours(FORWARDED),
                sent(FORWARDED, 'for="127.0.0.1;host=evil.example;proto=https"'),
                remaining={},
                **_ENDED,
                **_BAD,
            ),
        ),
    ),
    "S-49": Attack(
        "an unclosed quote swallows the proxy's element",
        (
            Case(
                "lets no quote reach the proxy's own element",
                ours(FORWARDED),
                sent(FORWARDED, 'for=1.1.1.1;by=", for=203.0.113.9'),
                client="203.0.113.9",
                winners={"client": FORWARDED},
                remaining={FORWARDED: "for=203.0.113.9"},
                **_FIRST,
            ),
            Case(
                "refuses the broken element where it is reached",
                ours(FORWARDED),
                sent(FORWARDED, 'for=1.1.1.1;by=", for=10.0.0.5'),
                address="10.0.0.5",
                winners={"client": FORWARDED},
                remaining={FORWARDED: "for=10.0.0.5"},
                **_ENDED,
                **_BAD,
            ),
        ),
    ),
    "S-50": Attack(
        "the grammar of nodes",
        (
            *(
                Case(
                    f"reads the node {node}",
                    ours(FORWARDED),
                    sent(FORWARDED, f"for={node}"),
                    client=client,
                    client_port=port,
                    winners={"client": FORWARDED},
                    **_FIRST,
                )
                for node, client, port in (
                    ('"[2001:db8::1]:8080"', "2001:db8::1", 8080),
                    ('"203.0.113.9"', "203.0.113.9", None),
                    ('"203.0.113.9:_x"', "203.0.113.9", None),
                )
            ),
            *(
                Case(
                    f"refuses the node {node}",
                    ours(FORWARDED),
                    sent(FORWARDED, f"for=1.1.1.1, for={node}"),
                    remaining={},
                    **_ENDED,
                    **_BAD,
                )
                for node in ("2001:db8::1", '"2001:db8::1:8080"')
            ),
            *(
                Case(
                    f"knows nobody by the node {node}",
                    ours(FORWARDED),
                    sent(FORWARDED, f"for=1.1.1.1, for={node}"),
                    remaining={},
                    **_ENDED,
                )
                for node in ("unknown", "_obf", '"_obf:_p"')
            ),
        ),
    ),
    "S-51": Attack(
        "parameter names in any case, or twice",
        (
            Case(
                "reads names and schemes in any case",
                ours(FORWARDED),
                sent(FORWARDED, "FOR=1.2.3.4;Proto=HTTPS"),
                client="1.2.3.4",
                scheme="https",
                winners={"client": FORWARDED, "scheme": FORWARDED},
                **_FIRST,
            ),
            Case(
                "refuses a parameter that comes twice",
                ours(FORWARDED),
                sent(FORWARDED, "for=1.2.3.4;for=203.0.113.9"),
                remaining={},
                **_ENDED,
                **_BAD,
            ),
        ),
    ),
    "S-52": Attack(
        "quoted pairs",
        (
            Case(
                "refuses the host that the quoted pair makes",
                ours(FORWARDED),
                sent(FORWARDED, 'for=203.0.113.9;host="a\\"b"'),
                client="203.0.113.9",
                winners={"client": FORWARDED},
                **_FIRST,
                **_BAD,
            ),
        ),
    ),
    "S-53": Attack(
        "scheme and host come from an older element than the client",
        (
            Case(
                "takes all from the client's own element",
                ours(FORWARDED),
                sent(
                    FORWARDED,
                    "for=1.1.1.1;proto=https;host=evil.example, "
                    "for=203.0.113.9;host=app.example, for=10.0.0.5;proto=https",
                ),
                client="203.0.113.9",
                host="app.example",
                winners={"client": FORWARDED, "host": FORWARDED},
                remaining={
                    FORWARDED: "for=203.0.113.9;host=app.example, "
                    "for=10.0.0.5;proto=https"
                },
                **_FIRST,
            ),
        ),
    ),
    "S-54": Attack(
        "Forwarded and X-Forwarded-For together",
        (
            Case(
                "refuses the convention that is not configured",
                ours(FORWARDED),
                (*sent(FORWARDED, "for=203.0.113.9"), *sent(FOR, "1.1.1.1")),
                client="203.0.113.9",
                winners={"client": FORWARDED},
                remaining={FORWARDED: "for=203.0.113.9"},
                **_FIRST,
            ),
            Case(
                "refuses to fall back to the other convention",
                ours(FORWARDED),
                sent(FOR, "1.1.1.1"),
                reason=Reason.HEADER_MISSING,
                problems=("missing",),
                remaining={},
            ),
        ),
    ),
    "S-55": Attack(
        "white space",
        (
            Case(
                "reads blanks around commas and semicolons",
                ours(FORWARDED),
                sent(FORWARDED, "for=1.1.1.1 , for=203.0.113.9 ; proto=https"),
                client="203.0.113.9",
                scheme="https",
                winners={"client": FORWARDED, "scheme": FORWARDED},
                remaining={FORWARDED: "for=203.0.113.9 ; proto=https"},
                **_FIRST,
            ),
            *(
                Case(
                    f"refuses blanks around the equals sign of {value!r}",
                    ours(FORWARDED),
                    sent(FORWARDED, value),
                    remaining={},
                    **_ENDED,
                    **_BAD,
                )
                for value in ("for =203.0.113.9", "for= 203.0.113.9")
            ),
        ),
    ),
    "S-56": Attack(
        "several lines of Forwarded",
        (
            Case(
                "joins the lines in order",
                ours(FORWARDED),
                sent(FORWARDED, "for=1.1.1.1", "for=203.0.113.9", "for=10.0.0.5"),
                client="203.0.113.9",
                winners={"client": FORWARDED},
                remaining={FORWARDED: "for=203.0.113.9, for=10.0.0.5"},
                **_FIRST,
            ),
        ),
    ),
    **{
        f"S-{number}": Attack(
            mechanism,
            elsewhere="attacks_https" if number != 64 else "core/test_hsts",
            why="it is about redirects or HSTS, which have tests of their own",
        )
        for number, mechanism in enumerate(
            (
                "an open redirect through Host",
                "a path that begins with two slashes",
                "line breaks and other scripts in path or query",
                "a redirect that loses method and body",
                "the port of the plain request in the redirect",
                "HSTS over http, or for an address",
                "two HSTS headers",
                "a policy that is none",
                "a websocket over plain http",
                "a redirect that is cached while testing",
            ),
            57,
        )
    },
}
