"""
The way of a request as a picture: from the client over the proxies to this server.

In:  an `Explanation`.
Out: `Stop` records, the farthest first; and an SVG of them, with a text that says the
     same.

It stands upright, so that it can be read on a telephone.  No text of a request is
longer there than its box; the list beside it has all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..explain import Fate, Standing
from .markup import Markup, element, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..explain import Explanation, Hop

#: Hops that are drawn by themselves at the most.
MOST_DRAWN = 8

# All lengths are in units of the picture.
_WIDTH, _BOX, _GAP, _EDGE = 380, 66, 40, 4
_LONGEST_TITLE, _LONGEST_NOTE = 38, 52


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """
    One box of the picture.

    Attributes:
        kind: How it looks, as its class in the style says.

        mark: What stands in its circle: the hop's number, or a sign.

        title: Its address, or what it is.

        verdict: What it is taken for.

        source: The header that said so.

        sentence: Why.
    """

    kind: str
    mark: str
    title: str
    verdict: str
    source: str
    sentence: str = ""


_KINDS = {
    Standing.TRUSTED: "trusted",
    Standing.COUNTED: "trusted",
    Standing.CLIENT: "client",
    Standing.STRANGER: "stranger",
    Standing.NOBODY: "nobody",
    Standing.CUT: "cut",
}


def list_stops(explanation: Explanation) -> tuple[Stop, ...]:
    """List the stops of the way, the farthest first, this server last."""
    hops = explanation.way
    stops = [_describe_hop(explanation, hop) for hop in hops]
    if not any(hop.standing in _ENDS for hop in hops):
        # Nobody is the client, and nothing was cut off from one.
        stops.append(_UNKNOWN)
    stops += _list_unread(explanation)
    return (*reversed(stops), _describe_server(explanation))


#: Where a way ends.
_ENDS = frozenset({Standing.CLIENT, Standing.NOBODY, Standing.STRANGER})


_UNKNOWN = Stop(
    kind="nobody",
    mark="?",
    title="unknown",
    verdict="client",
    source="no header that counts names it",
)


def _describe_hop(explanation: Explanation, hop: Hop) -> Stop:
    peer = hop.number == 0
    source = f"{hop.header}, element {hop.number} from the right"
    if peer:
        source = "the connection itself: the peer"
    port = "" if hop.port is None else f", port {hop.port}"
    title = hop.text if hop.address is None else f"{hop.address}{port}"
    if not title:
        title = "a unix socket" if peer and explanation.peer.is_unix else "nothing"
    return Stop(
        kind=_KINDS[hop.standing],
        mark=str(hop.number),
        title=title,
        verdict=str(hop.standing),
        source=source,
        sentence=hop.sentence,
    )


def _list_unread(explanation: Explanation) -> Iterator[Stop]:
    """List the client headers that were cut off whole, unread."""
    if explanation.peer.trusted:
        return
    for header in explanation.headers:
        if header.fate is Fate.REMOVED and "client address" in header.categories:
            yield Stop(
                kind="cut",
                mark="✕",
                title=header.value or "",
                verdict=str(Standing.CUT),
                source=f"{header.name}, removed",
                sentence=" ".join(header.sentences),
            )


def _describe_server(explanation: Explanation) -> Stop:
    said = explanation.connection
    port = "" if said["port"] is None else f":{said['port']}"
    name = said["server"] or "this server"
    return Stop(
        kind="server",
        mark="●",
        title=f"{name}{port}",
        verdict="this server",
        source="where the policy is applied",
    )


def draw_way(stops: Sequence[Stop]) -> Markup:
    """Draw the stops, the farthest on top, with a text for those who see no picture."""
    shown = _shorten(stops)
    ends = _find_end_of_trust(shown)
    height = len(shown) * (_BOX + _GAP) - _GAP + 2 * _EDGE
    parts: list[Markup] = []
    for i, stop in enumerate(shown):
        top = _EDGE + i * (_BOX + _GAP)
        if i:
            parts.append(_draw_arrow(top - _GAP, cut=shown[i - 1].kind == "cut"))
        if i and i == ends:
            parts.append(_draw_end(top - _GAP // 2))
        parts.append(_draw_box(stop, top))
    return element(
        "svg",
        element("title", "The way of the request", id="way-title"),
        element("desc", describe_way(stops), id="way-text"),
        parts,
        class_="way",
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_labelledby="way-title way-text",
    )


def describe_way(stops: Sequence[Stop]) -> str:
    """Say in a sentence what the picture shows."""
    said = "; ".join(f"{stop.title}, {stop.verdict}" for stop in stops)
    return f"From the farthest to this server: {said}."


def _shorten(stops: Sequence[Stop]) -> list[Stop]:
    """Draw what is cut off as one box, and no more hops than fit."""
    cut = [stop for stop in stops if stop.kind == "cut"]
    rest = [stop for stop in stops if stop.kind != "cut"]
    if len(cut) > 1:
        joined = ", ".join(stop.title for stop in cut)
        first = cut[-1]
        cut = [
            Stop(
                kind="cut",
                mark="✕",
                title=joined,
                verdict=f"{len(cut)} elements, {first.verdict}",
                source=first.source.partition(",")[0],
            )
        ]
    if len(rest) > MOST_DRAWN:
        left = len(rest) - MOST_DRAWN
        middle = Stop(
            kind="trusted",
            mark="…",
            title=f"{left} more",
            verdict=rest[3].verdict,
            source="in the list of the hops",
        )
        rest = [*rest[:3], middle, *rest[3 + left :]]
    return [*cut, *rest]


def _find_end_of_trust(stops: Sequence[Stop]) -> int:
    """Find the first stop, from the farthest, from which on all are trusted."""
    end = len(stops) - 1
    while end > 0 and stops[end - 1].kind == "trusted":
        end -= 1
    return end


def _draw_box(stop: Stop, top: int) -> Markup:
    middle = top + _BOX // 2
    return element(
        "g",
        element("rect", x=1, y=top, width=_WIDTH - 2, height=_BOX, rx=10),
        element("circle", cx=30, cy=middle, r=16),
        element("text", stop.mark, x=30, y=middle + 5, class_="mark"),
        element("text", _cut(stop.title, _LONGEST_TITLE), x=58, y=top + 23),
        element(
            "text",
            element("tspan", stop.verdict, class_="verdict"),
            x=58,
            y=top + 41,
            class_="line",
        ),
        element(
            "text", _cut(stop.source, _LONGEST_NOTE), x=58, y=top + 57, class_="line"
        ),
        class_=f"stop {stop.kind}",
    )


def _cut(value: str, longest: int) -> str:
    shown = make_visible(value)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _draw_arrow(top: int, *, cut: bool) -> Markup:
    """Draw the line from one box to the next one, broken where something was cut."""
    end = top + _GAP
    line = element("line", x1=30, y1=top, x2=30, y2=end - 3)
    if cut:
        middle = top + _GAP // 2
        cross = element(
            "path",
            d=f"M22 {middle - 8} l16 16 m0 -16 l-16 16",
        )
        return element("g", line, cross, class_="arrow broken")
    head = element("path", d=f"M24 {end - 9} l6 7 l6 -7")
    return element("g", line, head, class_="arrow")


def _draw_end(middle: int) -> Markup:
    return element(
        "g",
        element("line", x1=52, y1=middle, x2=_WIDTH - 2, y2=middle),
        element("text", "trust ends here", x=_WIDTH - 6, y=middle - 5),
        class_="end",
    )
