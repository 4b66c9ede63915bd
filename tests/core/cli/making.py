"""
The command as it is run: in a pipe, or on a terminal.

In:  words.
Out: `Result`: exit status, output, errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

from trustedproxy.cli.program import Session, run
from trustedproxy.cli.sources import Loaded

#: A policy as words, for subcommands that take one.
TRUSTING = (
    "--trusted-headers",
    "X-Forwarded-For,X-Forwarded-Proto",
    "--proxies",
    "10.0.0.0/8",
)
FROM_PROXY = ("--peer", "10.0.0.5", "-H", "X-Forwarded-For: 203.0.113.7")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command has said."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """What was printed, read as JSON."""
        return json.loads(self.output)


class Terminal(StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def ask(
    *words: str, load: Callable[[], Loaded] | None = None, terminal: bool = False
) -> Result:
    """
    Run the command.

    Args:
        words: The words behind its name.

        load: Loads the policy of a framework that runs it.

        terminal: Whether a person looks at its output.
    """
    make: type[StringIO] = Terminal if terminal else StringIO
    output, errors = make(), make()
    status = run(words, Session(load, output, errors))
    return Result(status, output.getvalue(), errors.getvalue())
