"""
Rows of rules R13 and R14: bounds, and what is missing.

In:  nothing.
Out: `ROWS`.
"""

from __future__ import annotations

from typing import Any, Final

from trustedproxy import Reason

from .case import (
    FOR,
    FORWARDED,
    HOST,
    PROTO,
    REAL,
    Case,
    Given,
    Lines,
    anybody,
    ours,
    sent,
)

# What one walk reads at most.
ELEMENTS: Final = 64
CHARACTERS: Final = 4096


def hops(count: int) -> str:
    """Write *count* elements, all of them ours."""
    return ", ".join(["10.0.0.8"] * count)


def padded(tail: str, hop: str = "10.0.0.8") -> str:
    """Write *tail* and one of our hops so that both fill what is read."""
    return tail + "," + hop.rjust(CHARACTERS - len(tail) - 1)


#: R13.
BOUNDS: Final = (
    Case(
        "reads as many elements as the bound allows",
        ours(FOR),
        sent(FOR, "203.0.113.7, " + hops(ELEMENTS - 1)),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        split=False,
    ),
    Case(
        "ignores an element beyond the bound",
        ours(FOR),
        sent(FOR, "203.0.113.7, " + hops(ELEMENTS)),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        remaining={FOR: hops(ELEMENTS)},
        split=False,
        attack="S-21",
    ),
    Case(
        "rejects a request where the walk reaches an element beyond the bound",
        ours(FOR, malformed="reject"),
        sent(FOR, "203.0.113.7, " + hops(ELEMENTS)),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        rejected="too-long",
        remaining={},
        split=False,
    ),
    Case(
        "does not mind how many elements are left of the client",
        ours(FOR, malformed="reject", missing="reject"),
        sent(FOR, "1.1.1.1, " * 500 + "203.0.113.7, 10.0.0.8"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7, 10.0.0.8"},
        split=False,
    ),
    Case(
        "does not mind how many lines are left of the client",
        ours(FOR),
        sent(FOR, *["1.1.1.1"] * 200, "203.0.113.7, 10.0.0.8"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7, 10.0.0.8"},
        split=False,
    ),
    Case(
        "reads no more lines than the bound allows",
        ours(FOR),
        sent(FOR, *["1.1.1.1"] * 2000, "203.0.113.7"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        split=False,
        attack="H-06",
    ),
    Case(
        "keeps more lines than the bound allows where every peer is trusted",
        anybody(FOR, PROTO),
        (*sent(FOR, *["203.0.113.7"] * 2000), *sent(PROTO, *["https"] * 2000)),
        client="203.0.113.7",
        scheme="https",
        reason=Reason.FIRST_ELEMENT,
        remaining={FOR: ",".join(["203.0.113.7"] * 2000), PROTO: "https"},
        split=False,
        attack="H-06",
    ),
    Case(
        "does not count empty elements against the bound",
        ours(FOR),
        sent(FOR, "203.0.113.7" + "," * 200 + "10.0.0.8"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7, 10.0.0.8"},
        split=False,
    ),
    Case(
        "ignores characters beyond the bound",
        ours(FOR),
        sent(FOR, "203.0.113.7," + "10.0.0.8".rjust(CHARACTERS - 1)),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        remaining={FOR: "10.0.0.8"},
        split=False,
    ),
    Case(
        "ignores an element of which one character is beyond the bound",
        ours(FOR),
        sent(FOR, "2" + padded("03.0.113.7")),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        remaining={FOR: "10.0.0.8"},
        split=False,
    ),
    Case(
        "ignores an address that the bound cuts, and reads no shorter one",
        ours(FOR),
        sent(FOR, "198.51.100.66, 20" + padded("3.0.113.7")),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        remaining={FOR: "10.0.0.8"},
        split=False,
    ),
    Case(
        "ignores an element of Forwarded that the bound cuts",
        ours(FORWARDED),
        sent(FORWARDED, "for=1.1.1.1, x" + padded("for=203.0.113.7", "for=10.0.0.8")),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        winners={"client": FORWARDED},
        remaining={FORWARDED: "for=10.0.0.8"},
        split=False,
    ),
    Case(
        "ignores a first element that the bound cuts, and reads no shorter one",
        anybody(FOR),
        sent(FOR, "203.0.113.7" + " " * CHARACTERS + "x, 10.0.0.8"),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        remaining={},
        split=False,
    ),
    Case(
        "reads as many elements as the bound allows where all of them are ours",
        ours(FOR),
        sent(FOR, hops(ELEMENTS)),
        client="10.0.0.8",
        reason=Reason.ALL_HOPS_TRUSTED,
        split=False,
    ),
    Case(
        "takes the first of many schemes where every peer is trusted",
        anybody(PROTO),
        sent(PROTO, "https" + ", http" * 100),
        scheme="https",
        problems=("uncounted-list",),
        remaining={PROTO: "https"},
        split=False,
    ),
    Case(
        "ignores a scheme that lies beyond the bound",
        ours(PROTO),
        sent(PROTO, "https" + " " * CHARACTERS),
        problems=("too-long",),
        remaining={},
    ),
    Case(
        "does not mind how long an element left of the client is",
        ours(FOR),
        sent(FOR, "x" * 10000 + ", 203.0.113.7"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        split=False,
    ),
    Case(
        "ignores an element of ten thousand characters",
        ours(FOR),
        sent(FOR, "203.0.113.7, " + "9" * 10000),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        remaining={},
        split=False,
        attack="S-21",
    ),
    Case(
        "counts up to the bound",
        anybody(FOR, hops=ELEMENTS),
        sent(FOR, "1.1.1.1, 203.0.113.7, " + hops(ELEMENTS - 1)),
        client="203.0.113.7",
        reason=Reason.HOP_COUNT,
        remaining={FOR: "203.0.113.7, " + hops(ELEMENTS - 1)},
        split=False,
    ),
    Case(
        "ignores elements of Forwarded beyond the bound",
        ours(FORWARDED),
        sent(FORWARDED, "for=203.0.113.7" + ", for=10.0.0.8" * ELEMENTS),
        address="10.0.0.8",
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("too-long",),
        winners={"client": FORWARDED},
        remaining={FORWARDED: ", ".join(["for=10.0.0.8"] * ELEMENTS)},
        split=False,
    ),
    Case(
        "does not mind how many elements of Forwarded are left of the client",
        ours(FORWARDED),
        sent(FORWARDED, 'for=", ' * 1000 + "for=203.0.113.7"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FORWARDED},
        remaining={FORWARDED: "for=203.0.113.7"},
        split=False,
    ),
    Case(
        "ignores a single address of ten thousand characters",
        ours(REAL),
        sent(REAL, "9" * 10000),
        reason=Reason.MALFORMED,
        problems=("malformed",),
        remaining={},
    ),
    Case(
        "ignores a host of ten thousand characters",
        ours(HOST),
        sent(HOST, "a" * 10000),
        problems=("too-long",),
        remaining={},
    ),
)


def _missing(
    what: str, policy: dict[str, Any], headers: Lines, problem: str, **more: Any
) -> Case:
    return Case(
        f"rejects a request whose client header {what}",
        policy,
        headers,
        rejected=problem,
        problems=(problem,),
        remaining={},
        **more,
    )


_REJECTS: Final[dict[str, Any]] = {"missing": "reject"}

#: R14.
MISSING: Final = (
    Case(
        "leaves the client unknown where the trusted header is missing",
        ours(FOR, PROTO),
        sent(PROTO, "https"),
        scheme="https",
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        attack="S-15",
    ),
    Case(
        "says that Connection named the header that is missing",
        ours(FOR),
        sent("Connection", "close, X-Forwarded-For"),
        reason=Reason.HEADER_MISSING,
        problems=("missing", "named-in-connection"),
        attack="S-30",
    ),
    Case(
        "says that Connection names a header that came nevertheless",
        ours(FOR),
        (*sent(FOR, "203.0.113.7"), *sent("Connection", "close, X-Forwarded-For")),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        problems=("named-in-connection",),
    ),
    Case(
        "says that Connection names a known header in any case",
        ours(PROTO),
        (*sent(PROTO, "https"), *sent("Connection", "x-REAL-ip,keep-alive")),
        scheme="https",
        problems=("named-in-connection",),
    ),
    Case(
        "says that the Connection of a direct request names a known header",
        ours(FOR),
        sent("Connection", "close, X-Forwarded-For"),
        peer="198.51.100.7",
        reason=Reason.PEER_NOT_TRUSTED,
        problems=("named-in-connection",),
    ),
    Case(
        "does not mind a Connection where no header is listed",
        {"headers": []},
        sent("Connection", "close, X-Forwarded-For"),
        reason=Reason.NO_TRUSTED_HEADERS,
    ),
    Case(
        "does not mind a Connection that names other headers",
        ours(FOR),
        (*sent(FOR, "203.0.113.7"), *sent("Connection", "keep-alive, Upgrade, X-For")),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
    ),
    Case(
        "keeps the scheme where the scheme header is missing",
        ours(FOR, PROTO),
        sent(FOR, "203.0.113.7"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        attack="S-36",
    ),
    _missing(
        "is missing",
        ours(FOR, **_REJECTS),
        (),
        "missing",
        reason=Reason.HEADER_MISSING,
        attack="S-15",
    ),
    Case(
        "rejects a request whose client header Connection let a proxy drop",
        ours(FOR, **_REJECTS),
        sent("Connection", "close, X-Forwarded-For"),
        reason=Reason.HEADER_MISSING,
        problems=("missing", "named-in-connection"),
        rejected="missing",
        remaining={},
        attack="S-30",
    ),
    Case(
        "does not take a scheme header that Connection let a proxy drop for https",
        ours(PROTO),
        sent("Connection", "X-Forwarded-Proto"),
        problems=("named-in-connection",),
        attack="S-30",
    ),
    _missing(
        "is empty",
        ours(FOR, **_REJECTS),
        sent(FOR, ""),
        "missing",
        reason=Reason.HEADER_MISSING,
    ),
    _missing(
        "is missing beside a synonym that is not trusted",
        ours(FOR, **_REJECTS),
        sent(REAL, "198.51.100.66"),
        "missing",
        reason=Reason.HEADER_MISSING,
    ),
    _missing(
        "has too few elements",
        anybody(FOR, hops=2, **_REJECTS),
        sent(FOR, "203.0.113.7"),
        "too-few-elements",
        reason=Reason.TOO_FEW_ELEMENTS,
    ),
    _missing(
        "names nobody",
        ours(FOR, **_REJECTS),
        sent(FOR, "203.0.113.7, unknown"),
        "unidentified",
        reason=Reason.UNIDENTIFIED_HOP,
    ),
    _missing(
        "names nobody left of our hops",
        ours(FOR, **_REJECTS),
        sent(FOR, "_hidden, 10.0.0.8"),
        "unidentified",
        address="10.0.0.1",
        reason=Reason.UNIDENTIFIED_HOP,
        mapped=False,
    ),
    _missing(
        "is garbage",
        ours(REAL, **_REJECTS),
        sent(REAL, "garbage"),
        "malformed",
        reason=Reason.MALFORMED,
    ),
    _missing(
        "is too long",
        ours(FOR, **_REJECTS),
        sent(FOR, hops(ELEMENTS + 1)),
        "too-long",
        reason=Reason.UNIDENTIFIED_HOP,
        split=False,
    ),
    _missing(
        "is a Forwarded without for",
        ours(FORWARDED, **_REJECTS),
        sent(FORWARDED, "proto=https"),
        "unidentified",
        reason=Reason.UNIDENTIFIED_HOP,
    ),
    Case(
        "rejects a request for its unknown client and not for what Connection names",
        ours(FOR, **_REJECTS),
        (*sent(FOR, "unknown"), *sent("Connection", "X-Forwarded-For")),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("named-in-connection", "unidentified"),
        rejected="unidentified",
        remaining={},
    ),
    Case(
        "serves a request of whose client all that is known are our hops",
        ours(FOR, **_REJECTS),
        sent(FOR, "10.0.0.7, 10.0.0.8"),
        client="10.0.0.7",
        reason=Reason.ALL_HOPS_TRUSTED,
    ),
    Case(
        "serves a request whose client is known and whose scheme is malformed",
        ours(FOR, PROTO, **_REJECTS),
        (*sent(FOR, "203.0.113.7"), *sent(PROTO, "gopher")),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        problems=("malformed",),
        remaining={FOR: "203.0.113.7"},
    ),
    Case(
        "serves a direct request without the header that must not be missing",
        ours(FOR, **_REJECTS),
        peer="198.51.100.7",
        reason=Reason.PEER_NOT_TRUSTED,
    ),
    Case(
        "serves a request whose scheme header is missing",
        ours(FOR, PROTO, **_REJECTS),
        sent(FOR, "203.0.113.7"),
        given=Given(scheme="https"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
    ),
)

ROWS: Final = (*BOUNDS, *MISSING)
