"""
The peer's verdict, and the way of a request hop by hop.

In:  peers and client headers.
Out: `Peer` and `Hop` records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trustedproxy.explain import Standing, explain

from .making import (
    CONNECTION,
    LIST,
    PEER,
    SECRET,
    STRANGER,
    explain_sent,
    header_of,
    make_policy,
)

NO_HEADER = "this is a direct request, and no header is read."


@pytest.mark.parametrize(
    ("options", "peer", "expected"),
    [
        (
            {},
            STRANGER,
            [
                f"'198.51.100.7' is not a trusted proxy: {NO_HEADER}",
                "TRUSTED_PROXIES has 10.0.0.0/8.",
            ],
        ),
        (
            {"proxies": []},
            STRANGER,
            [
                f"'198.51.100.7' is not a trusted proxy: {NO_HEADER}",
                "TRUSTED_PROXIES is empty, so that nobody is trusted.",
            ],
        ),
        (
            {"proxies": [f"10.0.0.{n}" for n in range(11)]},
            STRANGER,
            [
                f"'198.51.100.7' is not a trusted proxy: {NO_HEADER}",
                "TRUSTED_PROXIES has 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, "
                "10.0.0.5, 10.0.0.6, 10.0.0.7 and 3 more.",
            ],
        ),
        (
            {},
            "",
            [
                f"The unix socket '' is not a trusted proxy: {NO_HEADER}",
                "TRUSTED_PROXIES has 10.0.0.0/8.",
            ],
        ),
        (
            {"proxies": ["loopback", "unix"]},
            "",
            [
                "The unix socket '' is a trusted proxy, by the entry 'unix' of "
                "TRUSTED_PROXIES: its headers are read."
            ],
        ),
        (
            {"proxies": ["loopback", "private"]},
            "::ffff:10.1.2.3",
            [
                "'::ffff:10.1.2.3' is a trusted proxy, by the entry 'private' of "
                "TRUSTED_PROXIES: its headers are read."
            ],
        ),
        (
            {"proxies": "*"},
            PEER,
            ["'10.0.0.5' is trusted, as every peer is: its headers are read."],
        ),
        ({"headers": []}, PEER, ["No header is trusted, so none is read."]),
        (
            {"secret_header": "X-Edge-Secret", "secrets": [SECRET]},
            PEER,
            [f"The request does not carry the proxy's secret: {NO_HEADER}"],
        ),
        (
            {},
            "nginx",
            [
                f"'nginx' is not a trusted proxy: {NO_HEADER}",
                "TRUSTED_PROXIES has 10.0.0.0/8.",
                "'nginx' is a host's name and no address. A server reports the address "
                "that connected, and names are never looked up: explain the request "
                "with that address.",
            ],
        ),
    ],
)
def test_peer_in_words(options: dict[str, Any], peer: str, expected: list[str]) -> None:
    """It is said who it is, why it is trusted or not, and what the list has instead."""
    explanation = explain_sent(
        {"X-Forwarded-For": "1.1.1.1"}, fields={"peer": peer}, **options
    )

    assert list(explanation.peer.sentences) == expected


@pytest.mark.parametrize("peer", ["garbage garbage", "[::1]", "10.0.0.5"])
def test_peer_that_is_no_host_name(peer: str) -> None:
    """What cannot be a host's name is not called one."""
    explanation = explain_sent({}, fields={"peer": peer})

    assert not any("host's name" in said for said in explanation.peer.sentences)


def test_peer_that_knows_the_secret() -> None:
    """The secret opens the door, and is not shown."""
    explanation = explain_sent(
        {"X-Forwarded-For": "203.0.113.7", "X-Edge-Secret": SECRET},
        proxies=None,
        secret_header="X-Edge-Secret",
        secrets=[SECRET],
    )

    assert explanation.peer.sentences == (
        "'10.0.0.5' knows the secret: its headers are read.",
    )
    assert SECRET not in str(explanation.as_dict())


def test_peer_of_a_socket_that_reads_like_an_address() -> None:
    """Where the server shows its socket, that counts and not the text."""
    explanation = explain_sent(
        {}, fields={"peer": "10.0.0.5", "peer_is_unix": True}, proxies=["unix"]
    )

    assert explanation.peer.is_unix
    assert explanation.peer.entry == "unix"


def test_element_is_trusted_by_an_entry_of_several() -> None:
    """The first that holds it is named; which one, not even a list says for ever."""
    explanation = explain_sent(
        {LIST[0]: "203.0.113.7, 10.0.0.6"}, proxies=["192.0.2.1", "10.0.0.5", "private"]
    )

    assert [hop.entry for hop in explanation.way] == ["10.0.0.5", "private", None]


def test_peer_of_a_list_that_is_gone(tmp_path: Path) -> None:
    """The last good list is in force; by which entry cannot be said any more."""
    listed = tmp_path / "proxies"
    listed.write_text("10.0.0.0/8\n")
    policy = make_policy(proxies=["192.0.2.1", f"file:{listed}"])
    listed.unlink()

    explanation = explain(policy, CONNECTION, {LIST[0]: "10.0.0.6"})

    assert [hop.entry for hop in explanation.way] == [None, None]
    assert explanation.peer.sentences == (
        "'10.0.0.5' is a trusted proxy: its headers are read.",
    )
    assert explanation.way[1].sentence == "'10.0.0.6' is a trusted proxy."


def test_way_of_a_request() -> None:
    """The peer, the elements from the right, the client, and what was cut off."""
    explanation = explain_sent({"X-Forwarded-For": "6.6.6.6, 203.0.113.7:47, 10.0.0.6"})

    assert [
        (
            hop.number,
            hop.text,
            hop.address,
            hop.port,
            hop.standing,
            hop.header,
            hop.entry,
        )
        for hop in explanation.way
    ] == [
        (0, PEER, PEER, None, Standing.TRUSTED, None, "10.0.0.0/8"),
        (
            1,
            "10.0.0.6",
            "10.0.0.6",
            None,
            Standing.TRUSTED,
            "X-Forwarded-For",
            "10.0.0.0/8",
        ),
        (
            2,
            "203.0.113.7:47",
            "203.0.113.7",
            47,
            Standing.CLIENT,
            "X-Forwarded-For",
            None,
        ),
        (3, "6.6.6.6", None, None, Standing.CUT, "X-Forwarded-For", None),
    ]


@pytest.mark.parametrize(
    ("peer", "standing"),
    [(STRANGER, Standing.CLIENT), ("", Standing.STRANGER), (PEER, Standing.TRUSTED)],
)
def test_way_of_a_request_whose_headers_say_nothing(
    peer: str, standing: Standing
) -> None:
    """The peer alone: the client where it has an address and is no proxy."""
    (hop,) = explain_sent({}, fields={"peer": peer}).way

    assert hop.standing is standing


CLIENT_CASES: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("an empty header", {}, " , ", ["empty, which counts as not sent"]),
    (
        "nothing left to cut",
        {},
        "203.0.113.7",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. '203.0.113.7' is not a trusted proxy.",
            "So the client is 203.0.113.7: the client is the nearest hop that is not a "
            "trusted proxy.",
            "The header stays as it came.",
        ],
    ),
    (
        "all hops trusted",
        {},
        "10.1.1.1, 10.2.2.2",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. '10.2.2.2' is a trusted proxy (10.0.0.0/8).",
            "2. '10.1.1.1' is a trusted proxy (10.0.0.0/8).",
            "So the client is 10.1.1.1: every hop is a trusted proxy, so the client is "
            "the farthest.",
            "The header stays as it came.",
        ],
    ),
    (
        "garbage with an address right of it",
        {},
        "1.1.1.1, <script>, 10.0.0.6",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. '10.0.0.6' is a trusted proxy (10.0.0.0/8).",
            "2. '<script>' names nobody.",
            "3. '1.1.1.1' stands further left: nobody confirmed it.",
            "So the client is unknown: the way of the request ends at a hop that is no "
            "address; the last address that was confirmed is 10.0.0.6.",
            "The header now is '10.0.0.6': nobody confirmed what stood further left.",
        ],
    ),
    (
        "garbage at the right end",
        {},
        "1.1.1.1, unknown",
        [
            "Elements are read from the right, over the trusted proxies:",
            "1. 'unknown' names nobody.",
            "2. '1.1.1.1' stands further left: nobody confirmed it.",
            "So the client is unknown: the way of the request ends at a hop that is no "
            "address; the peer's address stays.",
        ],
    ),
    (
        "a hop count",
        {"hops": 2},
        "6.6.6.6, 203.0.113.7, garbage",
        [
            "Elements are counted from the right, up to 2:",
            "1. 'garbage' is counted, and not looked at.",
            "2. '203.0.113.7' is the client's.",
            "3. '6.6.6.6' stands further left: nobody confirmed it.",
            "So the client is 203.0.113.7: the client is the hop at the configured "
            "count.",
            "The header now is '203.0.113.7, garbage': nobody confirmed what stood "
            "further left.",
        ],
    ),
    (
        "a hop count that ends at nobody",
        {"hops": 2},
        "unknown, 10.0.0.6",
        [
            "Elements are counted from the right, up to 2:",
            "1. '10.0.0.6' is counted, and not looked at.",
            "2. 'unknown' names nobody.",
            "So the client is unknown: the way of the request ends at a hop that is no "
            "address; the last address that was confirmed is 10.0.0.6.",
            "The header now is '10.0.0.6': nobody confirmed what stood further left.",
        ],
    ),
    (
        "too few elements",
        {"hops": 3},
        "203.0.113.7, 10.0.0.6",
        [
            "Elements are counted from the right, up to 3:",
            "1. '10.0.0.6' is counted, and not looked at.",
            "2. '203.0.113.7' is counted, and not looked at.",
            "So the client is unknown: the header has fewer elements than the "
            "configured count; the peer's address stays.",
        ],
    ),
    (
        "every peer trusted",
        {"proxies": "*"},
        "203.0.113.7, 10.0.0.6",
        [
            "No proxies are listed, so the first element counts.",
            "1. '203.0.113.7' is the first.",
            "So the client is 203.0.113.7: every peer is trusted, so the client is "
            "the first element.",
            "The header stays as it came.",
        ],
    ),
]


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [case[1:] for case in CLIENT_CASES],
    ids=[case[0] for case in CLIENT_CASES],
)
def test_steps_over_a_client_header(
    options: dict[str, Any], value: str, expected: list[str]
) -> None:
    """Each element has its verdict, and the end its reason."""
    explanation = explain_sent({LIST[0]: value}, **options)

    assert list(header_of(explanation, LIST[0]).sentences) == expected


def test_steps_end_where_no_more_is_read() -> None:
    """What is beyond the bound is said to be there, and not to be read."""
    value = "1.1.1.1," * 3 + "10.0.0.6," * 64

    header = header_of(explain_sent({LIST[0]: value}), LIST[0])

    assert header.sentences[-3:-1] == (
        "65. There is more, and it is not read: nobody can be found there.",
        "So the client is unknown: the way of the request ends at a hop that is no "
        "address; the last address that was confirmed is 10.0.0.6.",
    )


def test_what_was_cut_off_may_go_on_beyond_the_bound() -> None:
    """The last hop stands for all that is not read."""
    value = "1.1.1.1," * 70 + "203.0.113.7"

    way = explain_sent({LIST[0]: value}).way

    assert len(way) == 66
    assert way[-1].sentence == "There is more, and it is not read."


@pytest.mark.parametrize(
    ("name", "value", "address"),
    [
        ("X-Real-IP", "203.0.113.7", "203.0.113.7"),
        ("CloudFront-Viewer-Address", "2001:db8::7:47", "2001:db8::7"),
    ],
)
def test_steps_of_a_header_with_one_address(
    name: str, value: str, address: str
) -> None:
    """It is one hop, without an order."""
    header = header_of(explain_sent({name: value}, headers=[name]), name)

    assert header.sentences[0] == f"1. {value!r} is an address."
    assert [hop.address for hop in header.hops] == [address]


def test_steps_over_forwarded() -> None:
    """One header of three categories: its element says the scheme and the host."""
    sent = 'for=6.6.6.6, for=203.0.113.7;proto=https;host="a/b", for=10.0.0.6'

    header = header_of(
        explain_sent({"Forwarded": sent}, headers=["Forwarded"]), "Forwarded"
    )

    assert header.categories == ("client address", "scheme", "host")
    assert header.sentences[3:] == (
        "3. 'for=6.6.6.6' stands further left: nobody confirmed it.",
        "So the client is 203.0.113.7: the client is the nearest hop that is not a "
        "trusted proxy.",
        """The header now is 'for=203.0.113.7;proto=https;host="a/b", for=10.0.0.6': """
        "nobody confirmed what stood further left.",
        "proto of the client's element, 'https', is used.",
        "host of the client's element, 'a/b', is malformed, not used.",
    )


def test_steps_over_forwarded_that_break_right_of_the_count() -> None:
    """It might be several, so that the count ends there."""
    explanation = explain_sent(
        {"Forwarded": "for=203.0.113.7, for"}, headers=["Forwarded"], hops=2
    )

    assert "1. 'for' names nobody." in header_of(explanation, "Forwarded").sentences
