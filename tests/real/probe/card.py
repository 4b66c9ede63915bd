"""
The report card that docs/commands/probe.md shows: of a real nginx with two holes.

In:  nothing.
Out: the card; its text and its picture, ``python -m tests.real.probe.card`` writes both
     into the documentation.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

from rich.console import Console

from trustedproxy.cli.views.cards import draw_card
from trustedproxy.probe import Card, Wanted, parse_target, run_probe, write_card
from trustedproxy.probe.client import Client
from trustedproxy.report.visits import TOKEN_HEADER

from ..servers.farm import CLIENT
from ..servers.fronts import find_front
from .conftest import make_ground
from .sites import HOST, LIMITS, NAME, Ground, running

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "commands" / "probe.md"
PICTURE = ROOT / "docs" / "images" / "probe-card.svg"
COMMAND = f"trustedproxy probe https://{NAME}/trustedproxy/ --token-file token"

#: What the nginx says that it should not.
CHANGES = {
    r"(?=    absolute_redirect )": "    underscores_in_headers on;\n",
    r"X-Forwarded-Proto +\$scheme": "X-Forwarded-Proto $http_x_forwarded_proto",
}
_BLOCK = re.compile(r"(?<=<!-- card: nginx -->\n\n```text\n).*?(?=^```$)", re.M | re.S)


def make_card(ground: Ground) -> Card:
    """Probe the nginx, with the same forged texts each time."""
    with running(ground, find_front("nginx"), CHANGES) as site:
        # As if it had the usual port.
        target = replace(
            parse_target(f"https://{NAME}/trustedproxy/"),
            server=HOST,
            port=site.site.https_port,
        )
        client = Client(
            target,
            LIMITS,
            [("User-Agent", "trustedproxy-probe")],
            token=(TOKEN_HEADER, site.behind.make_token()),
            tls=ground.context,
            source=CLIENT,
        )
        wanted = Wanted(target=target, client=client, by_page=True, limits=LIMITS)
        return run_probe(wanted, random=Random(1))


def write_block(card: Card) -> str:
    """Write the card as the page shows it."""
    return f"{write_card(card)}\n"


def read_block() -> str:
    """Read the card that the page shows."""
    [block] = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return str(block)


def draw_picture(card: Card) -> str:
    """Draw the card as a terminal shows it."""
    sys.path.append(str(ROOT / "tools"))
    from screenshots import draw

    console = Console(width=110, force_terminal=True, color_system="truecolor")
    with console.capture() as drawn:
        console.print(draw_card(card))
    return str(draw("probe", f"{COMMAND} --yes", drawn.get()))


def main() -> None:
    """Write both."""
    with make_ground() as ground:
        card = make_card(ground)
    page = PAGE.read_text(encoding="utf-8")
    text = write_block(card)
    PAGE.write_text(_BLOCK.sub(lambda _: text, page, count=1), encoding="utf-8")
    PICTURE.write_text(draw_picture(card), encoding="utf-8")


if __name__ == "__main__":
    main()
