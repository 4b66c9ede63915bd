"""
The command ``trustedproxy``, and the same below ``manage.py`` and ``flask``.

In:  the words of a command line.
Out: `main`, whose exit status is one of `ExitStatus`.

Stands on click and rich, which the extra ``cli`` brings; nothing of them is loaded with
this package.  Reading order: `program` (the subcommands, and where to add one),
`sources` (where a policy comes from), `screen` (what is printed, and how), `commands`
(one module a subcommand), `views` (tables for terminals).
"""

from __future__ import annotations

import sys
from enum import IntEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the extra ``cli`` brings.
NEEDED = ("click", "rich", "urllib3")
MISSING_EXTRA = (
    "The command needs {}, which is not installed: pip install 'trustedproxy[cli]'"
)


class ExitStatus(IntEnum):
    """What a command says to a shell, or to CI."""

    #: Everything is fine.
    FINE = 0
    #: It has worked, and found something: a risk, or what was not expected.
    FINDINGS = 1
    #: It was not asked in a way that it understands: an option, a setting, a file.
    USAGE = 2


def name_missing() -> str | None:
    """Say which libraries of the extra are missing, and what to install."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    return MISSING_EXTRA.format(", ".join(missing)) if missing else None


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: The words behind its name; by default those of this process.
    """
    missing = name_missing()
    if missing is not None:
        print(missing, file=sys.stderr)
        return ExitStatus.USAGE
    # They are there, and only who asks for the command needs them.
    from .program import run

    return run(sys.argv[1:] if arguments is None else arguments)
