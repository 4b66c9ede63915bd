"""
``trustedproxy convert``: turn another tool's configuration into settings.

In:  files, folders, or text on standard input.
Out: settings for Django, Flask or the environment, and what is to be said about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ...convert import (
    KINDS,
    TARGETS,
    Conversion,
    Effect,
    convert_files,
    convert_text,
    write_report,
    write_settings,
)
from ...convert.project import MAX_SIZE, decode_text
from .. import ExitStatus
from ..options import Choice, prints
from ..standard_input import open_input
from ..views.code import draw_code
from ..writing import write_file

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..screen import Screen

_STDIN = "-"
_LANGUAGES = {"django": "python", "flask": "python", "environment": "bash"}


@click.command("convert")
@click.argument("files", nargs=-1)
@click.option(
    "--from",
    "kind",
    type=Choice("KIND", lambda: KINDS),
    help=f"What it is: {', '.join(KINDS)}. [default: found out]",
)
@click.option(
    "--to",
    "target",
    type=Choice("TARGET", lambda: TARGETS),
    default="django",
    show_default=True,
    help=f"For whom: {', '.join(TARGETS)}.",
)
@click.option(
    "--proxies",
    metavar="LIST",
    help="Where your proxies connect from, in place of what is configured.",
)
@click.option("--bare", is_flag=True, help="Print the settings alone, without notes.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 where something is left to do."
)
@click.option("-o", "--output", metavar="FILE", help="Write into this file.")
@prints
def command(
    *,
    files: Sequence[str],
    kind: str | None,
    target: str,
    proxies: str | None,
    bare: bool,
    strict: bool,
    output: str | None,
    screen: Screen,
) -> int:
    """
    Turn another tool's configuration into settings.

    FILES are read and never run; a folder stands for the files in it that may hold a
    configuration. Without any, standard input is read.
    """
    conversion = _convert(files, kind, proxies)
    write = write_settings if bare else write_report
    text = write(conversion, target)
    described = {**conversion.as_dict(), "target": target}
    if output is not None:
        write_file(output, text)
        if screen.as_json:
            screen.print_json({**described, "written": [output]})
        else:
            # Standard output is for settings alone, as without `-o`.
            screen.say(f"{output} was written.")
    else:
        screen.show(
            as_json=lambda: {**described, "text": text},
            as_text=lambda: text.rstrip("\n"),
            as_table=lambda: _draw(text, target),
        )
    is_left = any(note.effect is Effect.TO_DO for note in conversion.notes)
    return ExitStatus.FINDINGS if strict and is_left else ExitStatus.FINE


def _convert(files: Sequence[str], kind: str | None, proxies: str | None) -> Conversion:
    if not files or list(files) == [_STDIN]:
        with open_input() as file:
            text = decode_text(file.read(MAX_SIZE + 1), "standard input")
        return convert_text(text, kind, proxies=proxies)
    return convert_files(files, kind, proxies=proxies)


def _draw(text: str, target: str) -> RenderableType:
    return draw_code(text, _LANGUAGES[target])
