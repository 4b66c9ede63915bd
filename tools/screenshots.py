"""
Take a picture of each command as a terminal shows it: docs/images/command-*.svg.

In:  the commands below, each run on a terminal of its own.
Out: an SVG each, without anything from elsewhere; the same run gives the same file.

``python tools/screenshots.py``; a test holds the text of each picture against a run.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from command_pages import ROOT, make_environment
from rich.console import Console
from rich.text import Text

IMAGES = ROOT / "docs" / "images"
#: Columns of the terminal.
WIDTH = 110
#: Lines of a picture at most.
MOST_LINES = 60

_TRUSTED = "--trusted-headers X-Forwarded-For,X-Forwarded-Proto"
#: Picture → what is typed.
PICTURES = {
    "check": f"trustedproxy check {_TRUSTED},X-Real-IP --proxies '*'",
    "settings": f"trustedproxy settings {_TRUSTED} --proxies loopback",
    "explain": (
        f"trustedproxy explain https://www.example.com/ {_TRUSTED} "
        "--proxies 10.0.0.0/8 --peer 10.0.0.5 --scheme http "
        "-H 'X-Forwarded-For: 198.51.100.66, 203.0.113.7, 10.0.0.6' "
        "-H 'X-Real-IP: 198.51.100.66'"
    ),
    "explain-log": (
        f"trustedproxy explain --log access.log {_TRUSTED} --proxies 192.168.1.31 "
        "--peer 172.18.0.1"
    ),
    "explain-others": (
        f"trustedproxy explain {_TRUSTED} --proxies 10.0.0.0/8 --peer 10.0.0.5 "
        "--others -H 'X-Forwarded-For: 198.51.100.66, 203.0.113.7, 10.0.0.6'"
    ),
    "config": f"trustedproxy config nginx {_TRUSTED} --proxies loopback",
    "convert": "trustedproxy convert --to flask app.py",
    "preset": "trustedproxy preset",
    "networks": "trustedproxy networks list",
}

#: Fonts that would be loaded from elsewhere.
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def run_on_terminal(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command on a terminal, and return what it writes there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=folder,
        env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = bytearray()
    # The end of a terminal is an error on some systems.
    with suppress(OSError):
        while block := os.read(ours, 65536):
            written += block
    os.close(ours)
    process.wait()
    return written.decode("utf-8").replace("\r\n", "\n")


def draw(name: str, command: str, written: str) -> str:
    """Draw what was written on a terminal, below the command, as SVG."""
    lines = written.rstrip("\n").split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], "…"]
    console = Console(
        record=True,
        width=WIDTH,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text.from_ansi("\n".join(lines)))
    svg = console.export_svg(title="trustedproxy", unique_id=f"command-{name}")
    plain = _FONT.sub("", svg)
    return "\n".join(line.rstrip() for line in plain.splitlines()) + "\n"


def take(name: str) -> str:
    """Run one of the commands, and draw it."""
    with TemporaryDirectory() as folder:
        environment = make_environment(Path(folder))
        written = run_on_terminal(PICTURES[name], Path(folder), environment)
    return draw(name, PICTURES[name], written)


def main() -> None:
    """Take every picture."""
    IMAGES.mkdir(exist_ok=True)
    for name in PICTURES:
        (IMAGES / f"command-{name}.svg").write_text(take(name), encoding="utf-8")


if __name__ == "__main__":
    main()
