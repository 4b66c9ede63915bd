"""
``manage.py trustedproxy …``: the subcommands of ``trustedproxy``, for this project.

In:  Django's settings, and the words behind the command's name.
Out: what `trustedproxy.cli` prints, and its exit status.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from django.core.management.base import BaseCommand, CommandError

from trustedproxy.cli import ExitStatus, name_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser, OutputWrapper

#: Options of every command of Django's, which `ManagementUtility` has read: name, and
#: whether a word follows.
_OF_DJANGO = {
    "--settings": True,
    "--pythonpath": True,
    "--verbosity": True,
    "--traceback": False,
    "--no-color": False,
    "--force-color": False,
    "--skip-checks": False,
}


class Command(BaseCommand):
    """The command, as Django finds it."""

    help = (
        "Looks at the policy for trusted proxy headers: checks it, explains what "
        "becomes of a request, prints the front end's half."
    )
    # It is for those whose settings are not right yet.
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the words of a command line, which are not Django's to parse."""
        words = _leave_out(argv[2:])
        if "--no-color" in argv:
            os.environ["NO_COLOR"] = "1"
        status = self.run(words)
        if status:
            sys.exit(status)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take all words, for ``call_command("trustedproxy", "check")``."""
        parser.add_argument("words", nargs=argparse.REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the words of a call; another exit status than 0 is a `CommandError`."""
        status = self.run(options["words"])
        if status:
            message = f"The exit status is {int(status)}: what was found is printed."
            raise CommandError(message, returncode=int(status))

    def run(self, words: Sequence[str]) -> int:
        """Run a subcommand for this project."""
        output, errors = _find_stream(self.stdout), _find_stream(self.stderr)
        missing = name_missing()
        if missing is not None:
            if errors is not None:
                self.stderr.write(missing)
            return ExitStatus.USAGE
        # They are there, and only who asks for the command needs them.
        from django_trustedproxy.loading import load
        from trustedproxy.cli.program import Session, run

        # What is written is whole lines, and not one of Django's messages.
        self.stdout.ending = self.stderr.ending = ""
        session = Session(load, output, errors)
        return run(words, session, name="manage.py trustedproxy")


def _find_stream(wrapper: OutputWrapper) -> IO[str] | None:
    """Find where to print; ``None`` where the process has no such stream (``>&-``)."""
    # A wrapper around nothing fails at the first word; else it hands on to the stream
    # what it has not itself.
    stream: object = getattr(wrapper, "_out", wrapper)
    return None if stream is None else cast("IO[str]", wrapper)


def _leave_out(words: Sequence[str]) -> list[str]:
    """Leave out the options of every command of Django's."""
    kept: list[str] = []
    waiting = iter(words)
    for word in waiting:
        name, equals, _ = word.partition("=")
        if name not in _OF_DJANGO:
            kept.append(word)
        elif _OF_DJANGO[name] and not equals:
            next(waiting, None)
    return kept
