"""
The way of a request as a picture.

In:  explanations.
Out: stops, the farthest first; an SVG; a sentence that says the same.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from trustedproxy.report.picture import (
    MOST_DRAWN,
    describe_way,
    draw_way,
    list_stops,
)

from .making import STRANGER, explain


def list_shown(*lines: str, **names: Any) -> list[tuple[str, str, str]]:
    """List the stops of such a request: how each looks, its title, its verdict."""
    stops = list_stops(explain(*lines, **names))
    return [(stop.kind, stop.title, stop.verdict) for stop in stops]


SERVER = ("server", "backend:8000", "this server")
PROXY = ("trusted", "10.0.0.5", "trusted proxy")


def test_way_goes_from_the_client_over_the_proxies() -> None:
    """What was forged on the left is cut off, and the client begins the rest."""
    shown = list_shown("X-Forwarded-For: 6.6.6.6, 203.0.113.7:4711, 10.0.0.8")

    assert shown == [
        ("cut", "6.6.6.6", "cut off"),
        ("client", "203.0.113.7, port 4711", "client"),
        ("trusted", "10.0.0.8", "trusted proxy"),
        PROXY,
        SERVER,
    ]


def test_direct_request_shows_what_its_headers_claim() -> None:
    """A client header that is removed unread is drawn as cut off."""
    shown = list_shown("X-Forwarded-For: 6.6.6.6", peer=STRANGER)

    assert shown == [
        ("cut", "6.6.6.6", "cut off"),
        ("client", STRANGER, "client"),
        SERVER,
    ]


def test_client_that_no_header_names_is_unknown() -> None:
    """The way ends at the proxy, and somebody must have been behind it."""
    assert list_shown() == [("nobody", "unknown", "client"), PROXY, SERVER]


def test_element_that_names_nobody_ends_the_way() -> None:
    """It stands where the client would."""
    assert list_shown("X-Forwarded-For: unknown") == [
        ("nobody", "unknown", "names nobody"),
        PROXY,
        SERVER,
    ]


def test_counted_elements_are_drawn_as_trusted() -> None:
    """With a count nobody looks at them."""
    shown = list_shown("X-Forwarded-For: 203.0.113.7, 9.9.9.9", hops=2)

    assert shown[:2] == [
        ("client", "203.0.113.7", "client"),
        ("trusted", "9.9.9.9", "counted"),
    ]


@pytest.mark.parametrize(("proxies", "kind"), [("unix", "trusted"), ([], "stranger")])
def test_unix_socket_is_named(proxies: object, kind: str) -> None:
    """A peer without an address is no empty box."""
    stops = list_stops(explain(peer="", proxies=proxies))

    assert (stops[-2].kind, stops[-2].title) == (kind, "a unix socket")


def test_element_without_a_text_is_nothing() -> None:
    """An element that is longer than what is read has no text."""
    stops = list_stops(explain("X-Forwarded-For: " + "a" * 5000))

    assert all(stop.title for stop in stops)


def test_server_without_a_name_is_this_server() -> None:
    """A server need not say what it is called."""
    explanation = explain()
    said = {**explanation.connection, "server": None, "port": None}
    object.__setattr__(explanation, "connection", said)

    assert list_stops(explanation)[-1].title == "this server"


def test_picture_says_the_same_in_words() -> None:
    """Who sees no picture is told, and it is one that can be read."""
    stops = list_stops(explain("X-Forwarded-For: <b>, 203.0.113.7"))
    svg = ElementTree.fromstring(draw_way(stops))

    described = svg.findtext("desc")
    assert svg.get("role") == "img"
    assert described == describe_way(stops)
    assert described == (
        "From the farthest to this server: <b>, cut off; 203.0.113.7, client; "
        "10.0.0.5, trusted proxy; backend:8000, this server."
    )
    assert "trust ends here" in "".join(svg.itertext())


def test_trust_ends_between_client_and_proxy() -> None:
    """The line is drawn above the first proxy, or above this server."""
    behind = str(draw_way(list_stops(explain("X-Forwarded-For: 203.0.113.7"))))
    direct = str(draw_way(list_stops(explain(peer=STRANGER))))

    assert behind.index("203.0.113.7</text>") < behind.index("trust ends here")
    assert behind.index("trust ends here") < behind.index("10.0.0.5</text>")
    assert direct.index(f"{STRANGER}</text>") < direct.index("trust ends here")
    assert direct.index("trust ends here") < direct.index("backend:8000</text>")


def test_picture_is_bounded() -> None:
    """Many hops are drawn as one, many forged elements as one, long ones cut."""
    forged = ", ".join(["<" + "a" * 60] * 20)
    hops = ", ".join(f"10.0.0.{i}" for i in range(1, 30))
    stops = list_stops(explain(f"X-Forwarded-For: {forged}, 203.0.113.7, {hops}"))

    svg = draw_way(stops)

    assert len(stops) == 20 + 1 + 29 + 2
    assert svg.count("<rect") == MOST_DRAWN + 2
    assert "20 elements, cut off" in svg
    assert re.search(r">\d+ more<", svg)
    assert max(map(len, re.findall(r"<text[^>]*>([^<]*)</text>", svg))) < 60
