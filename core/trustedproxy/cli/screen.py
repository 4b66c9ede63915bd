"""
What is printed: tables and colours on a terminal, plain text in a pipe, or JSON.

In:  records and texts.
Out: lines on standard output; messages and progress on standard error.

Texts of requests, logs and files are shown as text and never as markup: rich is given
`Text`, and nothing is highlighted or replaced.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from io import StringIO
from threading import Timer
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import RenderableType

#: Seconds after which something that goes on has a progress bar.
PATIENCE = 1.0


class Screen:
    """
    Where a command prints to.

    Args:
        as_json: Whether everything is printed as JSON.

        output, errors: Streams; by default those of this process.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        output: IO[str] | None = None,
        errors: IO[str] | None = None,
    ) -> None:
        self.as_json = as_json
        self.output: IO[str] = _choose(output, sys.stdout)
        self.console: Console = _make_console(self.output)
        self.errors: Console = _make_console(_choose(errors, sys.stderr))

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at the output, so that tables and colours help."""
        return self.console.is_terminal and not self.as_json

    def print_text(self, text: str) -> None:
        """Print *text* as it is, without wrapping it."""
        self.output.write(f"{text}\n")
        self.output.flush()

    def print_json(self, value: object, *, on_one_line: bool = False) -> None:
        """Print *value* as JSON: one document, or one line of several."""
        indent = None if on_one_line else 2
        # Escaped, so that nothing in it steers a terminal.
        self.print_text(json.dumps(value, indent=indent))

    def render(self, renderable: RenderableType) -> None:
        """Print a table, a panel, or text with styles."""
        self.console.print(renderable)

    def show(
        self,
        *,
        as_json: Callable[[], object],
        as_text: Callable[[], str],
        as_table: Callable[[], RenderableType] | None = None,
    ) -> None:
        """Print the one of these that is wanted here."""
        if self.as_json:
            self.print_json(as_json())
        elif self.is_terminal and as_table is not None:
            self.render(as_table())
        else:
            self.print_text(as_text())

    def say(self, message: str, style: str = "") -> None:
        """Say something beside the output."""
        self.errors.print(message, style=style, soft_wrap=True)

    @contextmanager
    def progress(
        self, what: str, total: float | None
    ) -> Iterator[Callable[[int], None]]:
        """
        Show how far something is that takes longer than a second.

        Args:
            what: What is done, in a word or two.

            total: How much there is to do; ``None`` where nobody knows.

        Returns:
            What is called with how much was done since the last call.
        """
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            console=self.errors,
            transient=True,
            disable=not self.errors.is_terminal,
        )
        task = bar.add_task(what, total=total)
        timer = Timer(PATIENCE, bar.start)
        timer.daemon = True
        timer.start()
        try:
            yield lambda done: bar.update(task, advance=done)
        finally:
            timer.cancel()
            timer.join()
            bar.stop()


def _choose(given: IO[str] | None, usual: IO[str] | None) -> IO[str]:
    """Choose a stream; what a process has none for goes nowhere, as `>&-` wants it."""
    chosen = usual if given is None else given
    return StringIO() if chosen is None else chosen


def _make_console(stream: IO[str]) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False)


def error_as_dict(message: str, **parts: Any) -> Mapping[str, object]:
    """Say an error in plain values, as docs/commands/json.md describes it."""
    return {"error": {"message": message, **parts}}
